"""Frameworks on the faces of their cell, and frameworks too small or too still for a check."""

import numpy as np
import pytest

from aiida_ion.analysis.diffusion.analyse import Segment
from aiida_ion.analysis.green_kubo.charge_frame import charge_frame
from aiida_ion.analysis.trajectories.images import ImageFollower
from aiida_ion.analysis.trajectories.trajectory import join_segments
from tests.analysis.checks.synthetic import CELL, FRAME_PS, analyse, checks, grid, liquid, verdicts
from tests.analysis.synthetic import GHOSTS, TRICLINIC

FRAMEWORK = ("framework_growth", "framework_vibration", "framework_displaced")
SHIFTS = {"faces": (0.0, 0.5, 0.5), "edges": (0.0, 0.0, 0.5), "corners": (0.0, 0.0, 0.0)}


def on_boundary(shift, cell=CELL, seed=4, n_frames=400, rattle_A=0.15):
    """64 O about the boundary of the cell and 64 still Li within, unwrapped."""
    oxygen, lithium = grid(0.0) + np.array(shift) * 3.0, grid(0.0) + np.array([1.5, 0.75, 1.2])
    sites = np.concatenate([lithium, oxygen]) @ np.linalg.inv(CELL) @ cell
    noise = np.random.default_rng(seed).normal(0.0, rattle_A, (n_frames, len(sites), 3))
    return sites + noise, ["Li"] * 64 + ["O"] * 64


def folded(positions, symbols, cell=CELL, every=1):
    """The same as programs leave it that wrap the framework now and then, once in some frames."""
    fractional = positions @ np.linalg.inv(cell)
    atoms = np.array(symbols) == "O"
    images = np.floor(fractional[(np.arange(len(positions)) // every) * every])
    fractional[:, atoms] -= images[:, atoms]
    return fractional @ cell


@pytest.mark.parametrize("cell", [CELL, TRICLINIC * 0.7], ids=["cubic", "triclinic"])
@pytest.mark.parametrize("every", [1, 7])
@pytest.mark.parametrize("where", SHIFTS)
def test_a_framework_on_the_boundary_of_its_cell_stays_solid(where, every, cell):
    positions, symbols = on_boundary(SHIFTS[where], cell)
    wrapped = folded(positions, symbols, cell, every)
    assert np.abs(np.diff(wrapped, axis=0)).max() > 5.0
    expected = analyse(positions, symbols, cell=cell, limits=GHOSTS)
    result = analyse(wrapped, symbols, cell=cell, limits=GHOSTS)
    assert result.verdict == "bound" and result.refused_because is None
    assert set(verdicts(result, *FRAMEWORK, "framework_peak_ratio").values()) == {"pass"}
    for name in FRAMEWORK:
        assert checks(result)[name]["value"] == pytest.approx(checks(expected)[name]["value"], abs=1e-4)
    assert result.tracer_diffusivity_upper_bound_cm2_s == pytest.approx(expected.tracer_diffusivity_upper_bound_cm2_s)
    assert result.framework_msd_A2 == pytest.approx(expected.framework_msd_A2, rel=1e-3)
    assert result.drift_A == pytest.approx(expected.drift_A, rel=1e-3)


def test_the_displacement_of_charge_does_not_see_crossings_either():
    positions, symbols = on_boundary(SHIFTS["faces"])
    frame = charge_frame(symbols, "Li", {"Li": 1.0, "O": -1.0})
    times = np.arange(len(positions)) * FRAME_PS
    mobile = np.array(symbols) == "Li"
    one, other = (
        join_segments(
            [Segment(each[:150], times[:150], CELL), Segment(each[150:], times[150:], CELL)],
            np.flatnonzero(mobile),
            np.flatnonzero(~mobile),
            charges_e=frame.charges_e,
        ).collective
        for each in (positions, folded(positions, symbols))
    )
    np.testing.assert_allclose(other, one, atol=1e-6)


def test_a_molten_framework_on_the_boundary_is_still_molten():
    positions, symbols = on_boundary(SHIFTS["corners"])
    molten = liquid(positions, np.arange(64, 128), 0.3)
    result = analyse(folded(molten, symbols), symbols, limits=GHOSTS)
    assert result.refused_because and "O in the framework" in result.refused_because
    expected = analyse(molten, symbols, limits=GHOSTS)
    assert result.framework_msd_A2 == pytest.approx(expected.framework_msd_A2, rel=1e-3)


def test_mobile_ions_that_cross_are_refused_with_what_to_do():
    positions, symbols = on_boundary(SHIFTS["faces"])
    with pytest.raises(ValueError, match="unwrap them first"):
        analyse(folded(positions, symbols), symbols[::-1], limits=GHOSTS)


def test_what_is_unwrapped_passes_through_untouched():
    positions, _ = on_boundary(SHIFTS["faces"])
    drifting = (positions + np.linspace(0.0, 500.0, len(positions))[:, None, None]).astype(np.float32)
    follower = ImageFollower()
    for block in np.array_split(drifting, 3):
        assert follower.follow(block, CELL) is block


def test_cells_that_breathe_are_followed_each_by_its_own():
    positions, _ = on_boundary(SHIFTS["corners"])
    cells = CELL * (1.0 + 0.02 * np.sin(np.arange(len(positions)) / 10.0))[:, None, None]
    fractional = positions @ np.linalg.inv(CELL)
    unwrapped = np.einsum("tni,tij->tnj", fractional, cells)
    wrapped = np.einsum("tni,tij->tnj", fractional % 1.0, cells)
    result = ImageFollower().follow(wrapped, cells)
    apart = np.einsum("tni,tij->tnj", result - unwrapped, np.linalg.inv(cells))
    np.testing.assert_allclose(apart - np.round(apart), 0.0, atol=1e-9)
    np.testing.assert_allclose(np.ptp(np.round(apart), axis=0), 0.0)


def small(n_framework, seed=6, rattle_A=0.1, spacing_A=4.0):
    sites = np.concatenate([grid(0.0), np.array([[0.7, 0.8, 0.9]]) + spacing_A * np.eye(3)[:n_framework]])
    noise = np.random.default_rng(seed).normal(0.0, rattle_A, (200, len(sites), 3))
    return sites + noise, ["Li"] * 64 + ["O"] * n_framework


def test_of_a_framework_of_one_atom_nothing_is_said():
    result = analyse(*small(1), limits=GHOSTS)
    assert set(verdicts(result, *FRAMEWORK).values()) == {"not_applicable"}
    assert "single unit" in checks(result)["framework_growth"]["message"]
    assert result.framework_msd_A2 is None


def test_a_framework_of_two_atoms_is_judged():
    result = analyse(*small(2), limits=GHOSTS)
    assert set(verdicts(result, *FRAMEWORK).values()) == {"pass"}


def test_without_a_framework_nothing_is_said():
    result = analyse(*small(0), limits=GHOSTS)
    assert set(verdicts(result, *FRAMEWORK, "framework_peak_ratio").values()) == {"not_applicable"}
    assert result.drift_A == 0.0


@pytest.mark.filterwarnings("error")
def test_a_run_in_which_nothing_moves_at_all_is_a_bound():
    positions, symbols = on_boundary(SHIFTS["corners"], rattle_A=0.0)
    result = analyse(positions, symbols, limits=GHOSTS)
    assert result.verdict == "bound" and result.refused_because is None
    assert checks(result)["framework_vibration"]["value"] == pytest.approx(0.0, abs=1e-6)


def test_pieces_far_apart_have_their_real_distance_and_no_peak_is_not_a_fault():
    cell = np.eye(3) * 40.0
    generator = np.random.default_rng(7)
    heavy = np.stack(np.meshgrid(*[np.arange(2) * 20.0] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    sites = np.concatenate([heavy + 10.0, heavy])
    positions = sites + generator.normal(0.0, 0.1, (200, 16, 3))
    result = analyse(positions, ["Li"] * 8 + ["Xe"] * 8, cell=cell)
    message = checks(result)["framework_vibration"]
    assert message["value"] == pytest.approx(0.1 * np.sqrt(3.0) / 20.0, rel=0.1)
    assert checks(result)["framework_peak_ratio"]["verdict"] == "pass"


def test_pieces_on_top_of_each_other_do_not_divide_by_zero():
    generator = np.random.default_rng(8)
    lithium = grid(0.0)
    heavy = np.concatenate([np.zeros((4, 3)) + 1.5, np.full((4, 3), 7.5)])
    positions = np.concatenate([lithium, heavy]) + generator.normal(0.0, 0.05, (200, 72, 3))
    result = analyse(positions, ["Li"] * 64 + ["Fe"] * 8, limits=GHOSTS)
    assert {check["name"] for check in result.checks} >= set(FRAMEWORK)
