import numpy as np
import pytest

from aiida_ion.analysis.checks.limits import CheckLimits
from tests.analysis.checks.synthetic import CELL, analyse, checks, grid, liquid, solid, verdicts
from tests.analysis.synthetic import GHOSTS

FRAMEWORK = ("framework_growth", "framework_vibration", "framework_displaced")
OXYGEN = np.arange(64, 128)


def onset(check):
    return float(check["message"].split("began at about ")[1].split(" ps")[0])


@pytest.mark.parametrize("rattle_A", [0.05, 0.15, 0.22])
def test_a_solid_framework_passes_however_it_vibrates(rattle_A):
    result = analyse(*solid(rattle_A=rattle_A))
    assert {result.refused_because} == {None}
    assert set(verdicts(result, *FRAMEWORK, "framework_peak_ratio").values()) == {"pass"}
    expected = np.sqrt(3.0) * rattle_A / 3.0
    assert checks(result)["framework_vibration"]["value"] == pytest.approx(expected, rel=0.05)


def test_a_molten_mobile_sublattice_is_no_molten_framework():
    positions, symbols = solid()
    result = analyse(liquid(positions, np.arange(64), 0.0), symbols, limits=GHOSTS)
    assert result.moved and result.grade == "A"
    assert set(verdicts(result, *FRAMEWORK).values()) == {"pass"}


@pytest.mark.parametrize("begins", [0.0, 0.5, 0.67, 0.9])
def test_a_framework_that_melts_is_refused_and_the_message_says_when(begins):
    positions, symbols = solid(rattle_A=0.15)
    result = analyse(liquid(positions, OXYGEN, begins), symbols, limits=GHOSTS)
    results = checks(result)
    assert results["framework_vibration"]["verdict"] == results["framework_displaced"]["verdict"] == "fail"
    assert onset(results["framework_displaced"]) == pytest.approx(begins * 40.0, abs=4.0)
    assert result.refused_because and "framework" in result.refused_because


def test_melting_counts_before_and_after_equilibration():
    positions, symbols = solid(rattle_A=0.15)
    early = liquid(positions, OXYGEN, 0.06)
    early[50:] = early[49:50] + positions[50:] - positions[49:50]  # frozen again, as a glass
    result = analyse(early, symbols, limits=GHOSTS, equilibration_fs=10_000.0)
    assert verdicts(result, *FRAMEWORK) == {
        "framework_growth": "pass",
        "framework_vibration": "pass",
        "framework_displaced": "fail",
    }


def test_one_kind_of_atom_that_diffuses_is_enough():
    positions, symbols = solid(rattle_A=0.15)
    symbols[100:116] = ["Cl"] * 16
    result = analyse(liquid(positions, np.arange(100, 116), 0.2), symbols, limits=GHOSTS)
    assert "Cl in the framework" in checks(result)["framework_growth"]["message"]
    assert checks(result)["framework_growth"]["verdict"] == "fail"


def polyanions(rotating, breaks=False):
    """27 PS4 groups whose sulphur atoms turn around the centre at random, and lithium between them."""
    generator = np.random.default_rng(5)
    axis = np.arange(3) * 7.0
    centres = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) * 2.05 / np.sqrt(3.0)
    n_frames = 400
    turned = np.empty((n_frames, len(centres), 4, 3))
    for number in range(len(centres)):
        angle = np.cumsum(generator.normal(0.0, 0.5 if rotating else 0.0, n_frames))
        c, s, zero, one = np.cos(angle), np.sin(angle), np.zeros(n_frames), np.ones(n_frames)
        matrix = np.array([[c, -s, zero], [s, c, zero], [zero, zero, one]]).transpose(2, 0, 1)
        turned[:, number] = corners @ matrix
    sulphur = (centres[:, None] + turned).reshape(n_frames, -1, 3)
    if breaks:
        sulphur[250:, :12] += 3.0
    phosphorus = np.broadcast_to(centres, (n_frames, *centres.shape))
    lithium = np.broadcast_to(centres + 3.5, (n_frames, *centres.shape))
    positions = np.concatenate([lithium, phosphorus, sulphur], axis=1)
    positions = positions + generator.normal(0.0, 0.1, positions.shape)
    return positions, ["Li"] * 27 + ["P"] * 27 + ["S"] * 108


def test_rotating_polyanions_are_solid():
    result = analyse(*polyanions(rotating=True), cell=np.eye(3) * 21.0)
    assert result.framework_msd_A2 > 3.0
    assert result.refused_because is None
    assert set(verdicts(result, *FRAMEWORK, "framework_bonds_kept", "framework_peak_ratio").values()) == {"pass"}
    assert "PS4" in checks(result)["framework_growth"]["message"]
    assert "108 bonds" in checks(result)["framework_bonds_kept"]["message"]


def test_polyanions_that_fall_apart_are_not():
    result = analyse(*polyanions(rotating=False, breaks=True), cell=np.eye(3) * 21.0, limits=GHOSTS)
    results = checks(result)["framework_bonds_kept"]
    assert results["verdict"] == "fail" and results["value"] == pytest.approx(1.0 - 12 / 108, abs=0.01)
    assert onset(results) == pytest.approx(25.0, abs=4.0)


def test_an_endless_network_stays_single_atoms():
    positions, symbols = solid()
    checkered = np.indices((4, 4, 4)).sum(axis=0).ravel() % 2
    symbols = symbols[:64] + ["Zr" if odd else "O" for odd in checkered]
    result = analyse(positions * 0.8, symbols, cell=CELL * 0.8, limits=GHOSTS)
    assert checks(result)["framework_growth"]["message"].split(" of ")[1].split()[0] in ("O", "Zr")


def test_a_peak_that_fades_is_seen():
    positions, symbols = solid(n_frames=600, rattle_A=0.15)
    spread = np.random.default_rng(1).normal(0.0, 0.45, positions.shape)
    positions[300:, 64:] += spread[300:, 64:]
    result = analyse(positions, symbols, limits=CheckLimits(min_distance_ratio_warn=0.0, min_distance_ratio_fail=0.0))
    assert checks(result)["framework_peak_ratio"]["verdict"] == "fail"
    assert 0.2 < checks(result)["framework_peak_ratio"]["value"] < 0.7


def test_without_framework_nothing_is_said_of_it():
    positions, _ = solid()
    result = analyse(positions[:, :64], ["Li"] * 64)
    names = (*FRAMEWORK, "framework_peak_ratio", "framework_bonds_kept")
    assert set(verdicts(result, *names).values()) == {"not_applicable"}
    assert result.refused_because is None


@pytest.mark.parametrize("n_frames", [10, 15, 25])
def test_short_runs_are_judged_as_far_as_they_go(n_frames):
    result = analyse(*solid(n_frames=n_frames))
    assert result.refused_because is None
    applicable = verdicts(result, "framework_growth")["framework_growth"] != "not_applicable"
    assert applicable == (n_frames >= 20)


def test_the_sites_are_a_crystal():
    assert len(np.unique(grid(0.0) % np.diag(CELL), axis=0)) == 64
