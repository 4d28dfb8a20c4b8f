"""Empty sites: against those that crystallography gives, and against a search on a grid."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from aiida_ion.analysis.defects.refusal import DefectRefused
from aiida_ion.analysis.defects.voids import find_voids
from aiida_ion.analysis.disorder.crystal import disordered_crystal
from tests.analysis.defects.crystals import lithium_chloride, lithium_nitride, lithium_oxide


def test_the_centre_of_the_cube_of_an_antifluorite() -> None:
    (void,) = find_voids(lithium_oxide(), {"Li": 1, "O": -2}, "Li", 5)
    assert len(void.places) == 1
    assert void.nearest_A == pytest.approx({"O": 4.62 / 2, "Li": 4.62 * 3**0.5 / 4}, abs=1e-6)


def test_the_tetrahedra_of_a_rock_salt() -> None:
    (void,) = find_voids(lithium_chloride(), {"Li": 1, "Cl": -1}, "Li", 5)
    assert len(void.places) == 2
    assert void.nearest_A == pytest.approx({"Li": 5.13 * 3**0.5 / 4, "Cl": 5.13 * 3**0.5 / 4}, abs=1e-6)


def test_the_first_is_as_wide_as_the_widest_on_a_grid() -> None:
    crystal = lithium_nitride()
    radii = {"Li": 0.9, "N": 1.32}
    first, *others = find_voids(crystal, {"Li": 1, "N": -3}, "Li", 5)
    axis = np.arange(40) / 40
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    symbols = [next(iter(crystal.orbits[index].occupancies)) for index in crystal.orbit_of]
    room = np.full(len(grid), np.inf)
    shifts = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    for place, symbol in zip(crystal.places, symbols, strict=True):
        for shift in shifts:
            distances = np.linalg.norm((grid - place - shift) @ crystal.cell, axis=1)
            room = np.minimum(room, distances - radii[symbol])
    assert first.room_A == pytest.approx(room.max(), abs=0.05)
    assert all(other.room_A <= first.room_A for other in others)


def test_a_crystal_without_room_is_refused() -> None:
    dense = Structure.from_spacegroup("Fm-3m", Lattice.cubic(2.6), ["Li", "Cl"], [[0.5] * 3, [0] * 3])
    with pytest.raises(DefectRefused, match="no empty site has room for Li"):
        find_voids(disordered_crystal(dense), {"Li": 1, "Cl": -1}, "Li", 3)
