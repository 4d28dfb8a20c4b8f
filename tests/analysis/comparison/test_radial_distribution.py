"""Radial distributions of an ideal gas and of crystals, whose shells are known."""

import numpy as np
import pytest
from ase.build import bulk
from ase.neighborlist import neighbor_list

from aiida_ion.analysis.comparison.radial_distribution import (
    RadialDistribution,
    averaged,
    radial_distribution,
    rdf_distance,
    rdf_range_A,
)
from tests.analysis.synthetic import TRICLINIC


def coordination(result: RadialDistribution, density_A3: float, low_A: float, high_A: float) -> float:
    """Neighbours between two distances."""
    width = result.r_A[1] - result.r_A[0]
    shells = 4 / 3 * np.pi * ((result.r_A + width / 2) ** 3 - (result.r_A - width / 2) ** 3)
    inside = (result.r_A > low_A) & (result.r_A < high_A)
    return float(density_A3 * (result.g[0] * shells)[inside].sum())


def test_an_ideal_gas_is_one_everywhere_in_a_skewed_cell():
    rng = np.random.default_rng(1)
    positions = rng.random((4, 1000, 3)) @ TRICLINIC + rng.integers(-3, 4, (4, 1000, 3)) @ TRICLINIC  # unwrapped
    result = radial_distribution(positions, TRICLINIC, ["Li"] * 500 + ["O"] * 500)
    assert result.pairs == ("Li-Li", "Li-O", "O-O")
    assert result.weights == pytest.approx([0.25, 0.5, 0.25])
    assert result.r_A[-1] == pytest.approx(6.0, abs=0.03)
    far = result.r_A > 2.0
    assert result.g[:, far].mean(axis=1) == pytest.approx([1.0, 1.0, 1.0], abs=0.01)
    pairs_in_bin = 4 * np.pi * result.r_A**2 * 0.05 * 500 * 500 / abs(np.linalg.det(TRICLINIC)) * 4
    assert np.abs((result.g[1] - 1.0) * np.sqrt(pairs_in_bin))[far].max() < 5.0


@pytest.mark.parametrize("repeats", [1, 3])
def test_shells_of_a_face_centred_crystal(repeats):
    """One atom, whose neighbours are all its own images, has the shells of the whole crystal."""
    atoms = bulk("Ar", "fcc", a=4.02) * repeats
    result = radial_distribution(atoms.positions[None], atoms.cell.array, atoms.get_chemical_symbols())
    peaks = result.r_A[result.g[0] > 0]
    assert peaks == pytest.approx([4.02 / np.sqrt(2), 4.02, 4.02 * np.sqrt(1.5)], abs=0.03)
    density = 4 / 4.02**3
    for low, high, neighbours in ((2.5, 3.2, 12), (3.5, 4.4, 6), (4.5, 5.0, 24)):
        assert coordination(result, density, low, high) == pytest.approx(neighbours)


def test_neighbours_are_those_of_ase():
    atoms = bulk("OLi2", "fluorite", a=4.62)
    atoms.rattle(0.1, seed=1)
    atoms.positions += [[1, -2, 3], [0, 0, 0], [4, 4, 4]] @ atoms.cell.array
    result = radial_distribution(atoms.positions[None], atoms.cell.array, atoms.get_chemical_symbols(), range_A=6.0)
    width = result.r_A[1] - result.r_A[0]
    shells = 4 / 3 * np.pi * ((result.r_A + width / 2) ** 3 - (result.r_A - width / 2) ** 3)
    filters = {"Li-Li": 2 * 2, "Li-O": 2 * 1, "O-O": 1}
    first, second, distances = neighbor_list("ijd", atoms, 6.0)
    symbols = np.array(atoms.get_chemical_symbols())
    for pair, g in zip(result.pairs, result.g, strict=True):
        one, other = pair.split("-")
        counted = np.histogram(
            distances[(symbols[first] == one) & (symbols[second] == other)], bins=len(shells), range=(0, 6.0)
        )[0]
        assert g * shells * filters[pair] / atoms.cell.volume == pytest.approx(counted, abs=1e-9)


def test_frames_are_thinned_and_cells_may_change():
    atoms = bulk("Ar", "fcc", a=4.0, cubic=True)
    positions = np.repeat(atoms.positions[None], 7, axis=0)
    scale = np.linspace(1.0, 1.1, 7)[:, None, None]
    result = radial_distribution(positions * scale, atoms.cell.array * scale, ["Ar"] * 4, max_frames=3)
    assert result.n_frames == 3
    assert (result.g[0] > 0).sum() > 3


def test_parts_of_a_run_make_the_whole():
    positions = np.random.default_rng(2).random((5, 20, 3)) * 8.0
    parts = [radial_distribution(part, np.eye(3) * 8.0, ["Ar"] * 20) for part in (positions[:2], positions[2:])]
    whole = radial_distribution(positions, np.eye(3) * 8.0, ["Ar"] * 20)
    assert averaged(parts).g == pytest.approx(whole.g)
    assert averaged(parts).n_frames == 5


def test_the_range_of_small_and_large_cells():
    assert [rdf_range_A(np.eye(3) * edge) for edge in (4.0, 11.0, 40.0)] == pytest.approx([5.0, 5.5, 6.0])


def test_equal_functions_are_not_apart_and_other_crystals_are_wholly():
    fcc = bulk("Ar", "fcc", a=4.0, cubic=True)
    wider = bulk("Ar", "fcc", a=4.3, cubic=True)
    one = radial_distribution(fcc.positions[None], fcc.cell.array, ["Ar"] * 4, range_A=5.0)
    two = radial_distribution(wider.positions[None], wider.cell.array, ["Ar"] * 4, range_A=5.0)
    assert rdf_distance(one, one).mean == 0.0
    assert rdf_distance(two, one).by_pair == pytest.approx({"Ar-Ar": 1.0})
    assert rdf_distance(one, two) == rdf_distance(two, one)


def test_the_mean_counts_pairs_of_atoms_and_skips_those_without_neighbours():
    grid = np.array([0.5, 1.5])
    weights = np.array([0.6, 0.2, 0.2])
    one = RadialDistribution(grid, ("Li-Li", "Li-O", "O-O"), np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 0.0]]), weights, 1)
    two = RadialDistribution(grid, ("Li-Li", "Li-O", "O-O"), np.array([[1.0, 2.0], [0.0, 2.0], [0.0, 0.0]]), weights, 1)
    result = rdf_distance(one, two)
    assert result.by_pair == pytest.approx({"Li-Li": 0.2, "Li-O": 1.0})
    assert result.mean == pytest.approx((0.6 * 0.2 + 0.2) / 0.8)


def test_what_cannot_be_compared_is_refused():
    atoms = bulk("Ar", "fcc", a=4.0, cubic=True)
    one = radial_distribution(atoms.positions[None], atoms.cell.array, ["Ar"] * 4)
    with pytest.raises(ValueError, match="Kr-Kr cannot be compared with Ar-Ar"):
        rdf_distance(radial_distribution(atoms.positions[None], atoms.cell.array, ["Kr"] * 4), one)
    with pytest.raises(ValueError, match="different grids"):
        rdf_distance(radial_distribution(atoms.positions[None], atoms.cell.array, ["Ar"] * 4, range_A=5.5), one)
    with pytest.raises(ValueError, match=r"frames > 0, 4, 3"):
        radial_distribution(atoms.positions[None][:0], atoms.cell.array, ["Ar"] * 4)
    close = radial_distribution(atoms.positions[None], atoms.cell.array, ["Ar"] * 4, range_A=1.0)
    with pytest.raises(ValueError, match="no atom has a neighbour"):
        rdf_distance(close, close)
