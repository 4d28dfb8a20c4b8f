from __future__ import annotations

import numpy as np
import pytest

from aiida_ion.analysis.migration.cells import cells_of
from aiida_ion.analysis.migration.hops import find_hops
from aiida_ion.analysis.migration.network import HopEnergies, energy_network, percolation_of
from tests.analysis.migration.crystals import atoms_of, lithium_nitride, lithium_oxide


def test_one_hop_is_the_barrier_in_all_dimensions() -> None:
    crystal = lithium_oxide()
    network = energy_network(
        find_hops(crystal, "Li"), crystal.lattice.matrix, {"hop_01": HopEnergies(-100.0, -100.0, -99.7)}
    )
    found = percolation_of(network)
    assert found["barriers_eV"] == pytest.approx([0.3] * 3)
    assert found["least_barriers_eV"] == pytest.approx([0.3] * 3)
    assert not found["is_bound"]


def test_energies_of_ends_count_once_on_one_scale() -> None:
    crystal = lithium_nitride()
    hops = find_hops(crystal, "Li")
    second = hops.hops[1]
    # The vacancy is 0.2 eV higher on the 1b site, of which there is one; a hop of 1b - 2c has its ends accordingly.
    one = next(site for site, orbit in enumerate(hops.site_orbits) if hops.site_orbits.count(orbit) == 1)
    at_one, at_two = -49.8, -50.0
    start, end = (at_two, at_one) if second.first == one else (at_one, at_two)
    energies = {"hop_01": HopEnergies(-50.0, -50.0, -49.95), "hop_02": HopEnergies(start, end, -49.4)}
    network = energy_network(hops, crystal.lattice.matrix, energies)
    assert network.sites_eV[one] == pytest.approx(0.2)
    assert sorted(network.sites_eV) == pytest.approx([0.0, 0.0, 0.2])
    assert network.end_spread_eV == pytest.approx(0.0)
    # 0.05 in the plane, 0.6 from the lowest site across the planes: not 0.4, the barrier from the higher end.
    assert percolation_of(network)["barriers_eV"] == pytest.approx([0.05, 0.05, 0.6])


def test_hops_without_a_path_make_bounds() -> None:
    crystal = lithium_nitride()
    hops = find_hops(crystal, "Li")
    energies = {"hop_01": HopEnergies(-50.0, -50.0, -49.95), "hop_02": HopEnergies(None, None, None)}
    network = energy_network(hops, crystal.lattice.matrix, energies)
    found = percolation_of(network)
    assert network.missing == ["hop_02"]
    assert found["is_bound"]
    assert found["barriers_eV"][:2] == pytest.approx([0.05, 0.05])
    assert found["barriers_eV"][2] is None
    assert found["least_barriers_eV"] == pytest.approx([0.0] * 3)  # it may cost nothing
    with pytest.raises(ValueError, match="not one hop has relaxed ends"):
        energy_network(hops, crystal.lattice.matrix, {})


def test_ends_that_disagree_are_told() -> None:
    crystal = lithium_nitride()
    hops = find_hops(crystal, "Li")
    energies = {"hop_01": HopEnergies(-50.0, -49.9, -49.5)}
    assert energy_network(hops, crystal.lattice.matrix, energies).end_spread_eV == pytest.approx(0.1)


def test_steps_are_those_of_the_hops() -> None:
    crystal = lithium_nitride()
    hops = find_hops(crystal, "Li")
    energies = {hop.label: HopEnergies(0.0, 0.0, 0.3) for hop in hops.hops}
    network = energy_network(hops, crystal.lattice.matrix, energies)
    lengths = np.linalg.norm(network.steps_A, axis=1)
    np.testing.assert_allclose(lengths, [hops.hops[member].length_A for member in hops.members], atol=1e-6)


def test_an_interstitial_ion_is_where_its_energy_says() -> None:
    crystal = lithium_nitride()
    # A place between the planes, at the centre of an edge of the honeycomb; its two equivalents are added.
    hops = find_hops(crystal, "Li", empty_sites=[[0.5, 0.5, 0.5]])
    assert hops.mechanism == "interstitial"
    energies = {hop.label: HopEnergies(-60.0, -60.0, -59.8) for hop in hops.hops}
    network = energy_network(hops, crystal.lattice.matrix, energies)
    assert set(network.sites_eV) == {0.0}
    cells = cells_of(hops, hops.hops[0], atoms_of(crystal), "Li")
    assert len(cells.start) == 4 * np.prod(hops.multiples) + 1
    assert cells.start.symbols[cells.moving] == "Li"
    assert cells.moving == len(cells.start) - 1
    moved = np.linalg.norm(cells.end.positions - cells.start.positions, axis=1)
    assert moved[cells.moving] == pytest.approx(hops.hops[0].length_A)
    nearest = cells.start.get_distances(cells.moving, range(len(cells.start) - 1), mic=True).min()
    assert nearest > 1.0
