"""Barriers of single hops in solid argon, whose potential is quick and exact."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator

from aiida_ion.analysis.migration.cells import HopCells, hop_cells, nearest_images
from aiida_ion.runners.lennard_jones import PairLennardJones
from aiida_ion.runners.migration.band import count_maxima, place_images
from aiida_ion.runners.migration.hop import compute_hop
from aiida_ion.runners.migration.relaxing import HopError, OutOfTimeError, Stop, check_end
from aiida_ion.settings.migration import HopSettings

TIGHT = HopSettings(max_force_eV_A=0.002)
BAND = HopSettings(max_force_eV_A=0.002, path="band")


def argon() -> PairLennardJones:
    return PairLennardJones(3.405, 0.01032, 8.5125)


@pytest.fixture
def cells() -> HopCells:
    host = bulk("Ar", "fcc", a=5.26, cubic=True)
    sites = host.get_scaled_positions()
    return hop_cells(host, (2, 2, 2), (0, 1), (sites[0], sites[1]), (0, 0, 0), "Ar")


def test_the_midpoint_and_the_band_have_the_same_saddle(cells: HopCells) -> None:
    middle = compute_hop(cells.start, cells.end, cells.moving, True, argon(), TIGHT)
    band = compute_hop(cells.start, cells.end, cells.moving, True, argon(), BAND)
    assert (middle.verdict, middle.path, band.verdict, band.path) == ("converged", "midpoint", "converged", "band")
    assert middle.values["forward_eV"] == pytest.approx(0.065, abs=0.002)
    assert band.values["forward_eV"] == pytest.approx(middle.values["forward_eV"], abs=2e-4)
    assert band.values["forward_eV"] == pytest.approx(band.values["reverse_eV"], abs=1e-5)
    assert middle.values["residual_eV_A"] < 1e-9
    assert middle.values["curvature_eV_A2"] < 0 and band.values["curvature_eV_A2"] < 0
    assert (band.values["climbing"], band.values["n_maxima"]) == (2, 1)


def test_each_geometry_of_a_band_is_evaluated_once(cells: HopCells) -> None:
    result = compute_hop(cells.start, cells.end, cells.moving, False, argon(), HopSettings(max_force_eV_A=0.005))
    of_ends = result.values["calls_first_end"] + result.values["calls_second_end"]
    # Three moving images at each step; two more for the curvature.
    assert result.values["optimizer"] == "ODE"
    assert (result.values["calls"] - of_ends - 2) % 3 == 0
    assert result.values["calls"] - of_ends <= 3 * (result.values["n_steps"] + 3) + 2


def test_the_reverse_path_and_permuted_images_give_the_same(cells: HopCells) -> None:
    forward = compute_hop(cells.start, cells.end, cells.moving, False, argon(), BAND)
    reverse = compute_hop(cells.end, cells.start, cells.moving, False, argon(), BAND)
    permuted = cells.end.copy()
    permuted.positions += np.random.default_rng(4).integers(-1, 2, (len(permuted), 3)) @ permuted.cell.array
    again = compute_hop(cells.start, nearest_images(cells.start, permuted), cells.moving, False, argon(), BAND)
    for other in (reverse, again):
        assert other.verdict == "converged"
        assert other.values["forward_eV"] == pytest.approx(forward.values["forward_eV"], abs=2e-4)


def test_a_path_to_a_wrong_image_is_refused_before_it_costs_anything(cells: HopCells) -> None:
    wrong = cells.end.copy()
    wrong.positions[cells.moving] += wrong.cell.array[0]
    result = compute_hop(cells.start, wrong, cells.moving, False, argon(), BAND)
    assert (result.verdict, result.values["calls"]) == ("wrong_image", 0)
    assert "angstrom long, above 5" in result.message


def test_an_end_that_relaxes_back_is_not_a_barrier_of_zero(cells: HopCells) -> None:
    hop = cells.end.positions[cells.moving] - cells.start.positions[cells.moving]
    near = cells.start.copy()
    near.positions[cells.moving] += 0.3 * hop
    result = compute_hop(cells.start, near, cells.moving, False, argon(), TIGHT)
    assert result.verdict == "end_points_identical"
    assert "forward_eV" not in result.values
    assert len(result.images) == 2
    same = compute_hop(cells.start, cells.start.copy(), cells.moving, False, argon(), TIGHT)
    assert (same.verdict, same.values["calls"]) == ("end_points_identical", 0)


def test_ends_that_went_to_the_other_side_or_moved_others_are_named(cells: HopCells) -> None:
    hop = cells.end.positions[cells.moving] - cells.start.positions[cells.moving]
    back = cells.end.copy()
    back.positions[cells.moving] -= 0.9 * hop
    with pytest.raises(HopError, match="left the second end for the other one") as error:
        check_end("second", cells.end, back, -hop, cells.moving, TIGHT)
    assert error.value.verdict == "fell_back"
    pushed = cells.start.copy()
    other = (cells.moving + 5) % len(pushed)
    pushed.positions[other] += [0.0, 1.5, 0.0]
    with pytest.raises(HopError, match=rf"atom {other} \(Ar\) moved 1.4") as error:
        check_end("first", cells.start, pushed, hop, cells.moving, TIGHT)
    assert error.value.verdict == "framework_moved"
    drifted = cells.start.copy()
    drifted.positions += [0.4, 1.5, 0.0]
    check_end("first", cells.start, drifted, hop, cells.moving, TIGHT)


def test_a_second_ion_that_fills_the_vacancy_is_another_hop(cells: HopCells) -> None:
    # A neighbour stands most of the way in the vacancy that the ion is to reach: both ends relax, but not this hop.
    filled = cells.end.copy()
    distances = filled.get_distances(cells.moving, range(len(filled)), mic=True)
    neighbour = next(int(i) for i in np.argsort(distances) if i != cells.moving)
    start = cells.start.copy()
    vacancy = cells.end.positions[cells.moving]
    way = nearest_images(start, start).positions[neighbour] - vacancy
    way -= start.cell.array.T @ np.rint(np.linalg.solve(start.cell.array.T, way))
    start.positions[neighbour] -= 0.8 * way
    end = start.copy()
    end.positions[cells.moving] += 0.5 * (vacancy - cells.start.positions[cells.moving])
    result = compute_hop(start, end, cells.moving, False, argon(), TIGHT)
    assert result.verdict in ("end_points_identical", "fell_back", "framework_moved")


def test_bands_that_do_not_converge_have_no_usable_barrier(cells: HopCells) -> None:
    settings = HopSettings(path="band", max_force_eV_A=0.002, max_steps=3, plain_steps=0)
    result = compute_hop(cells.start, cells.end, cells.moving, False, argon(), settings)
    assert result.verdict == "not_converged"
    shaken = cells.start.copy()
    shaken.rattle(0.3, seed=1)
    end = shaken.copy()
    end.positions[cells.moving] = cells.end.positions[cells.moving]
    result = compute_hop(shaken, end, cells.moving, False, argon(), HopSettings(max_force_eV_A=0.001, max_steps=2))
    assert result.verdict == "not_converged"
    assert "first end still has a force" in result.message


def test_a_site_half_way_is_not_taken_for_a_saddle() -> None:
    # Simple cubic cage with an ion that is bound at both ends and in the middle: the mid-point is a minimum.
    result = compute_hop(*_double_barrier(), True, _ThreeWells(), HopSettings(max_force_eV_A=0.01, n_images=9))
    assert result.values["midpoint_refused"] == "the energy has a minimum there along the hop"
    assert result.path == "band"
    assert result.verdict == "converged"
    assert result.values["n_maxima"] == 2
    assert "sites between" in result.message
    assert result.values["forward_eV"] == pytest.approx(1.0, abs=0.02)


def test_a_crystal_that_collapses_is_left_at_once(cells: HopCells) -> None:
    # Every second plane of atoms is moved aside: what relaxes then is not this hop, whatever it relaxes to.
    start, end = cells.start.copy(), cells.end.copy()
    others = np.arange(len(start)) != cells.moving
    aside = others & (np.rint(start.positions[:, 2] / 2.63).astype(int) % 2 == 1)
    for atoms in (start, end):
        atoms.positions[aside] += [1.3, 0.0, 0.0]
    settings = HopSettings(path="band", max_force_eV_A=0.001, max_framework_A=0.1)
    result = compute_hop(start, end, cells.moving, False, argon(), settings)
    assert result.verdict == "framework_moved"
    assert "more than 0.1: this is another hop" in result.message
    assert result.values["calls"] < 10


def test_the_time_is_over(cells: HopCells) -> None:
    with pytest.raises(OutOfTimeError):
        compute_hop(cells.start, cells.end, cells.moving, False, argon(), BAND, Stop(lambda: True))


def test_a_potential_that_fails_is_a_verdict(cells: HopCells) -> None:
    class Broken(Calculator):  # type: ignore[misc]
        implemented_properties = ("energy", "forces")

        def calculate(self, *_: Any, **__: Any) -> None:
            raise KeyError("no such element")

    result = compute_hop(cells.start, cells.end, cells.moving, False, Broken(), BAND)
    assert result.verdict == "failed"
    assert "KeyError" in result.message


@pytest.mark.parametrize(
    ("energies", "count"),
    [([0, 1, 0], 1), ([0, 0.5, 1, 0.5, 0.2], 1), ([0, 1, 0.5, 1, 0], 2), ([0, 1, 0.99, 1, 0], 1), ([0, 0.5, 1], 1),
     ([0, 0, 0], 0), ([0, 1, 0.3, 0.9, 0.2, 0.6, 0], 3), ([1, 0.5, 0], 1)],
)  # fmt: skip
def test_maxima_are_counted_past_noise(energies: list[float], count: int) -> None:
    assert count_maxima(np.array(energies, dtype=float)) == count


def test_images_start_without_collisions(cells: HopCells) -> None:
    # An atom beside the straight line, at its middle, is walked around.
    start, end = cells.start.copy(), cells.end.copy()
    middle = 0.5 * (start.positions[cells.moving] + end.positions[cells.moving])
    blocker = (cells.moving + 7) % len(start)
    for atoms in (start, end):
        atoms.positions[blocker] = middle + np.array([0.3, 0.0, 0.0])
    images = [start, *(start.copy() for _ in range(3)), end]
    place_images(images, cells.moving)
    assert np.linalg.norm(images[2].positions[cells.moving] - images[2].positions[blocker]) > 1.0


def _double_barrier() -> tuple[Atoms, Atoms, int]:
    start = Atoms("LiAr", positions=[[1.0, 5.0, 5.0], [9.0, 9.0, 9.0]], cell=[20, 10, 10], pbc=True)
    end = start.copy()
    end.positions[0, 0] = 4.0
    return start, end, 0


class _ThreeWells(Calculator):  # type: ignore[misc]
    """Two maxima of 1 eV between x = 1 and x = 4 with a site half-way, and walls across; the argon is held."""

    implemented_properties = ("energy", "forces")

    def calculate(self, atoms: Any = None, properties: Any = None, system_changes: Any = None) -> None:
        super().calculate(atoms, properties, system_changes)
        assert atoms is not None
        phase = 4.0 * np.pi * (atoms.positions[0, 0] - 1.0) / 3.0
        across = atoms.positions[0, 1:] - 5.0
        held = atoms.positions[1] - 9.0
        forces = np.zeros((2, 3))
        forces[0, 0] = -0.5 * np.sin(phase) * 4.0 * np.pi / 3.0
        forces[0, 1:], forces[1] = -2.0 * across, -2.0 * held
        energy = 0.5 * (1.0 - np.cos(phase)) + float(across @ across) + float(held @ held)
        self.results = {"energy": energy, "forces": forces}
