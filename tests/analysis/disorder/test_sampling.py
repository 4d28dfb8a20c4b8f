"""Monte Carlo against exact sums, known numbers of arrangements, and an exact ground state."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from aiida_ion.analysis.disorder.electrostatics import energies_eV, ewald_matrix
from aiida_ion.analysis.disorder.enumeration import (
    classes_of,
    enumerate_arrangements,
    log10_arrangements,
    symmetry_permutations,
)
from aiida_ion.analysis.disorder.lattice import EMPTY, Lattice, random_arrangement
from aiida_ion.analysis.disorder.sampling import Chains, Stage


def simple_cubic(n_filled: int, sizes: tuple[int, int, int] = (2, 2, 2)) -> Lattice:
    """Return a simple cubic lattice with edges of 3 angstrom, some places filled with Li."""
    grid = np.stack(np.meshgrid(*(np.arange(n) / n for n in sizes), indexing="ij"), axis=-1).reshape(-1, 3)
    every = np.arange(len(grid))
    return Lattice(
        cell=3.0 * np.diag(np.array(sizes, dtype=float)),
        places=grid,
        orbit_of=np.zeros(len(grid), dtype=np.int64),
        elements=("Li",),
        charges_e=np.array([0.0, 1.0]),
        contents=({},),
        mobile=1,
        n_mobile=n_filled,
        open_places=every,
        filled=np.array([], dtype=np.int64),
        framework_pools=(),
    )


def binary_fcc() -> Lattice:
    """Return the four places of the fcc cube, two of them of each of two elements in exchange."""
    places = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    empty = np.array([], dtype=np.int64)
    return Lattice(
        cell=4.0 * np.eye(3),
        places=places,
        orbit_of=np.zeros(4, dtype=np.int64),
        elements=("Au", "Cu", "Li"),
        charges_e=np.array([0.0, 1.0, -1.0, 1.0]),
        contents=({"Au": 2, "Cu": 2},),
        mobile=3,
        n_mobile=0,
        open_places=empty,
        filled=empty,
        framework_pools=(np.arange(4),),
    )


def no_pairs(lattice: Lattice) -> np.ndarray:
    return np.zeros((len(lattice.places),) * 2, dtype=bool)


def chains_of(lattice: Lattice, matrix: np.ndarray, n_chains: int, seed: int = 1) -> Chains:
    seeds = [(seed, number) for number in range(n_chains)]
    starts = np.array([random_arrangement(lattice, np.random.default_rng([*own, 0])) for own in seeds])
    return Chains(lattice, matrix, no_pairs(lattice), starts, seeds)


def test_half_filled_cube_has_seventy_arrangements() -> None:
    """Four of eight places: 70; classes agree with Burnside's count over the operations."""
    lattice = simple_cubic(4)
    states = enumerate_arrangements(lattice)
    assert len(states) == 70
    assert 10 ** log10_arrangements(lattice) == pytest.approx(70)
    permutations = symmetry_permutations(lattice)
    assert len(permutations) == 48 * 8
    classes = classes_of(states, permutations)
    fixed = sum(int((states[:, permutation] == states).all(axis=1).sum()) for permutation in permutations)
    assert len(classes.states) == fixed / len(permutations)
    assert classes.degeneracies.sum() == 70


def test_monte_carlo_has_the_exact_weights() -> None:
    lattice = simple_cubic(3)
    matrix = ewald_matrix(lattice.cell, lattice.places)
    # A field that makes places different, as a framework does; any symmetric matrix is an energy.
    rng = np.random.default_rng(5)
    noise = rng.normal(scale=0.4, size=matrix.shape)
    matrix = 0.2 * matrix + noise + noise.T
    states = enumerate_arrangements(lattice)
    thermal_eV = 0.5
    energies = energies_eV(matrix, lattice.charges_e[states])
    exact = np.exp(-(energies - energies.min()) / thermal_eV)
    exact /= exact.sum()
    chains = chains_of(lattice, matrix, 4000)
    chains.run(Stage(thermal_eV, 40.0, True, batch=8))
    keys = {state.tobytes(): number for number, state in enumerate(states)}
    counts = np.bincount([keys[state.tobytes()] for state in chains.states], minlength=len(states))
    expected = exact * len(chains.states)
    often = expected > 5
    chi_squared = float(((counts - expected)[often] ** 2 / expected[often]).sum())
    freedom = int(often.sum()) - 1
    assert freedom > 8
    assert chi_squared < freedom + 4 * np.sqrt(2 * freedom)
    # The test can fail: at another temperature the weights are others.
    hot = np.exp(-(energies - energies.min()) / (1.5 * thermal_eV))
    hot *= len(chains.states) / hot.sum()
    assert float(((counts - hot)[often] ** 2 / hot[often]).sum()) > 2 * (freedom + 4 * np.sqrt(2 * freedom))


@pytest.mark.parametrize("batch", [1, 5, 16])
def test_the_number_judged_together_changes_no_weight(batch: int) -> None:
    lattice = simple_cubic(1)
    matrix = np.diag(2.0 * np.linspace(0.0, 1.4, 8))
    chains = chains_of(lattice, matrix, 2000)
    chains.run(Stage(0.3, 8.0, True, batch=batch))
    exact = np.exp(-np.linspace(0.0, 1.4, 8) / 0.3)
    counts = (chains.states != EMPTY).sum(axis=0)
    expected = 2000 * exact / exact.sum()
    assert np.all(np.abs(counts - expected) < 4.5 * np.sqrt(expected) + 3)


def test_two_kinds_on_fcc_order_as_in_l1_0() -> None:
    """With a nearest-neighbour model that favours unlike pairs the ground state is layered."""
    lattice = binary_fcc()
    step = lattice.places[:, None] - lattice.places[None]
    step -= np.rint(step)
    near = np.linalg.norm(step @ lattice.cell, axis=2)
    matrix = np.where((near > 0.1) & (near < 3.0), 4 * 0.02, 0.0)  # four images of each neighbour
    states = enumerate_arrangements(lattice)
    energies = energies_eV(matrix, lattice.charges_e[states])
    assert len(states) == 6
    # Every arrangement of two and two on the cube is L1_0 in one of its three orientations.
    classes = classes_of(states, symmetry_permutations(lattice))
    assert classes.degeneracies.tolist() == [6]
    assert energies == pytest.approx(np.full(6, energies[0]))
    larger = replace_by_supercell(lattice)
    ground = ground_state(larger)
    # Eight of the twelve neighbours of each atom are unlike, which no other arrangement exceeds.
    assert ground == pytest.approx(16 * 0.5 * 0.02 * (4 - 8))


def replace_by_supercell(lattice: Lattice) -> Lattice:
    """Return 2 x 2 x 1 cubes: 16 places, 8 of each element."""
    shifts = np.array([[i, j, 0] for i in range(2) for j in range(2)])
    places = (lattice.places[:, None] + shifts[None]).reshape(-1, 3) / [2, 2, 1]
    return replace(
        lattice,
        cell=4.0 * np.diag([2.0, 2.0, 1.0]),
        places=places,
        orbit_of=np.zeros(16, dtype=np.int64),
        contents=({"Au": 8, "Cu": 8},),
        framework_pools=(np.arange(16),),
    )


def ground_state(lattice: Lattice) -> float:
    """Return the lowest energy that annealing finds with +-0.02 eV for each pair of neighbours, eV."""
    shifts = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    step = lattice.places[:, None, None] - lattice.places[None, :, None] + shifts
    distances = np.linalg.norm(step @ lattice.cell, axis=-1)
    matrix = 0.02 * ((distances > 0.1) & (distances < 3.0)).sum(axis=2).astype(float)
    chains = chains_of(lattice, matrix, 8)
    for thermal in (0.1, 0.05, 0.03, 0.02, 0.01, 0.005):
        chains.run(Stage(thermal, 50.0, True, batch=8))
    return float(chains.energies_eV().min())


def test_a_chain_does_not_depend_on_the_others() -> None:
    lattice = simple_cubic(4)
    matrix = 0.1 * ewald_matrix(lattice.cell, lattice.places)
    few, many = (chains_of(lattice, matrix, number) for number in (2, 7))
    for chains in (few, many):
        for thermal in (1.0, 0.2):
            chains.run(Stage(thermal, 10.0, True, batch=4))
    assert np.array_equal(few.states, many.states[:2])


def test_forbidden_pairs_are_left_and_counted() -> None:
    lattice = simple_cubic(4)
    chains = chains_of(lattice, np.zeros((8, 8)), 6)
    step = lattice.places[:, None] - lattice.places[None]
    step -= np.rint(step)
    near = np.linalg.norm(step @ lattice.cell, axis=2)
    forbidden = (near > 0.1) & (near < 3.1)
    chains = Chains(lattice, np.zeros((8, 8)), forbidden, chains.states, chains.seeds)
    by_hand = [int(forbidden[np.ix_(state > 0, state > 0)].sum()) // 2 for state in chains.states]
    assert chains.n_forbidden().tolist() == by_hand
    chains.run(Stage(10.0, 30.0, True, batch=4))
    chains.run(Stage(0.5, 200.0, True, batch=4))
    assert chains.n_forbidden().tolist() == [0] * 6  # the two tetrahedra of the cube
