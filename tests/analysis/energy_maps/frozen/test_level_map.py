"""Levels from one voxel to all others, against a search that tries them in order."""

from __future__ import annotations

import heapq
import itertools

import numpy as np
import pytest

from aiida_ion.analysis.energy_maps.frozen.level_map import levels_from


def by_search(energies: np.ndarray, seed: tuple[int, int, int]) -> np.ndarray:
    """Return levels by a search that always goes on from the lowest level (Dijkstra)."""
    levels = np.full(energies.shape, np.inf)
    waiting = [(float(energies[seed]), seed)]
    while waiting:
        level, place = heapq.heappop(waiting)
        if level >= levels[place]:
            continue
        levels[place] = level
        for step in itertools.product((-1, 0, 1), repeat=3):
            there = tuple(int(a + b) for a, b in zip(place, step, strict=True))
            if all(0 <= x < n for x, n in zip(there, energies.shape, strict=True)) and np.isfinite(energies[there]):
                heapq.heappush(waiting, (max(level, float(energies[there])), there))
    return levels


@pytest.mark.parametrize("seed", range(6))
def test_levels_are_those_of_a_search(seed: int) -> None:
    random = np.random.default_rng(seed)
    energies = random.normal(size=tuple(random.integers(2, 8, size=3)))
    energies[random.random(energies.shape) < 0.4] = np.inf
    start = tuple(int(x) for x in np.unravel_index(int(energies.argmin()), energies.shape))
    np.testing.assert_array_equal(levels_from(energies, start), by_search(energies, start))


def test_equal_energies_and_zeros_are_edges_too() -> None:
    energies = np.zeros((3, 3, 3))
    np.testing.assert_array_equal(levels_from(energies, (1, 1, 1)), energies)
    energies[:, :, 1] = np.inf
    levels = levels_from(energies, (0, 0, 0))
    assert (levels[..., 0] == 0.0).all() and np.isinf(levels[..., 1:]).all()


def test_a_lonely_voxel_reaches_nothing() -> None:
    energies = np.full((3, 3, 3), np.inf)
    energies[1, 1, 1] = -2.0
    levels = levels_from(energies, (1, 1, 1))
    assert levels[1, 1, 1] == -2.0 and np.isinf(levels).sum() == 26
    with pytest.raises(ValueError, match="not finite"):
        levels_from(energies, (0, 0, 0))
