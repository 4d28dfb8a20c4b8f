"""Processes know who called them, whether they are alive, and what was decided."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiida import orm
from aiida.common.datastructures import CalcJobState
from aiida.schedulers import JobState, SchedulerError
from aiida.schedulers.datastructures import JobInfo

from aiida_ion.queries import last_decisions, process_table
from aiida_ion.queries.running.states import state_text
from tests.queries.nodes import called, chain, job, output

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")


def test_processes_know_their_caller_and_whether_they_are_alive() -> None:
    caller = chain(state="waiting").store()
    child = called(caller, job("ion.mlip_md", state="running"), "md_T_0800K_seed_1").store()
    alone = job("ion.diffusion").store()
    job("core.arithmetic.add").store()
    table = process_table().set_index("pk")
    assert set(table.index) == {caller.pk, child.pk, alone.pk}
    assert table.loc[child.pk, "caller_pk"] == caller.pk
    assert table.loc[child.pk, "link_label"] == "md_T_0800K_seed_1"
    assert table["active"].to_dict() == {caller.pk: True, child.pk: True, alone.pk: False}
    assert set(process_table(pks=[caller.pk])["pk"]) == {caller.pk, child.pk}
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert set(process_table(since=later)["pk"]) == {caller.pk, child.pk}


def test_an_empty_profile_has_a_table_with_its_columns() -> None:
    assert "active" in process_table()


def test_the_last_decision_of_a_work_chain_is_found() -> None:
    caller, silent = chain().store(), chain().store()
    for number in (1, 2):
        function = orm.CalcFunctionNode()
        function.base.attributes.set("function_name", "decide_extensions")
        called(caller, function, f"decide_{number}").store()
        output(function, orm.Dict(), "result", {"round": number, "summary": f"Round {number}."})
    assert last_decisions([int(caller.pk), int(silent.pk)]) == {caller.pk: "Round 2."}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            SchedulerError(
                "Error during submission, retval=1\nstdout=\nstderr=sbatch: error: invalid partition: gpux\n"
            ),
            "(sbatch: error: invalid partition: gpux)",
        ),
        (OSError(28, "No space left on device"), "(OSError: [Errno 28] No space left on device)"),
        (None, "upload_calculation failed 5 times;"),
    ],
)
def test_a_paused_job_says_what_the_scheduler_or_the_transport_said(error: Exception | None, words: str) -> None:
    node = job("ion.mlip_md", state="waiting")
    node.base.attributes.set_many({"paused": True, "process_status": "upload_calculation failed 5 times"})
    node.store()
    if error is not None:
        try:
            raise error
        except (SchedulerError, OSError):
            node.logger.exception("iteration 5 of do_upload excepted")
    row: Any = process_table(pks=[int(node.pk or 0)]).iloc[0]
    text = state_text(row)
    assert text.startswith("paused: upload_calculation failed 5 times")
    assert words in text and f"verdi process play {node.pk}" in text


def test_a_run_that_the_queue_refuses_is_ended_or_resumed() -> None:
    caller = chain(state="waiting").store()
    node = job("ion.mlip_md", state="waiting")
    node.base.attributes.set_many({"paused": True, "process_status": "submit_calculation failed 5 times"})
    called(caller, node, "md").store()
    try:
        raise SchedulerError("Error: stderr=sbatch: error: invalid partition specified: mars\n")
    except SchedulerError:
        node.logger.exception("iteration 5 of do_submit excepted")
    text = state_text(process_table().set_index("pk", drop=False).loc[node.pk])
    assert "(sbatch: error: invalid partition specified: mars)" in text
    assert f"verdi process play {node.pk}' resumes it" in text
    assert f"'verdi process kill {caller.pk}' ends the run: repeat it with other --job-options" in text


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("Resources", "waits in the queue (Resources)"),
        ("None", "waits in the queue"),
        ("PartitionTimeLimit", "waits in the queue (PartitionTimeLimit): it asks for more wall time than"),
        ("ReqNodeNotAvail, UnavailableNodes:n1", "its nodes are down or reserved, for maintenance for example"),
    ],
)
def test_a_job_in_the_queue_says_why_it_waits(reason: str, words: str) -> None:
    caller = chain(state="waiting").store()
    node = job("ion.mlip_md", state="waiting")
    node.set_state(CalcJobState.WITHSCHEDULER)
    node.set_scheduler_state(JobState.QUEUED)
    info = JobInfo()
    info.job_id, info.job_state, info.annotation = "7", JobState.QUEUED, reason
    node.set_last_job_info(info)
    called(caller, node, "md").store()
    text = state_text(process_table().set_index("pk", drop=False).loc[node.pk])
    assert words in text
    assert (f"verdi process kill {caller.pk}" in text) == (reason == "PartitionTimeLimit")
    node.set_scheduler_state(JobState.RUNNING)
    assert state_text(process_table().set_index("pk", drop=False).loc[node.pk]) == "runs"
