"""Trajectory files of other programs -> arrays. Nothing is unpickled."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from aiida_ion.calculations.dft_files import DftOutput, read_pw, read_vasp

#: Our name of a format -> the name that ASE has for it; the others are read here: ASE refuses files that were cut.
FORMATS: dict[str, str | None] = {
    "xdatcar": None,
    "vasprun": None,
    "pw-out": None,
    "extxyz": "extxyz",
    "traj": "traj",
    "lammps-dump": "lammps-dump-text",
}
DFT_READERS: dict[str, Callable[[Path], DftOutput]] = {"vasprun": read_vasp, "pw-out": read_pw}
PICKLE_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


@dataclass(frozen=True)
class Frames:
    """What a file holds.

    :param symbols: element of each of N atoms.
    :param positions: shape (n, N, 3), angstrom, as the file has them.
    :param cells: shape (n, 3, 3), angstrom.
    :param dft: what the output of a DFT program says beyond that: forces, energies, its run.
    """

    symbols: list[str]
    positions: NDArray[np.float64]
    cells: NDArray[np.float64]
    dft: DftOutput | None = None

    def moved(self, by: NDArray[np.float64]) -> Frames:
        """Return the frames with each atom moved by a vector, shape (N, 3), angstrom."""
        return Frames(self.symbols, self.positions + by, self.cells, self.dft)

    def without_first(self) -> Frames:
        """Return the frames but for the first."""
        dft = None if self.dft is None else self.dft.rows(1)
        return Frames(self.symbols, self.positions[1:], self.cells[1:], dft)


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
        found = _read(path, kind, symbols)
    except Exception as error:  # parsers raise whatever they meet in a broken file
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise ValueError(f"{path.name}: cannot be read as {kind}: {reason}") from error
    if np.any(np.abs(np.linalg.det(found.cells)) < 1e-3):
        raise ValueError(f"{path.name}: no periodic cell; a diffusivity needs a crystal")
    return found


def _read(path: Path, kind: str, symbols: Sequence[str] | None) -> Frames:
    if kind == "xdatcar":
        return _read_xdatcar(path, symbols)
    if kind in DFT_READERS:
        dft = DFT_READERS[kind](path)
        return Frames(dft.symbols, dft.steps.positions, np.repeat(dft.steps.cell[None], len(dft.steps), axis=0), dft)
    return _read_with_ase(path, kind, symbols)


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
    if b"Program PWSCF" in head:
        return "pw-out"
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
