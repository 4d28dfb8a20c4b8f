"""Maps that are kept: read back as they were, and repeated in larger cells of any shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ase.build import bulk
from ase.spacegroup import crystal
from pymatgen.core.structure import Structure

from aiida_ion.analysis.energy_maps.bvse import bvse_with_map
from aiida_ion.analysis.energy_maps.bvse_settings import BvseSettings
from aiida_ion.analysis.energy_maps.frozen.compute import compute_map
from aiida_ion.analysis.energy_maps.frozen.kept import map_of
from aiida_ion.analysis.energy_maps.frozen.results import frozen_results
from aiida_ion.analysis.energy_maps.kept_map import EnergyMap, in_cell
from aiida_ion.analysis.energy_maps.percolation import percolate_grid
from aiida_ion.calculations.screening.pes import frozen_plan
from aiida_ion.settings.pes import PesSettings
from aiida_ion.settings.values import SettingsError

TRICLINIC = np.array([[5.0, 0.3, -0.2], [-1.6, 4.4, 0.5], [0.9, -1.1, 6.0]])


def well(place: Any, shape: tuple[int, int, int], origin: Any) -> EnergyMap:
    """Return a map whose lowest point is near a fractional place, periodic in a triclinic cell."""
    points = np.stack(np.meshgrid(*[np.arange(n) / n for n in shape], indexing="ij"), axis=-1) + origin
    apart = points - place
    shifts = np.stack(np.meshgrid(*[(-1, 0, 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    images = (apart - np.round(apart))[..., None, :] + shifts
    square = ((images @ TRICLINIC) ** 2).sum(axis=-1).min(axis=-1)
    host = np.array([[0.25, 0.5, 0.75]]) @ TRICLINIC
    return EnergyMap(1.0 - np.exp(-square / 2.0), TRICLINIC, np.array(origin), host, ("O",))


def test_a_map_is_read_back() -> None:
    one = well([0.2, 0.7, 0.4], (6, 8, 10), [0.1, 0.0, 0.3])
    one.energies_eV[0, 0, 0] = np.inf
    again = EnergyMap.read(one.arrays(), one.about())
    np.testing.assert_allclose(again.energies_eV, one.energies_eV, atol=1e-6)
    np.testing.assert_allclose(again.cell_A, TRICLINIC)
    assert again.host_symbols == ("O",)
    for change in ({"cell_A": np.zeros((3, 3)).tolist()}, {"host_symbols": ["O", "O"]}, {"origin_fractional": "x"}):
        with pytest.raises(ValueError):
            EnergyMap.read(one.arrays(), one.about() | change)
    with pytest.raises(ValueError, match="grid of three axes"):
        EnergyMap.read(one.arrays() | {"energies_eV": np.full((2, 2), np.nan)}, one.about())


@pytest.mark.parametrize(
    "multiples", [np.diag([1, 1, 1]), np.diag([2, 1, 1]), np.array([[1, 1, 0], [-1, 1, 0], [0, 1, 2]])]
)
def test_a_map_in_a_larger_cell_has_its_wells_where_they_are(multiples: Any) -> None:
    place = np.array([0.2, 0.7, 0.4])
    one = well(place, (20, 20, 24), [0.05, 0.0, 0.3])
    cell = multiples @ TRICLINIC
    large = in_cell(one, cell)
    assert large is not None
    count = round(abs(np.linalg.det(multiples)))
    assert len(large.host_A) == count == len(large.host_symbols)
    lowest = np.argwhere(large.energies_eV < 0.1)
    points = (large.origin + lowest / large.energies_eV.shape) @ cell
    apart = points @ np.linalg.inv(TRICLINIC) - place
    assert np.linalg.norm((apart - np.round(apart)) @ TRICLINIC, axis=1).max() < 0.6
    low = (large.energies_eV < 0.3).mean()
    assert low == pytest.approx((one.energies_eV < 0.3).mean(), rel=0.15)
    # Every copy of the host is there once: no two are images of each other in the larger cell.
    apart = (large.host_A[:, None] - large.host_A[None]) @ np.linalg.inv(cell)
    assert (np.abs(apart - np.round(apart)).max(axis=-1) < 1e-6).sum() == count
    assert in_cell(one, 1.3 * TRICLINIC) is None


def solve(plan: Any, step_A: float) -> Any:
    """Return a map of a pair potential that knows atoms by their distance alone."""
    computation = compute_map(plan, step_A, 0.8)
    request = next(computation)
    while True:
        shifts = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
        atoms = ((request.host.fractions[None] + shifts[:, None]).reshape(-1, 3)) @ request.host.cell
        distances = np.linalg.norm(request.positions_A[:, None] - atoms[None], axis=-1)
        try:
            request = computation.send(np.exp(-distances).sum(axis=1))
        except StopIteration as stop:
            return stop.value


@pytest.mark.parametrize("turned", [False, True])
def test_the_host_of_a_surface_is_in_the_axes_of_the_crystal(turned: bool) -> None:
    """A centred cell of any orientation: the primitive cell of its map is not turned, and not shifted."""
    atoms = crystal(["Li", "O"], [(0.25, 0.25, 0.25), (0, 0, 0)], spacegroup=225, cellpar=[4.619] * 3 + [90] * 3)
    atoms.positions += [0.3, -0.1, 0.2]
    if turned:
        atoms.rotate(37.0, (1, 2, 3), rotate_cell=True)
    structure = Structure(atoms.cell.array, atoms.get_chemical_symbols(), atoms.get_scaled_positions())
    plan = frozen_plan(structure, "Li", PesSettings())
    maps = [solve(one, 0.6) for one in plan.maps]
    one, barriers = map_of(maps, frozen_results(plan, maps, False))
    assert one.energies_eV.min() == 0.0 and one.host_symbols == ("O",)
    assert percolate_grid(one.energies_eV).barriers_eV == pytest.approx(barriers)
    large = in_cell(one, atoms.cell.array)
    assert large is not None
    oxygen = atoms.positions[atoms.numbers == 8]
    apart = (large.host_A[:, None] - oxygen[None]) @ np.linalg.inv(atoms.cell.array)
    distances = np.linalg.norm((apart - np.round(apart)) @ atoms.cell.array, axis=-1)
    assert len(large.host_A) == 4 and distances.min(axis=1).max() < 1e-3


def test_the_map_of_bond_valences_is_above_the_lowest_energy_and_in_the_axes_of_the_crystal() -> None:
    atoms = bulk("OLi2", "fluorite", a=4.619, cubic=True)
    structure = Structure(atoms.cell.array, atoms.get_chemical_symbols(), atoms.get_scaled_positions())
    result, one = bvse_with_map(structure, BvseSettings(mobile_species="Li", resolution_A=0.3))
    assert 0.0 <= one.energies_eV.min() < 0.05
    large = in_cell(one, atoms.cell.array)
    assert large is not None and len(large.host_A) == 4
    # The energy is low at the sites, and the grid percolates near the barrier of the potential.
    sites = atoms.get_scaled_positions()[atoms.numbers == 3]
    indices = np.round((sites - large.origin) * large.energies_eV.shape).astype(int) % large.energies_eV.shape
    assert large.energies_eV[tuple(indices.T)].max() < 0.25  # of linear interpolation
    assert percolate_grid(one.energies_eV).thresholds[2].energy_eV == pytest.approx(result["barriers_eV"][2], abs=0.1)


def test_the_region_of_a_hop_is_not_kept() -> None:
    with pytest.raises(SettingsError, match="keep_map needs a map of the whole cell"):
        PesSettings(keep_map=True, others="vacancy")
    assert PesSettings(keep_map=True).decisive() == PesSettings().decisive()
