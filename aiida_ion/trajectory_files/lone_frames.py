"""Labelled frames that do not follow each other in time: collections of structures in extended XYZ."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from aiida_ion.trajectory_files.ase.extxyz import frames_of_extxyz
from aiida_ion.trajectory_files.labels import FrameLabels, LabelCollector


@dataclass(frozen=True)
class LoneFrames:
    """Frames of the same atoms in the same order.

    :param symbols: element of each of N atoms.
    :param positions: shape (n, N, 3), angstrom.
    :param cells: shape (n, 3, 3), angstrom, rows are the vectors.
    :param labels: energies, forces and stress.
    :param numbers: shape (n,), the place of each frame in the file, from 0.
    """

    symbols: list[str]
    positions: NDArray[np.float64]
    cells: NDArray[np.float64]
    labels: FrameLabels
    numbers: NDArray[np.int64]


def read_lone_frames(path: Path) -> list[LoneFrames]:
    """Return the frames of a file, those of the same atoms together.

    :raises ValueError: if it cannot be read, or a frame has no energy or no forces.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    groups: dict[tuple[str, ...], list[tuple[int, Atoms]]] = {}
    try:
        for number, atoms in enumerate(frames_of_extxyz(path)):
            groups.setdefault(tuple(atoms.get_chemical_symbols()), []).append((number, atoms))
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path.name}: cannot be read as extxyz: {error}") from error
    if not groups:
        raise ValueError(f"{path.name}: it holds no complete frame")
    return [_together(path, list(symbols), members) for symbols, members in groups.items()]


def _together(path: Path, symbols: list[str], members: list[tuple[int, Atoms]]) -> LoneFrames:
    collector = LabelCollector()
    for number, atoms in members:
        if not collector.append(atoms):
            raise ValueError(
                f"{path.name}: frame {number} has no energy, or no forces: `energy=` in its comment line and a column "
                "`forces`, eV and eV/angstrom"
            )
        if atoms.cell.rank < 3:
            raise ValueError(f"{path.name}: frame {number} has no periodic cell")
    labels = collector.labels()
    assert labels is not None
    return LoneFrames(
        symbols,
        np.array([atoms.positions - atoms.get_celldisp().ravel() for _, atoms in members]),
        np.array([atoms.cell.array for _, atoms in members]),
        labels,
        np.array([number for number, _ in members]),
    )
