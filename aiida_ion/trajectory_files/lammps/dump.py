"""Text dumps of LAMMPS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ase.calculators.lammps import convert
from ase.units import fs
from numpy.typing import NDArray

from aiida_ion.trajectory_files.frames import FileFrames
from aiida_ion.trajectory_files.growing import GrowingFrames
from aiida_ion.trajectory_files.lammps.box import Box, read_box
from aiida_ion.trajectory_files.lammps.elements import elements_of_dump
from aiida_ion.trajectory_files.lammps.tables import AtomTable, RowError
from aiida_ion.trajectory_files.lines import Lines
from aiida_ion.trajectory_files.timeline.step_numbers import MAX_STEP
from aiida_ion.units import FS_PER_PS

#: Columns of positions -> whether they are scaled, and whether they are unwrapped.
POSITION_COLUMNS = {
    ("xu", "yu", "zu"): (False, True),
    ("xsu", "ysu", "zsu"): (True, True),
    ("x", "y", "z"): (False, False),
    ("xs", "ys", "zs"): (True, False),
}
IMAGES = ("ix", "iy", "iz")
UNIT_SETS = ("metal", "real", "electron", "si", "cgs", "micro", "nano")


@dataclass
class _Snapshot:
    """The sections of a frame read so far."""

    step: int | None = None
    time: float | None = None
    n_atoms: int | None = None
    box: Box | None = None


@dataclass
class _DumpContent:
    """Contents read so far."""

    positions: GrowingFrames | None = None
    cells: list[NDArray[np.float64]] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    times: list[float | None] = field(default_factory=list)
    breaks: set[int] = field(default_factory=set)
    remarks: list[str] = field(default_factory=list)
    n_left_out: int = 0
    units: str | None = None
    table: AtomTable | None = None
    ids: NDArray[np.int64] | None = None
    order: NDArray[np.int64] | None = None
    unwrapped: bool = False
    pbc: tuple[bool, bool, bool] = (True, True, True)

    def leave_out(self, line: int) -> None:
        n_frames = len(self.positions or ())
        self.n_left_out += 1
        self.breaks.add(n_frames)
        self.remarks.append(f"After {n_frames} frames one was cut off (line {line}) and is left out.")


def read_lammps_dump(path: Path, symbols: Sequence[str] | None) -> FileFrames:
    """Read a text dump. Atoms are sorted by their ids; units, steps and image flags are used.

    :param symbols: element of each atom, in the order of ids, for dumps with only type numbers.
    :raises ValueError: if it is not valid; the message says where.
    """
    content, snapshot = _DumpContent(), _Snapshot()
    with Lines(path) as lines:
        while (line := lines.next()) is not None:
            if not line.strip():
                continue
            if not line.endswith(b"\n"):  # truncated in the middle of a line
                content.leave_out(lines.number)
                snapshot = _Snapshot()
                break
            if not line.startswith(b"ITEM:"):
                raise ValueError(f"line {lines.number}: expected a line with ITEM:, got {_text(line)!r}")
            snapshot = _read_section(lines, content, snapshot, line[5:].split())
        if snapshot != _Snapshot():
            content.leave_out(lines.number)
        if lines.cut:
            content.remarks.append("The compressed file ends early; complete frames are read.")
    if not content.positions or content.table is None:
        raise ValueError("it holds no complete frame")
    elements, remarks = elements_of_dump(content.table, content.order, symbols)
    return _as_frames(content, elements, remarks)


def _as_frames(content: _DumpContent, elements: list[str], remarks: list[str]) -> FileFrames:
    assert content.positions is not None
    steps = np.array(content.steps, dtype=np.int64)
    facts: dict[str, Any] = {"program": "LAMMPS"} | _time_facts(content)
    positions, cells, unit = content.positions.finish(), np.array(content.cells), "angstrom"
    if content.units is not None:
        angstroms = convert(1.0, "distance", content.units, "ASE")
        if abs(angstroms - 1.0) > 1e-9:
            positions, cells = positions * angstroms, cells * angstroms
            unit = f"{content.units} units ({angstroms:.9g} angstrom)"
            remarks = [*remarks, f"Lengths are converted from {unit}."]
    return FileFrames(
        elements,
        positions,
        cells,
        steps,
        facts,
        content.remarks + remarks,
        unwrapped=content.unwrapped,
        pbc=content.pbc,
        breaks=tuple(sorted(content.breaks)),
        ordered=content.ids is not None,
        n_left_out=content.n_left_out,
        units=unit,
    )


def _time_facts(content: _DumpContent) -> dict[str, Any]:
    """Return the time step from times and steps; without units it is one of two values."""
    known = [(time, step) for time, step in zip(content.times, content.steps, strict=True) if time is not None]
    if len(known) < 2 or known[-1][1] <= known[0][1]:
        return {}
    ratio = (known[-1][0] - known[0][0]) / (known[-1][1] - known[0][1])
    if not ratio > 0:
        return {}
    if content.units is not None:
        return {"timestep_fs": round(ratio * convert(1.0, "time", content.units, "ASE") / fs, 9)}
    return {"timestep_choices_fs": [ratio, ratio * FS_PER_PS]}


def _read_section(lines: Lines, content: _DumpContent, snapshot: _Snapshot, words: list[bytes]) -> _Snapshot:
    """Read one section; return the frame that it belongs to as read so far."""
    name = b" ".join(words[:3])
    if name == b"UNITS":
        content.units = _units(_value(lines), content.units)
    elif name == b"TIME":
        snapshot.time = _number(lines, float)
    elif name == b"TIMESTEP":
        if snapshot.n_atoms is not None or snapshot.step is not None:
            content.leave_out(lines.number)
            snapshot = _Snapshot()
        snapshot.step = _number(lines, int)
        if abs(snapshot.step or 0) > MAX_STEP:
            raise ValueError(f"line {lines.number}: the step {snapshot.step} is not possible")
    elif name == b"NUMBER OF ATOMS":
        snapshot.n_atoms = _number(lines, int)
        if snapshot.n_atoms is not None:
            lines.check_count(snapshot.n_atoms)
    elif name.startswith(b"BOX BOUNDS"):
        snapshot.box = read_box(lines, [word.decode(errors="replace") for word in words[2:]])
    elif name.startswith(b"ATOMS"):
        _read_atoms(lines, content, snapshot, [word.decode(errors="replace") for word in words[1:]])
        return _Snapshot()
    else:
        raise ValueError(f"line {lines.number}: ITEM: {_text(b' '.join(words))} is unknown in a dump of atoms")
    return snapshot


def _read_atoms(lines: Lines, content: _DumpContent, snapshot: _Snapshot, columns: list[str]) -> None:
    first = lines.number
    if snapshot.step is None or snapshot.n_atoms is None or snapshot.box is None:
        raise ValueError(f"line {first}: atoms without step, number of atoms or box before them")
    rows = lines.block(snapshot.n_atoms)
    interrupts = next((index for index, row in enumerate(rows) if b"ITEM:" in row), None)
    if interrupts is not None:
        lines.push_back(
            [row[row.index(b"ITEM:") :] if not index else row for index, row in enumerate(rows[interrupts:])]
        )
    if interrupts is not None or len(rows) < snapshot.n_atoms or not rows[-1].endswith(b"\n"):
        content.leave_out(first)
        return
    try:
        table = AtomTable(columns, rows)
        _take_frame(content, snapshot, table, snapshot.box)
    except RowError as error:
        raise ValueError(f"line {first + error.row + 1} (step {snapshot.step}): {error}") from error
    except ValueError as error:
        raise ValueError(f"frame {len(content.positions or ())} (step {snapshot.step}): {error}") from error


def _take_frame(content: _DumpContent, snapshot: _Snapshot, table: AtomTable, box: Box) -> None:
    names = next((names for names in POSITION_COLUMNS if names in table), None)
    if names is None:
        raise ValueError(
            f"it has no positions x y z, xs ys zs, xu yu zu or xsu ysu zsu, only {' '.join(table.columns)}"
        )
    scaled, unwrapped = POSITION_COLUMNS[names]
    positions = table.floats(*names)
    if not np.isfinite(positions).all():
        raise ValueError("positions are not finite: the run has exploded")
    positions = positions @ box.cell if scaled else positions - box.origin
    if not unwrapped and IMAGES in table:
        positions, unwrapped = positions + table.floats(*IMAGES) @ box.cell, True
    order = _order_by_ids(content, table)
    if content.positions is None:
        content.positions, content.table, content.order = GrowingFrames(len(positions)), table, order
        content.unwrapped, content.pbc = unwrapped, box.pbc
    else:
        _check_unchanged(content, table, order, unwrapped)
    content.positions.append(positions if order is None else positions[order])
    content.cells.append(box.cell)
    content.steps.append(int(snapshot.step or 0))
    content.times.append(snapshot.time)


def _order_by_ids(content: _DumpContent, table: AtomTable) -> NDArray[np.int64] | None:
    """Return the rows in the order of their ids, None if there are no ids.

    :raises ValueError: if the ids differ from those of the first frame.
    """
    if "id" not in table:
        if content.ids is not None:
            raise ValueError("the atoms no longer have ids")
        return None
    ids = table.integers("id")
    order = np.argsort(ids, kind="stable")
    ids = ids[order]
    if (np.diff(ids) == 0).any():
        raise ValueError(f"two atoms have the id {ids[:-1][np.diff(ids) == 0][0]}")
    if content.positions is None:
        content.ids = ids
    elif content.ids is None or not np.array_equal(ids, content.ids):
        raise ValueError(_other_ids(content.ids, ids))
    return order


def _other_ids(before: NDArray[np.int64] | None, now: NDArray[np.int64]) -> str:
    if before is None:
        return "the atoms have ids, but had none before"
    lost, new = np.setdiff1d(before, now), np.setdiff1d(now, before)
    words = [f"{what} {', '.join(map(str, ids[:5]))}" for what, ids in (("lacks", lost), ("has new", new)) if len(ids)]
    return f"its atoms are not those of frame 0: by ids it {' and '.join(words)}; a diffusivity needs the same atoms"


def _check_unchanged(content: _DumpContent, table: AtomTable, order: NDArray[np.int64] | None, unwrapped: bool) -> None:
    assert content.table is not None
    if len(table) != len(content.table):
        raise ValueError(f"it has {len(table)} atoms, frame 0 {len(content.table)}; a diffusivity needs the same atoms")
    if unwrapped != content.unwrapped:
        raise ValueError("the columns of the positions change: wrapped in one frame, unwrapped in another")
    for name in ("element", "type"):
        if (name in table) != (name in content.table):
            raise ValueError(f"the column {name} is not in all frames")
        if name not in table:
            continue
        now, before = np.array(table.texts(name)), np.array(content.table.texts(name))
        if order is not None and content.order is not None:
            now, before = now[order], before[content.order]
        if not np.array_equal(now, before):
            what = "an atom changes its" if order is not None else "there are no ids, and the rows change their"
            raise ValueError(f"{what} {name}")


def _units(word: str, before: str | None) -> str:
    if word == "lj":
        raise ValueError("its units are lj, reduced ones: multiply lengths by sigma and write angstrom")
    if word not in UNIT_SETS:
        raise ValueError(f"its units {word!r} are unknown; choose from {', '.join(UNIT_SETS)}")
    if before not in (None, word):
        raise ValueError(f"its units change from {before} to {word}")
    return word


def _value(lines: Lines) -> str:
    return _text(lines.next() or b"")


def _number(lines: Lines, kind: type) -> Any:
    """Return the number in a section, None if the file ends before it.

    :raises ValueError: if it is not a number.
    """
    line = lines.next()
    if line is None or not line.endswith(b"\n"):
        return None
    try:
        return kind(line)
    except ValueError:
        raise ValueError(f"line {lines.number}: {_text(line)!r} is not a number") from None


def _text(line: bytes) -> str:
    return line.decode(errors="replace").strip()[:60]
