"""Atoms that are too close: the nearest pair of a frame, relative to the sum of their radii."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols, covalent_radii

from aiida_ion.settings.md import METAL_PART, NON_METALS

Array = np.ndarray[Any, Any]
#: Number of atoms whose distances to all others are in memory at one time.
CHUNK = 128


def radii_A(numbers: Array) -> Array:  # noqa: N802
    """Return the radii to which distances are compared, angstrom, (N,).

    :param numbers: atomic numbers.
    """
    parts = np.array([1.0 if chemical_symbols[number] in NON_METALS else METAL_PART for number in numbers])
    radii: Array = covalent_radii[numbers] * parts
    return radii


def nearest_pair(atoms: Atoms, radii: Array) -> tuple[float, int, int]:
    """Return the smallest distance over the sum of two radii, and the two atoms; infinity for a single atom.

    By the minimum image of fractional differences: exact for distances below half the narrowest width of the cell,
    which those of atoms on top of each other are.

    :param radii: (N,), angstrom.
    """
    cell = np.array(atoms.cell) if atoms.cell.rank == 3 else np.eye(3)
    fractional = atoms.positions @ np.linalg.inv(cell)
    best, pair = np.inf, (0, 0)
    for start in range(0, len(fractional), CHUNK):
        part = fractional[start : start + CHUNK]
        differences = fractional[None, start:] - part[:, None]
        differences -= np.rint(differences) * atoms.pbc
        vectors = differences @ cell
        squares = np.einsum("ijk,ijk->ij", vectors, vectors)
        squares /= (radii[start : start + CHUNK, None] + radii[None, start:]) ** 2
        own = np.arange(len(part))
        squares[own, own] = np.inf
        place = np.unravel_index(int(np.argmin(squares)), squares.shape)
        if squares[place] < best:
            best, pair = float(squares[place]), (start + int(place[0]), start + int(place[1]))
    return float(np.sqrt(best)), *pair
