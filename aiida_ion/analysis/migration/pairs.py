"""Hops that are given as a pair of cells, not as sites of a crystal."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from ase import Atoms
from pymatgen.core.structure import Structure

from aiida_ion.analysis.migration.symmetry import operations_of

#: Ends that an operation exchanges coincide within this distance, angstrom.
EXCHANGED_A = 0.05


def exchanges_ends(start: Atoms, end: Atoms, moving: int, symprec_A: float = 0.01) -> bool:
    """Whether an operation of all other atoms exchanges the two places of the ion.

    All other atoms must be in the same places at both ends, before any relaxation.

    :param start, end: the same atoms in the same order.
    :param moving: index of the ion.
    :param symprec_A: how far atoms may be from their symmetric places, angstrom.
    """
    others = start.copy()
    del others[moving]
    cell = np.asarray(start.cell.array)
    structure = Structure(cell, list(others.symbols), others.get_scaled_positions())
    operations = operations_of(structure, symprec_A)
    first, second = (atoms.cell.scaled_positions(atoms.positions[moving]) for atoms in (start, end))
    for rotation, translation in zip(operations.rotations, operations.translations, strict=True):
        there = _apart_A(rotation @ first + translation, second, cell)
        back = _apart_A(rotation @ second + translation, first, cell)
        # The path, too, must be turned into its reverse, not into one that ends in another image.
        turned = rotation @ (second - first) + (second - first)
        if max(there, back) < EXCHANGED_A and np.linalg.norm(turned @ cell) < EXCHANGED_A:
            return True
    return False


def _apart_A(first: npt.NDArray[Any], second: npt.NDArray[Any], cell: npt.NDArray[Any]) -> float:  # noqa: N802
    apart = first - second
    return float(np.linalg.norm((apart - np.rint(apart)) @ cell))
