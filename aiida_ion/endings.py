"""Why a program stopped early, from the messages of the program, shell, MPI and scheduler: one list for every job."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

#: Quoted lines are cut to this length.
QUOTED_LENGTH = 240


@dataclass(frozen=True)
class Ending:
    """How a program ended.

    :param status: one of the words of ``CAUSES``; None if unknown.
    :param message: what to do, and the line of output it is based on.
    """

    status: str | None
    message: str


class _Cause(NamedTuple):
    status: str
    pattern: str
    advice: str


#: Message -> status and advice. The first match counts, so specific messages come before those with many causes.
CAUSES: tuple[_Cause, ...] = (
    _Cause(
        "disk_full",
        r"No space left on device|Disk quota exceeded|File too large|File size limit exceeded|SIGXFSZ|"
        r"Errno (?:27|28|122)\b|quota (?:is )?exceeded",
        "the disk is full or a quota is used up: free some space, then repeat the command",
    ),
    _Cause(
        "out_of_memory",
        r"oom.?kill|out of memory|OutOfMemory|MemoryError\b|cannot allocate memory|can't allocate memory|bad_alloc|"
        r"Failed to (?:re)?allocate|insufficient (?:virtual )?memory|not enough memory|exceeded job memory limit|"
        r"TERM_MEMLIMIT|job killed: (?:v|p)?mem\b|Exceeded step memory",
        "it ran out of memory: give the job more, use more nodes, or a smaller cell",
    ),
    _Cause(
        "walltime",
        r"DUE TO TIME LIMIT|TERM_RUNLIMIT|job killed: walltime|exceeded (?:its )?(?:hard )?wall ?(?:time|clock)",
        "the scheduler ended it at its wall time: allow more",
    ),
    _Cause(
        "mpi_failed",
        r"There are not enough slots|unsupported PMI version|Fatal error in (?:P?MPI_Init|internal_Init)|"
        r"(?:orte_init|ompi_mpi_init|opal_init|MPI_Init_thread|PMIX?_Init)\b.*fail|attempt to run as root|"
        r"PMI2?_(?:Init|KVS_\w+).*(?:fail|error)|(?:ORTE|PRTE|OPAL|PMIX) ERROR|ORTE was unable|"
        r"undefined symbol: (?:ompi|MPI|PMPI|orte|opal)_\w+|requires PMI|srun: error: .*(?:mpi|pmi)",
        "MPI could not start the program: use the mpirun of the MPI library that the program was built with (see "
        "the computer's mpirun command, the engine's --prepend-text, and --processes)",
    ),
    _Cause(
        "engine_import_failed",
        r"error while loading shared libraries|cannot open shared object file|Library not loaded|"
        r"version `[\w.]+' not found|symbol lookup error|undefined symbol",
        "a library of the program is missing: load its modules or set LD_LIBRARY_PATH in --prepend-text of the engine",
    ),
    _Cause(
        "engine_import_failed",
        r"Illegal instruction|SIGILL",
        "the program was built for a different processor: build it on the machine that runs it",
    ),
    _Cause(
        "engine_import_failed",
        r"command not found|execvp error|unable to (?:find|launch) the specified (?:executable|application)|"
        r"cannot execute|Exec format error|bad interpreter|execve\(\)|"
        r"^\S+: line \d+: \S+: (?:No such file or directory|Permission denied|Is a directory)",
        "the program was not started: correct its path, its permissions or --prepend-text of the engine",
    ),
    _Cause(
        "engine_import_failed",
        r"^(?:ModuleNotFoundError|ImportError)\b",
        "a Python module is missing: install it in the environment of the engine",
    ),
    _Cause(
        "engine_failed",
        r"Segmentation fault|SIGSEGV|Bus error|SIGBUS|Floating point exception|SIGFPE|Aborted\b|SIGABRT|core dumped",
        "the program crashed: check its output; `ulimit -s unlimited` in --prepend-text is the usual remedy",
    ),
)
#: Signs that the program was killed from outside, without a reason.
KILLED = re.compile(
    r"\bKilled\b|^Terminated\b|\bsignal:? \(?(?:9|15)\b|SIGKILL|SIGTERM|CANCELLED|TERM_(?:OWNER|ADMIN|FORCE|UNKNOWN)|"
    r"NODE_?FAIL|node failure",
    re.MULTILINE | re.IGNORECASE,
)
#: The last line of a Python traceback.
RAISED = re.compile(r"^(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Interrupt)\b(?::.*)?$", re.MULTILINE)
#: Lines unrelated to the end of a program: warnings, the source line below them, rules, notes.
NOISE = re.compile(r"Warning\b|^\s+warnings?\.warn|^\s*$|^[\s\-=*%#_.!]+$|^Note:|^NOTE:|^STOP ", re.IGNORECASE)


def find_ending(*streams: str) -> Ending:
    """Return why a program ended, from its error streams and those of its scheduler.

    :param streams: texts, in the order in which they are searched.
    """
    known = known_cause(*streams)
    if known is not None:
        return known
    text = "\n".join(streams)
    raised = RAISED.findall(text)
    if "Traceback (most recent call last)" in text and raised:
        return Ending("engine_failed", f"the program failed: {_cut(raised[-1])}")
    killed = KILLED.search(text)
    if killed is not None:
        return Ending(None, f"it was killed from outside, for an unknown reason ({line_at(text, killed)})")
    last = last_lines(text)
    last_line = f"; the end of its error stream: {last}" if last else ""
    return Ending(None, f"the reason is unknown: it was killed, or its node was lost{last_line}")


def known_cause(*streams: str) -> Ending | None:
    """Return the cause that the streams name, or None."""
    text = "\n".join(streams)
    for cause in CAUSES:
        match = re.search(cause.pattern, text, re.MULTILINE | re.IGNORECASE)
        if match is not None:
            return Ending(cause.status, f"{cause.advice} ({line_at(text, match)})")
    return None


def line_at(text: str, match: re.Match[str]) -> str:
    """Return the line of a text that contains a match, in quotes."""
    start = text.rfind("\n", 0, match.start()) + 1
    return f"'{_cut(text[start:].partition(chr(10))[0])}'"


def last_lines(text: str, n_lines: int = 3) -> str:
    """Return the last informative lines of a text, joined; warnings and the source line below them are left out."""
    lines: list[str] = []
    after_warning = False
    for line in text.splitlines():
        noise = NOISE.search(line) is not None
        if not (noise or (after_warning and line.startswith((" ", "\t")))):
            lines.append(line.strip())
        after_warning = noise
    return " | ".join(_cut(line) for line in lines[-n_lines:])


def _cut(line: str) -> str:
    line = " ".join(line.split())
    return line if len(line) <= QUOTED_LENGTH else f"{line[:QUOTED_LENGTH]} ..."
