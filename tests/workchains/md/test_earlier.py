"""What a run may begin with: segments that are its own, a state, and the reason why it ended before."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm

from aiida_ion.calculations.trajectory_data import trajectory_node
from aiida_ion.exit_codes import EXPLODED, LEFT_TRAINING
from aiida_ion.workchains.conductivity.prepared import run_name, validate_prepared
from aiida_ion.workchains.md.earlier import failure_of, is_complete, is_given, validate_earlier

pytestmark = pytest.mark.usefixtures("aiida_profile")
SETTINGS = {"temperature_K": 60.0, "seed": 3, "timestep_fs": 2.0, "n_steps": 40}


def segment(symbols: list[str], **attributes: Any) -> orm.TrajectoryData:
    positions = np.ones((2, len(symbols), 3), dtype=np.float32)
    node = trajectory_node(symbols, np.array([0, 5]), positions, np.eye(3), timestep_fs=2.0)
    node.base.attributes.set_many({"target_temperature_K": 60.0, "seed": 3} | attributes)
    return node


def state(step: int) -> orm.ArrayData:
    node = orm.ArrayData()
    node.base.attributes.set("step", step)
    return node


@pytest.mark.parametrize(
    ("symbols", "attributes", "more", "words"),
    [
        (None, {}, {}, None),
        (["Ar"], {}, {}, "other atoms"),
        (None, {"seed": 4}, {}, "has seed = 4, this run 3"),
        (None, {"target_temperature_K": 70.0}, {}, "has temperature_K = 70, this run 60"),
        (None, {"timestep_fs": 1.0}, {}, "has timestep_fs = 1, this run 2"),
        (None, {}, {"restart_from": True}, "not both"),
        (None, {}, {"state": None}, "without their state"),
    ],
)
def test_segments_are_those_of_the_run(
    argon: orm.StructureData, symbols: list[str] | None, attributes: dict[str, Any], more: dict[str, Any], words: str
) -> None:
    frames = segment(symbols or ["Ar"] * len(argon.sites), **attributes)
    earlier = {"trajectories": {"segment_000": frames}, "state": state(20)}
    earlier = {name: value for name, value in (earlier | more).items() if value is not None and name != "restart_from"}
    inputs = {"structure": argon, "parameters": orm.Dict(SETTINGS), "earlier": earlier}
    inputs |= {"restart_from": state(20)} if "restart_from" in more else {}
    problem = validate_earlier(inputs)
    assert problem is None if words is None else words in str(problem)


def test_how_a_replica_ended() -> None:
    statuses = {
        "a": {"status": "finished"},
        "b": {"status": "exploded", "message": "boom"},
        "c": {"status": "left_training", "message": "Li-N 1.2"},
        "d": {"status": "gave_up", "message": "no memory"},
        "e": {"status": "walltime"},
    }
    ended = {
        key: failure_of({"statuses": orm.Dict(statuses), "replica": orm.Str(key)}) for key in (*statuses, "unknown")
    }
    assert ended["a"] is ended["e"] is ended["unknown"] is None
    assert ended["b"] == (EXPLODED, "exploded in a batch: boom")
    assert ended["c"] == (LEFT_TRAINING, "left_training in a batch: Li-N 1.2")
    assert ended["d"] == (None, "gave_up in a batch: no memory")
    assert is_complete({"state": state(40)}, 40) and not is_complete({"state": state(39)}, 40)
    assert not is_complete({}, 40) and not is_given({}) and not is_given(None)
    assert is_given({"statuses": orm.Dict(statuses)})


@pytest.mark.parametrize(
    ("prepared", "relax_ions", "words"),
    [
        ({}, True, None),
        ({"supercell": 1, "runs": {"T_0800K_seed_1": {}}}, False, None),
        ({"supercell": 1, "relaxed_structure": 1, "runs": {"T_0812_50K_seed_2": {}}}, True, None),
        ({"runs": {"T_0800K_seed_1": {}}}, False, "needs prepared.supercell"),
        ({"supercell": 1}, True, "needs prepared.relaxed_structure"),
        ({"relaxed_structure": 1}, False, "relax_ions is off"),
        ({"supercell": 1, "runs": {"T_0900K_seed_1": {}}}, False, "no run of these temperatures"),
    ],
)
def test_what_was_prepared_for_a_conductivity(prepared: dict[str, Any], relax_ions: bool, words: str | None) -> None:
    parameters = {"temperatures_K": [800, 812.5], "seeds": [1, 2], "relax_ions": relax_ions}
    problem = validate_prepared({"parameters": orm.Dict(parameters), "prepared": prepared})
    assert problem is None if words is None else words in str(problem)
    assert run_name(812.5, 2) == "T_0812_50K_seed_2"
