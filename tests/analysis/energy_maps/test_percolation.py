"""The energies at which maps and graphs percolate, against known answers and a search by brute force."""

from itertools import product

import numpy as np
import pytest

from aiida_ion.analysis.energy_maps.basins import find_basins
from aiida_ion.analysis.energy_maps.percolation import percolate_graph, percolate_grid
from aiida_ion.analysis.jumps.network import network_dimension

AMPLITUDES = np.array([0.1, 0.25, 0.4])


def _cosine(n: int, shift: float = 0.0, amplitudes: np.ndarray = AMPLITUDES) -> np.ndarray:
    """V = -sum A cos(2 pi x): it percolates at 2 A above its minimum along each axis."""
    axes = np.meshgrid(*[(np.arange(m) + shift) / m for m in (n, n + 2, n + 4)], indexing="ij")
    return -sum(a * np.cos(2 * np.pi * x) for a, x in zip(amplitudes, axes, strict=True))


def _by_brute_force(energies: np.ndarray, connectivity: int = 26) -> list[float | None]:
    """Lowest energy at which the voxels below it form a network in 1, 2, 3 dimensions, tried one after the other."""
    steps = [s for s in product((-1, 0, 1), repeat=3) if s > (0, 0, 0)]
    steps = [s for s in steps if connectivity == 26 or np.abs(s).sum() == 1]
    shape, voxels = np.array(energies.shape), np.argwhere(np.isfinite(energies))
    edges = [(v, (v + s) % shape, (v + s) // shape) for v in voxels for s in steps]
    start = np.array([np.ravel_multi_index(tuple(a), shape) for a, _, _ in edges])
    stop = np.array([np.ravel_multi_index(tuple(b), shape) for _, b, _ in edges])
    offset = np.array([c for _, _, c in edges])
    flat = energies.ravel()
    barriers: list[float | None] = [None, None, None]
    for level in np.unique(flat[np.isfinite(flat)]):
        below = (flat[start] <= level) & (flat[stop] <= level)
        for dimension in range(network_dimension(start[below], stop[below], offset[below])):
            if barriers[dimension] is None:
                barriers[dimension] = level - flat.min()
    return barriers


@pytest.mark.parametrize("n", [12, 20])
def test_cosine_is_exact_on_grids_that_hit_its_extrema(n: int) -> None:
    percolation = percolate_grid(_cosine(n))
    assert percolation.barriers_eV == pytest.approx(2 * AMPLITUDES, abs=1e-12)
    assert percolation.barriers_in_component_eV == percolation.barriers_eV
    assert percolation.minimum == 0
    saddle = np.unravel_index(percolation.thresholds[0].saddle[0], _cosine(n).shape)
    assert saddle[1:] == (0, 0)
    assert saddle[0] in (n // 2 - 1, n // 2)


def test_error_of_a_grid_off_the_extrema_falls_with_its_square() -> None:
    errors = [2 * AMPLITUDES[0] - percolate_grid(_cosine(n, shift=0.37)).barriers_eV[0] for n in (12, 24, 48)]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.25)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.25)


@pytest.mark.parametrize("connectivity", [6, 26])
@pytest.mark.parametrize("seed", range(3))
def test_random_maps_agree_with_brute_force(seed: int, connectivity: int) -> None:
    generator = np.random.default_rng(seed)
    energies = np.round(generator.normal(size=(4, 5, 3)), 1)  # with plateaus
    energies[generator.random(energies.shape) < 0.2] = np.inf
    expected = _by_brute_force(energies, connectivity)
    assert percolate_grid(energies, connectivity).barriers_eV == pytest.approx(expected)


def test_pathway_that_closes_after_two_cells_is_found() -> None:
    """A double helix: each strand joins the start of the other one cell higher."""
    energies = np.full((12, 12, 12), 3.0)
    for turn in np.linspace(0, 1, 400, endpoint=False):
        for strand in (0.0, np.pi):
            angle = np.pi * turn + strand
            x, y = 6 + 4 * np.cos(angle), 6 + 4 * np.sin(angle)
            energies[int(x) % 12, int(y) % 12, int(12 * turn)] = 0.0
    assert percolate_grid(energies).barriers_eV == [0.0, 3.0, 3.0]


def test_separate_pathways_in_different_directions_are_one_dimensional() -> None:
    energies = np.full((8, 8, 8), np.inf)
    energies[:, 1, 1] = 0.1
    energies[1, :, 5] = 0.2
    assert percolate_grid(energies).barriers_eV == [0.0, None, None]
    energies[1, 1, :] = np.minimum(energies[1, 1, :], 0.5)
    assert percolate_grid(energies).barriers_eV == pytest.approx([0.0, 0.4, 0.4])


def test_deep_isolated_pocket_raises_only_the_barrier_above_the_lowest_energy() -> None:
    energies = np.full((9, 9, 9), np.inf)
    energies[:, 2, 2] = 0.0
    energies[4, 2, 2] = 0.3
    energies[6, 6, 6] = -2.0
    percolation = percolate_grid(energies)
    assert percolation.barriers_eV[0] == pytest.approx(2.3)
    assert percolation.barriers_in_component_eV[0] == pytest.approx(0.3)


def test_supercell_origin_and_order_of_axes_change_nothing() -> None:
    generator = np.random.default_rng(7)
    energies = generator.normal(size=(6, 5, 4))
    barriers = percolate_grid(energies).barriers_eV
    for other in (np.tile(energies, (2, 1, 3)), np.roll(energies, (2, 3, 1), (0, 1, 2)), energies.transpose(2, 0, 1)):
        assert percolate_grid(other).barriers_eV == pytest.approx(barriers)


def test_basins_of_two_wells() -> None:
    """Wells of different depth along a line: two minima, a saddle on either side."""
    line = np.array([0.0, 0.5, 0.7, 0.2, 0.1, 0.6, 0.9, 0.4])
    energies = np.full((8, 3, 3), np.inf)
    energies[:, 1, 1] = line
    basins = find_basins(energies)
    assert basins.energies_eV.tolist() == [0.0, 0.1]
    assert sorted(basins.saddle_energies_eV.tolist()) == [0.7, 0.9]
    assert basins.labels[:, 1, 1].tolist() == [0, 0, 1, 1, 1, 1, 0, 0]
    assert (basins.labels[:, 0] == -1).all()


def test_graph_of_hops() -> None:
    """A square lattice of sites with cheap hops along x, dear ones along y, and none along z."""
    percolation = percolate_graph(
        np.array([0.0]), np.zeros((2, 2), int), np.array([[1, 0, 0], [0, 1, 0]]), np.array([0.2, 0.5])
    )
    assert percolation.barriers_eV == [0.2, 0.5, None]
    assert percolation.thresholds[1].vector == (0, 1, 0)
    assert percolation.dimension == 2


def test_random_graphs_agree_with_the_dimension_of_networks() -> None:
    generator = np.random.default_rng(3)
    for _ in range(20):
        pairs, vectors = generator.integers(0, 6, (14, 2)), generator.integers(-2, 3, (14, 3))
        weights = generator.random(14)
        percolation = percolate_graph(np.zeros(6), pairs, vectors, weights)
        for dimension, barrier in enumerate(percolation.barriers_eV, start=1):
            for level, expected in [] if barrier is None else [(barrier, True), (barrier - 1e-9, False)]:
                kept = weights <= level
                found = network_dimension(pairs[kept, 0], pairs[kept, 1], vectors[kept])
                assert (found >= dimension) is expected
        everything = network_dimension(pairs[:, 0], pairs[:, 1], vectors)
        assert percolation.dimension == everything


def test_bad_input_is_refused() -> None:
    for energies in (np.full((3, 3, 3), np.inf), np.full((3, 3, 3), np.nan), np.zeros((3, 3))):
        with pytest.raises(ValueError, match="map"):
            percolate_grid(energies)
    with pytest.raises(ValueError, match="not there"):
        percolate_graph(np.zeros(1), np.array([[0, 1]]), np.zeros((1, 3), int), np.zeros(1))
