"""The matrix of electrostatic energies."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.analysis.ewald import EwaldSummation
from pymatgen.core.structure import Structure

from aiida_ion.analysis.disorder.electrostatics import energies_eV, ewald_matrix
from aiida_ion.units import COULOMB_EV_A

SKEWED = [[5.0, 0.0, 0.0], [4.5, 6.0, 0.0], [1.0, 2.0, 17.0]]


@pytest.mark.parametrize("cell", [np.diag([4.0, 6.0, 9.0]).tolist(), SKEWED], ids=["orthogonal", "skewed"])
def test_equals_pymatgens_sum(cell: list[list[float]]) -> None:
    rng = np.random.default_rng(3)
    places, charges = rng.random((10, 3)), np.array([1, 1, 2, -2, -1, -1, 1, 1, -1, -1.0])
    structure = Structure(cell, ["Li"] * 10, places)
    structure.add_oxidation_state_by_site(charges.tolist())
    energy = energies_eV(ewald_matrix(np.array(cell), places), charges[None])[0]
    assert energy == pytest.approx(EwaldSummation(structure, acc_factor=16.0).total_energy, abs=1e-6)


def test_madelung_constant_of_rock_salt() -> None:
    cell = 5.64 * np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    energy = energies_eV(ewald_matrix(cell, np.array([[0, 0, 0], [0.5, 0.5, 0.5]])), np.array([[1.0, -1.0]]))[0]
    assert energy == pytest.approx(-1.747564594633 * COULOMB_EV_A / 2.82, abs=1e-8)


def test_supercell_has_the_energy_of_its_cells() -> None:
    cell, places = 4.0 * np.eye(3), np.array([[0, 0, 0], [0.5, 0.5, 0.5]])
    doubled = np.vstack([places * [1, 1, 0.5], places * [1, 1, 0.5] + [0, 0, 0.5]])
    one = energies_eV(ewald_matrix(cell, places), np.array([[1.0, -1.0]]))[0]
    two = energies_eV(ewald_matrix(cell * [[1], [1], [2]], doubled), np.array([[1.0, -1.0, 1.0, -1.0]]))[0]
    assert two == pytest.approx(2 * one, abs=1e-8)
