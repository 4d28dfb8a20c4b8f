"""Molecular dynamics of argon on the cluster, and what a test does at each look at the queue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase.build import bulk

from aiida_ion.engines.engine import load_engine
from aiida_ion.engines.jobs import engine_choices, job_options
from aiida_ion.engines.requests import JobRequest
from aiida_ion.workchains.md.mlip import MlipMdWorkChain
from tests.cli.conftest import Invoke

#: One job after another, each saved every second.
SETTINGS = {"temperature_K": 60.0, "timestep_fs": 2.0, "seed": 7, "restart_every_seconds": 1.0}
FRAME = 100


def at_each_look(patch: pytest.MonkeyPatch, look: Callable[[orm.CalcJobNode], object]) -> None:
    """Call a function whenever AiiDA has noted the state of a job in the queue."""
    note = orm.CalcJobNode.set_scheduler_state

    def noted(node: orm.CalcJobNode, state: Any) -> None:
        note(node, state)
        look(node)

    patch.setattr(orm.CalcJobNode, "set_scheduler_state", noted)


def has_written(job: orm.CalcJobNode, name: str) -> bool:
    """Whether a job has written a file in its folder on the cluster."""
    with job.get_authinfo().get_transport() as transport:
        return bool(transport.path_exists(str(PurePosixPath(str(job.get_remote_workdir())) / name)))


def steps_in(invoke: Invoke, seconds: float) -> int:
    """Return how many steps the engine ``toy`` takes in a time, by a test of it on this machine as busy as it is."""
    invoke("engine", "test", "toy", "--steps", 1000)
    steps_per_s = float(load_engine("toy").tested["steps_per_s"])
    return FRAME * max(2, round(seconds * steps_per_s / FRAME))


def run_md(engine_name: str, n_steps: int, **job_options_by_hand: Any) -> orm.WorkChainNode:
    """Run argon with an engine on the cluster."""
    engine = load_engine(engine_name)
    choices = engine_choices(engine)
    atoms = bulk("Ar", "fcc", a=5.6, cubic=True).repeat(2)
    atoms.rattle(0.02, seed=3)
    options = job_options(engine.jobs, JobRequest(job_options=job_options_by_hand))
    potential = orm.Dict({"name": "lj", "kwargs": {"sigma": 3.405, "epsilon": 0.01032, "rc": 8.5125}})
    node: Any = run_get_node(
        MlipMdWorkChain,
        structure=orm.StructureData(ase=atoms),
        parameters=orm.Dict({**SETTINGS, "n_steps": n_steps, "sample_every": FRAME}),
        engine={"code": choices["code"], "potential": potential, "metadata": {"options": options}},
    )[1]
    return node  # type: ignore[no-any-return]


def jobs_of(node: orm.WorkChainNode) -> list[Any]:
    """Return the jobs of a run, in the order of time."""
    return [child for child in node.called if isinstance(child, orm.CalcJobNode)]


def check_contiguous(node: orm.WorkChainNode, n_steps: int) -> None:
    """Check that no frame and no step of a run is lost or doubled."""
    labels = sorted(node.outputs.trajectories)
    frames = np.concatenate([node.outputs.trajectories[label].get_array("steps") for label in labels])
    thermo = np.concatenate([node.outputs.thermo[label].get_array("steps") for label in sorted(node.outputs.thermo)])
    assert frames.tolist() == list(range(0, n_steps + 1, FRAME))
    assert thermo.tolist() == list(range(n_steps + 1))
