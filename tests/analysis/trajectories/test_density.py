"""Densities of ions: where they are, how many, in cells of any shape, folded where that is right."""

from __future__ import annotations

import numpy as np
import pytest

from aiida_ion.analysis.trajectories.density import (
    DensityGrid,
    folded_places,
    grid_shape,
    level_holding,
    multiples_of,
)

CELL = np.array([[6.0, 0.4, -0.3], [-2.1, 6.2, 0.6], [1.4, -1.7, 7.5]])
MULTIPLES = np.array([[1, 1, 0], [-1, 1, 0], [0, 0, 2]])


def test_a_resting_ion_is_a_normal_distribution_in_space() -> None:
    shape, smoothing_A = (24, 28, 32), 0.5
    grid = DensityGrid(CELL, shape)
    place = np.array([0.25, 0.5, 0.75])
    grid.add(np.tile(place + np.array([2.0, -1.0, 0.0]), (5, 1, 1)))
    density = grid.density_A3(smoothing_A)
    points = np.stack(np.meshgrid(*[np.arange(n) / n for n in shape], indexing="ij"), axis=-1) - place
    square = (((points - np.round(points)) @ CELL) ** 2).sum(axis=-1)
    expected = np.exp(-square / (2 * smoothing_A**2)) / (2 * np.pi * smoothing_A**2) ** 1.5
    near = square < 4.0
    np.testing.assert_allclose(density[near], expected[near], atol=0.02 * expected.max())
    assert density.sum() * abs(np.linalg.det(CELL)) / density.size == pytest.approx(1.0, abs=1e-3)


def test_copies_of_a_supercell_fall_onto_each_other() -> None:
    random = np.random.default_rng(5)
    shifts = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 1]])
    places = (np.array([[0.1, 0.2, 0.3]]) + shifts) @ np.linalg.inv(MULTIPLES)
    frames = places + random.normal(0, 0.01, (400, 4, 3))
    grid = DensityGrid(CELL, (20, 20, 24), n_copies=4)
    for block in np.split(frames, 4):
        grid.add(block @ MULTIPLES)
    density = grid.density_A3(0.45)
    assert grid.n_frames == 400
    assert density.sum() * abs(np.linalg.det(CELL)) / density.size == pytest.approx(1.0, abs=1e-3)
    top = np.array(np.unravel_index(density.argmax(), density.shape)) / density.shape
    assert np.linalg.norm((top - [0.1, 0.2, 0.3]) @ CELL) < 0.4
    with pytest.raises(ValueError, match="no frame"):
        DensityGrid(CELL, (4, 4, 4)).density_A3(0.5)


def test_a_level_holds_its_share() -> None:
    density = np.zeros((10, 10, 10))
    density[:2] = 1.0
    density[2:4] = 0.5
    assert level_holding(density, 0.5) == 1.0
    assert level_holding(density, 0.9) == 0.5
    random = np.random.default_rng(1).uniform(0, 1, (9, 9, 9))
    level = level_holding(random, 0.8)
    assert random[random >= level].sum() / random.sum() == pytest.approx(0.8, abs=0.01)


def test_a_supercell_is_recognised_also_when_strained() -> None:
    found = multiples_of(1.01 * MULTIPLES @ CELL, CELL)
    assert found is not None and found.tolist() == MULTIPLES.tolist()
    assert multiples_of(1.5 * CELL, CELL) is None
    assert multiples_of(0.2 * CELL, CELL) is None


def test_places_fold_only_where_all_of_them_repeat() -> None:
    places = np.array([[0.1, 0.2, 0.3], [1.1, 0.2, 0.31], [0.6, 0.99, 0.7], [0.6, 2.01, 0.7]])
    found = folded_places(places, ["O", "O", "S", "S"], CELL, 2)
    assert found is not None
    np.testing.assert_allclose((found[0] + 0.5) % 1.0, [[0.6, 0.7, 0.805], [0.1, 0.5, 0.2]], atol=1e-9)
    assert found[1] == ("O", "S")
    assert folded_places(places, ["O", "O", "S", "O"], CELL, 2) is None
    places[3, 0] += 0.4
    assert folded_places(places, ["O", "O", "S", "S"], CELL, 2) is None


def test_the_grid_is_bounded() -> None:
    assert grid_shape(np.diag([6.0, 9.0, 12.0]), 0.25, 48) == (24, 36, 48)
    assert max(grid_shape(CELL * 20, 0.2, 48)) == 48
