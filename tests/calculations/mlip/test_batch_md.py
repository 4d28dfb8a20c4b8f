"""``ion.batch_md`` as a job: each replica has the outputs of its single run, and is read as one everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase import Atoms
from ase.build import bulk

from aiida_ion.batch_runs import inputs_of_run, outputs_of_run
from aiida_ion.calculations.mlip.batch_md import BatchMdCalculation
from aiida_ion.calculations.mlip.md import MlipMdCalculation
from aiida_ion.calculations.training.levels import level_of
from aiida_ion.calculations.training.sources import run_numbers
from aiida_ion.queries import Selection, cost, runs
from tests.conftest import OPTIONS

POTENTIAL = {"name": "lj", "kwargs": {"sigma": 3.4, "epsilon": 0.0104, "rc": 7.5}}
SHARED = {"timestep_fs": 4.0, "sample_every": 5, "n_steps": 20}
REPLICAS = {
    "cold_1": {"structure": "small", "temperature_K": 40.0, "seed": 1},
    "hot_1": {"structure": "small", "temperature_K": 80.0, "seed": 2, "n_steps": 30},
    "large_1": {"structure": "large", "temperature_K": 40.0, "seed": 1},
}


def argon(repeat: int) -> orm.StructureData:
    atoms: Atoms = bulk("Ar", "fcc", a=5.3, cubic=True).repeat((repeat, 1, 1))
    atoms.rattle(0.05, seed=3)
    return orm.StructureData(ase=atoms)


@pytest.fixture
def inputs(python_code: Any) -> dict[str, Any]:
    return {
        "code": python_code("ion.batch_md"),
        "structures": {"small": argon(2), "large": argon(3)},
        "replicas": orm.Dict(REPLICAS),
        "parameters": orm.Dict(SHARED),
        "charges": {"small": orm.Dict({"Ar": 1.0})},
        "potential": orm.Dict(POTENTIAL),
        "metadata": {"options": OPTIONS},
    }


def run_alone(inputs: dict[str, Any], key: str) -> Any:
    own = dict(REPLICAS[key])
    structure = inputs["structures"][own.pop("structure")]
    given = {"structure": structure, "parameters": orm.Dict(SHARED | own), "potential": orm.Dict(POTENTIAL)}
    return run_get_node(MlipMdCalculation, code=inputs["code"], metadata={"options": OPTIONS}, **given)[1]


@pytest.mark.usefixtures("aiida_profile_clean")
def test_each_replica_is_its_single_run(inputs: dict[str, Any]) -> None:
    batch: Any = run_get_node(BatchMdCalculation, **inputs)[1]
    assert batch.is_finished_ok, batch.exit_message
    outputs = batch.outputs
    assert sorted(outputs.trajectories) == sorted(outputs.states) == sorted(outputs.costs) == sorted(REPLICAS)
    assert {one["status"] for one in outputs.statuses.get_dict().values()} == {"finished"}
    single: Any = run_alone(inputs, "hot_1")
    for name, port in (("trajectory", "trajectories"), ("thermo", "thermo"), ("state", "states")):
        one, other = outputs[port]["hot_1"], single.outputs[name]
        assert sorted(one.get_arraynames()) == sorted(other.get_arraynames())
        for array in set(one.get_arraynames()) - {"charge_current"}:
            np.testing.assert_array_equal(one.get_array(array), other.get_array(array))
        more = (
            {"structure_uuid": batch.inputs.structures.small.uuid, "replica": "hot_1"} if port == "trajectories" else {}
        )
        assert dict(one.base.attributes.all) == dict(other.base.attributes.all) | more
    assert np.abs(outputs.thermo["hot_1"].get_array("charge_current")).max() > 0
    # A replica goes on alone from its state, and its run is known from the node.
    trajectory = outputs.trajectories["large_1"]
    assert inputs_of_run(trajectory)["structure"].uuid == batch.inputs.structures.large.uuid
    assert inputs_of_run(trajectory)["parameters"].get_dict() == SHARED | {"temperature_K": 40.0, "seed": 1}
    assert "charges" not in inputs_of_run(trajectory)
    assert outputs_of_run(trajectory)["thermo"].uuid == outputs.thermo["large_1"].uuid
    assert level_of(trajectory).name == "Lennard-Jones" == level_of(single.outputs.trajectory).name
    assert level_of(trajectory).sha256 == level_of(single.outputs.trajectory).sha256
    assert run_numbers([outputs.trajectories[key] for key in ("cold_1", "hot_1", "large_1")]) == [0, 1, 2]
    _check_tables(batch, single)


def _check_tables(batch: Any, single: Any) -> None:
    """Every replica is a run in the tables, with its own settings, structure and share of the cost."""
    table = runs()
    assert len(table) == 4 and set(table["job_type"]) == {"ion.batch_md", "ion.mlip_md"}
    table = table[table["pk"] == batch.pk].sort_values(["structure_uuid", "temperature_K"])
    assert sorted(zip(table["temperature_K"], table["seed"], table["n_steps"], strict=True)) == [
        (40.0, 1, 20),
        (40.0, 1, 20),
        (80.0, 2, 30),
    ]
    assert (table["exit_status"] == 0).all() and (table["segment"] == 0).all() and (table["time_ps"] > 0).all()
    assert set(table["structure_uuid"]) == {node.uuid for node in batch.inputs.structures.values()}
    assert set(table["trajectory_pk"]) == {node.pk for node in batch.outputs.trajectories.values()}
    assert table["wall_time_s"].sum() == pytest.approx(batch.outputs.cost["wall_time_s"])
    assert len(runs(Selection(temperature_K=(70.0, 90.0)))) == 2
    assert len(cost()) == 0  # no fit has said the level of theory
    assert single.outputs.cost["n_steps"] == batch.outputs.costs["hot_1"]["n_steps"] == 30


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_bad_replica_and_a_continuation(inputs: dict[str, Any]) -> None:
    alone: Any = run_alone(inputs, "cold_1")
    inputs["replicas"] = orm.Dict(
        {
            "cold_1": REPLICAS["cold_1"] | {"n_steps": 30},
            "wild": {"structure": "small", "temperature_K": 40.0, "max_force_eV_A": 1e-4},
        }
    )
    inputs["structures"] = {"small": alone.inputs.structure}
    inputs["restart_from"] = {"cold_1": alone.outputs.state}
    batch: Any = run_get_node(BatchMdCalculation, **inputs)[1]
    assert batch.exit_status == 710 and "1 of 2 replicas, the first, wild: The run exploded" in batch.exit_message
    assert batch.outputs.statuses["wild"]["status"] == "exploded"
    assert batch.outputs.statuses["cold_1"] | {"message": ""} == {
        "status": "finished",
        "message": "",
        "first_step": 20,
        "last_step": 30,
    }
    trajectory = batch.outputs.trajectories["cold_1"]
    assert trajectory.get_array("steps").tolist() == [25, 30]
    assert run_numbers([alone.outputs.trajectory, trajectory]) == [0, 0]
    whole = {"structure": alone.inputs.structure, "potential": orm.Dict(POTENTIAL), "code": inputs["code"]}
    own = {name: value for name, value in REPLICAS["cold_1"].items() if name != "structure"}
    parameters = orm.Dict(SHARED | own | {"n_steps": 30})
    undisturbed: Any = run_get_node(MlipMdCalculation, parameters=parameters, metadata={"options": OPTIONS}, **whole)[1]
    for name in ("positions", "velocities_A_fs"):
        one, other = (node.get_array(name) for node in (batch.outputs.states["cold_1"], undisturbed.outputs.state))
        np.testing.assert_array_equal(one, other)
    table = runs()
    exploded = table[(table["pk"] == batch.pk) & (table["exit_status"] == 410)]
    assert len(exploded) == 1 and "exploded" in exploded["exit_message"].iloc[0] and len(table) == 4


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"replicas": {}}, "no replica"),
        ({"replicas": {"a__b": REPLICAS["cold_1"]}}, "single underscores"),
        ({"replicas": {"a": {"structure": "none", "temperature_K": 1.0}}}, "no structure among"),
        ({"replicas": {"a": REPLICAS["cold_1"]}}, "large has no replica"),
        ({"parameters": SHARED | {"ensemble": "npt"}}, "fixed cells"),
        ({"parameters": SHARED | {"timestep_fs": -1.0}}, "timestep_fs"),
        ({"potential": {"name": "orb"}}, "does not evaluate batches"),
        ({"replicas": {f"r{number}": REPLICAS["cold_1"] for number in range(501)}}, "at most 500"),
    ],
)
@pytest.mark.usefixtures("aiida_profile")
def test_what_is_refused(inputs: dict[str, Any], change: dict[str, Any], words: str) -> None:
    changed = inputs | {name: orm.Dict(value) for name, value in change.items()}
    problem = BatchMdCalculation.spec().inputs.validate(changed)
    assert problem is not None and words in problem.message


@pytest.mark.usefixtures("aiida_profile")
def test_a_state_of_other_atoms_is_refused(inputs: dict[str, Any]) -> None:
    state = orm.ArrayData()
    state.set_array("positions", np.zeros((3, 3)))
    for key, words in (("cold_1", "holds 3 atoms"), ("unknown", "not among the replicas")):
        problem = BatchMdCalculation.spec().inputs.validate(inputs | {"restart_from": {key: state}})
        assert problem is not None and words in problem.message


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_sevennet_in_a_batch_and_alone(python_code: Any, lithium_oxide: orm.StructureData) -> None:
    fluoride: Atoms = bulk("LiF", "rocksalt", a=4.03, cubic=True)
    fluoride.rattle(0.03, seed=1)
    shared = {"temperature_K": 600.0, "timestep_fs": 1.0, "n_steps": 6, "sample_every": 2, "keep": ["forces"]}
    common = {"code": python_code("ion.batch_md", "sevenn"), "potential": orm.Dict({"name": "sevenn"})}
    batch: Any = run_get_node(
        BatchMdCalculation,
        structures={"oxide": lithium_oxide, "fluoride": orm.StructureData(ase=fluoride)},
        replicas=orm.Dict({"a": {"structure": "oxide", "seed": 1}, "b": {"structure": "fluoride", "seed": 2}}),
        parameters=orm.Dict(shared),
        metadata={"options": OPTIONS},
        **common,
    )[1]
    assert batch.is_finished_ok, batch.exit_message
    single: Any = run_get_node(
        MlipMdCalculation,
        structure=batch.inputs.structures.fluoride,
        parameters=orm.Dict(shared | {"seed": 2}),
        metadata={"options": OPTIONS},
        **common,
    )[1]
    one, other = batch.outputs.trajectories["b"], single.outputs.trajectory
    np.testing.assert_allclose(one.get_array("positions"), other.get_array("positions"), atol=1e-4)
    np.testing.assert_allclose(one.get_array("forces")[0], other.get_array("forces")[0], atol=1e-5)
    assert level_of(one).name == level_of(other).name == "SevenNet 7net-0"
    assert level_of(one).sha256 == level_of(other).sha256 is not None
    state, expected = batch.outputs.states["b"].base.attributes, single.outputs.state.base.attributes
    assert state.get("text_rng_state") == expected.get("text_rng_state")
