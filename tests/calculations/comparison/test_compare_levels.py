"""Two levels of theory side by side: real fits of known walks, forces with known errors, crystals of known shells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node

from aiida_ion.calculations.comparison.compare_levels import compare_levels
from aiida_ion.calculations.conductivity.fit_conductivity import fit_conductivity
from aiida_ion.calculations.diffusion import DiffusionCalculation, segment_key

PARAMETERS = {"formula": "LiCl", "level_of_theory": "CHGNet", "reference_level_of_theory": "PBE"}
TEMPERATURES_K = (800.0, 1000.0, 1200.0)
#: Of the walks: the potential is too fast by a factor of three at every temperature, with the same barrier.
FACTOR = 3.0
BARRIER_EV = 0.3


def compare(settings: dict[str, Any] | None = None, **nodes: Any) -> orm.ArrayData:
    return compare_levels(parameters=orm.Dict(PARAMETERS | (settings or {})), **nodes)


def missing_of(attributes: dict[str, Any]) -> list[str]:
    return list(attributes["missing"])


def arrhenius(temperature_K: float) -> float:
    """Return D of the reference, cm^2/s."""
    return float(3e-5 * np.exp(-BARRIER_EV / 8.617333e-5 * (1 / temperature_K - 1 / 1000.0)))


@pytest.fixture
def levels(python_code: Any, walk: Callable[..., Any]) -> Callable[..., dict[str, orm.ArrayData]]:
    """Return a function that fits walks at some temperatures: the inputs of a comparison of one level."""

    def fits(prefix: str, level: str, diffusivities: dict[float, float]) -> dict[str, orm.ArrayData]:
        result = {}
        for number, (temperature, diffusivity) in enumerate(diffusivities.items()):
            seed = number + (100 if prefix else 0)
            parameters = {
                "mobile_species": "Li",
                "charges": {"Li": 1.0, "Cl": -1.0},
                "target_temperature_K": temperature,
                "level_of_theory": level,
                "formula": "LiCl",
                # The ions of the walk pass through each other.
                "limits": {"min_distance_ratio_warn": 0.0, "min_distance_ratio_fail": 0.0},
            }
            inputs = {
                "code": python_code("ion.diffusion"),
                "trajectories": {segment_key(0, 0): walk(diffusivity, seed=seed)},
                "parameters": orm.Dict(parameters),
            }
            result[f"T_{temperature:04.0f}K"] = run_get_node(DiffusionCalculation, **inputs)[1].outputs.diffusion
        sigma = fit_conductivity(parameters=orm.Dict({"target_temperature_K": 300.0}), **result)
        named = {f"{prefix}diffusion_{label}": node for label, node in result.items()}
        return named | {f"{prefix}conductivity": sigma}

    return fits


@pytest.mark.usefixtures("aiida_profile_clean")
@pytest.mark.slow
def test_a_known_factor_between_two_levels_comes_back_at_every_temperature(levels: Any) -> None:
    reference = levels("reference_", "PBE", {t: arrhenius(t) for t in TEMPERATURES_K})
    fast = levels("", "CHGNet", {t: FACTOR * arrhenius(t) for t in TEMPERATURES_K})
    attributes = compare({"target_temperature_K": 300.0}, **fast, **reference).base.attributes.all
    assert [entry["temperature_K"] for entry in attributes["temperatures"]] == list(TEMPERATURES_K)
    for entry in attributes["temperatures"]:
        for name in ("tracer_diffusivity", "ionic_conductivity"):
            low, high = entry[f"{name}_ratio_ci95"]
            # Of so many 95 % intervals one in twenty misses, so there is a margin.
            assert low / 1.2 < FACTOR < 1.2 * high < 5 * low
        truth = arrhenius(entry["temperature_K"])
        low, high = entry["reference_tracer_diffusivity_ci95_cm2_s"]
        assert low / 1.2 < truth < 1.2 * high
        assert entry["tracer_diffusivity_ratio"] == pytest.approx(
            entry["tracer_diffusivity_cm2_s"] / entry["reference_tracer_diffusivity_cm2_s"], rel=0.05
        )
        assert entry["grade"] in ("A", "B")
    low, high = attributes["log10_tracer_diffusivity_bias_ci95"]
    assert low - 0.05 < np.log10(FACTOR) < high + 0.05
    assert attributes["log10_tracer_diffusivity_mae"] == pytest.approx(np.log10(FACTOR), abs=0.2)
    low, high = attributes["activation_energy_difference_ci95_eV"]
    assert low < 0.0 < high
    assert attributes["activation_energy_difference_eV"] == pytest.approx(
        attributes["activation_energy_eV"] - attributes["reference_activation_energy_eV"]
    )
    low, high = attributes["ionic_conductivity_ratio_ci95"]
    assert low / 1.2 < FACTOR < 1.2 * high
    assert attributes["ionic_conductivity_ratio"] == pytest.approx(
        attributes["ionic_conductivity_mS_cm"] / attributes["reference_ionic_conductivity_mS_cm"], rel=1e-3
    )
    assert attributes["log10_ionic_conductivity_difference"] == pytest.approx(
        np.log10(attributes["ionic_conductivity_ratio"])
    )
    assert attributes["summary"].startswith("LiCl, CHGNet against PBE: ionic conductivity at 300 K ")
    assert not [line for line in attributes["missing"] if "onductiv" in line or "iffusiv" in line]
    assert "Forces, structure and vibrations: the trajectories of the two levels were not compared." in missing_of(
        attributes
    )
    query = orm.QueryBuilder().append(
        orm.ArrayData, filters={"attributes.log10_tracer_diffusivity_bias": {">": 0.3}}, project="attributes.formula"
    )
    assert query.all(flat=True) == ["LiCl"]


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_where_one_level_did_not_move_there_is_a_bound_of_the_ratio(levels: Any) -> None:
    reference = levels("reference_", "PBE", {800.0: 1e-5, 1000.0: 1e-12})
    still = levels("", "CHGNet", {800.0: 1e-12, 900.0: 1e-5, 1000.0: 1e-12})
    attributes = compare(**still, **reference).base.attributes.all
    at = {entry["temperature_K"]: entry for entry in attributes["temperatures"]}
    bound = at[800.0]["tracer_diffusivity_upper_bound_cm2_s"]
    low, _ = at[800.0]["reference_tracer_diffusivity_ci95_cm2_s"]
    assert at[800.0]["tracer_diffusivity_ratio_upper_bound"] == pytest.approx(bound / low, rel=0.02)
    assert "tracer_diffusivity_ratio" not in at[800.0]
    assert "tracer_diffusivity_ratio_upper_bound" not in at[1000.0]
    assert at[1000.0]["reason"] == "both levels have only an upper bound, so nothing follows for the ratio"
    assert "reference_tracer_diffusivity_cm2_s" not in at[900.0]
    assert "Diffusivity at 900 K: there is none of PBE." in attributes["missing"]
    assert "ionic_conductivity_ratio" not in attributes
    assert "activation_energy_difference_eV" not in attributes
    assert attributes["ionic_conductivity_upper_bound_mS_cm"] > 0
    missing = "\n".join(attributes["missing"])
    assert "Activation energy: not known of PBE. Diffusion was detected at 1 different temperatures" in missing
    assert "Ratio of the conductivities: both levels have only an upper bound" in missing


def said_by(**attributes: Any) -> orm.ArrayData:
    """Return a result as an archive of other people may hold it: attributes, and no draws."""
    node = orm.ArrayData()
    node.base.attributes.set_many(attributes)
    return node


def test_a_conductivity_at_another_temperature_is_not_compared(aiida_profile_clean: Any) -> None:
    common = {"verdict": "measured", "ionic_conductivity_mS_cm": 1.0, "ionic_conductivity_ci95_mS_cm": [0.5, 2.0]}
    energy = {"activation_energy_eV": 0.3, "activation_energy_ci95_eV": [0.25, 0.35]}
    attributes = compare(
        {"target_temperature_K": 300.0},
        conductivity=said_by(**common, **energy, target_temperature_K=350.0),
        reference_conductivity=said_by(**common, **energy, target_temperature_K=300.0),
    ).base.attributes.all
    assert "Conductivity: that of CHGNet is at 350 K, not 300 K." in attributes["missing"]
    assert "ionic_conductivity_mS_cm" not in attributes
    assert attributes["reference_ionic_conductivity_mS_cm"] == 1.0
    assert "ionic_conductivity_ratio" not in attributes
    assert attributes["activation_energy_difference_eV"] == 0.0
    assert attributes["activation_energy_difference_ci95_eV"] == pytest.approx([-0.0707, 0.0707], abs=1e-4)


def test_a_fit_that_contradicts_itself_is_not_compared(aiida_profile_clean: Any) -> None:
    common = {"verdict": "moved", "target_temperature_K": 800.0, "temperature_K": 800.0}
    common |= {"tracer_diffusivity_cm2_s": 1e-5, "tracer_diffusivity_ci95_cm2_s": [5e-6, 2e-5]}
    fits = {
        "reference_diffusion_T_0800K": said_by(**common),
        "diffusion_T_0800K": said_by(**common, fit_consistent=False),
    }
    attributes = compare(**fits).base.attributes.all
    assert "tracer_diffusivity_ratio" not in attributes["temperatures"][0]
    assert attributes["temperatures"][0]["tracer_diffusivity_cm2_s"] == 1e-5
    assert (
        "Diffusivity at 800 K: the fits of CHGNet disagree with each other, so it is not compared."
        in attributes["missing"]
    )
    assert "log10_tracer_diffusivity_bias" not in attributes


def test_nothing_comes_from_nothing(aiida_profile_clean: Any) -> None:
    node = compare(reference_cost=orm.Dict({"wall_time_s": 10.0, "n_steps": 5}))
    attributes = node.base.attributes.all
    assert attributes["reference_wall_s_per_step"] == 2.0
    assert {key for key in attributes if "ratio" in key or "force" in key or "distance" in key} == set()
    assert attributes["missing"] == [
        "Conductivity and activation energy: there is none of CHGNet.",
        "Conductivity and activation energy: there is none of PBE.",
        "Diffusivities: there is none of either level.",
        "Forces, structure and vibrations: the trajectories of the two levels were not compared.",
        "Cost: it is not known of CHGNet.",
    ]
    assert attributes["summary"] == "LiCl, CHGNet against PBE: nothing can be compared."
    assert node.creator.process_type == "aiida.calculations:ion.compare_levels"


def test_speeds_come_from_the_ledgers(aiida_profile_clean: Any) -> None:
    slow = {"wall_time_s": 800.0, "cpu_time_s": 6400.0, "gpu_time_s": 0.0, "n_steps": 100, "peak_memory_MiB": 900.0}
    fast = {"wall_time_s": 10.0, "cpu_time_s": 9.0, "gpu_time_s": 8.0, "n_steps": 1000, "hardware": ["H200"]}
    attributes = compare(cost=orm.Dict(fast), reference_cost=orm.Dict(slow)).base.attributes.all
    assert attributes["wall_speed_ratio"] == pytest.approx(800.0)
    assert attributes["core_speed_ratio"] == pytest.approx(64.0 / 0.009)
    assert (attributes["steps_per_s"], attributes["reference_steps_per_s"]) == pytest.approx((100.0, 0.125))
    assert (attributes["gpu_time_s"], attributes["reference_peak_memory_MiB"]) == (8.0, 900.0)
    assert "a step takes 800 times less wall time" in attributes["summary"]


def test_trajectories_are_left_to_their_job(aiida_profile_clean: Any) -> None:
    with pytest.raises(ValueError, match="trajectory_T_0800K is not an input: .* go to ion.trajectory_comparison"):
        compare(trajectory_T_0800K=orm.ArrayData())
    other = orm.ArrayData()
    other.base.attributes.set_many({"levels_of_theory": ["MACE", "PBE"], "findings": {}, "missing": []})
    with pytest.raises(ValueError, match="trajectories of MACE and PBE were compared, not of CHGNet and PBE"):
        compare(trajectories=other)
    reason = "TrajectoryComparisonCalculation<5> [430] Out of memory: ask for more"
    attributes = compare({"trajectories_missing": reason}).base.attributes.all
    assert f"Forces, structure and vibrations: {reason}." in attributes["missing"]
