"""What pw.x writes to its standard output, read line by line: a run that was killed ends anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: What marks the lines that matter; all others are skipped at the price of one search.
_KEYS = re.compile(
    r"^!|convergence (?:has been|NOT) achieved|Forces acting on atoms|^ATOMIC_POSITIONS|iteration =|\(Ekin\)|"
    r"temperature +=|Ekin \+ Etot|Error in routine|Maximum CPU time|total cpu time|PWSCF +:|JOB DONE|"
    r"max dynamical RAM|Self-consistent Calculation"
)
_NUMBER = r"([-+]?\d+\.\d*(?:[EeDd][-+]?\d+)?)"
_VALUE = re.compile(rf"=\s*{_NUMBER}\s+(?:Ry|K)\b")
#: Forces stand in columns that may touch.
_FORCE = re.compile(r"force =\s*(-?\d+\.\d{8})\s*(-?\d+\.\d{8})\s*(-?\d+\.\d{8})\s*$")
_ERROR = re.compile(r"Error in routine\s+(\S+)\s+\((-?\d+)\)")
_UNITS_S = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}


@dataclass
class PwStep:
    """One ionic step as far as it was written.

    :param energy_Ry: the energy that the forces are the gradient of.
    :param forces_Ry_bohr: shape (N, 3); ``None`` until they are whole, as are the following.
    :param next_positions: shape (N, 3), angstrom: where pw.x goes from here.
    :param conserved_Ry: kinetic and potential energy together, the last that is written of a step.
    """

    energy_Ry: float
    scf_iterations: int = 0
    forces_Ry_bohr: FloatArray | None = None
    iteration: int = 0
    next_positions: FloatArray | None = None
    kinetic_Ry: float | None = None
    temperature_K: float | None = None
    conserved_Ry: float | None = None


@dataclass
class PwOutput:
    """All that one run of pw.x said.

    :param head: lines before the first self-consistent calculation: they say what is computed.
    :param calculating: whether the first self-consistent calculation began.
    :param error: routine and words of the error that ended the run.
    :param time_s: what pw.x said last of the time it took, s.
    :param memory_MiB: its estimate for each process.
    """

    steps: list[PwStep] = field(default_factory=list)
    head: list[str] = field(default_factory=list)
    calculating: bool = False
    out_of_time: bool = False
    scf_failed: bool = False
    done: bool = False
    error: tuple[str, str] | None = None
    time_s: float | None = None
    cpu_s: float | None = None
    memory_MiB: float | None = None


def read_output(path: Path, n_atoms: int) -> PwOutput:
    """Return what a run said, as far as it got; nothing was said where the file does not exist.

    :param path: standard output of pw.x.
    :param n_atoms: number of atoms.
    """
    if not path.exists():
        return PwOutput()
    with path.open(errors="replace") as handle:
        return scan(handle, n_atoms)


def scan(text: Iterable[str], n_atoms: int) -> PwOutput:
    """Return what the lines of an output say.

    :param text: lines with their ends; the last one counts only if it is whole.
    """
    said = PwOutput()
    lines = (line for line in text if line.endswith("\n"))
    for line in lines:
        if not said.calculating:
            said.head.append(line)
        key = _KEYS.search(line)
        if key is not None:
            _note(said, " ".join(key[0].split()), line, lines, n_atoms)
    return said


def _note(said: PwOutput, key: str, line: str, lines: Iterator[str], n_atoms: int) -> None:
    """Take down one line, and the rows that belong to it."""
    if key == "!":
        energy = _value(line)
        if energy is not None:
            said.steps.append(PwStep(energy))
    elif key in _MARKS:
        setattr(said, _MARKS[key], True)
    elif key in _NUMBERS:
        _NUMBERS[key](said, line)
    elif key == "Error in routine":
        said.error = _error(line, lines)
    elif said.steps:
        _note_step(said.steps[-1], key, line, lines, n_atoms)


def _note_step(step: PwStep, key: str, line: str, lines: Iterator[str], n_atoms: int) -> None:
    if key == "convergence has been achieved":
        step.scf_iterations = _count(line)
    elif key == "Forces acting on atoms":
        step.forces_Ry_bohr = _forces(lines, n_atoms)
    elif key == "ATOMIC_POSITIONS" and step.next_positions is None:
        step.next_positions = _positions(lines, n_atoms)
    elif key == "iteration =":
        step.iteration = _count(line)
    elif key == "(Ekin)":
        step.kinetic_Ry = _value(line)
    elif key == "temperature =":
        step.temperature_K = _value(line)
    elif key == "Ekin + Etot":
        step.conserved_Ry = _value(line)


def _note_time(said: PwOutput, line: str) -> None:
    so_far = re.search(rf"is\s+{_NUMBER}\s+secs", line)
    if so_far is not None:
        said.time_s = float(so_far[1])


def _note_total(said: PwOutput, line: str) -> None:
    times = re.search(r":(.*)CPU(.*)WALL", line)
    if times is not None:
        said.cpu_s, said.time_s = seconds(times[1]), seconds(times[2])


def _note_memory(said: PwOutput, line: str) -> None:
    size = re.search(rf">\s*{_NUMBER}\s*(MB|GB)", line)
    if size is not None:
        said.memory_MiB = float(size[1]) * (1024.0 if size[2] == "GB" else 1.0)


_MARKS = {
    "Self-consistent Calculation": "calculating",
    "Maximum CPU time": "out_of_time",
    "convergence NOT achieved": "scf_failed",
    "JOB DONE": "done",
}
_NUMBERS: dict[str, Callable[[PwOutput, str], None]] = {
    "total cpu time": _note_time,
    "PWSCF :": _note_total,
    "max dynamical RAM": _note_memory,
}


def seconds(text: str) -> float:
    """Return a time as pw.x writes it (``1h23m``, ``2m 3.45s``) in seconds."""
    return sum(float(number) * _UNITS_S[unit] for number, unit in re.findall(r"([\d.]+)\s*([dhms])", text))


def _value(line: str) -> float | None:
    found = _VALUE.search(line)
    return float(found[1]) if found is not None else None


def _count(line: str) -> int:
    """Return the whole number of a line, zero where Fortran found no room for it."""
    found = re.search(r"\b(\d+)\b", line)
    return int(found[1]) if found is not None else 0


def _forces(lines: Iterator[str], n_atoms: int) -> FloatArray | None:
    rows: list[tuple[str, ...]] = []
    for line in lines:
        found = _FORCE.search(line)
        if found is not None:
            rows.append(found.groups())
        elif line.strip() or rows:
            return None
        if len(rows) == n_atoms:
            return np.array(rows, dtype=float)
    return None


def _positions(lines: Iterator[str], n_atoms: int) -> FloatArray | None:
    rows = [words[1:4] for words in (line.split() for line in islice(lines, n_atoms))]
    try:
        found = np.array(rows, dtype=float)
    except ValueError:
        return None
    return found if found.shape == (n_atoms, 3) and bool(np.isfinite(found).all()) else None


def _error(line: str, lines: Iterator[str]) -> tuple[str, str]:
    """Return the routine and what it says below, up to the line of percent signs."""
    found = _ERROR.search(line)
    words = []
    for following in lines:
        if not following.strip() or "%%%" in following:
            break
        words.append(following.strip())
    return (found[1] if found is not None else line.strip(), " ".join(words))
