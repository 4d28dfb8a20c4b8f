"""`ion.queue` on AiiDA's own small processes: sums, which fail where they are negative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node
from aiida.plugins import WorkflowFactory

from aiida_ion.aiida_private.builders import validate_builder
from aiida_ion.workchains.queue import QueueWorkChain
from aiida_ion.workchains.queue.plans import NODE, QueuedProcess, decode, digest, encode

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")
OPTIONS = {"resources": {"num_machines": 1, "num_mpiprocs_per_machine": 1}}


@pytest.fixture
def addition(aiida_code_installed: Callable[..., orm.InstalledCode]) -> Callable[..., QueuedProcess]:
    """Return a factory of sums."""
    code = aiida_code_installed(
        label="add", default_calc_job_plugin="core.arithmetic.add", filepath_executable="/bin/bash"
    )
    code.computer.set_minimum_job_poll_interval(0.1)

    def make(title: str, x: int, y: int = 1) -> QueuedProcess:
        inputs = {"code": code, "x": orm.Int(x), "y": orm.Int(y), "metadata": {"options": OPTIONS, "label": title}}
        return QueuedProcess(title, "core.arithmetic.add", inputs)

    return make


def test_inputs_survive_as_plain_data(addition: Callable[..., QueuedProcess]) -> None:
    process = addition("one", 1)
    plans = encode([process])
    plan = plans[0]
    assert plan["inputs"]["x"] == {NODE: process.inputs["x"].uuid}
    inputs = decode(plan["inputs"])
    assert inputs["x"].uuid == process.inputs["x"].uuid
    assert inputs["metadata"]["options"] == OPTIONS
    assert digest(process) == plan["digest"] == digest(addition("another title", 1)) != digest(addition("one", 2))


def test_some_fail_and_the_others_finish(addition: Callable[..., QueuedProcess]) -> None:
    assert WorkflowFactory("ion.queue") is QueueWorkChain
    missing = addition("lost", 5)
    processes = [addition("first", 1), addition("negative", -5), addition("last", 3), missing]
    builder = QueueWorkChain.builder_of(processes, max_concurrent=2, group="sums")
    plans = builder.plans.get_list()
    plans[3]["inputs"]["x"] = {NODE: "00000000-0000-4000-8000-000000000000"}
    builder.plans = orm.List(plans)
    outputs, node = run_get_node(builder)
    assert node.exit_status == 710
    assert "2 of 4 failed, negative: ArithmeticAddCalculation" in node.exit_message
    results = outputs["results"].get_dict()
    assert (results["n_finished"], results["n_failed"]) == (2, 2)
    by_title = results["processes"]
    assert [by_title[title]["exit_status"] for title in ("first", "negative", "last")] == [0, 410, 0]
    assert by_title["first"]["reason"] is None
    assert "00000000" in by_title["lost"]["reason"]
    children = {child.label: child for child in node.called}
    assert children["first"].uuid == by_title["first"]["uuid"]
    assert children["first"].inputs.x.uuid == processes[0].inputs["x"].uuid
    assert {child.pk for child in orm.load_group("sums").nodes} == {child.pk for child in children.values()}
    assert sorted(label.link_label for label in node.base.links.get_outgoing(link_label_filter="process%").all()) == [
        "process_0000",
        "process_0001",
        "process_0002",
    ]


def test_no_more_than_may_run_are_submitted(addition: Callable[..., QueuedProcess]) -> None:
    builder = QueueWorkChain.builder_of([addition(str(number), number) for number in range(3)], max_concurrent=1)
    _, node = run_get_node(builder)
    assert node.is_finished_ok
    children = sorted(node.called, key=lambda child: child.pk)
    ends = [child.mtime for child in children]
    assert all(child.ctime >= end for child, end in zip(children[1:], ends[:-1], strict=True))


def test_all_failed(addition: Callable[..., QueuedProcess]) -> None:
    _, node = run_get_node(QueueWorkChain.builder_of([addition("negative", -5)], max_concurrent=3))
    assert node.exit_status == 507


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda builder: setattr(builder, "max_concurrent", orm.Int(0)), "1 or more"),
        (lambda builder: setattr(builder, "plans", orm.List([])), "at least one"),
        (lambda builder: setattr(builder, "plans", orm.List([1])), "title, entry_point and inputs"),
        (lambda builder: setattr(builder, "plans", orm.List(2 * builder.plans.get_list())), "two processes are called"),
        (lambda builder: setattr(builder, "plans", plan_of("ion.nothing")), "ion.nothing"),
    ],
)
def test_what_cannot_be_queued_is_refused(
    addition: Callable[..., QueuedProcess], change: Callable[[Any], None], words: str
) -> None:
    builder = QueueWorkChain.builder_of([addition("sum", 1)], max_concurrent=1)
    assert validate_builder(builder) is None
    with pytest.raises(ValueError, match=words):
        change(builder)


def plan_of(entry_point: str) -> orm.List:
    return orm.List([{"title": "a", "entry_point": entry_point, "inputs": {}}])
