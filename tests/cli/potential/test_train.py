"""``aiida-ion potential train`` and ``register``."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node

from aiida_ion.engines.engine import load_engine
from aiida_ion.engines.testing import run_test
from aiida_ion.workchains.md.mlip import MlipMdWorkChain
from aiida_ion.workchains.training.workchain import TrainingWorkChain
from tests.calculations.training.lithia import dataset
from tests.cli.conftest import Invoke
from tests.conftest import OPTIONS, engine_environment


@pytest.fixture
def data(invoke: Invoke, aiida_localhost: orm.Computer) -> orm.ArrayData:
    invoke("engine", "add", "sevenn", "--python", sys.executable, "--potential", "sevenn")
    return dataset(-300.0)


def test_a_dry_run_says_what_would_be_trained(invoke: Invoke, data: orm.ArrayData) -> None:
    options = ("--family", "sevenn", "--from", "sevenn", "--committee", 3, "--dry-run")
    lines = invoke("potential", "train", data.pk, *options).output.splitlines()
    assert lines[0].startswith("SevenNet, protocol finetune, 3 potential(s) by sevenn@localhost")
    assert lines[1] == "frames of pairs: 4 for train, 2 for validation, 2 for test"
    assert any("one composition" in line for line in lines) and any("no stress" in line for line in lines)
    assert not orm.QueryBuilder().append(orm.WorkChainNode).count()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--family", "sevenn", "--protocol", "finetune"), "finetune needs a parent"),
        (("--family", "mace", "--engine", "sevenn", "--from", "sevenn"), "MACE cannot start from sevenn"),
        (("--family", "nequip"), "there is no engine nequip: make one with 'aiida-ion engine install'"),
        (("--family", "sevenn", "--from", "no-such"), "there is no engine 'no-such'"),
        (("--family", "sevenn", "--from", "sevenn", "--settings", '{"batch_size": 9}'), "larger than the 4 frames"),
        (("--family", "sevenn", "--from", "sevenn", "--job-options", '{"queue": "x"}'), "queue"),
    ],
)
def test_refused_before_anything_is_submitted(
    invoke: Invoke, data: orm.ArrayData, options: tuple[str, ...], words: str
) -> None:
    assert words in invoke("potential", "train", data.pk, *options, code=1).stderr
    assert not orm.QueryBuilder().append(orm.WorkChainNode).count()


def test_a_node_that_is_not_a_dataset(invoke: Invoke, data: orm.ArrayData) -> None:
    other = orm.ArrayData().store()
    assert "is not a dataset" in invoke("potential", "train", other.pk, "--family", "sevenn", code=1).stderr
    assert "is not a training" in invoke("potential", "register", other.pk, "--name", "a", code=1).stderr


#: Family, its environment, and whether it starts from a parent.
FAMILIES = (
    ("sevenn", "sevenn", True),
    ("allegro", "nequip", False),
    ("mace", "mace", False),
    ("chgnet", "chgnet", True),
)


@pytest.mark.slow
@pytest.mark.parametrize(("family", "environment", "has_parent"), FAMILIES)
def test_from_a_dataset_to_molecular_dynamics(
    invoke: Invoke, python_code: Any, family: str, environment: str, has_parent: bool
) -> None:
    """Train, register, test, run: the engine says where it comes from, and refuses another composition."""
    from aiida_ion.engines.registration import register_installed

    engine_environment(environment)
    register_installed(environment)
    data = dataset(-300.0)
    code = orm.load_code(f"{environment}@localhost")
    inputs: dict[str, Any] = {"code": code, "dataset": data, "options": OPTIONS}
    inputs["parameters"] = orm.Dict({"family": family, "protocol": "test"})
    if has_parent:
        inputs["parent"] = orm.Dict({"name": family})
    node = run_get_node(TrainingWorkChain, **inputs)[1]
    assert node.is_finished_ok, node.exit_message
    result = invoke("potential", "register", node.pk, "--name", "mine")
    assert "Registered: mine@localhost, force MAE" in result.output
    assert ("runs code when it is loaded; trusted" in result.output) == (family in ("mace", "allegro"))
    engine = load_engine("mine")
    assert engine.trained["dataset"] == data.uuid and engine.trained["training"] == node.uuid
    table = invoke("engine", "list").output
    assert "force MAE eV/A" in table and data.uuid[:8] in table
    engine, job = run_test(engine, n_steps=5)
    assert job.is_finished_ok, job.exit_message
    assert engine.tested["versions"]["checkpoint"]["sha256"] == engine.checkpoint.base.attributes.get("sha256")  # type: ignore[union-attr]
    run = run_get_node(
        MlipMdWorkChain,
        structure=job.inputs.structure,
        parameters=orm.Dict({"temperature_K": 300.0, "timestep_fs": 0.5, "n_steps": 5, "sample_every": 1}),
        engine={
            "code": engine.code,
            "potential": orm.Dict(engine.potential),
            "checkpoint": engine.checkpoint,
            "metadata": {"options": OPTIONS},
        },
    )[1]
    assert run.is_finished_ok, run.exit_message
    # The zero of energy of the labels is that of the run.
    energies = run.outputs.thermo.segment_000.get_array("potential_energy")
    assert abs(energies.mean() / 3 + 301.4) < 3.0
    other = job.inputs.structure.get_ase()
    other.symbols[0] = "Li"
    with pytest.raises(ValueError, match="trained on Li2O alone"):
        run_get_node(
            MlipMdWorkChain,
            structure=orm.StructureData(ase=other),
            parameters=orm.Dict({"temperature_K": 300.0, "timestep_fs": 0.5, "n_steps": 5, "sample_every": 1}),
            engine={
                "code": engine.code,
                "potential": orm.Dict(engine.potential),
                "checkpoint": engine.checkpoint,
                "metadata": {"options": OPTIONS},
            },
        )
    # A trained potential is a parent, too.
    lines = invoke(
        *("potential", "train", data.pk, "--family", family, "--from", "mine", "--engine", environment, "--dry-run")
    ).output
    assert "protocol finetune" in lines
