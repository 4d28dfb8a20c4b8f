"""Diffusion nodes of known laws become a conductivity node."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm

from aiida_ion.analysis.conductivity import ionic_conductivity_mS_cm
from aiida_ion.calculations.conductivity.fit_conductivity import fit_conductivity
from aiida_ion.calculations.conductivity.points import arrhenius_point
from aiida_ion.cli.text.nodes import describe
from aiida_ion.units import BOLTZMANN_EV_K

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")

HOT_K = (800.0, 900.0, 1000.0, 1100.0, 1200.0)
DENSITY_A3, HAVEN_RATIO = 0.03, 0.5


def law(temperature_K: float) -> float:
    return float(1e-3 * np.exp(-0.3 / (BOLTZMANN_EV_K * temperature_K)))


def diffusion(temperature_K: float, **changes: Any) -> orm.ArrayData:
    """Return a diffusive node that follows the law, known to 10 %."""
    generator = np.random.default_rng(int(temperature_K))
    node = orm.ArrayData()
    samples = law(temperature_K) * np.exp(generator.normal(generator.normal(0.0, 0.1), 0.1, 1000))
    collective = samples / HAVEN_RATIO * np.exp(generator.normal(0.0, 0.3, 1000))
    attributes = {
        "formula": "Li3N",
        "level_of_theory": "PBE",
        "mobile_species": "Li",
        "charge_e": 1.0,
        "number_density_A3": DENSITY_A3,
        "verdict": "moved",
        "temperature_K": temperature_K,
        "target_temperature_K": temperature_K,
        "fit_consistent": True,
        "collective_fit_consistent": True,
        "n_mobile_ions": 24,
        "n_replicas": 2,
        "analysed_time_ps": 100.0,
        "jump_distance_A": 3.0,
    }
    node.base.attributes.set_many(attributes | changes)
    if node.base.attributes.get("verdict") == "moved":
        node.set_array("tracer_diffusivity_samples_cm2_s", samples)
        node.set_array("collective_diffusivity_samples_cm2_s", collective)
    return node


def still(temperature_K: float, bound_cm2_s: float, **changes: Any) -> orm.ArrayData:
    """Return a node without detected diffusion."""
    attributes = {
        "verdict": "bound",
        "reason": "3 effective hops.",
        "tracer_diffusivity_upper_bound_cm2_s": bound_cm2_s,
    }
    return diffusion(temperature_K, **attributes, **changes)


def fit(*nodes: orm.ArrayData, **settings: Any) -> orm.ArrayData:
    named = {f"T_{index}": node for index, node in enumerate(nodes)}
    return fit_conductivity(parameters=orm.Dict({"target_temperature_K": 300.0} | settings), **named)


def test_both_conductivities_are_extrapolated() -> None:
    node = fit(*(diffusion(kelvin) for kelvin in HOT_K))
    attributes = node.base.attributes.all
    tracer = np.log10(ionic_conductivity_mS_cm(law(300.0), 1.0, DENSITY_A3, 300.0))
    low, high = attributes["log10_ionic_conductivity_ci95_mS_cm"]
    assert low < tracer < high
    low, high = attributes["log10_collective_ionic_conductivity_ci95_mS_cm"]
    assert low < tracer - np.log10(HAVEN_RATIO) < high
    low, high = attributes["collective_activation_energy_ci95_eV"]
    assert low < 0.3 < high
    assert attributes["collective_temperatures_used_K"] == list(HOT_K)
    assert attributes["collective_reason"] is None
    assert attributes["collective_preferred_law"] == attributes["preferred_law"] == "arrhenius"
    value = 10 ** attributes["log10_collective_ionic_conductivity_mS_cm"]
    assert attributes["collective_ionic_conductivity_mS_cm"] == pytest.approx(value)
    assert "The lowest diffusive temperature is 2.7 times 300 K" in attributes["summary"]
    draws = node.get_array("log10_diffusivity_samples_cm2_s")
    assert draws.mean() == pytest.approx(attributes["log10_diffusivity_cm2_s"], abs=1e-4)


def test_too_few_collective_temperatures_leave_a_reason() -> None:
    odd = {"collective_fit_consistent": False}
    attributes = fit(*(diffusion(kelvin, **(odd if kelvin > 900.0 else {})) for kelvin in HOT_K)).base.attributes.all
    assert attributes["verdict"] == "measured"
    assert attributes["collective_ionic_conductivity_mS_cm"] is None
    assert attributes["collective_activation_energy_eV"] is None
    assert "known at 2 of the 5 diffusive temperatures" in attributes["collective_reason"]
    none = fit(*(diffusion(kelvin, **odd) for kelvin in HOT_K)).base.attributes.all
    assert none["collective_reason"] == "No temperature has a collective diffusivity that can be used."


def test_a_failed_check_keeps_a_temperature_out_whether_it_moved_or_not() -> None:
    melted = diffusion(1200.0, refused_because="The framework melted.")
    hidden = still(500.0, 1e-9, refused_because="The run exploded.")
    odd = diffusion(1100.0, fit_consistent=False)
    attributes = fit(*(diffusion(kelvin) for kelvin in HOT_K[:3]), melted, hidden, odd).base.attributes.all
    assert attributes["temperatures_used_K"] == list(HOT_K[:3])
    assert attributes["temperatures_bound"] == attributes["temperatures_bound_K"] == []
    reasons = {entry["temperature_K"]: entry["reason"] for entry in attributes["temperatures_refused"]}
    assert reasons[1200.0] == "The framework melted."
    assert reasons[500.0] == "The run exploded."
    assert "disagree wildly" in reasons[1100.0]
    assert attributes["collective_temperatures_used_K"] == list(HOT_K[:3])


def test_a_bound_enters_a_line_as_a_run_that_just_failed_to_measure() -> None:
    point = arrhenius_point(still(600.0, 1e-8))
    assert point.upper_bound_cm2_s == 1e-8
    assert point.detection_bound_cm2_s == pytest.approx(15.7052 * 9.0 / (6 * 48 * 100.0) * 1e-4, rel=1e-4)
    attributes = fit(*(still(kelvin, 2e-7) for kelvin in HOT_K)).base.attributes.all
    assert attributes["verdict"] == "bound"
    assert attributes["ionic_conductivity_upper_bound_mS_cm"] > 0
    assert "The bound assumes a prefactor of log10 D0 = -3.2 +- 0.7" in attributes["summary"]
    assert len(attributes["temperatures_bound"]) == 5


def test_a_person_sees_what_the_result_rests_on() -> None:
    text = describe(fit(*(diffusion(kelvin) for kelvin in HOT_K)).store())
    assert "law: arrhenius; odds of a curved law against a straight line 0." in text
    assert "without one temperature: activation energy 0." in text
    assert "extrapolation: lowest temperature 2.67 times the target, relative errors times 3.05 decades" in text
    assert "ionic conductivity (collective) at 300 K, mS/cm: " in text
    bent = [diffusion(kelvin) for kelvin in (500.0, 600.0, 700.0, *HOT_K)]
    for node, kelvin in zip(bent, (500.0, 600.0, 700.0), strict=False):
        factor = np.exp(-0.5 * (1 / kelvin - 1 / 800.0) / BOLTZMANN_EV_K)
        node.set_array("tracer_diffusivity_samples_cm2_s", factor * law(kelvin) * np.geomspace(0.9, 1.1, 1000))
    curved = describe(fit(*bent).store())
    assert "law: two branch" in curved or "law: vogel fulcher tammann" in curved
    assert "warning: The law is curved" in curved
