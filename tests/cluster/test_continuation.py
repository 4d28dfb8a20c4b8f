"""Runs that the cluster ends early go on without a lost or doubled frame, and jobs that cannot start say why."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm

from aiida_ion.exit_codes import OUT_OF_WALLTIME
from aiida_ion.queries import process_table
from aiida_ion.queries.running.states import state_text
from tests.cli.conftest import Invoke
from tests.cluster.conftest import add_toy
from tests.cluster.jobs import at_each_look, check_contiguous, has_written, jobs_of, run_md, steps_in
from tests.cluster.services import Cluster

pytestmark = pytest.mark.slow


def test_out_of_wall_time_and_cancelled(
    cluster: Cluster, ssh_computer: orm.Computer, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_toy(invoke, ssh_computer)
    n_steps = steps_in(invoke, seconds=30)
    cancelled: list[str] = []

    def cancel_the_second(job: orm.CalcJobNode) -> None:
        if not cancelled and "restart_from" in job.inputs and has_written(job, "restart.npz"):
            cancelled.append(str(job.get_job_id()))
            cluster.run("scancel", cancelled[0])

    at_each_look(monkeypatch, cancel_the_second)
    run = run_md("toy", n_steps, max_wallclock_seconds=15)
    assert run.is_finished_ok, run.exit_message
    jobs = jobs_of(run)
    assert [job.get_job_id() for job in jobs[1:2]] == cancelled
    assert len(jobs) >= 3
    assert jobs[0].exit_status == OUT_OF_WALLTIME and jobs[-1].is_finished_ok
    check_contiguous(run, n_steps)
    assert all(job.outputs.remote_folder.is_cleaned for job in jobs if job.exit_status in (0, OUT_OF_WALLTIME))


def test_killed_by_slurm_at_the_end_of_its_time(
    cluster: Cluster, ssh_computer: orm.Computer, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator shortens the time of the first job, which does not know it and loads its modules for long."""
    once = cluster.scratch / "modules-were-loaded"
    lines = f"test -e {once} || {{ touch {once}; sleep 40; }}"
    once.touch()
    add_toy(invoke, ssh_computer, "--prepend-text", lines)
    n_steps = steps_in(invoke, seconds=90)
    once.unlink()
    shortened: list[str] = []
    by_slurm: set[str] = set()

    def shorten_the_first(job: orm.CalcJobNode) -> None:
        number = str(job.get_job_id())
        if not shortened and number in cluster.job_ids("RUNNING"):
            cluster.run("scontrol", "update", f"JobId={number}", "TimeLimit=1")
            shortened.append(number)
        by_slurm.update(cluster.job_ids("TIMEOUT"))

    at_each_look(monkeypatch, shorten_the_first)
    run = run_md("toy", n_steps, max_wallclock_seconds=600)
    assert run.is_finished_ok, run.exit_message
    jobs = jobs_of(run)
    assert [str(jobs[0].get_job_id())] == shortened == sorted(by_slurm)
    assert len(jobs) >= 2
    check_contiguous(run, n_steps)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_wallclock_seconds": 7200}, "(PartitionTimeLimit): it asks for more wall time than its partition allows"),
        ({"queue_name": "closed"}, "(PartitionDown): its partition is closed"),
    ],
)
def test_a_job_that_can_never_start_says_why(
    cluster: Cluster,
    ssh_computer: orm.Computer,
    invoke: Invoke,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, object],
    words: str,
) -> None:
    """Slurm accepts such jobs and lets them wait for ever."""
    add_toy(invoke, ssh_computer)
    texts: list[str] = []

    def end_when_known(job: Any) -> None:
        row: Any = process_table().set_index("pk", drop=False).loc[job.pk]
        texts.append(state_text(row))
        if "waits in the queue (P" in texts[-1] and f"verdi process kill {job.caller.pk}" in texts[-1]:
            cluster.run("scancel", str(job.get_job_id()))

    at_each_look(monkeypatch, end_when_known)
    run = run_md("toy", 10, **options)
    assert any(words in text for text in texts), texts
    assert not run.is_finished_ok
