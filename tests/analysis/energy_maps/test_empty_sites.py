"""Empty sites from a map: minima away from filled sites, on special places, in whatever cell the map is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from aiida_ion.analysis.energy_maps.empty_sites import find_empty_sites
from aiida_ion.analysis.energy_maps.kept_map import EnergyMap
from aiida_ion.analysis.migration.symmetry import on_special_places, operations_of

EDGE_A = 4.0
CELL = np.diag([EDGE_A] * 3)
FILLED, HOST = np.array([[0.5, 0.0, 0.0]]), np.array([[0.5, 0.5, 0.5]])


def with_wells(places: Any, depths: Any, n: int = 21) -> EnergyMap:
    """Return a map with Gaussian wells in a cubic cell that holds one atom."""
    points = np.stack(np.meshgrid(*[np.arange(n) / n] * 3, indexing="ij"), axis=-1)
    energies = np.full((n, n, n), max(depths))
    for place, depth in zip(places, depths, strict=True):
        apart = points - place
        square = (((apart - np.round(apart)) * EDGE_A) ** 2).sum(axis=-1)
        energies -= depth * np.exp(-square / 0.5)
    return EnergyMap(energies - energies.min(), CELL, np.zeros(3), HOST @ CELL, ("O",))


def test_minima_that_are_not_filled_are_found_in_each_copy_of_the_cell() -> None:
    one = with_wells([[0.5, 0.0, 0.0], [0.0, 0.5, 0.0], [0.25, 0.0, 0.5]], [1.0, 0.9, 0.3])
    sites = find_empty_sites(one, CELL, FILLED, HOST, 0.5)
    assert len(sites) == 1 and np.abs(sites[0] - [0.0, 0.5, 0.0]).max() < 0.03
    assert len(find_empty_sites(one, CELL, FILLED, HOST, 0.9)) == 2
    large = CELL * np.array([2, 1, 1])[:, None]
    # In the doubled cell one of the two equivalent places is filled: the other one is empty.
    filled, host = np.array([[0.25, 0.0, 0.0]]), np.array([[0.25, 0.5, 0.5], [0.75, 0.5, 0.5]])
    sites = find_empty_sites(one, large, filled, host, 0.5)
    assert len(sites) == 3
    assert np.abs(sites[0] - [0.75, 0.0, 0.0]).max() < 0.03  # the lowest comes first


def test_what_is_not_of_this_crystal_is_refused() -> None:
    one = with_wells([[0.5, 0.0, 0.0]], [1.0])
    for cell, host, words in (
        (1.3 * CELL, HOST, "not repeated"),
        (CELL, HOST + 0.1, "of another crystal"),
        (CELL, np.vstack([HOST, HOST + 0.2]), "of another crystal"),
        (CELL, HOST, "no empty sites"),
    ):
        with pytest.raises(ValueError, match=words):
            find_empty_sites(one, cell, FILLED, host, 0.5)


def test_a_minimum_of_a_grid_is_moved_onto_its_special_place() -> None:
    crystal = Structure(Lattice.cubic(EDGE_A), ["O"], [[0, 0, 0]])
    operations = operations_of(crystal, 1e-3)
    sites = np.array([[0.476, 0.524, 0.5], [0.02, 0.98, 0.49], [0.3, 0.2, 0.1]])
    moved = on_special_places(operations, sites, CELL, 0.5)
    np.testing.assert_allclose(moved[0], [0.5, 0.5, 0.5], atol=1e-9)
    np.testing.assert_allclose((moved[1] + 0.25) % 1.0, [0.25, 0.25, 0.75], atol=1e-9)
    np.testing.assert_allclose(moved[2], [0.3, 0.2, 0.1], atol=0.06)
