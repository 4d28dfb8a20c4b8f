"""The nearest pair of atoms, against ASE's neighbour list, and the rule of radii, against that of the analysis."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.data import chemical_symbols, covalent_radii
from ase.neighborlist import neighbor_list

from aiida_ion.analysis.checks.explosion import judged_radii_A
from aiida_ion.runners import distances


@pytest.mark.parametrize("n_atoms", [2, 40, 300])
def test_the_nearest_pair_in_a_skewed_cell(n_atoms: int) -> None:
    cell = np.array([[12.0, 0.0, 0.0], [5.0, 11.0, 0.0], [-4.0, 3.0, 10.0]])
    atoms = Atoms("LiO" * (n_atoms // 2), cell=cell, pbc=True)
    atoms.positions = np.random.default_rng(1).random((n_atoms, 3)) @ cell * 3.0 - 7.0
    atoms.positions[1] = atoms.positions[0] + [0.2, 0.1, 0.3] + cell[1] - cell[2]
    radii = distances.radii_A(atoms.numbers)
    ratio, first, second = distances.nearest_pair(atoms, radii)
    i, j, distance = neighbor_list("ijd", atoms, 3.0)
    expected = distance / (radii[i] + radii[j])
    assert ratio == pytest.approx(expected.min(), rel=1e-9)
    assert {first, second} == {int(i[expected.argmin()]), int(j[expected.argmin()])}


def test_a_molecule_without_a_cell_and_a_single_atom() -> None:
    water = molecule("H2O")
    ratio, first, second = distances.nearest_pair(water, distances.radii_A(water.numbers))
    assert ratio == pytest.approx(0.969 / 0.97, abs=0.01) and {first, second} in ({0, 1}, {0, 2})
    one = bulk("Cu")
    assert distances.nearest_pair(one, distances.radii_A(one.numbers))[0] == np.inf


def test_the_radii_are_those_of_the_analysis() -> None:
    numbers = np.arange(1, 97)
    mine = distances.radii_A(numbers)
    np.testing.assert_allclose(mine, judged_radii_A(tuple(chemical_symbols[number] for number in numbers)))
    assert mine[2] == pytest.approx(0.7 * covalent_radii[3]) and mine[7] == covalent_radii[8]
