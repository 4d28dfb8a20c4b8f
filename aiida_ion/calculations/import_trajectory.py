"""Trajectory files of other programs -> the same ``TrajectoryData`` that our own runs leave. Nothing is unpickled."""

from __future__ import annotations

import gzip
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, repeat
from pathlib import Path
from typing import IO, Any

import numpy as np
from aiida import orm
from numpy.typing import NDArray

from aiida_ion.analysis.trajectory import check_finite, unwrap
from aiida_ion.calculations.trajectory_data import trajectory_node

#: Our name of a format -> the name that ASE has for it; XDATCAR is read here, because ASE refuses a file that was cut.
FORMATS: dict[str, str | None] = {
    "xdatcar": None,
    "vasprun": "vasp-xml",
    "extxyz": "extxyz",
    "traj": "traj",
    "lammps-dump": "lammps-dump-text",
}
#: A step of this part of the cell between two frames is near the half at which unwrapping turns ambiguous.
AMBIGUOUS_STEP = 0.4
PICKLE_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


@dataclass(frozen=True)
class Frames:
    """What a file holds.

    :param symbols: element of each of N atoms.
    :param positions: shape (n, N, 3), angstrom, as the file has them.
    :param cells: shape (n, 3, 3), angstrom.
    """

    symbols: list[str]
    positions: NDArray[np.float64]
    cells: NDArray[np.float64]


@dataclass(frozen=True)
class RunFacts:
    """What a trajectory file does not say about its run.

    :param timestep_fs: integration step, fs.
    :param sample_every: steps between two frames.
    :param target_temperature_K: temperature of the thermostat, K.
    :param level_of_theory: what made the forces, such as ``PBE``.
    """

    timestep_fs: float
    sample_every: int
    target_temperature_K: float
    level_of_theory: str

    def __post_init__(self) -> None:
        for name in ("timestep_fs", "sample_every", "target_temperature_K"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above zero, got {getattr(self, name)!r}")
        if not self.level_of_theory.strip():
            raise ValueError("level_of_theory must say what made the forces, such as PBE")


@dataclass(frozen=True)
class ImportedRun:
    """A run as unstored nodes.

    :param segments: a trajectory for each file, in order.
    :param structure: the cell that was simulated: as given, or the first frame.
    :param remarks: sentences on what was found in the files.
    """

    segments: list[orm.TrajectoryData]
    structure: orm.StructureData
    remarks: list[str]


def import_run(
    paths: Sequence[Path], facts: RunFacts, structure: orm.StructureData | None = None, file_format: str | None = None
) -> ImportedRun:
    """Read the consecutive segments of one run.

    Positions are unwrapped over all segments together. A first frame that repeats the last one of the segment before
    is left out. Frames are taken as ``sample_every`` steps apart.

    :param paths: files in the order of time.
    :param structure: the simulated cell; without it the first frame is taken. Needed where the file has no elements.
    :param file_format: a key of ``FORMATS``; recognised by content when not given.
    :raises ValueError: for a file that cannot be read or does not belong to the structure; the message says which.
    """
    symbols = structure.get_ase().get_chemical_symbols() if structure is not None else None
    parts = [read_frames(path, file_format, symbols) for path in paths]
    for path, part in zip(paths, parts, strict=True):
        _check_atoms(part.symbols, symbols or parts[0].symbols, path, "the structure" if symbols else paths[0].name)
        check_finite(part.positions, f"{path.name}: positions")
    remarks: list[str] = []
    for index in range(1, len(parts)):
        if np.allclose(parts[index].positions[0], parts[index - 1].positions[-1], atol=1e-6):
            parts[index] = replace(parts[index], positions=parts[index].positions[1:], cells=parts[index].cells[1:])
            remarks.append(f"{paths[index].name} repeats the last frame of {paths[index - 1].name}; it is kept once.")
    first = structure or _first_frame(parts[0])
    positions = _continuous(parts, facts, remarks)
    ends = np.cumsum([len(part.positions) for part in parts])
    segments = []
    for path, part, end in zip(paths, parts, ends, strict=True):
        frames = np.arange(end - len(part.positions), end)
        segments.append(_segment(path, part, positions[frames], frames, facts))
        segments[-1].base.attributes.set("source_format", file_format or recognise(path))
    return ImportedRun(segments, first, remarks)


def read_frames(path: Path, file_format: str | None = None, symbols: Sequence[str] | None = None) -> Frames:
    """Read one file.

    :param path: the file; ``.gz`` is unpacked on the way.
    :param file_format: a key of ``FORMATS``; recognised by content when not given.
    :param symbols: element of each atom, for files that hold none.
    :raises ValueError: if it cannot be read; the message names the file.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    kind = file_format or recognise(path)
    if kind not in FORMATS:
        raise ValueError(f"unknown format {kind!r}; known are {', '.join(FORMATS)}")
    try:
        found = _read_xdatcar(path, symbols) if kind == "xdatcar" else _read_with_ase(path, kind, symbols)
    except Exception as error:  # parsers raise whatever they meet in a broken file
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise ValueError(f"{path.name}: cannot be read as {kind}: {reason}") from error
    if np.any(np.abs(np.linalg.det(found.cells)) < 1e-3):
        raise ValueError(f"{path.name}: no periodic cell; a diffusivity needs a crystal")
    return found


def recognise(path: Path) -> str:
    """Return the format of a file, by its content first and its name second.

    :raises ValueError: if it is none of those that can be read.
    """
    with _open(path) as handle:
        head = handle.read(4096)
    if head.startswith(PICKLE_STARTS):
        raise ValueError(f"{path.name} is a pickle, which can run code when it is read; write it as extxyz instead")
    lines = head.splitlines()
    if head.startswith(b"- of Ulm"):
        return "traj"
    if head.startswith(b"ITEM:"):
        return "lammps-dump"
    if b"<modeling" in head:
        return "vasprun"
    if len(lines) > 1 and b"Lattice=" in lines[1]:
        return "extxyz"
    if b"configuration=" in head or "XDATCAR" in path.name.upper():
        return "xdatcar"
    raise ValueError(f"{path.name}: unknown kind of trajectory; give --format, one of {', '.join(FORMATS)}")


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _read_xdatcar(path: Path, symbols: Sequence[str] | None) -> Frames:
    """Read an XDATCAR; a last frame that was cut off when the run was killed is left out."""
    positions, cells = [], []
    cell, own_symbols = np.empty((3, 3)), list(symbols or ())
    with _open(path) as raw:
        lines = (line.decode() for line in raw)
        for line in lines:
            if "configuration=" not in line:
                cell, own_symbols = _xdatcar_header(lines, own_symbols)
                continue
            rows = [row.split() for _, row in zip(range(len(own_symbols)), lines, strict=False)]
            if len(rows) < len(own_symbols) or len(rows[-1]) < 3:
                break
            positions.append(np.array([row[:3] for row in rows], dtype=float) @ cell)
            cells.append(cell)
    if not positions:
        raise ValueError("it holds no whole frame")
    return Frames(own_symbols, np.array(positions), np.array(cells))


def _xdatcar_header(lines: Iterator[str], symbols: list[str]) -> tuple[NDArray[np.float64], list[str]]:
    """Return cell and elements; the line before, the comment, is read already."""
    scale = float(next(lines))
    cell = scale * np.array([next(lines).split()[:3] for _ in range(3)], dtype=float)
    names = next(lines).split()
    if names[0].isdigit():  # VASP 4 writes no elements
        if sum(map(int, names)) != len(symbols):
            raise ValueError("it names no elements; give the structure whose atoms it follows")
        return cell, symbols
    counts = [int(number) for number in next(lines).split()]
    # VASP 6.4 and later add a hash of the pseudopotential to the name: Li_sv/1a2b3c.
    elements = [name.partition("/")[0].partition("_")[0] for name in names]
    return cell, list(chain.from_iterable(repeat(name, count) for name, count in zip(elements, counts, strict=True)))


def _read_with_ase(path: Path, kind: str, symbols: Sequence[str] | None) -> Frames:
    from ase.io import iread

    positions, cells, first = [], [], None
    for frame, atoms in enumerate(iread(str(path), index=":", format=FORMATS[kind])):
        first = atoms if first is None else first
        if len(atoms) != len(first) or not np.array_equal(atoms.numbers, first.numbers):
            raise ValueError(f"the atoms of frame {frame} are not those of frame 0, or stand in another order")
        positions.append(atoms.positions - atoms.get_celldisp().ravel())
        cells.append(atoms.cell.array)
    if first is None:
        raise ValueError("it holds no frame")
    own_symbols = first.get_chemical_symbols()
    if kind == "lammps-dump" and not _names_elements(path):
        own_symbols = _elements_of_types(first.arrays.get("type"), symbols)
    return Frames(own_symbols, np.array(positions), np.array(cells))


def _names_elements(path: Path) -> bool:
    with _open(path) as handle:
        header = next(line for line in handle if line.startswith(b"ITEM: ATOMS"))
    return b" element" in header or b" mass" in header


def _elements_of_types(types: NDArray[np.int64] | None, symbols: Sequence[str] | None) -> list[str]:
    """Return the elements of a dump that only numbers its atom types, by the structure's order of atoms."""
    if symbols is None:
        raise ValueError("it names no elements; give the structure whose atoms it follows, in the order of their ids")
    if types is None or len(types) != len(symbols):
        raise ValueError(
            f"it holds {0 if types is None else len(types)} atoms with a type, the structure {len(symbols)}"
        )
    for number in sorted(set(types.tolist())):
        elements = sorted({symbol for symbol, kind in zip(symbols, types, strict=True) if kind == number})
        if len(elements) > 1:
            raise ValueError(f"atoms of type {number} are {' and '.join(elements)} in the structure: the orders differ")
    return list(symbols)


def _check_atoms(found: Sequence[str], expected: Sequence[str], path: Path, what: str) -> None:
    if Counter(found) == Counter(expected):
        return
    texts = ["".join(f"{name}{count}" for name, count in sorted(Counter(names).items())) for names in (found, expected)]
    advice = "; give the supercell that was simulated" if len(found) > len(expected) else ""
    raise ValueError(
        f"{path.name} holds {texts[0]} ({len(found)} atoms), {what} {texts[1]} ({len(expected)} atoms){advice}"
    )


def _first_frame(part: Frames) -> orm.StructureData:
    from ase import Atoms

    return orm.StructureData(ase=Atoms(part.symbols, positions=part.positions[0], cell=part.cells[0], pbc=True))


def _continuous(parts: Sequence[Frames], facts: RunFacts, remarks: list[str]) -> NDArray[np.float64]:
    """Return unwrapped positions of all segments, and remark on what was done."""
    positions = np.concatenate([part.positions for part in parts])
    cells = np.concatenate([part.cells for part in parts])
    fractional = np.einsum("tni,tij->tnj", positions, np.linalg.inv(cells))
    jumps = float(np.abs(np.diff(fractional, axis=0)).max()) if len(positions) > 1 else 0.0
    if jumps < 0.5:
        return positions
    if float(np.ptp(fractional, axis=0).max()) > 1.0 + 1e-3:
        # Coordinates that leave one cell were never wrapped: the long steps are real.
        remarks.append(f"Atoms move up to {jumps:.2f} of the cell between two frames; the file is not wrapped.")
        return positions
    unwrapped = unwrap(positions, cells)
    remarks.append("Positions were wrapped into the cell and are unwrapped.")
    if unwrapped.largest_step > AMBIGUOUS_STEP:
        interval_fs = facts.sample_every * facts.timestep_fs
        remarks.append(
            f"WARNING: atoms move up to {unwrapped.largest_step:.2f} of the cell in the {interval_fs:g} fs between two "
            "frames; from 0.5 on the direction cannot be known. Store frames more often."
        )
    return unwrapped.positions


def _segment(
    path: Path, part: Frames, positions: NDArray[np.float64], frames: NDArray[np.int64], facts: RunFacts
) -> orm.TrajectoryData:
    cells = part.cells[0] if np.ptp(part.cells, axis=0).max() == 0 else part.cells
    steps = frames * facts.sample_every
    node = trajectory_node(part.symbols, steps, positions.astype(np.float32), cells, timestep_fs=facts.timestep_fs)
    attributes: dict[str, Any] = {
        "source_file": path.name,
        "source_sha256": _sha256(path),
        "level_of_theory": facts.level_of_theory,
        "target_temperature_K": facts.target_temperature_K,
        "sample_every": facts.sample_every,
    }
    node.base.attributes.set_many(attributes)
    node.label = path.name
    return node


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
