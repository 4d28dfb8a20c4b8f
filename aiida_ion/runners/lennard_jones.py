"""A Lennard-Jones crystal or liquid, in NumPy over all pairs at once: the toy engine of the tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.neighborlist import neighbor_list

#: The smooth cutoff starts at this fraction of the cutoff radius, as in ASE's calculator.
ONSET_FRACTION = 0.66


class PairLennardJones(Calculator):  # type: ignore[misc]
    """Lennard-Jones pairs with the smooth cutoff of ``ase.calculators.lj`` (``smooth=True``), with the same results.

    The pair list holds all pairs within ``rc + skin`` of a reference geometry and is rebuilt when an atom
    (or the cell) could have moved by half the skin. Which pairs it holds, and their order, follow from the
    reference alone: :attr:`reference` is part of the state of a run that continues to the last bit.

    :param sigma: length, angstrom.
    :param epsilon: depth, eV.
    :param rc: cutoff radius, angstrom; three sigma by default.
    :param skin: extra reach of the pair list, angstrom.
    """

    implemented_properties = ("energy", "free_energy", "forces", "stress")

    def __init__(self, sigma: float = 3.4, epsilon: float = 0.0104, rc: float | None = None, skin: float = 0.6) -> None:
        super().__init__()
        self.sigma, self.epsilon, self.skin = float(sigma), float(epsilon), float(skin)
        self.rc = float(rc) if rc is not None else 3.0 * self.sigma
        self.reference: tuple[Any, Any] | None = None

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Any = None,
        system_changes: Any = all_changes,
    ) -> None:
        """Compute energy (eV), forces (eV/angstrom) and, in a periodic cell, stress (eV/angstrom^3)."""
        super().calculate(atoms, properties, system_changes)
        assert atoms is not None
        positions, cell = atoms.positions, np.asarray(atoms.cell)
        if {"numbers", "pbc"} & set(system_changes) or not self._covers(positions, cell):
            self._make_pairs(atoms)
        vectors = positions[self._second] - positions[self._first]
        vectors += (self._unique_shifts @ cell)[self._shift_index]
        squares = np.einsum("ij,ij->i", vectors, vectors)
        near = np.flatnonzero(squares < self.rc**2)
        first, second, vectors = self._first[near], self._second[near], vectors[near]
        energies, slopes = self._pair_terms(squares[near])
        pair_forces = slopes[:, None] * vectors
        n_atoms = len(atoms)
        forces = np.empty((n_atoms, 3))
        for axis in range(3):
            component = pair_forces[:, axis]
            forces[:, axis] = np.bincount(first, component, n_atoms) - np.bincount(second, component, n_atoms)
        energy = float(energies.sum())
        self.results = {"energy": energy, "free_energy": energy, "forces": forces}
        if atoms.cell.rank == 3:
            stress = pair_forces.T @ vectors / atoms.get_volume()
            self.results["stress"] = stress.ravel()[[0, 4, 8, 5, 2, 1]]

    def _pair_terms(self, squares: Any) -> tuple[Any, Any]:
        """Return pair energies u and (du/dr)/r for squared distances, with the smooth cutoff."""
        sixth = (self.sigma**2 / squares) ** 3
        energies = 4.0 * self.epsilon * sixth * (sixth - 1.0)
        slopes = -24.0 * self.epsilon * sixth * (2.0 * sixth - 1.0) / squares
        outer, onset = self.rc**2, (ONSET_FRACTION * self.rc) ** 2
        tail = np.flatnonzero(squares > onset)
        r2 = squares[tail]
        switch = (outer - r2) ** 2 * (outer + 2.0 * r2 - 3.0 * onset) / (outer - onset) ** 3
        slope = 6.0 * (outer - r2) * (onset - r2) / (outer - onset) ** 3
        slopes[tail] = switch * slopes[tail] + 2.0 * slope * energies[tail]
        energies[tail] *= switch
        return energies, slopes

    def _covers(self, positions: Any, cell: Any) -> bool:
        """Return whether the pair list still has every pair within the cutoff."""
        if self.reference is None:
            return False
        moved = positions - self.reference[0]
        reach = 2.0 * float(np.sqrt(np.einsum("ij,ij->i", moved, moved).max()))
        if not np.array_equal(cell, self.reference[1]):
            strained = self._unique_shifts @ (cell - self.reference[1])
            reach += float(np.sqrt(np.einsum("ij,ij->i", strained, strained).max()))
        return reach <= self.skin

    def _make_pairs(self, atoms: Atoms) -> None:
        first, second, shifts = neighbor_list("ijS", atoms, self.rc + self.skin)
        later = (shifts > 0).astype(int) - (shifts < 0)
        sign = later @ np.array([9, 3, 1])
        half = (sign > 0) | ((sign == 0) & (first < second))
        self._first, self._second = first[half], second[half]
        rows = shifts[half].reshape(-1, 3)
        if len(rows) == 0:
            rows = np.zeros((0, 3), dtype=int)
            self._unique_shifts, self._shift_index = np.zeros((1, 3)), np.zeros(0, dtype=int)
        else:
            unique, index = np.unique(rows, axis=0, return_inverse=True)
            self._unique_shifts, self._shift_index = unique.astype(float), index.ravel()
        self.reference = (atoms.positions.copy(), np.array(atoms.cell))
