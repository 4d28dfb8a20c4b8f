"""Supercells of any shape."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import KDTree

from aiida_ion.analysis.disorder.supercells import compact_supercell, repeated_places, sublattices

FCC = 4.0 * np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])


@pytest.mark.parametrize(("n", "number"), [(1, 1), (2, 7), (3, 13), (4, 35), (8, 155)])
def test_there_are_as_many_lattices_as_number_theory_says(n: int, number: int) -> None:
    forms = sublattices(n)
    assert len(forms) == number
    assert np.allclose(np.linalg.det(forms), n)


def test_four_primitive_cells_of_fcc_make_the_cube() -> None:
    cube = compact_supercell(FCC, 4)
    assert cube.width_A == pytest.approx(4.0)
    assert np.allclose(cube.cell @ cube.cell.T, 16.0 * np.eye(3))


def test_a_long_cell_is_repeated_along_its_short_edges() -> None:
    made = compact_supercell(np.diag([3.0, 3.0, 12.0]), 16)
    assert made.width_A == pytest.approx(12.0)
    assert np.allclose(made.multiples @ np.diag([3.0, 3.0, 12.0]), made.cell)


def test_places_are_repeated_without_gaps_or_copies() -> None:
    made = compact_supercell(FCC, 6)
    places, home = repeated_places(np.array([[0.1, 0.2, 0.3], [0.6, 0.6, 0.6]]), made.multiples)
    assert len(places) == 12
    assert np.bincount(home).tolist() == [6, 6]
    distances = KDTree(places % 1.0, boxsize=[1.0] * 3).query(places, k=2)[0][:, 1]
    assert distances.min() > 0.01
