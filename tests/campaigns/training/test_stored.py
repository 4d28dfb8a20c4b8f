"""What a user names, and the trajectories behind it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.common.links import LinkType

from aiida_ion.calculations.training.dataset import training_dataset
from aiida_ion.campaigns.training.make import inputs_of, make_dataset
from aiida_ion.campaigns.training.stored import gather_sources
from tests.calculations.training.nodes import nodes_of
from tests.training.md import run_md

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")


def job(trajectory: orm.TrajectoryData, thermo: orm.ArrayData, caller: Any = None) -> orm.CalcJobNode:
    """Return a job whose outputs are these nodes, copied, since a node has one creator."""
    process = orm.CalcJobNode(process_type="aiida.calculations:ion.mlip_md")
    if caller is not None:
        process.base.links.add_incoming(caller, LinkType.CALL_CALC, "iteration_01")
    process.store()
    for label, node in (("trajectory", trajectory), ("thermo", thermo)):
        copy = node.clone()
        copy.base.links.add_incoming(process, LinkType.CREATE, label)
        copy.store()
    return process


def conductivity() -> tuple[Any, list[Any]]:
    """Return a work chain that called two runs, of two segments and of one; a repeated job is not among these."""
    top = orm.WorkChainNode().store()
    expected = []
    for seed, n_segments in ((1, 2), (2, 1)):
        chain = orm.WorkChainNode()
        chain.base.links.add_incoming(top, LinkType.CALL_WORK, f"md_seed_{seed}")
        chain.store()
        job(*nodes_of(run_md(n_frames=120, seed=9)), caller=chain)
        for number in range(n_segments):
            outputs = job(*nodes_of(run_md(n_frames=120, seed=seed)), caller=chain).outputs
            for name, node in (("trajectories", outputs.trajectory), ("thermo", outputs.thermo)):
                node.base.links.add_incoming(chain, LinkType.RETURN, f"{name}__segment_{number:03d}")
            expected.append(outputs.trajectory.uuid)
    return top, expected


def test_a_conductivity_has_the_segments_that_its_runs_return() -> None:
    top, expected = conductivity()
    gathered = gather_sources([top])
    assert sorted(source.trajectory.uuid for source in gathered.sources) == sorted(expected)
    assert all(source.thermo is not None and source.thermo.creator is not None for source in gathered.sources)
    again = gather_sources([top, top])
    assert len(again.sources) == 3
    assert again.left_out == [f"node {top.pk} adds nothing: its trajectories are among the others"]


def test_a_job_and_its_trajectory_are_the_same_source() -> None:
    process = job(*nodes_of(run_md(n_frames=120)))
    gathered = gather_sources([process, process.outputs.trajectory])
    (source,) = gathered.sources
    assert source.thermo is not None and source.thermo.uuid == process.outputs.thermo.uuid


def test_what_has_no_forces_is_said_and_what_has_no_trajectory_refused() -> None:
    trajectory, thermo = nodes_of(run_md(n_frames=120))
    bare = trajectory.clone()
    bare.delete_array("forces")
    process = job(bare, thermo)
    (sentence,) = gather_sources([process]).left_out
    assert "holds no forces: run it with --keep forces" in sentence
    with pytest.raises(ValueError, match="has no trajectory; name conductivities"):
        gather_sources([orm.Int(1).store()])


def test_what_is_refused_leaves_no_process() -> None:
    trajectory, thermo = nodes_of(run_md(n_frames=120))
    wrong = thermo.clone()
    wrong.set_array("potential_energy", -np.asarray(thermo.get_array("potential_energy")))
    (source,) = gather_sources([job(trajectory, wrong)]).sources
    with pytest.raises(ValueError, match="wrong sign"):
        make_dataset([source], {})
    assert not orm.QueryBuilder().append(orm.CalcFunctionNode).count()


def test_a_dataset_is_a_source() -> None:
    (source,) = gather_sources([job(*nodes_of(run_md()))]).sources
    dataset = make_dataset([source], {"stride_fs": 60.0})
    (again,) = gather_sources([dataset]).sources
    assert again.key == source.key
    other = training_dataset(orm.Dict({"stride_fs": 60.0}), **inputs_of([again]))
    assert other.base.attributes.get("sha256") == dataset.base.attributes.get("sha256")
