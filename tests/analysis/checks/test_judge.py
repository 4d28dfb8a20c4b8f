from dataclasses import fields, replace

import numpy as np
import pytest

from aiida_ion.analysis.checks.check import Check, graded, not_applicable, worst
from aiida_ion.analysis.checks.green_kubo import green_kubo_check
from aiida_ion.analysis.checks.judge import grade
from aiida_ion.analysis.checks.limits import CheckLimits
from aiida_ion.analysis.diffusion.analyse import DiffusionSettings
from tests.analysis.checks.synthetic import analyse, checks, liquid, recorded, solid, verdicts
from tests.analysis.synthetic import GHOSTS


@pytest.fixture(scope="module")
def moved():
    positions, symbols = solid(n_frames=600)
    return analyse(liquid(positions, np.arange(64), 0.0), symbols, limits=GHOSTS)


def check(verdict):
    return Check("some", 1.0, "", 1.0, verdict, "A sentence.")


@pytest.mark.parametrize(
    ("n_eff", "found", "letter"),
    [
        (250.0, ["pass", "not_applicable"], "A"),
        (250.0, ["pass", "warn", "warn"], "B"),
        (60.0, ["warn"], "C"),
        (20.0, ["warn"], "C"),
        (20.0, ["pass"], "C"),
        (250.0, ["warn", "fail"], "D"),
    ],
)
def test_the_grade_follows_hops_and_checks(moved, n_eff, found, letter):
    assert grade(replace(moved, n_eff=n_eff), [check(verdict) for verdict in found]) == letter


def test_a_bound_stays_a_bound_and_is_refused_all_the_same():
    positions, symbols = solid(rattle_A=0.15)
    result = analyse(liquid(positions, np.arange(64, 128), 0.7), symbols, limits=GHOSTS)
    assert result.grade == result.verdict == "bound"
    assert result.refused_because
    assert result.tracer_diffusivity_upper_bound_cm2_s > 0


def test_a_number_from_a_molten_framework_is_kept_and_refused():
    positions, symbols = solid(rattle_A=0.15)
    everything = liquid(liquid(positions, np.arange(64), 0.0), np.arange(64, 128), 0.6, seed=9)
    result = analyse(everything, symbols, limits=GHOSTS)
    assert result.moved and result.grade == "D"
    assert result.tracer_diffusivity_cm2_s > 0
    first = next(entry["message"] for entry in result.checks if entry["verdict"] == "fail")
    assert result.refused_because == first
    assert result.attributes()["checks"] == result.checks


def test_every_check_has_a_number_a_limit_and_a_sentence(moved):
    for name, result in checks(moved).items():
        assert result["message"].endswith("."), name
        if result["verdict"] == "not_applicable":
            assert result["value"] is None and result["limit"] is None
        else:
            assert isinstance(result["value"], float), name


def test_diffusion_that_stops_half_way_warns():
    positions, symbols = solid(n_frames=800)
    moving = liquid(positions, np.arange(64), 0.0, diffusivity_A2_ps=1.0)
    moving[400:, :64] = moving[399:400, :64] + positions[400:, :64] - positions[399:400, :64]
    result = analyse(moving, symbols, limits=GHOSTS)
    assert verdicts(result, "halves_diffusivity") == {"halves_diffusivity": "warn"} or not result.moved


def test_energy_that_still_falls_warns():
    thermo = recorded()
    falling = thermo.potential_energy_eV - 128 * 0.02 * thermo.times_ps / 40.0
    result = verdicts(analyse(*solid(), thermo=replace(thermo, potential_energy_eV=falling)), "halves_energy")
    assert result == {"halves_energy": "warn"}


@pytest.mark.parametrize(
    ("factor", "ensemble", "verdict"),
    [(1.0, "nvt", "pass"), (1.03, "nvt", "warn"), (0.9, "nvt", "fail"), (0.5, "nve", "not_applicable")],
)
def test_temperature_off_target(factor, ensemble, verdict):
    thermo = recorded(ensemble=ensemble)
    result = analyse(*solid(), thermo=replace(thermo, temperature_K=thermo.temperature_K * factor))
    assert verdicts(result, "temperature_off") == {"temperature_off": verdict}


@pytest.mark.parametrize(("rise", "verdict"), [(0.0, "pass"), (0.03, "warn"), (-0.1, "fail")])
def test_temperature_drift(rise, verdict):
    thermo = recorded()
    drifted = thermo.temperature_K * (1.0 + rise * (thermo.times_ps / 40.0 - 0.5))
    result = analyse(*solid(), thermo=replace(thermo, temperature_K=drifted))
    assert verdicts(result, "temperature_drift") == {"temperature_drift": verdict}


def test_a_short_noisy_run_is_not_off_target():
    noisy = np.random.default_rng(4).normal(800.0, 250.0, 60)
    thermo = recorded(n_steps=60, temperature_K=800.0)
    result = analyse(*solid(n_frames=30), thermo=replace(thermo, temperature_K=noisy))
    assert set(verdicts(result, "temperature_off", "temperature_drift").values()) == {"pass"}


@pytest.mark.parametrize(("drift", "verdict"), [(0.0, "pass"), (0.5, "warn"), (3.0, "fail")])
def test_energy_drift_at_constant_energy(drift, verdict):
    generator = np.random.default_rng(6)
    thermo = recorded(ensemble="nve")
    energy = -500.0 + generator.normal(0.0, 1e-3, 4000) + drift * 1e-3 * 128 * thermo.times_ps
    result = checks(analyse(*solid(), thermo=replace(thermo, conserved_energy_eV=energy)))["energy_drift"]
    assert result["verdict"] == verdict
    assert result["value"] == pytest.approx(drift, abs=0.05)


def test_two_collective_conductivities(moved):
    known = {"collective_ionic_conductivity_mS_cm": 10.0, "collective_ionic_conductivity_ci95_mS_cm": (7.0, 14.0)}
    assert green_kubo_check(replace(moved, **known)).verdict == "not_applicable"
    known["green_kubo_ionic_conductivity_mS_cm"] = 12.0
    near = replace(moved, **known, green_kubo_ionic_conductivity_ci95_mS_cm=(9.0, 16.0))
    far = replace(moved, **known, green_kubo_ionic_conductivity_ci95_mS_cm=(15.0, 16.0))
    assert (green_kubo_check(near).verdict, green_kubo_check(far).verdict) == ("pass", "warn")


def test_values_beyond_a_limit():
    assert graded("x", 2.0, "K", warn=1.0, fail=3.0, message="It is two").verdict == "warn"
    failed = graded("x", 4.0, "K", warn=1.0, fail=3.0, message="It is four")
    assert (failed.verdict, failed.limit) == ("fail", 3.0)
    assert failed.message == "It is four; the limit is 3 K."
    assert graded("x", float("nan"), "", warn=1.0, fail=3.0, message="x").verdict == "fail"
    assert graded("x", 0.5, "", warn=0.9, fail=0.7, below=True, message="x").verdict == "fail"
    assert graded("x", float("inf"), "", fail=3.0, message="x").to_dict()["value"] is None


def test_the_worst_of_replicas_counts():
    result = worst([check("pass"), check("warn"), not_applicable("some", "", "Why.")], ["A", "B", "C"])
    assert (result.verdict, result.message) == ("warn", "B: A sentence.")


def test_limits_are_validated_and_travel_in_the_settings():
    settings = DiffusionSettings.from_dict({"limits": {"max_force_fail_eV_A": 300.0}})
    assert settings.limits.max_force_fail_eV_A == 300.0
    assert DiffusionSettings.from_dict(settings.to_dict()) == settings
    with pytest.raises(ValueError, match="unknown limit max_forse"):
        DiffusionSettings.from_dict({"limits": {"max_forse": 1.0}})
    with pytest.raises(ValueError, match="hot_ratio_warn must be a number at least 0"):
        CheckLimits(hot_ratio_warn=-1.0)
    with pytest.raises(ValueError, match="max_force_fail_eV_A = 10 must not be crossed before"):
        CheckLimits(max_force_fail_eV_A=10.0)
    with pytest.raises(ValueError, match="framework_peak_ratio_fail = 0.9"):
        CheckLimits(framework_peak_ratio_fail=0.9)


def test_every_fail_limit_has_a_warning():
    names = {entry.name for entry in fields(CheckLimits)}
    assert all(name.replace("_fail", "_warn") in names for name in names)
