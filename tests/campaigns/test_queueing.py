"""How many crystals run in parallel, and queues that are followed, found again and killed."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm
from aiida.common.links import LinkType
from aiida.engine import run_get_node

from aiida_ion.aiida_private.builders import builder_inputs, validate_builder
from aiida_ion.campaigns import plans, queueing
from aiida_ion.campaigns.plans import make_plans, submit_plans
from aiida_ion.campaigns.queueing import crystals_at_once, held_by_daemon, job_slots, members
from aiida_ion.campaigns.request import RunRequest
from aiida_ion.places.limits import Limits, cores_here, set_limits
from aiida_ion.workchains.queue import QueueWorkChain
from aiida_ion.workchains.queue.plans import QueuedProcess, decode
from tests.cli.conftest import Invoke, invoke, lj_engine

__all__ = ["invoke", "lj_engine"]


def test_a_computer_is_kept_busy_and_one_more(aiida_profile_clean: object, aiida_localhost: orm.Computer) -> None:
    set_limits(aiida_localhost, {"cores": 8})
    assert crystals_at_once(aiida_localhost, cores=1, runs=3) == 4
    assert crystals_at_once(aiida_localhost, cores=4, runs=3) == 2
    assert crystals_at_once(aiida_localhost, cores=16, runs=1) == 2
    assert crystals_at_once(aiida_localhost, cores=1, runs=3, max_jobs=3) == 2
    set_limits(aiida_localhost, {"cores": None, "jobs": None})
    assert crystals_at_once(aiida_localhost, cores=1, runs=3) == held_by_daemon(3)


def test_the_daemon_has_slots_for_parents_and_children(monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"daemon.worker_process_slots": 200, "daemon.default_workers": 2}
    monkeypatch.setattr(queueing, "get_config_option", options.get)
    assert held_by_daemon(3) == 40
    assert held_by_daemon(3) * (1 + 2 * 3) <= 0.7 * 200 * 2
    assert held_by_daemon(1000) == 1


def test_jobs_that_run_at_a_time() -> None:
    assert job_slots(Limits(), 1, None) is None
    assert job_slots(Limits(cores=8, jobs=5), 2, None) == 4
    assert job_slots(Limits(cores=8), 2, 1) == 1


def test_many_crystals_become_a_queue(
    lj_engine: str, invoke: Invoke, lithium_nitride: orm.StructureData, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = [lithium_nitride.clone().store() for _ in range(9)]
    request = RunRequest(protocol="fast", max_crystals=2, group="trial")
    made = make_plans([str(node.pk) for node in nodes], [lj_engine], request)
    submitted = []

    def keep(builder: Any) -> orm.ProcessNode:
        assert validate_builder(builder) is None
        submitted.append(builder)
        return orm.WorkChainNode().store()

    monkeypatch.setattr(queueing, "submit", keep)
    monkeypatch.setattr(plans, "submit", keep)
    ((title, _),) = submit_plans(made, request)
    assert title == "queue of 9 conductivities, 2 at a time"
    (queue,) = submitted
    assert queue.max_concurrent.value == 2
    assert queue.group.value == "trial"
    inputs = decode(queue.plans[4]["inputs"])
    assert inputs["structure"].uuid == nodes[4].uuid
    assert inputs["md"]["options"] == dict(made[4].builder.md.options)
    assert inputs["diffusion"]["code"].label == "kinisi"
    submitted.clear()
    assert len(submit_plans(made[:2], request)) == 2
    assert len(submitted) == 2
    submitted.clear()
    assert [title for title, _ in submit_plans(made, RunRequest())] == [
        f"queue of 9 conductivities, {cores_here() + 1} at a time"
    ]
    assert len(submit_plans(made[:8], RunRequest())) == 8


def test_a_queue_stands_for_its_members() -> None:
    queue = orm.WorkChainNode(process_type=queueing.QUEUE_PROCESS).store()
    alone = orm.WorkChainNode(process_type=queueing.QUEUE_PROCESS).store()
    children = [orm.WorkChainNode() for _ in range(2)]
    for index, child in enumerate(children):
        child.base.links.add_incoming(queue, link_type=LinkType.CALL_WORK, link_label=f"process_{index:04d}")
        child.store()
    assert members([queue.pk, alone.pk]) == [children[0].pk, children[1].pk, alone.pk]


@pytest.mark.slow
def test_a_queue_of_real_conductivities(lj_engine: str, invoke: Invoke, argon: orm.StructureData) -> None:
    request = RunRequest(
        protocol="fast",
        temperatures_K=[60.0],
        mobile_species="Ar",
        charges={"Ar": 0.0},
        supercell=[1, 1, 1],
        time_ps=0.4,
        timestep_fs=2.0,
        sample_every=4,
        equilibration_ps=0.1,
        relax_ions=False,
    )
    crystals = [argon.store(), argon.clone().store()]
    made = make_plans([str(crystal.pk) for crystal in crystals], [lj_engine], request)
    processes = [QueuedProcess(plan.title, "ion.conductivity", builder_inputs(plan.builder)) for plan in made]
    outputs, node = run_get_node(QueueWorkChain.builder_of(processes, max_concurrent=1))
    assert node.is_finished_ok, node.exit_message
    assert outputs["results"]["n_finished"] == 2
    children = [orm.load_node(pk) for pk in members([node.pk])]
    assert [child.inputs.structure.uuid for child in children] == [crystal.uuid for crystal in crystals]
    assert all("conductivity" in child.outputs for child in children)
    assert [child.label for child in children] == [plan.builder.metadata.label for plan in made]
