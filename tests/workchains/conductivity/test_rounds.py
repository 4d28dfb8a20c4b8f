"""Runs that are extended until converged, with a real engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node
from aiida.manage.caching import enable_caching

from aiida_ion.workchains.conductivity.rounds import decided_lengths

TARGET, FIRST_PS, MAX_PS, SAMPLE_EVERY = 0.3, 2.0, 8.0, 10
#: Kelvin: fluoride is a liquid among its cations, hardly hops, rests, and is torn apart.
HOT, WARM, COLD, ABSURD = 2100.0, 1500.0, 300.0, 10_000.0


def jobs(node: orm.WorkChainNode) -> list[Any]:
    return [child for child in node.called_descendants if isinstance(child, orm.CalcJobNode)]


def steps_of(nodes: Any) -> np.ndarray[Any, Any]:
    return np.concatenate([nodes[key].get_array("steps") for key in sorted(nodes)])


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_runs_go_on_where_that_pays_and_stop_for_a_reason_that_is_stored(builder: Any) -> None:
    inputs = {
        "temperatures_K": [COLD, WARM, HOT, ABSURD],
        "supercell": [2, 2, 2],
        "relax_ions": False,
        "target_relative_error": TARGET,
        "first_time_ps": FIRST_PS,
        "max_time_ps": MAX_PS,
        "md": {"equilibration_fs": 500.0, "timestep_fs": 2.0, "sample_every": SAMPLE_EVERY, "max_force_eV_A": 25.0},
    }
    with enable_caching(identifier="aiida.calculations:ion.*"):
        node = run_get_node(builder(**inputs))[1]
        again = run_get_node(builder(**inputs))[1]
    assert node.is_finished_ok, node.exit_message
    result = node.outputs.conductivity.base.attributes.all
    last = result["convergence"]
    reasons = {entry["temperature_K"]: entry["reason"] for entry in last["temperatures"]}
    assert reasons == {COLD: "not_diffusive", WARM: "budget", HOT: "converged", ABSURD: "exploded"}
    assert last["reason"] == "budget"
    hot = next(entry for entry in last["temperatures"] if entry["temperature_K"] == HOT)
    assert 0 < hot["relative_error"] <= TARGET
    assert [item["temperature_K"] for item in result["temperatures_refused"]] == [ABSURD]
    # Nothing was extended beyond what was decided, and nothing went on that had stopped.
    history = [node.outputs.history[name].get_dict() for name in sorted(node.outputs.history)]
    assert [entry["round"] for entry in history] == list(range(1, last["round"] + 1))
    assert history[-1] == last
    times = {entry["temperature_K"]: entry["time_ps"] for entry in last["temperatures"]}
    assert times[WARM] == MAX_PS
    assert times[HOT] < MAX_PS
    assert times[ABSURD] == FIRST_PS
    assert last["n_steps"] == node.outputs.cost["n_steps"]
    # The fit stands on every frame and every step of all rounds, each once.
    fit = node.outputs.diffusion["T_1500K"].creator
    n_steps = round(MAX_PS * 1000 / 2)
    np.testing.assert_array_equal(steps_of(fit.inputs.trajectories), np.arange(0, n_steps + 1, SAMPLE_EVERY))
    np.testing.assert_array_equal(steps_of(fit.inputs.thermo), np.arange(n_steps + 1))
    continued = fit.inputs.trajectories.replica_00_segment_001.creator
    assert continued.inputs.restart_from.creator == fit.inputs.trajectories.replica_00_segment_000.creator
    # The decisions are linked: from the conductivity to what they rest on.
    decision = node.outputs.conductivity.creator.inputs.convergence
    assert decision.uuid == node.outputs.history[f"round_{last['round']:02d}"].uuid
    assert decision.creator.inputs.T_1500K.uuid == node.outputs.diffusion["T_1500K"].uuid
    # The same again is served from the cache, round by round.
    repeated = again.outputs.conductivity.base.attributes.get("convergence")["temperatures"]
    assert {entry["temperature_K"]: entry["reason"] for entry in repeated} == reasons
    assert {entry["temperature_K"]: entry["time_ps"] for entry in repeated} == times
    assert len(jobs(again)) == len(jobs(node))
    assert all(job.base.caching.is_created_from_cache for job in jobs(again) if job.is_finished_ok)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"target_relative_error": -0.1}, "target_relative_error must be a number above 0"),
        ({"target_relative_error": 0.2, "target_quantity": "haven_ratio"}, "target_quantity must be"),
        ({"target_relative_error": 0.2, "max_time_ps": 2.0}, r"max_time_ps = 2 is less than the first round, 5 ps"),
        ({"target_relative_error": 0.2, "max_total_time_ps": 14.0}, "less than the first round, 15 ps"),
        ({"target_relative_error": 0.2, "max_rounds": 0}, "max_rounds must be a whole number from 1"),
        ({"target_relative_error": 0.2, "first_time_ps": 0.5}, "leaves nothing of a run"),
        ({"max_total_time_ps": 50.0}, "give target_relative_error too"),
        (
            {"target_relative_error": 0.2, "target_quantity": "ionic_conductivity", "temperatures_K": [800]},
            "needs at least 3 temperatures",
        ),
    ],
)
@pytest.mark.usefixtures("aiida_profile_clean")
def test_an_impossible_target_is_refused_before_anything_runs(
    builder: Any, overrides: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        run_get_node(builder(**overrides))
    assert orm.QueryBuilder().append(orm.CalcJobNode).count() == 0


@pytest.mark.usefixtures("aiida_profile_clean")
def test_without_a_target_the_inputs_are_those_of_before(builder: Any) -> None:
    plain, target = builder(), builder(target_relative_error=0.2)
    assert not {"target_quantity", "max_time_ps", "max_rounds"} & set(plain.parameters.get_dict())
    assert plain.md.parameters["n_steps"] == 5000
    assert target.parameters["max_time_ps"] == 50.0
    assert target.md.parameters["n_steps"] == 2500


def test_what_a_decision_continues_becomes_whole_frames() -> None:
    entries = [{"temperature_K": 700.0, "next_time_ps": 4.001}, {"temperature_K": 800.0, "next_time_ps": None}]
    lengths = decided_lengths({"temperatures": entries}, {"timestep_fs": 2.0, "sample_every": 10})
    assert lengths == {700.0: 2010}
