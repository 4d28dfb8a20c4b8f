"""LAMMPS's log: progress of a run, how it ended, its cost."""

from __future__ import annotations

import math
import re
from typing import Any

from aiida_ion.endings import find_ending
from aiida_ion.lammps.fitted import MISMATCH
from aiida_ion.lammps.watch import halted_at
from aiida_ion.units import S_PER_HOUR, S_PER_MINUTE

#: Start of the line in the error stream with the exit status of a LAMMPS that did not end well.
EXIT_STATUS = "aiida-ion: exit status"
_STOPPED = re.compile(r"^aiida-ion: stopped at step (\d+)", re.MULTILINE)
#: Messages of LAMMPS when a run explodes.
_EXPLODED = re.compile(r"Fix halt condition|Lost atoms|Non-numeric|Out of range atoms|simulation unstable")
_CRASHED = re.compile(r"^ERROR", re.MULTILINE)
#: Status of a run that was stopped because a pair of elements was closer than its bound.
LEFT_TRAINING = "left_training"
_CHANGED = re.compile(f"^{re.escape(MISMATCH)} .*$", re.MULTILINE)
_STATUS = re.compile(f"^{re.escape(EXIT_STATUS)} (\\d+)$", re.MULTILINE)
#: Exit status of a shell's or of Python's child -> the signal that ended it.
_SIGNALS = {
    status: name
    for number, name in ((6, "aborted"), (7, "bus error"), (8, "floating point exception"), (11, "segmentation fault"))
    for status in (128 + number, 256 - number)
}
_NO_LIBRARY = re.compile(r"error while loading shared libraries: (\S+?):")
_NO_STYLE = re.compile(r"(?:Unrecognized|Unknown) (\w+) style '?([\w/]+)'?([^\n]*)")
_NO_MEMORY = re.compile(r"out of memory|Failed to (?:re)?allocate|Cannot allocate memory", re.IGNORECASE)


def read_progress(log_text: str, n_steps: int) -> tuple[int, float]:
    """Return the last step in the log of a running job, and the fraction of the run that is done (0 to 1).

    :param log_text: what LAMMPS has written so far to its log or screen.
    :param n_steps: the total number of steps of the run.
    """
    rows = re.findall(r"^\s*(\d+)\s+[-+\d.eE]+\s+[-+\d.eE]+\s*$", log_text, flags=re.MULTILINE)
    step = int(rows[-1]) if rows else 0
    return step, min(1.0, step / n_steps)


def judge(log: str, errors: str, n_steps: int) -> tuple[str, str, int | None]:
    """Return status, message and the step at which the run stopped cleanly (None if it did not)."""
    match = _STOPPED.search(log)
    stopped = int(match[1]) if match else None
    if problem := _failure(log, errors):
        return *problem, stopped
    if stopped is None:
        ending = find_ending(errors)
        if ending.status is None and (crash := _crash(errors)) is not None:
            return "engine_failed", crash, None
        text = f"LAMMPS was stopped early: {ending.message}"
        return ending.status or "terminated", text, None
    if stopped < n_steps:
        message = f"the time limit came at step {stopped} of {n_steps}: continue from the restart file"
        return "walltime", message, stopped
    return "finished", f"ran to step {stopped}", stopped


def _failure(log: str, errors: str) -> tuple[str, str] | None:
    text = f"{log}\n{errors}"
    if match := _CHANGED.search(text):
        return "potential_changed", f"{match[0].partition(': ')[2]}; its files, their order or LAMMPS are not the same"
    if match := _NO_LIBRARY.search(text):
        return "engine_import_failed", _library_remedy(match[1])
    if match := _NO_STYLE.search(text):
        style = f"{match[1]} style {match[2]}"
        return "engine_import_failed", f"this LAMMPS has no {style}: register an lmp built with it"
    if _NO_MEMORY.search(text):
        return "out_of_memory", "LAMMPS ran out of memory: use more nodes or a smaller cell"
    return _failed_run(text)


def _failed_run(text: str) -> tuple[str, str] | None:
    started = re.search(r"^\s*Step\s+Temp", text, re.MULTILINE) is not None
    if started and (step := halted_at(text)) is not None and _CRASHED.search(text) is None:
        return LEFT_TRAINING, f"two atoms came closer than is allowed at step {step}"
    if started and (match := _EXPLODED.search(text)):
        line = text[text.rfind("\n", 0, match.start()) + 1 :].split("\n", 1)[0].strip()
        return "exploded", f"the run exploded ({line}): use a smaller time step or relax the structure"
    if failure := re.search(r"^ERROR[^:\n]*: (.*)$", text, re.MULTILINE):
        error_line = failure[1].strip()
        if started:
            return "engine_failed", f"LAMMPS stopped with an error: {error_line}"
        return "invalid_input", f"LAMMPS refused its input: {error_line}"
    return None


def _crash(errors: str) -> str | None:
    """Return how the program crashed, from the exit status that its job noted; ``None`` if it did not.

    The `lmp` of the wheels is a Python script: the shell that starts it sees no signal, only 256 minus its number.
    """
    match = _STATUS.search(errors)
    name = _SIGNALS.get(int(match[1])) if match is not None else None
    return f"LAMMPS crashed: {name}" if name is not None else None


def read_versions(log: str) -> dict[str, str]:
    """Return ``{"lammps": version}`` if the log names it."""
    match = re.search(r"^LAMMPS \(([^)]*)\)", log, re.MULTILINE)
    return {"lammps": match[1]} if match else {}


def read_ranks(log: str) -> int | None:
    """Return the number of MPI processes in LAMMPS's processor grid, None if it did not get that far."""
    grids = re.findall(r"(\d+) by (\d+) by (\d+) MPI processor grid", log)
    return math.prod(map(int, grids[-1])) if grids else None


def read_cost(log: str) -> dict[str, Any]:
    """Return wall and CPU time (s), memory (MiB), speed and parallel layout; None if not in the log."""
    loops = re.findall(r"Loop time of (\S+) on (\d+) procs for (\d+) steps with (\d+) atoms", log)
    wall = re.search(r"Total wall time: (\d+):(\d+):(\d+)", log)
    use = re.search(r"([\d.]+)% CPU use with (\d+) MPI tasks x (\d+|no) OpenMP", log)
    memory = [float(value) for value in re.findall(r"Per MPI rank memory.*?= \S+ \| \S+ \| (\S+) Mbytes", log)]
    loop_s = sum(float(loop[0]) for loop in loops)
    steps = sum(int(loop[2]) for loop in loops)
    ranks = int(use[2]) if use else None
    threads = int(use[3]) if use and use[3] != "no" else 1
    wall_s = float(int(wall[1]) * S_PER_HOUR + int(wall[2]) * S_PER_MINUTE + int(wall[3])) if wall else None
    if wall_s is not None or loops:
        wall_s = max(wall_s or 0.0, loop_s)
    return {
        "wall_time_s": wall_s,
        "cpu_time_s": wall_s * float(use[1]) / 100 * (ranks or 1) if use and wall_s is not None else None,
        "gpu_time_s": 0.0,
        "peak_memory_MiB": max(memory) * (ranks or 1) if memory else None,
        "peak_gpu_memory_MiB": None,
        "n_steps": steps,
        "steps_per_s": steps / loop_s if loop_s > 0 else None,
        "n_atoms": int(loops[-1][3]) if loops else None,
        "device": "cpu",
        "threads": threads,
        "mpi_ranks": ranks,
    }


def _library_remedy(library: str) -> str:
    return (
        f"LAMMPS found no {library}: put the 'lib' folder of its environment on LD_LIBRARY_PATH in the "
        "code's prepend_text, or load the MPI module it was built with"
    )
