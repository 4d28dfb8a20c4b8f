from __future__ import annotations

import json

import numpy as np
import pytest
from pymatgen.core.structure import Structure

from aiida_ion.analysis.migration.cells import cells_of, hop_cells, moving_atom, nearest_images
from aiida_ion.analysis.migration.hops import find_hops
from aiida_ion.analysis.migration.network_data import HopNetwork
from aiida_ion.analysis.migration.pairs import exchanges_ends
from aiida_ion.analysis.migration.symmetry import act_on_sites, operations_of, reverse
from tests.analysis.migration.crystals import atoms_of, lithium_iron_phosphate, lithium_nitride, lithium_oxide


def lengths_of(network: HopNetwork) -> list[tuple[float, int]]:
    return [(round(hop.length_A, 3), hop.multiplicity) for hop in network.hops]


def test_antifluorite_has_one_hop_in_every_cell_of_it() -> None:
    conventional = find_hops(lithium_oxide(), "Li")
    assert lengths_of(conventional) == [(2.309, 24)]
    primitive = find_hops(lithium_oxide().get_primitive_structure(), "Li")
    assert lengths_of(primitive) == [(2.309, 6)]
    assert (conventional.dimension, primitive.dimension, primitive.space_group) == (3, 3, "Fm-3m")
    assert conventional.hops[0].is_symmetric
    assert conventional.multiples == [2, 2, 2]


def test_the_cutoff_is_the_shortest_that_connects_all_dimensions() -> None:
    network = find_hops(lithium_nitride(), "Li")
    # In the plane 2c-2c, then 1b-2c between the planes; only the ends of the first are exchanged by an operation.
    assert lengths_of(network) == [(2.106, 3), (2.862, 12)]
    assert [hop.is_symmetric for hop in network.hops] == [True, False]
    assert network.cutoff_A == pytest.approx(2.862, abs=1e-3)
    plane = find_hops(lithium_nitride(), "Li", cutoff_A=2.5)
    assert (plane.dimension, len(plane.hops)) == (2, 1)
    with pytest.raises(ValueError, match="form no network; one forms at 2.106"):
        find_hops(lithium_nitride(), "Li", cutoff_A=2.0)


def test_olivine_is_connected_in_as_many_dimensions_as_short_hops_allow() -> None:
    network = find_hops(lithium_iron_phosphate(), "Li", cutoff_A=3.1)
    assert lengths_of(network) == [(3.003, 4)]
    assert network.dimension == 1


def test_sites_that_are_too_far_apart_are_refused() -> None:
    with pytest.raises(ValueError, match="no two sites of the mobile ion are within 1.5 angstrom"):
        find_hops(lithium_oxide(), "Li", max_length_A=1.5)
    with pytest.raises(ValueError, match="no Na in Li2O"):
        find_hops(lithium_oxide(), "Na")


def test_orbits_do_not_know_the_direction_of_a_hop() -> None:
    crystal = lithium_nitride()
    network = find_hops(crystal, "Li")
    operations = operations_of(crystal, 0.01)
    action = act_on_sites(operations, np.array(network.sites), crystal.lattice.matrix)
    keys = [(*pair, *vector) for pair, vector in zip(network.pairs, network.vectors, strict=True)]
    for key, member in zip(keys, network.members, strict=True):
        assert action.orbit(key) == action.orbit(reverse(key))
        assert {keys[i] for i, other in enumerate(network.members) if other == member} == action.orbit(key)


def test_a_supercell_has_the_hops_of_its_crystal() -> None:
    small = find_hops(lithium_nitride(), "Li")
    big = lithium_nitride()
    big.make_supercell([2, 2, 2])
    network = find_hops(big, "Li")
    assert [length for length, _ in lengths_of(network)] == [length for length, _ in lengths_of(small)]
    assert [count for _, count in lengths_of(network)] == [8 * count for _, count in lengths_of(small)]


def test_symmetry_of_the_supercell_counts_too() -> None:
    # A primitive cell of LiCoO2 keeps its threefold axis in 4 x 4 x 4, not in 4 x 4 x 2; inversion is in both.
    crystal = lithium_oxide().get_primitive_structure()
    assert find_hops(crystal, "Li", multiples=(2, 2, 2)).hops[0].is_symmetric
    assert find_hops(crystal, "Li", multiples=(2, 2, 3)).hops[0].multiplicity == 6


def test_empty_sites_get_their_equivalents() -> None:
    network = find_hops(lithium_oxide(), "Li", empty_sites=[[0.5, 0.5, 0.5]])
    assert network.mechanism == "interstitial"
    assert (len(network.sites), network.atoms) == (4, [-1] * 4)
    assert lengths_of(network) == [(3.266, 24)]


def test_networks_survive_json() -> None:
    network = find_hops(lithium_nitride(), "Li")
    assert HopNetwork.from_dict(json.loads(json.dumps(network.to_dict()))) == network


@pytest.mark.parametrize("number", [0, 1])
def test_both_ends_hold_the_same_atoms_and_the_ion_takes_the_short_way(number: int) -> None:
    crystal = lithium_nitride()
    network = find_hops(crystal, "Li")
    hop = network.hops[number]
    cells = cells_of(network, hop, atoms_of(crystal), "Li")
    assert len(cells.start) == 4 * np.prod(network.multiples) - 1
    assert (cells.start.numbers == cells.end.numbers).all()
    moved = np.linalg.norm(cells.end.positions - cells.start.positions, axis=1)
    assert moved[cells.moving] == pytest.approx(hop.length_A)
    assert np.count_nonzero(moved > 1e-9) == 1
    # The ion goes to where an ion of the whole crystal is, and no other atom of the cell.
    whole = atoms_of(crystal).repeat(network.multiples)
    whole += cells.end[[cells.moving]]
    distances = whole.get_distances(len(whole) - 1, range(len(whole) - 1), mic=True)
    assert distances.min() < 1e-6
    assert cells.end.get_all_distances(mic=True)[np.triu_indices(len(cells.end), 1)].min() > 1.5


def test_atoms_in_other_cells_than_the_sites_change_nothing() -> None:
    crystal = lithium_nitride()
    network = find_hops(crystal, "Li")
    atoms = atoms_of(crystal)
    shifted = atoms.copy()
    shifted.positions += np.random.default_rng(1).integers(-2, 3, (len(atoms), 3)) @ atoms.cell.array
    for hop in network.hops:
        first, second = (cells_of(network, hop, host, "Li") for host in (atoms, shifted))
        paths = [cells.end.positions[cells.moving] - cells.start.positions[cells.moving] for cells in (first, second)]
        np.testing.assert_allclose(paths[0], paths[1], atol=1e-9)
        # The neighbourhood of the vacancy that the ion hops into is the same, too.
        near = [
            np.sort(cells.end.get_distances(cells.moving, range(len(cells.end)), mic=True))[:12]
            for cells in (first, second)
        ]
        np.testing.assert_allclose(near[0], near[1], atol=1e-9)


def test_long_paths_and_tiny_supercells_are_refused() -> None:
    atoms = atoms_of(lithium_oxide())
    with pytest.raises(ValueError, match="6.13 angstrom long, more than 5: a wrong image"):
        hop_cells(atoms, (2, 2, 2), (0, 0), (atoms.get_scaled_positions()[0], [0.25, 0.25, 1.98]), (0, 0, 0), "Li")
    tiny = atoms_of(lithium_oxide().get_primitive_structure())
    site = tiny.get_scaled_positions()[1]
    with pytest.raises(ValueError, match="its own image"):
        hop_cells(tiny, (1, 1, 1), (1, 1), (site, site), (1, 0, 0), "Li")


def test_images_permuted_by_lattice_vectors_are_undone() -> None:
    network = find_hops(lithium_oxide(), "Li")
    cells = cells_of(network, network.hops[0], atoms_of(lithium_oxide()), "Li")
    permuted = cells.end.copy()
    permuted.positions += np.random.default_rng(2).integers(-1, 2, (len(permuted), 3)) @ permuted.cell.array
    undone = nearest_images(cells.start, permuted)
    np.testing.assert_allclose(undone.positions, cells.end.positions, atol=1e-9)
    assert moving_atom(cells.start, undone) == cells.moving
    with pytest.raises(ValueError, match="in another order"):
        nearest_images(cells.start, permuted[::-1])


def test_pairs_of_cells_know_whether_their_ends_are_exchanged() -> None:
    for crystal, expected in ((lithium_oxide(), [True]), (lithium_nitride(), [True, False])):
        network = find_hops(crystal, "Li")
        for hop, symmetric in zip(network.hops, expected, strict=True):
            cells = cells_of(network, hop, atoms_of(crystal), "Li")
            assert exchanges_ends(cells.start, cells.end, cells.moving) == symmetric
            moved = cells.end.copy()
            moved.positions[cells.moving] += [0.0, 0.2, 0.1]
            assert not exchanges_ends(cells.start, moved, cells.moving)


def test_sites_that_lost_their_symmetry_are_hops_of_their_own() -> None:
    crystal = lithium_oxide()
    crystal.perturb(0.05, seed=1)
    network = find_hops(crystal, "Li", symprec_A=1e-3)
    assert network.space_group == "P1"
    assert len(network.hops) == len(network.pairs)
    assert not any(hop.is_symmetric for hop in network.hops)


def test_structures_without_mobile_network_say_so() -> None:
    sparse = Structure.from_dict(lithium_iron_phosphate().as_dict())
    with pytest.raises(ValueError, match="no two sites"):
        find_hops(sparse, "Li", max_length_A=2.9)
