"""The grid around a site, and the points that its symmetry makes equal."""

from __future__ import annotations

import numpy as np
import pytest

from aiida_ion.analysis.energy_maps.frozen.compute import Request
from aiida_ion.analysis.energy_maps.frozen.grid import distance_to_host_A, grid_operations, make_grid
from aiida_ion.analysis.energy_maps.frozen.map_plan import FrozenPlan
from tests.analysis.energy_maps.frozen.crystals import pair_energies, plan_of, solve


@pytest.mark.parametrize(
    ("others", "which", "step_A", "counts"),
    [
        ("kept", 0, 0.5, (512, 270, 50, 26)),
        ("kept", 1, 0.5, (512, 272, 75, 39)),
        ("removed", 0, 0.5, (512, 419, 75, 61)),
    ],
)
def test_counts_of_lithium_nitride(others: str, which: int, step_A: float, counts: tuple[int, ...]) -> None:
    """Both sites of alpha-Li3N; without the others its two sites in the plane are one map."""
    plan = plan_of("Li3N", others).maps[which]
    site = plan.sites[1 if others == "removed" else 0]
    grid = make_grid(plan.host, site, step_A)
    far = ~np.isfinite(distance_to_host_A(plan.host, grid.fractions(grid.representatives), 1.2)[0])
    assert (grid.inverse.size, int(far[grid.inverse].sum()), len(far), int(far.sum())) == counts


@pytest.mark.parametrize("name", ["Li3N", "Li2O", "LiF", "Li3OCl", "LiCoO2", "triclinic"])
@pytest.mark.parametrize("others", ["removed", "kept"])
def test_equivalent_points_have_equal_energies(name: str, others: str) -> None:
    for plan in plan_of(name, others).maps:
        few = solve(plan, 0.55)
        points = few.grid.fractions(np.arange(few.n_points)) @ plan.host.cell
        every = pair_energies(Request(plan.simulated(), plan.moved, points)).reshape(few.grid.shape)
        is_known = np.isfinite(few.energies_eV)
        np.testing.assert_allclose(few.energies_eV[is_known], every[is_known], atol=1e-9)
        assert is_known.sum() == few.n_valid >= few.n_evaluated - len(plan.sites)


def test_shifts_of_whole_steps_are_symmetry_too() -> None:
    """The site of Li in Li2O has 24 operations; the host has 48, and the others shift the grid by half a cell."""
    plan = plan_of("Li2O").maps[0]
    grid = make_grid(plan.host, plan.sites[0], 0.25)
    assert grid.n_operations == 48 and len(grid.representatives) == 100
    odd = np.array([13, 13, 13])
    assert len(grid_operations(plan.host, plan.sites[0], odd)[0]) == 24


def test_the_symmetry_is_that_of_what_stays() -> None:
    """With one more ion removed, few operations are left; those of the crystal would make unequal points equal."""
    vacancy = plan_of("Li3N", "vacancy", 6.0)
    kept = plan_of("Li3N", "kept", 6.0)
    assert len(vacancy.maps[0].host.rotations) < len(kept.maps[0].host.rotations)
    for plan in vacancy.maps:
        few, all_points = solve(plan, 0.6), solve(plan, 0.6, use_symmetry=False)
        inside = np.isfinite(all_points.energies_eV)
        np.testing.assert_array_equal(np.isfinite(few.energies_eV), inside)
        np.testing.assert_allclose(few.energies_eV[inside], all_points.energies_eV[inside], atol=1e-9)
        assert 1.6 * few.n_evaluated < all_points.n_evaluated


def test_the_first_point_is_the_site_and_axes_that_are_equal_have_equal_steps() -> None:
    plan = plan_of("LiCoO2").maps[0]
    grid = make_grid(plan.host, plan.sites[0], 0.25)
    np.testing.assert_allclose(grid.fractions(np.array([0]))[0], plan.sites[0])
    steps = np.linalg.norm(plan.host.cell, axis=1) / grid.shape
    assert (steps <= 0.25 + 1e-9).all() and all(n % 2 == 0 for n in grid.shape)


def test_distances_are_to_the_nearest_image_in_a_sharp_cell() -> None:
    plan = plan_of("LiCoO2").maps[0]
    points = np.random.default_rng(1).random((50, 3))
    distances, atoms = distance_to_host_A(plan.host, points, 8.0)
    images = np.stack(np.meshgrid(*[np.arange(-9, 10)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    for point, distance, atom in zip(points, distances, atoms, strict=True):
        every = np.linalg.norm((plan.host.fractions[:, None] + images[None] - point) @ plan.host.cell, axis=-1)
        assert distance == pytest.approx(every.min()) and every.min(axis=1)[atom] == pytest.approx(distance)


def test_a_plan_is_read_back_as_it_was_written() -> None:
    plan = plan_of("Li3N", "vacancy", 6.0)
    again = FrozenPlan.from_dict(plan.to_dict())
    assert again.to_dict() == plan.to_dict() and again.maps[0].hop is not None
