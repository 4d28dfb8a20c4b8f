"""The jumps job, run for real on ions that hop as they were told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase import Atoms

from aiida_ion.calculations.diffusion import segment_key
from aiida_ion.calculations.jumps import JumpsCalculation
from aiida_ion.calculations.trajectory_data import trajectory_node
from tests.analysis.jumps.hopper import Hopper

pytest.importorskip("gemdat")

PARAMETERS = {"mobile_species": "Li", "temperature_K": 900.0}
HOPPER = Hopper(n_frames=1000)


def trajectory(seed: int = 1, frames: slice = slice(None)) -> orm.TrajectoryData:
    segment, symbols = HOPPER.segment(seed)
    steps = 10 * np.arange(HOPPER.n_frames)
    return trajectory_node(symbols, steps[frames], segment.positions[frames], HOPPER.cell, timestep_fs=2.0)


def crystal() -> orm.StructureData:
    symbols = ["Li"] * len(HOPPER.sites()) + ["O"] * len(HOPPER.framework())
    scaled = np.concatenate([HOPPER.sites(), HOPPER.framework()])
    return orm.StructureData(ase=Atoms(symbols, scaled_positions=scaled, cell=HOPPER.cell, pbc=True))


def analyse(code: orm.InstalledCode, trajectories: dict[str, Any], **inputs: Any) -> orm.CalcJobNode:
    parameters = orm.Dict(PARAMETERS | inputs.pop("parameters", {}))
    return run_get_node(JumpsCalculation, code=code, trajectories=trajectories, parameters=parameters, **inputs)[1]


@pytest.mark.usefixtures("aiida_profile_clean")
def test_segments_and_replicas_become_a_node_with_its_origin(python_code: Any) -> None:
    code = python_code("ion.jumps")
    segments = {
        segment_key(0, 0): trajectory(1, slice(0, 400)),
        segment_key(0, 1): trajectory(1, slice(400, None)),
        segment_key(1, 0): trajectory(2),
    }
    node = analyse(code, segments, structure=crystal(), parameters={"formula": "Li2O", "level_of_theory": "hops"})
    assert node.is_finished_ok, node.exit_message
    attributes = node.outputs.jumps.base.attributes.all
    low, high = attributes["jump_rate_ci95_1_ps"]
    assert low < 0.9 < high
    assert (attributes["n_replicas"], attributes["n_sites"], attributes["n_sites_from_density"]) == (2, 27, 0)
    assert (attributes["formula"], attributes["level_of_theory"], attributes["mobile_species"]) == (
        "Li2O",
        "hops",
        "Li",
    )
    assert node.outputs.jumps.get_array("transition_count").sum() == attributes["n_jumps"]
    assert node.outputs.versions["gemdat"]
    query = orm.QueryBuilder().append(orm.ArrayData, filters={"attributes.jump_rate_1_ps": {">": 0.5}}, project="uuid")
    assert query.all(flat=True) == [node.outputs.jumps.uuid]
    assert node.inputs.program.base.attributes.get("program") == "jumps"
    # No second copy of the positions: neither uploaded files nor retrieved ones hold them.
    kept = node.base.repository.list_object_names() + node.outputs.retrieved.base.repository.list_object_names()
    assert not [name for name in kept if name.endswith((".npy", ".npz"))]


@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_python_without_gemdat_is_told_what_to_install(python_code: Any) -> None:
    node = analyse(python_code("ion.jumps", "sevenn"), {segment_key(0, 0): trajectory()})
    assert node.exit_status == 420
    assert "pip install aiida-ion[jumps]" in node.exit_message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mobile_species": "Na"}, "the trajectory has no Na; it has Li, O"),
        ({"temperature_K": 0.0}, "temperature_K must be a number from 1"),
        ({"max_frames": 1}, "max_frames"),
        ({"sites": "structure"}, "none is given"),
        ({"no_such_setting": 1}, "no_such_setting"),
    ],
)
@pytest.mark.usefixtures("aiida_profile")
def test_bad_input_is_refused_before_anything_runs(python_code: Any, change: dict[str, Any], message: str) -> None:
    segments = {segment_key(0, 0): trajectory(frames=slice(0, 20))}
    with pytest.raises(ValueError, match=message):
        analyse(python_code("ion.jumps"), segments, parameters=change)
