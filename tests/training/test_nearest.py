from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk

from aiida_ion.training.nearest import closest_below

CELL = bulk("NaCl", "rocksalt", a=5.64, cubic=True)
SYMBOLS = CELL.get_chemical_symbols()
BOX = np.array(CELL.cell)


def test_no_pair_is_below_bounds_that_are_closer_than_the_crystal() -> None:
    assert closest_below(SYMBOLS, CELL.positions, BOX, {"Cl-Na": 2.8, "Na-Na": 3.9}) is None


def test_the_pair_farthest_below_its_own_bound_is_named_across_faces_of_the_cell() -> None:
    positions = CELL.positions.copy()
    positions[0] -= [0.3, 0.0, 0.0]  # towards its neighbour beyond the face
    positions += 7 * BOX[0] - 3 * BOX[2]
    seen = closest_below(SYMBOLS, positions, BOX, {"Cl-Na": 2.7, "Na-Na": 3.99})
    assert seen is not None
    assert seen.pair == "Na-Na"
    only = closest_below(SYMBOLS, positions, BOX, {"Cl-Na": 2.7})
    assert only is not None
    assert only.distance_A == pytest.approx(2.82 - 0.3)
    assert "Cl-Na 2.520 angstrom apart, below the bound of 2.700" in str(only)


def test_pairs_of_other_elements_are_left_out() -> None:
    assert closest_below(SYMBOLS, CELL.positions, BOX, {"Li-O": 9.0}) is None
    assert closest_below(SYMBOLS, CELL.positions, BOX, {}) is None
