"""``ion.replicas``: batches continue each other, replicas that were run before are found, and single runs go on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase import Atoms
from ase.build import bulk

from aiida_ion.workchains.md.mlip import MlipMdWorkChain
from aiida_ion.workchains.replicas.progress import GAVE_UP, begin, give_up, record, unfinished
from aiida_ion.workchains.replicas.workchain import ReplicasWorkChain
from tests.conftest import OPTIONS

POTENTIAL = {"name": "lj", "kwargs": {"sigma": 3.4, "epsilon": 0.0104, "rc": 7.5}}
SHARED = {"timestep_fs": 4.0, "sample_every": 5, "temperature_K": 40.0}


def argon(repeat: int = 1) -> orm.StructureData:
    atoms: Atoms = bulk("Ar", "fcc", a=5.3, cubic=True).repeat((repeat, 1, 1))
    atoms.rattle(0.05, seed=3)
    return orm.StructureData(ase=atoms)


@pytest.fixture
def inputs(python_code: Any) -> dict[str, Any]:
    return {
        "code": python_code("ion.mlip_md"),
        "structures": {"small": argon(), "large": argon(2)},
        "replicas": orm.Dict(
            {
                "short_1": {"structure": "small", "seed": 1, "n_steps": 30},
                "short_2": {"structure": "large", "seed": 2, "n_steps": 30},
            }
        ),
        "parameters": orm.Dict(SHARED),
        "charges": {"small": orm.Dict({"Ar": 1.0})},
        "potential": orm.Dict(POTENTIAL),
        "options": OPTIONS,
    }


def engine(inputs: dict[str, Any]) -> dict[str, Any]:
    return {"code": inputs["code"], "potential": inputs["potential"], "metadata": {"options": OPTIONS}}


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_what_was_run_before_is_found_and_single_runs_begin_with_replicas(inputs: dict[str, Any]) -> None:
    first: Any = run_get_node(ReplicasWorkChain, **inputs)[1]
    assert first.is_finished_ok, first.exit_message
    assert len(first.called) == 2  # a job, and the sum of the costs
    # The same replicas and one more: only that one is run.
    more = inputs["replicas"].get_dict() | {"new": {"structure": "small", "seed": 3, "n_steps": 30}}
    second: Any = run_get_node(ReplicasWorkChain, **inputs | {"replicas": orm.Dict(more)})[1]
    assert second.is_finished_ok, second.exit_message
    (job,) = [node for node in second.called if isinstance(node, orm.CalcJobNode)]
    assert list(job.inputs.replicas.get_dict()) == ["new"] and "large" not in job.inputs.structures
    for key in ("short_1", "short_2"):
        for port in ("trajectories", "thermo", "costs"):
            assert second.outputs[port][key].segment_000.uuid == first.outputs[port][key].segment_000.uuid
        assert second.outputs.states[key].uuid == first.outputs.states[key].uuid
    # A run of other noise, of other charges or of another length is another run.
    other = {
        "a": {"structure": "small", "seed": 4, "n_steps": 30},
        "b": {"structure": "small", "seed": 1, "n_steps": 35},
    }
    third: Any = run_get_node(
        ReplicasWorkChain, **inputs | {"replicas": orm.Dict(other), "structures": {"small": argon()}}
    )[1]
    (job,) = [node for node in third.called if isinstance(node, orm.CalcJobNode)]
    assert list(job.inputs.replicas.get_dict()) == ["a", "b"]
    _check_single_runs(inputs, first)


def _check_single_runs(inputs: dict[str, Any], batch: Any) -> None:
    """Continue a replica in `ion.md.mlip`, and return one that is whole as a run without a job."""
    outputs = batch.outputs
    earlier = {
        "trajectories": dict(outputs.trajectories.short_1),
        "thermo": dict(outputs.thermo.short_1),
        "costs": dict(outputs.costs.short_1),
        "state": outputs.states.short_1,
        "versions": outputs.versions,
        "statuses": outputs.statuses,
        "replica": orm.Str("short_1"),
    }
    run = {"structure": batch.inputs.structures.small, "charges": orm.Dict({"Ar": 1.0}), "engine": engine(inputs)}
    settings = SHARED | {"seed": 1}
    whole: Any = run_get_node(MlipMdWorkChain, parameters=orm.Dict(settings | {"n_steps": 30}), earlier=earlier, **run)[
        1
    ]
    assert whole.is_finished_ok and not [node for node in whole.called if isinstance(node, orm.CalcJobNode)]
    assert whole.outputs.trajectories.segment_000.uuid == outputs.trajectories.short_1.segment_000.uuid
    assert whole.outputs.state.uuid == outputs.states.short_1.uuid
    assert whole.outputs.cost["n_steps"] == 30
    longer: Any = run_get_node(
        MlipMdWorkChain, parameters=orm.Dict(settings | {"n_steps": 40}), earlier=earlier, **run
    )[1]
    assert longer.is_finished_ok, longer.exit_message
    assert sorted(longer.outputs.trajectories) == ["segment_000", "segment_001"]
    assert longer.outputs.trajectories.segment_001.get_array("steps").tolist() == [35, 40]
    alone: Any = run_get_node(MlipMdWorkChain, parameters=orm.Dict(settings | {"n_steps": 40}), **run)[1]
    for name in ("positions", "velocities_A_fs"):
        one, expected = (node.outputs.state.get_array(name) for node in (longer, alone))
        np.testing.assert_array_equal(one, expected)
    for change, words in (
        ({"seed": 5}, "has seed = 1"),
        ({"temperature_K": 50.0}, "has temperature_K = 40"),
    ):
        builder = MlipMdWorkChain.get_builder()
        builder.structure, builder.engine = run["structure"], run["engine"]
        builder.parameters, builder.earlier = orm.Dict(settings | {"n_steps": 40} | change), earlier
        with pytest.raises(ValueError, match=words):
            run_get_node(builder)


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_wall_time_ends_jobs_and_no_frame_is_lost_or_doubled(inputs: dict[str, Any]) -> None:
    inputs["replicas"] = orm.Dict(
        {
            "long_1": {"structure": "small", "seed": 1, "n_steps": 40_000},
            "long_2": {"structure": "large", "seed": 2, "n_steps": 25_000},
            "wild": {"structure": "small", "seed": 2, "n_steps": 40_000, "max_force_eV_A": 1e-4},
        }
    )
    inputs["options"] = {**OPTIONS, "max_wallclock_seconds": 8}
    node: Any = run_get_node(ReplicasWorkChain, **inputs)[1]
    assert node.exit_status == 710 and "1 of 3 replicas, the first, wild: The run exploded" in node.exit_message
    jobs = [one for one in node.called if isinstance(one, orm.CalcJobNode)]
    assert len(jobs) > 1 and {job.exit_status for job in jobs[:-1]} == {400}
    for key, n_steps in (("long_1", 40_000), ("long_2", 25_000)):
        segments = [node.outputs.trajectories[key][label] for label in sorted(node.outputs.trajectories[key])]
        steps = np.concatenate([segment.get_array("steps") for segment in segments])
        np.testing.assert_array_equal(steps, np.arange(0, n_steps + 1, 5))
        rows = np.concatenate(
            [node.outputs.thermo[key][label].get_array("steps") for label in sorted(node.outputs.thermo[key])]
        )
        np.testing.assert_array_equal(rows, np.arange(n_steps + 1))
        assert node.outputs.states[key].base.attributes.get("step") == n_steps
    # What took several jobs is found whole.
    again: Any = run_get_node(ReplicasWorkChain, **inputs)[1]
    (job,) = [one for one in again.called if isinstance(one, orm.CalcJobNode)]
    assert list(job.inputs.replicas.get_dict()) == ["wild"]
    assert sorted(again.outputs.trajectories["long_1"]) == sorted(node.outputs.trajectories["long_1"])


def test_progress_as_plain_data() -> None:
    replicas = begin(["a", "b", "c", "d"], {"d": [[7, None]]})
    assert unfinished(replicas) == ["a", "b", "c"] and replicas["d"]["status"] == "finished"
    statuses = {
        "a": {"status": "walltime", "message": "", "first_step": 0, "last_step": 40},
        "b": {"status": "exploded", "message": "boom", "first_step": 0, "last_step": 0},
        "c": {"status": "waiting", "message": "", "first_step": 0, "last_step": 0},
    }
    replicas, progressed = record(replicas, statuses, 11)
    assert progressed and unfinished(replicas) == ["a", "c"]
    assert replicas["a"]["segments"] == [[11, "a"]] and replicas["c"]["segments"] == []
    stuck = {"a": {"status": "stopped", "message": "", "first_step": 40, "last_step": 40}, "c": statuses["c"]}
    replicas, progressed = record(replicas, stuck, 12)
    assert not progressed and replicas["a"]["segments"] == [[11, "a"]]
    ended = give_up(replicas, "no progress")
    assert [ended[key]["status"] for key in "abcd"] == [GAVE_UP, "exploded", GAVE_UP, "finished"]
