from dataclasses import replace

import numpy as np
import pytest

from aiida_ion.analysis.checks.sampled_frames import neighbours, onset_ps
from tests.analysis.checks.synthetic import analyse, checks, recorded, solid, verdicts


def test_a_good_run_passes_everything_it_can():
    result = analyse(*solid(), thermo=recorded())
    results = verdicts(result)
    for name in ("max_force", "energy_jump", "hot_ratio", "temperature_off", "temperature_drift", "nearest_distance"):
        assert results[name] == "pass", name
    assert results["energy_drift"] == "not_applicable"
    assert "fail" not in results.values()


def test_without_thermo_nothing_is_said_of_it():
    result = checks(analyse(*solid()))
    assert {result[name]["verdict"] for name in ("max_force", "hot_ratio", "temperature_off")} == {"not_applicable"}
    assert "thermo" in result["max_force"]["message"]


@pytest.mark.parametrize("frame", [0, 399])
def test_two_atoms_on_top_of_each_other(frame):
    positions, symbols = solid(rattle_A=0.05)
    positions[frame, 0] = positions[frame, 64] + [0.3, 0.0, 0.0]
    result = analyse(positions, symbols)
    results = checks(result)["nearest_distance"]
    assert results["verdict"] == "fail"
    assert results["value"] == pytest.approx(0.3 / (0.7 * 1.28 + 0.66), rel=0.01)
    assert f"at {frame * 0.1:.4g} ps" in results["message"]
    assert result.refused_because == results["message"]


@pytest.mark.parametrize(
    ("name", "changes", "verdict"),
    [
        ("max_force", {"max_force_eV_A": 60.0}, "warn"),
        ("max_force", {"max_force_eV_A": 200.0}, "fail"),
        ("energy_jump", {"potential_energy_eV": -128 * 4.0 + 128 * 2.0}, "warn"),
        ("energy_jump", {"potential_energy_eV": 128 * 3.0}, "fail"),
    ],
)
def test_one_late_step_is_enough(name, changes, verdict):
    (quantity, value), good = next(iter(changes.items())), recorded()
    series = getattr(good, quantity).copy()
    series[3900] = value
    result = analyse(*solid(), thermo=recorded(**{quantity: series}))
    assert checks(result)[name]["verdict"] == verdict
    assert "at 39 ps" in checks(result)[name]["message"]
    assert (result.refused_because is None) == (verdict == "warn")


def test_a_burst_of_heat():
    hot = recorded().temperature_K.copy()
    hot[3000:3100] *= 3.0
    results = checks(analyse(*solid(), thermo=recorded()))
    assert results["hot_ratio"]["verdict"] == "pass"
    result = analyse(*solid(), thermo=_with(temperature_K=hot))
    assert checks(result)["hot_ratio"]["verdict"] == "fail"


def test_a_single_hot_step_is_noise():
    hot = recorded().temperature_K.copy()
    hot[3000] *= 5.0
    assert checks(analyse(*solid(), thermo=_with(temperature_K=hot)))["hot_ratio"]["verdict"] == "pass"


def test_neighbours_far_outside_the_cell_are_those_inside():
    generator = np.random.default_rng(1)
    cell = np.array([[9.0, 0.0, 0.0], [3.0, 8.0, 0.0], [-2.0, 1.0, 7.0]])
    inside = generator.random((40, 3)) @ cell
    shifts = generator.integers(-50, 50, (40, 3))
    first, second, images, distances = neighbours(inside + shifts @ cell, cell, 3.0)
    expected = neighbours(inside, cell, 3.0)
    outside = inside + shifts @ cell
    values = np.linalg.norm(outside[second] + images @ cell - outside[first], axis=1)
    np.testing.assert_allclose(values, distances, atol=1e-9)
    assert sorted(distances.round(6)) == sorted(expected[3].round(6))


def test_the_kink_is_found():
    times = np.linspace(0.0, 30.0, 200)
    noise = np.random.default_rng(1).normal(0.0, 0.1, 200)
    assert onset_ps(times, noise + 0.5 * np.maximum(0.0, times - 21.0)) == pytest.approx(21.0, abs=0.6)
    assert onset_ps(times, noise + 0.5 * times) == pytest.approx(0.0, abs=0.6)


def _with(**arrays):
    return replace(recorded(), **arrays)
