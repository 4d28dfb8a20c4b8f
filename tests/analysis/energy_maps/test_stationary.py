"""Minima and saddles of potentials whose stationary points are known."""

from __future__ import annotations

import numpy as np
import pytest

from aiida_ion.analysis.energy_maps.basins import find_basins
from aiida_ion.analysis.energy_maps.refine import refine_network
from aiida_ion.analysis.energy_maps.stationary import find_minimum, find_saddle

EDGES_A = np.array([4.0, 5.0, 6.0])
AMPLITUDES_EV = np.array([0.1, 0.25, 0.4])
WAVES = 2 * np.pi / EDGES_A


def cosine(point_A: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """V = -sum A cos(2 pi x / a): the minimum is at the origin, and saddles lie 2 A above it."""
    phases = WAVES * point_A
    return (
        float(-(AMPLITUDES_EV * np.cos(phases)).sum()),
        AMPLITUDES_EV * WAVES * np.sin(phases),
        np.diag(AMPLITUDES_EV * WAVES**2 * np.cos(phases)),
    )


def test_a_minimum_is_found_from_anywhere_below_the_ridge() -> None:
    found = find_minimum(cosine, np.array([1.5, -1.2, 2.0]), 8.0)
    assert found is not None
    assert found.point_A == pytest.approx(np.zeros(3), abs=1e-4)
    assert found.energy_eV == pytest.approx(-0.75)
    assert found.n_down == 0


def test_the_way_down_goes_on_from_a_ridge_and_from_a_summit() -> None:
    for start in (EDGES_A * [0.5, 0.1, 0.1], EDGES_A / 2):
        found = find_minimum(cosine, start, 8.0)
        assert found is not None
        assert found.energy_eV == pytest.approx(-0.75)


def test_saddles() -> None:
    found = find_saddle(cosine, EDGES_A * [0.45, 0.04, -0.05], 1.0)
    assert found is not None
    assert found.point_A == pytest.approx(EDGES_A * [0.5, 0, 0], abs=1e-4)
    assert found.energy_eV == pytest.approx(-0.75 + 0.2)
    assert abs(found.mode) == pytest.approx([1, 0, 0], abs=1e-6)
    assert find_saddle(cosine, EDGES_A * [0.1, 0, 0], 0.3) is None


@pytest.mark.parametrize("shift", [0.0, 0.37])
@pytest.mark.parametrize("n", [5, 9])
def test_percolation_of_the_potential_does_not_depend_on_the_grid(n: int, shift: float) -> None:
    shape = (n, n + 1, n + 2)
    offset = shift * EDGES_A / shape
    points = np.stack(np.meshgrid(*[np.arange(m) / m for m in shape], indexing="ij"), axis=-1) * EDGES_A + offset
    energies = -(AMPLITUDES_EV * np.cos(WAVES * points)).sum(axis=-1)
    network = refine_network(lambda r: cosine(r + offset), np.diag(EDGES_A), shape, find_basins(energies))
    assert network.percolation.barriers_eV == pytest.approx(2 * AMPLITUDES_EV, abs=1e-6)
    assert all(saddle.point_A is not None for saddle in network.closing)


def test_symmetry_completes_what_a_map_missed() -> None:
    """The map is that of a potential with one pathway; the symmetry of the other direction adds it."""
    edges, amplitude = np.array([4.0, 4.0, 4.0]), 0.2
    wave = 2 * np.pi / 4.0

    def derivatives(point_A: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        phases = wave * point_A
        curvatures = amplitude * wave**2 * np.cos(phases)
        return float(-amplitude * np.cos(phases).sum()), amplitude * wave * np.sin(phases), np.diag(curvatures)

    axes = np.stack(np.meshgrid(*[np.arange(6) / 6] * 3, indexing="ij"), axis=-1) * edges
    uneven = -(np.array([0.2, 0.6, 0.6]) * np.cos(wave * axes)).sum(axis=-1)
    turn = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]], dtype=float)
    operations = [(np.linalg.matrix_power(turn, power), np.zeros(3)) for power in range(3)]
    cell = np.diag(edges)
    network = refine_network(derivatives, cell, (6, 6, 6), find_basins(uneven), operations)
    assert network.percolation.barriers_eV == pytest.approx([0.4] * 3, abs=1e-6)
