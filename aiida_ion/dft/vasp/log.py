"""OUTCAR and the output streams of VASP: cost of a run, processes, and error messages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from aiida_ion.endings import known_cause
from aiida_ion.units import KIB_PER_MIB

#: Bytes of a log that are read, and kept, from each end: the middle repeats itself every step.
READ_BYTES = 1 << 20
KEPT_BYTES = 8_000

#: Messages of VASP -> status and advice. The first match counts.
FAILURES: tuple[tuple[str, str, str], ...] = (
    (
        r"(?i:licen[cs]e).*(?:expired|invalid|not found)",
        "engine_import_failed",
        "VASP did not start: check its licence",
    ),
    (
        r"POSCAR and POTCAR are incompatible|(?i:error).*POTCAR|POTCAR.*(?:not found|missing)",
        "unknown_potential",
        "VASP cannot use POTCAR: give each kind the potential of its element",
    ),
    (r"[Ee]rror reading item", "invalid_input", "VASP cannot read a tag of `incar`: correct it"),
    (
        r"Error EDDDAV|PSSYEVX|PDSYEVX|PZSTEIN|not Hermitian in DAV|BRMIX: very serious",
        "engine_failed",
        "The electronic minimisation failed: try `algo` All, or a smaller timestep_fs",
    ),
    (r"ZBRENT: fatal", "engine_failed", "The line search of the relaxation failed: tighten `ediff`"),
    (r"REAL_OPTLAY|PSMAXN|RSPHER", "engine_failed", "Real-space projectors failed: set `lreal` to False"),
    (
        r"VERY BAD NEWS|I REFUSE TO CONTINUE|internal error",
        "engine_failed",
        "VASP gave up: fix the problem it reports",
    ),
)


def head_and_tail(path: Path, n_bytes: int) -> tuple[str, str]:
    """Return the beginning and end of a file as complete lines; the end is empty if the beginning is the whole file."""
    if not path.is_file():
        return "", ""
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(n_bytes)
        if size <= n_bytes:
            return head.decode(errors="replace"), ""
        stream.seek(max(n_bytes, size - n_bytes))
        tail = stream.read()
    return head.decode(errors="replace").rpartition("\n")[0], tail.decode(errors="replace").partition("\n")[2]


def excerpt(*paths: Path) -> str:
    """Return the beginning and end of each log, under its name, for storage."""
    parts = []
    for path in paths:
        head, tail = head_and_tail(path, KEPT_BYTES)
        if head:
            parts.append(f"==== {path.name} ====\n{head}\n" + (f"[...]\n{tail}\n" if tail else ""))
    return "\n".join(parts)


def failure(streams: str) -> tuple[str, str] | None:
    """Return the status and a sentence on an error in the output streams of VASP, None if none is recognised."""
    known = known_cause(streams)
    # VASP's own error message comes before a crash that it caused.
    if known is not None and known.status not in ("walltime", "engine_failed"):
        return str(known.status), f"VASP: {known.message}"
    for pattern, status, advice in FAILURES:
        match = re.search(pattern, streams)
        if match:
            line = streams[streams.rfind("\n", 0, match.start()) + 1 :].partition("\n")[0]
            return status, f"{advice} (VASP says: {_framed(streams) or ' '.join(line.split())})"
    return None if known is None else (str(known.status), f"VASP: {known.message}")


def _framed(streams: str) -> str:
    """Return the text of the last framed message; VASP 6 puts a heading in ASCII art above it."""
    frame = re.findall(r"^ -{20,}\n((?: ?\|.*\n)+) -{20,}", streams, re.MULTILINE)
    lines = [line.strip(" |") for line in frame[-1].splitlines()] if frame else []
    return " ".join(" ".join(line.split()) for line in lines if re.search(r"[a-z]{2}", line))


def read_outcar(path: Path) -> dict[str, Any]:
    """Return facts about the whole run from OUTCAR; ``ended`` when VASP finished it.

    ``wall_time_s``, ``cpu_time_s`` (all processes), ``peak_memory_MiB`` (all processes, assuming each is like the
    first), ``processes``, ``mpi_ranks``, ``threads``, ``nose_period_steps``: those that are given.
    """
    head, tail = head_and_tail(path, READ_BYTES)
    text = head + tail
    facts: dict[str, Any] = {"ended": "General timing and accounting" in text}
    processes = _number(r"running\s+(?:on\s+)?(\d+)\s+(?:total cores|mpi-ranks)", text)
    facts["processes"] = int(processes or 1)
    facts["mpi_ranks"] = None if processes is None else int(processes)
    facts["threads"] = int(_number(r"with\s+(\d+)\s+threads/rank", text) or 1)
    facts["wall_time_s"] = _number(r"Elapsed time \(sec\):\s*([\d.]+)", text)
    facts["cpu_time_s"] = _times(_number(r"Total CPU time used \(sec\):\s*([\d.]+)", text), facts["processes"])
    memory = _number(r"Maximum memory used \(kb\):\s*([\d.]+)", text)
    facts["peak_memory_MiB"] = _times(memory, facts["processes"] / KIB_PER_MIB)
    facts["nose_period_steps"] = _number(r"period in steps\s*=\s*([\d.E+]+)\s+mass=\s*0", text)
    return {key: value for key, value in facts.items() if value is not None}


def _number(pattern: str, text: str) -> float | None:
    match = re.search(pattern, text)
    return float(match.group(1)) if match else None


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
