"""Bonds of a periodic arrangement of atoms, and the lines that show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from ase.neighborlist import natural_cutoffs, neighbor_list
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Two atoms are bonded if they are closer than this many times the sum of their covalent radii (those of ASE).
STRETCH = 1.1
#: No bonds are looked for among more atoms.
MOST_ATOMS = 1500
#: A bond has one of these at one end, unless the framework has none of them: cations are not bonded to each other.
NON_METALS = frozenset(["H", "B", "C", "N", "O", "F", "Si", "P", "S", "Cl", "As", "Se", "Br", "Te", "I"])


#: Alkali ions, those that move as a rule, have no bonds.
ALKALI = frozenset({"Li", "Na", "K", "Rb", "Cs"})


@dataclass(frozen=True)
class Bonds:
    """Bonds, each from both of its ends.

    :param first: index of the atom at which a bond begins, (b,).
    :param second: index of the other atom, (b,).
    :param shifts: cell of that atom where the first is in the home cell, in cell vectors, (b, 3).
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    shifts: NDArray[np.int64]

    def lines(self, positions_A: FloatArray, cell_A: FloatArray) -> FloatArray:
        """Return the half of each bond at its first atom, angstrom, (3 b, 3): two ends, and a row of NaN after them.

        :param positions_A: of the atoms, in the images in which the bonds were found, angstrom, (n, 3).
        :param cell_A: rows are cell vectors, angstrom, (3, 3).
        """
        begin = positions_A[self.first]
        end = 0.5 * (begin + positions_A[self.second] + self.shifts @ cell_A)
        return np.stack([begin, end, np.full_like(begin, np.nan)], axis=1).reshape(-1, 3)


def bonds_of(positions_A: FloatArray, symbols: Sequence[str], cell_A: FloatArray) -> Bonds:
    """Return the bonds of atoms, those through cell faces included; none among more than `MOST_ATOMS`.

    Two atoms closer than `STRETCH` times the sum of their covalent radii are bonded. What is not an element, such as
    a site that several elements share, has no bonds, nor have alkali ions.

    :param positions_A: angstrom, (n, 3).
    :param symbols: element of each.
    :param cell_A: rows are cell vectors, angstrom, (3, 3).
    """
    left_out = ALKALI | {"X"}
    bonded = [symbol in atomic_numbers and symbol not in left_out for symbol in symbols]
    known = np.flatnonzero(np.array(bonded, dtype=bool))
    nothing = Bonds(np.zeros(0, int), np.zeros(0, int), np.zeros((0, 3), int))
    if len(known) == 0 or len(known) > MOST_ATOMS:
        return nothing
    elements = [symbols[int(index)] for index in known]
    atoms: Any = Atoms(elements, positions=positions_A[known], cell=cell_A, pbc=True)
    first, second, shifts = neighbor_list("ijS", atoms, natural_cutoffs(atoms, mult=STRETCH))
    is_non_metal = np.array([symbol in NON_METALS for symbol in elements])
    kept = is_non_metal[first] | is_non_metal[second] | (not is_non_metal.any())
    return Bonds(known[first[kept]], known[second[kept]], shifts[kept].astype(np.int64))
