"""A run that leaves the training frames of its potential is stopped, and neither continued nor repeated."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase.build import bulk

from aiida_ion.calculations.training.bounds import run_watch
from aiida_ion.engines.engine import load_engine
from aiida_ion.engines.fitted import register_fitted
from aiida_ion.engines.jobs import engine_choices
from aiida_ion.workchains.conductivity.md import is_watched, result_of
from aiida_ion.workchains.md.lammps import LammpsMdWorkChain
from aiida_ion.workchains.md.mlip import MlipMdWorkChain
from aiida_ion.workchains.md.requests import EngineRequest
from tests.calculations.lammps.pod_fits import dataset, fit
from tests.conftest import OPTIONS

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")
HOT = {"temperature_K": 1200.0, "timestep_fs": 2.0, "n_steps": 400, "sample_every": 10, "seed": 3}


def copper() -> orm.StructureData:
    return orm.StructureData(ase=bulk("Cu", "fcc", a=3.7, cubic=True).repeat(2))


def run(chain: Any, engine: dict[str, Any], structure: orm.StructureData, **changes: Any) -> Any:
    engine = engine | {"metadata": {"options": OPTIONS}}
    return run_get_node(chain, structure=structure, parameters=orm.Dict(HOT | changes), engine=engine)[1]


def test_an_ase_run_is_stopped_with_its_own_code_and_left_alone(python_code: Any) -> None:
    engine = {"code": python_code("ion.mlip_md"), "potential": orm.Dict({"name": "emt"})}
    free = run(MlipMdWorkChain, engine, copper())
    assert free.is_finished_ok, free.exit_message
    watched = run(MlipMdWorkChain, engine | {"watch": orm.Dict({"bounds_A": {"Cu-Cu": 2.15}})}, copper())
    assert watched.exit_status == 411
    assert "left the frames that its potential was trained on" in watched.exit_message
    assert "Cu-Cu 2." in watched.exit_message
    assert len([child for child in watched.called if isinstance(child, orm.CalcJobNode)]) == 1
    segment = watched.outputs.trajectories.segment_000
    last = int(segment.get_array("steps")[-1])
    assert f"at step {last} " in watched.exit_message
    assert segment.base.attributes.get("watched") == "by_hand"
    assert "watched" not in free.outputs.trajectories.segment_000.base.attributes.all
    assert watched.outputs.state.base.attributes.get("step") == last - HOT["sample_every"]
    assert "aiida-ion potential student" in str(result_of(watched).failure)


@pytest.mark.parametrize(
    ("watch", "message"),
    [({"bounds_A": {"Cu": 2.0}}, "a pair of elements such as Li-O"), ({"bounds_A": {"Cu-Cu": -1.0}}, "above 0")],
)
def test_bounds_that_mean_nothing_are_refused_before_anything_runs(
    python_code: Any, watch: dict[str, Any], message: str
) -> None:
    engine = {"code": python_code("ion.mlip_md"), "potential": orm.Dict({"name": "emt"}), "watch": orm.Dict(watch)}
    with pytest.raises(ValueError, match=message):
        run(MlipMdWorkChain, engine, copper())


@pytest.mark.slow
def test_an_engine_of_a_fit_carries_the_bounds_of_its_dataset(lammps_code: orm.InstalledCode) -> None:
    frames = dataset()
    job = fit(lammps_code, frames)
    register_fitted(job, "pod")
    engine = load_engine("pod")
    watch = engine.choices["watch"]
    assert watch == run_watch(frames)
    assert watch["dataset"] == frames.uuid
    assert watch["rule"] == "held_out"
    assert set(watch["bounds_A"]) == {"Au-Au", "Au-Cu", "Cu-Cu"}
    choices = LammpsMdWorkChain.with_run_options(engine_choices(engine), EngineRequest())
    inputs = LammpsMdWorkChain.engine_inputs(copper(), **choices)
    assert inputs["watch"].get_dict() == watch
    assert is_watched({"md": {"engine": inputs}}) is True
    free = LammpsMdWorkChain.with_run_options(engine_choices(engine), EngineRequest(no_watch=True))
    assert "watch" not in free
    assert is_watched({"md": {"engine": LammpsMdWorkChain.engine_inputs(copper(), **free)}}) is False
    # A run like those that it was trained on is not stopped; with bounds that it must pass it is.
    atoms = bulk("Cu", "fcc", a=3.7, cubic=True)
    atoms.symbols[:2] = "Au"
    cell = orm.StructureData(ase=atoms.repeat((2, 1, 1)))
    node = run(LammpsMdWorkChain, inputs, cell, temperature_K=600.0)
    assert node.is_finished_ok, node.exit_message
    tight = inputs | {"watch": orm.Dict({"bounds_A": {"Au-Cu": 2.5}})}
    node = run(LammpsMdWorkChain, tight, cell, temperature_K=600.0)
    assert node.exit_status == 411
    assert "Au-Cu 2." in node.exit_message


def test_another_potential_of_one_run_is_not_watched_by_the_bounds_of_the_first(python_code: Any) -> None:
    choices = {"potential": {"name": "sevenn"}, "watch": {"bounds_A": {"Cu-Cu": 2.0}}}
    chain: Any = MlipMdWorkChain
    assert "watch" not in chain.with_run_options(choices, EngineRequest(model="7net-l3i5"))
    assert "watch" not in chain.with_run_options(choices, EngineRequest(no_watch=True))
    assert chain.with_run_options(choices, EngineRequest(device="cuda"))["watch"] == choices["watch"]
    assert is_watched({"md": {"engine": {"potential": orm.Dict({"name": "sevenn"})}}}) is None


def test_a_dataset_of_before_has_the_old_bounds(python_code: Any) -> None:
    old = orm.ArrayData()
    old.base.attributes.set("closest_pairs_A", {"Li-N": 1.9, "Li-Li": 0.05})
    watch = run_watch(old)
    assert watch is not None
    assert watch["rule"] == "margin"
    assert watch["bounds_A"] == pytest.approx({"Li-N": 1.8})
    assert run_watch(old, margin_A=0.3)["bounds_A"] == pytest.approx({"Li-N": 1.6})  # type: ignore[index]
    assert run_watch(orm.ArrayData()) is None
