"""Trajectories that ASE reads: extxyz and its own .traj."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import iread
from numpy.typing import NDArray

from aiida_ion.trajectory_files.frames import Frames


def read_extxyz(path: Path, symbols: Sequence[str] | None) -> Frames:  # noqa: ARG001 - the signature of every reader
    """Read an extended XYZ file.

    :raises ValueError: if it cannot be read as one.
    """
    return _read(path, "extxyz")


def read_traj(path: Path, symbols: Sequence[str] | None) -> Frames:  # noqa: ARG001 - the signature of every reader
    """Read a trajectory of ASE.

    :raises ValueError: if it cannot be read as one.
    """
    return _read(path, "traj")


def _read(path: Path, ase_format: str) -> Frames:
    first, positions, cells = atoms_arrays(path, ase_format)
    return Frames(first.get_chemical_symbols(), positions, cells)


def atoms_arrays(path: Path, ase_format: str) -> tuple[Atoms, NDArray[np.float64], NDArray[np.float64]]:
    """Return the first frame, and the positions, (n, N, 3), and cells, (n, 3, 3), of all, angstrom.

    :raises ValueError: if the atoms change between frames, or there is none.
    """
    positions, cells, first = [], [], None
    for frame, atoms in enumerate(iread(str(path), index=":", format=ase_format)):
        first = atoms if first is None else first
        if len(atoms) != len(first) or not np.array_equal(atoms.numbers, first.numbers):
            raise ValueError(f"the atoms of frame {frame} are not those of frame 0, or stand in another order")
        positions.append(atoms.positions - atoms.get_celldisp().ravel())
        cells.append(atoms.cell.array)
    if first is None:
        raise ValueError("it holds no frame")
    return first, np.array(positions), np.array(cells)
