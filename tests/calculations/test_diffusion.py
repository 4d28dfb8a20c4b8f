"""The diffusion job, run for real on trajectories of known diffusivity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node

from aiida_ion.calculations.diffusion import DiffusionCalculation, segment_key
from aiida_ion.calculations.trajectory_data import trajectory_node
from aiida_ion.queries import Selection, diffusion

PARAMETERS = {"mobile_species": "Li", "charges": {"Li": 1.0, "Cl": -1.0}, "target_temperature_K": 500.0}


def fit(code: orm.InstalledCode, trajectories: dict[str, Any], **change: Any) -> orm.CalcJobNode:
    inputs = {"code": code, "trajectories": trajectories, "parameters": orm.Dict(PARAMETERS | change)}
    return run_get_node(DiffusionCalculation, **inputs)[1]


@pytest.mark.usefixtures("aiida_profile_clean")
def test_known_diffusivity_is_recovered_with_its_origin(python_code: Any, walk: Callable[..., Any]) -> None:
    code = python_code("ion.diffusion")
    node = fit(code, {segment_key(i, 0): walk(seed=i) for i in range(2)}, level_of_theory="walk", formula="LiCl")
    assert node.is_finished_ok, node.exit_message
    result = node.outputs.diffusion.base.attributes.all
    low, high = result["tracer_diffusivity_ci95_cm2_s"]
    assert result["verdict"] == "moved"
    assert low < 1e-5 < high
    assert high / low < 3
    assert (result["formula"], result["level_of_theory"]) == ("LiCl", "walk")
    query = orm.QueryBuilder().append(
        orm.ArrayData, filters={"attributes.tracer_diffusivity_cm2_s": {">": 1e-6}}, project="uuid"
    )
    assert query.all(flat=True) == [node.outputs.diffusion.uuid]
    assert node.inputs.program.base.attributes.get("program") == "diffusion"
    assert set(node.outputs.diffusion.get_arraynames()) >= {"msd_A2", "lag_times_ps"}
    # No second copy of the positions: neither uploaded files nor retrieved ones hold them.
    kept = node.base.repository.list_object_names() + node.outputs.retrieved.base.repository.list_object_names()
    assert not [name for name in kept if name.endswith((".npy", ".npz"))]


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_segments_join_without_gap_or_overlap(python_code: Any, walk: Callable[..., Any]) -> None:
    whole = walk(n_frames=400)
    parts = []
    for start, stop in ((0, 150), (150, 400)):
        parts.append(
            trajectory_node(
                whole.symbols,
                whole.get_array("steps")[start:stop],
                whole.get_positions()[start:stop],
                np.eye(3) * 15.0,
                timestep_fs=2.0,
            )
        )
        parts[-1].base.attributes.set("level_of_theory_sha256", "0123abcd")
    code = python_code("ion.diffusion")
    one = fit(code, {segment_key(0, 0): whole}).outputs.diffusion.base.attributes.all
    two = fit(code, {segment_key(0, i): part for i, part in enumerate(parts)}).outputs.diffusion.base.attributes.all
    assert one["tracer_diffusivity_cm2_s"] == two["tracer_diffusivity_cm2_s"]
    # Trajectories of earlier versions have no hash of their level of theory.
    assert "level_of_theory_sha256" not in one
    assert two["level_of_theory_sha256"] == "0123abcd"
    (row,) = diffusion(Selection(level_of_theory="0123abcd")).to_dict("records")
    assert row["level_of_theory_sha256"] == "0123abcd"
    assert diffusion()["level_of_theory_sha256"].isna().sum() == 1
    doubled = fit(code, {segment_key(0, 0): parts[0], segment_key(0, 1): whole})
    assert doubled.exit_status == 210
    assert "frame" in doubled.exit_message


@pytest.mark.usefixtures("aiida_profile_clean")
def test_an_inert_crystal_gets_a_bound_and_no_number(python_code: Any, walk: Callable[..., Any]) -> None:
    node = fit(python_code("ion.diffusion"), {segment_key(0, 0): walk(diffusivity_cm2_s=1e-12)})
    result = node.outputs.diffusion.base.attributes.all
    assert result["verdict"] == "bound"
    assert result["tracer_diffusivity_cm2_s"] is None
    assert result["tracer_diffusivity_upper_bound_cm2_s"] > 1e-8
    assert result["ionic_conductivity_mS_cm"] is None


@pytest.mark.usefixtures("aiida_profile_clean")
def test_measured_temperature_replaces_the_target(python_code: Any, walk: Callable[..., Any]) -> None:
    thermo = orm.ArrayData()
    thermo.set_array("steps", np.arange(1000))
    thermo.set_array("potential_energy", np.zeros(1000))
    thermo.set_array("temperature", np.where(np.arange(1000) < 100, 900.0, 480.0))
    thermo.base.attributes.set("timestep_fs", 2.0)
    inputs = {
        "code": python_code("ion.diffusion"),
        "trajectories": {segment_key(0, 0): walk()},
        "thermo": {segment_key(0, 0): thermo},
        "parameters": orm.Dict(PARAMETERS | {"equilibration_fs": 200.0}),
    }
    result = run_get_node(DiffusionCalculation, **inputs)[1].outputs.diffusion.base.attributes.all
    assert result["temperature_K"] == pytest.approx(480.0)
    assert result["target_temperature_K"] == 500.0
    assert result["temperature_drift_K"] == pytest.approx(0.0)
    assert result["green_kubo_reason"] == "The runs did not record their charge current."


@pytest.mark.usefixtures("aiida_profile_clean")
def test_the_charge_current_reaches_the_fit(python_code: Any, walk: Callable[..., Any]) -> None:
    trajectory = walk()
    steps = np.arange(50 * 1000)
    thermo = orm.ArrayData()
    for name, array in {
        "steps": steps,
        "temperature": np.full(len(steps), 500.0),
        "potential_energy": np.zeros(len(steps)),
        "charge_current": np.convolve(np.random.default_rng(0).normal(size=3 * len(steps)), np.hanning(9), "same")
        .reshape(3, -1)
        .T,
    }.items():
        thermo.set_array(name, array)
    thermo.base.attributes.set("timestep_fs", 2.0)
    inputs = {
        "code": python_code("ion.diffusion"),
        "trajectories": {segment_key(0, 0): trajectory},
        "thermo": {segment_key(0, 0): thermo},
        "parameters": orm.Dict(PARAMETERS),
    }
    node = run_get_node(DiffusionCalculation, **inputs)[1].outputs.diffusion
    result = node.base.attributes.all
    assert result["green_kubo_reason"] is None
    low, high = result["green_kubo_ionic_conductivity_ci95_mS_cm"]
    assert 0 < low < result["green_kubo_ionic_conductivity_mS_cm"] < high
    assert node.get_array("green_kubo_spectrum_mS_cm").shape == node.get_array("green_kubo_frequencies_THz").shape


@pytest.mark.usefixtures("aiida_profile")
def test_thermo_that_does_not_belong_is_refused(python_code: Any, walk: Callable[..., Any]) -> None:
    thermo = orm.ArrayData()
    thermo.set_array("steps", np.arange(10))
    inputs = {
        "code": python_code("ion.diffusion"),
        "trajectories": {segment_key(0, 0): walk(n_frames=20)},
        "parameters": orm.Dict(PARAMETERS),
    }
    with pytest.raises(ValueError, match="lacks temperature, potential_energy, the attribute timestep_fs"):
        run_get_node(DiffusionCalculation, **inputs, thermo={segment_key(0, 0): thermo})
    with pytest.raises(ValueError, match="thermo and trajectories differ in replica_00_segment_001"):
        run_get_node(DiffusionCalculation, **inputs, thermo={segment_key(0, i): thermo for i in range(2)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mobile_species": "Na"}, "the trajectory has no Na; it has Cl, Li"),
        ({"target_temperature_K": 0.0}, "target_temperature_K must be a number from 1"),
        ({"n_lags": 2}, "n_lags"),
        ({"no_such_setting": 1}, "no_such_setting"),
    ],
)
@pytest.mark.usefixtures("aiida_profile")
def test_bad_input_is_refused_before_anything_runs(
    python_code: Any, walk: Callable[..., Any], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fit(python_code("ion.diffusion"), {segment_key(0, 0): walk(n_frames=20)}, **change)
