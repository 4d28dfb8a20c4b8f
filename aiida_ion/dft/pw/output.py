"""Standard output of pw.x, read line by line: the output of a killed run can end anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aiida_ion.dft.pw.tables import FloatArray, Lines, TableError, read_forces, read_positions, read_stress
from aiida_ion.units import MIB_PER_GIB, S_PER_DAY, S_PER_HOUR, S_PER_MINUTE

#: Markers of the relevant lines; all others are skipped after one search.
_KEYS = re.compile(
    r"^!|convergence (?:has been|NOT) achieved|Forces acting on atoms|total +stress|^ATOMIC_POSITIONS|^CELL_PARAMETERS|"
    r"iteration =|\(Ekin\)|^ +temperature +=|Ekin \+ Etot|Error in routine|Maximum CPU time|total cpu time|PWSCF +:|"
    r"JOB DONE|max dynamical RAM|Self-consistent Calculation|^ +time +=|Program PWSCF"
)
#: Lines below the head that show the kind of run.
_NOTES = re.compile(
    r"Dynamics Calculation|Geometry Optimization|Starting temperature|temperature is (?:controlled|set)|Time step +=|"
    r"Entering Dynamics; +it"
)
_NUMBER = r"([-+]?\d+\.\d*(?:[EeDd][-+]?\d+)?)"
_VALUE = re.compile(rf"=\s*{_NUMBER}\s+(?:Ry|K)\b")
_BEGIN = "Program PWSCF"
_ERROR = re.compile(r"Error in routine\s+(\S+)\s+\((-?\d+)\)")
_UNITS_S = {"d": S_PER_DAY, "h": S_PER_HOUR, "m": S_PER_MINUTE, "s": 1.0}


@dataclass
class PwStep:
    """One ionic step as far as it was written.

    :param energy_Ry: the energy whose gradient gives the forces: the last one of a step, since a hybrid functional
        prints one for each of its outer iterations.
    :param forces_Ry_bohr: shape (N, 3); ``None`` until complete, as are the following.
    :param stress_Ry_bohr3: shape (3, 3), as pw.x prints it: positive in a compressed crystal, without the motion of the
        ions; ``None`` where it was not computed.
    :param next_positions: shape (N, 3): positions of the next step.
    :param unit: of these positions: ``angstrom``, ``bohr``, ``alat`` or ``crystal``; empty if none is written.
    :param time_ps: time since the start of the run.
    :param conserved_Ry: kinetic plus potential energy, the last value written in a step.
    :param problem: why a table of this step cannot be read.
    """

    energy_Ry: float
    scf_iterations: int = 0
    forces_Ry_bohr: FloatArray | None = None
    stress_Ry_bohr3: FloatArray | None = None
    iteration: int = 0
    next_positions: FloatArray | None = None
    unit: str = "angstrom"
    time_ps: float | None = None
    kinetic_Ry: float | None = None
    temperature_K: float | None = None
    conserved_Ry: float | None = None
    problem: str = ""


@dataclass
class PwOutput:
    """Everything read from the output of one run of pw.x.

    :param head: lines before the first self-consistent calculation, which describe what is computed.
    :param notes: later lines that show the kind of dynamics.
    :param labels: of each atom, from the first table of positions.
    :param frozen: shape (N, 3), whether a component of an atom is fixed; ``None`` if the table has no flags.
    :param cell_changes: whether a cell is written after a step.
    :param calculating: whether the first self-consistent calculation began.
    :param error: routine and message of the error that ended the run.
    :param time_s: elapsed time that pw.x printed last, s.
    :param memory_MiB: pw.x's estimate for each process.
    """

    steps: list[PwStep] = field(default_factory=list)
    head: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    frozen: NDArray[np.bool_] | None = None
    cell_changes: bool = False
    calculating: bool = False
    out_of_time: bool = False
    scf_failed: bool = False
    done: bool = False
    error: tuple[str, str] | None = None
    time_s: float | None = None
    cpu_s: float | None = None
    memory_MiB: float | None = None


def read_output(path: Path, n_atoms: int) -> PwOutput:
    """Read the output of a run as far as it was written; empty if the file does not exist.

    :param path: standard output of pw.x.
    :param n_atoms: number of atoms.
    """
    if not path.exists():
        return PwOutput()
    with path.open(errors="replace") as handle:
        return scan(handle, n_atoms)


def scan(text: Iterable[str], n_atoms: int) -> PwOutput:
    """Read the lines of an output.

    :param text: lines with their line endings; an incomplete last line is ignored.
    """
    output, lines = PwOutput(), Lines(text)
    for line in lines:
        _take(output, line, lines, n_atoms)
    return output


def scan_runs(text: Iterable[str]) -> list[PwOutput]:
    """Read a text that may hold the outputs of several runs, one after the other.

    :param text: lines with their line endings; an incomplete last line is ignored.
    """
    runs: list[PwOutput] = []
    n_atoms, lines = 0, Lines(text)
    for line in lines:
        if _BEGIN in line:
            runs.append(PwOutput())
            n_atoms = 0
        if runs:
            n_atoms = n_atoms or _n_atoms(line)
            _take(runs[-1], line, lines, n_atoms)
    return runs


def _n_atoms(line: str) -> int:
    match = re.search(r"number of atoms/cell\s+=\s+(\d+)", line)
    return int(match[1]) if match is not None else 0


def _take(output: PwOutput, line: str, lines: Lines, n_atoms: int) -> None:
    if not output.calculating:
        output.head.append(line)
    elif len(output.steps) < 2 and _NOTES.search(line):
        output.notes.append(line.strip())
    key = _KEYS.search(line)
    if key is not None:
        _note(output, " ".join(key[0].split()), line, lines, n_atoms)


def _note(output: PwOutput, key: str, line: str, lines: Lines, n_atoms: int) -> None:
    """Record one line and the rows that belong to it."""
    if key == "!":
        _note_energy(output, line)
    elif key in _MARKS:
        setattr(output, _MARKS[key], True)
    elif key in _NUMBERS:
        _NUMBERS[key](output, line)
    elif key == "Error in routine":
        output.error = _error(line, lines)
    elif output.steps:
        try:
            _note_step(output, key, line, lines, n_atoms)
        except TableError as error:
            output.steps[-1].problem = output.steps[-1].problem or str(error)


def _note_energy(output: PwOutput, line: str) -> None:
    """Begin a step, or read the next energy of the same one: a hybrid functional prints several, the last with `!!`."""
    energy = _value(line)
    if energy is None:
        return
    last = output.steps[-1] if output.steps else None
    if last is not None and last.forces_Ry_bohr is None and last.next_positions is None and not last.problem:
        last.energy_Ry = energy
    else:
        output.steps.append(PwStep(energy))


def _note_step(output: PwOutput, key: str, line: str, lines: Lines, n_atoms: int) -> None:
    step = output.steps[-1]
    if key == "convergence has been achieved":
        step.scf_iterations += _count(line)
    elif key == "Forces acting on atoms":
        step.forces_Ry_bohr = read_forces(lines, n_atoms)
    elif key == "total stress":
        step.stress_Ry_bohr3 = read_stress(lines)
    elif key == "ATOMIC_POSITIONS" and step.next_positions is None:
        _note_positions(output, line, lines, n_atoms)
    elif key == "CELL_PARAMETERS":
        output.cell_changes = True
    elif key == "iteration =":
        step.iteration = _count(line)
    elif key == "time =":
        step.time_ps = _first_number(line)
    elif key == "(Ekin)":
        step.kinetic_Ry = _value(line)
    elif key == "temperature =":
        step.temperature_K = _value(line)
    elif key == "Ekin + Etot":
        step.conserved_Ry = _value(line)


def _note_positions(output: PwOutput, line: str, lines: Lines, n_atoms: int) -> None:
    table = read_positions(line, lines, n_atoms)
    if table is None:
        return
    if output.labels and table.labels != output.labels:
        raise TableError("its atoms are in another order")
    if not output.labels:
        output.labels, output.frozen = table.labels, table.frozen if table.frozen.any() else None
    output.steps[-1].next_positions, output.steps[-1].unit = table.positions, table.unit


def _note_time(output: PwOutput, line: str) -> None:
    so_far = re.search(rf"is\s+{_NUMBER}\s+secs", line)
    if so_far is not None:
        output.time_s = float(so_far[1])


def _note_total(output: PwOutput, line: str) -> None:
    times = re.search(r":(.*)CPU(.*)WALL", line)
    if times is not None:
        output.cpu_s, output.time_s = seconds(times[1]), seconds(times[2])


def _note_memory(output: PwOutput, line: str) -> None:
    size = re.search(rf">\s*{_NUMBER}\s*(MB|GB)", line)
    if size is not None:
        output.memory_MiB = float(size[1]) * (MIB_PER_GIB if size[2] == "GB" else 1.0)


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
    match = _VALUE.search(line)
    return float(match[1]) if match is not None else None


def _count(line: str) -> int:
    """Return the integer in a line, zero where Fortran printed asterisks."""
    match = re.search(r"\b(\d+)\b", line)
    return int(match[1]) if match is not None else 0


def _first_number(line: str) -> float | None:
    number = re.search(_NUMBER, line)
    return float(number[1]) if number is not None else None


def _error(line: str, lines: Lines) -> tuple[str, str]:
    """Return the routine and its message, up to the line of percent signs."""
    match = _ERROR.search(line)
    words = []
    for following in lines:
        if not following.strip() or "%%%" in following:
            break
        words.append(following.strip())
    return (match[1] if match is not None else line.strip(), " ".join(words))
