"""An engine keeps what its cluster wants of jobs, and the queue is asked before anything is submitted."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aiida import orm

from aiida_ion.campaigns.asking import ask_queues
from aiida_ion.campaigns.request import RunRequest
from aiida_ion.engines.engine import load_engine
from aiida_ion.engines.queue import check_queue
from aiida_ion.engines.requests import JobRequest
from tests.cli.conftest import Invoke, only_line
from tests.cluster.conftest import add_toy
from tests.cluster.services import Cluster

pytestmark = pytest.mark.slow
OPTIONS = (
    '{"queue_name": "gpu", "account": "my-project", "max_memory_kb": 512000, "max_wallclock_seconds": 600,'
    ' "custom_scheduler_commands": "#SBATCH --gres=gpu:1"}'
)
ONE_CORE = {"num_machines": 1, "num_mpiprocs_per_machine": 1}


def test_account_partition_device_and_memory_are_kept_and_asked_for(
    cluster: Cluster, async_computer: orm.Computer, invoke: Invoke
) -> None:
    assert add_toy(invoke, async_computer, "--job-options", OPTIONS) == ""
    assert "steps/s with 32 atoms" in invoke("engine", "test", "toy").output
    (job,) = orm.QueryBuilder().append(orm.CalcJobNode).all(flat=True)
    script = job.base.repository.get_object_content("_aiidasubmit.sh")
    for line in ("partition=gpu", "account=my-project", "mem=500", "time=00:10:00", "gres=gpu:1"):
        assert f"#SBATCH --{line}" in script
    shown = cluster.run("scontrol", "show", "job", job.get_job_id())
    assert "Partition=gpu" in shown and "Account=my-project" in shown
    assert re.search(r"MinMemoryNode=500M", shown) and re.search(r"TresPerNode=(gres:)?gpu:1", shown)
    assert load_engine("toy").tested["n_atoms"] == 32


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"queue_name": "mars"}, "invalid partition specified: mars.*its partitions are batch, gpu, closed"),
        ({"custom_scheduler_commands": "#SBATCH --gres=gpu:2"}, "Requested node configuration is not available"),
        ({"max_memory_kb": 10**9}, "Requested node configuration is not available"),
        ({"custom_scheduler_commands": "#SBATCH --no-such-option"}, "unrecognized option"),
    ],
)
def test_what_the_queue_refuses_is_refused_first(
    ssh_computer: orm.Computer, options: dict[str, object], words: str
) -> None:
    with pytest.raises(ValueError, match=f"the queue of cluster refuses such jobs: .*{words}"):
        check_queue({"resources": ONE_CORE, **options}, ssh_computer)
    check_queue({"resources": ONE_CORE, "queue_name": "gpu", "account": "any"}, ssh_computer)


def test_a_wrong_partition_submits_nothing(cluster: Cluster, ssh_computer: orm.Computer, invoke: Invoke) -> None:
    wrong = ("--job-options", '{"queue_name": "mars"}')
    assert "WARNING: the queue of cluster refuses such jobs: invalid partition" in add_toy(invoke, ssh_computer, *wrong)
    assert "its partitions are batch, gpu, closed" in only_line(invoke("engine", "test", "toy", code=1))
    with pytest.raises(ValueError, match="toy: the queue of cluster refuses such jobs.*; see --job-options"):
        ask_queues([load_engine("toy")], RunRequest())
    assert ask_queues([load_engine("toy")], RunRequest(jobs=JobRequest(job_options={"queue_name": "gpu"}))) == []
    assert orm.QueryBuilder().append(orm.CalcJobNode).count() == 0
    ssh_computer.configure(port=1)
    (remark,) = ask_queues([load_engine("toy")], RunRequest())
    assert "cluster does not answer" in remark


def test_an_engine_test_that_the_queue_refuses_later_ends_too(
    ssh_computer: orm.Computer, invoke: Invoke, aiida_config: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the partition went away between the question and the submission: AiiDA pauses the job after all tries."""
    asked: list[object] = []

    def from_the_second_time_on(*arguments: Any) -> None:
        asked.append(arguments)
        if len(asked) > 1:
            check_queue(*arguments)

    monkeypatch.setattr("aiida_ion.engines.testing.check_queue", from_the_second_time_on)
    add_toy(invoke, ssh_computer, "--job-options", '{"queue_name": "mars"}')
    tries = {"transport.task_maximum_attempts": 2, "transport.task_retry_initial_interval": 1}
    before = {name: aiida_config.get_option(name) for name in tries}
    try:
        for name, value in tries.items():
            aiida_config.set_option(name, value)
        line = only_line(invoke("engine", "test", "toy", code=1))
    finally:
        for name, value in before.items():
            aiida_config.set_option(name, value)
    assert "toy does not work: the queue of cluster refuses such jobs: invalid partition specified: mars" in line
    (job,) = orm.QueryBuilder().append(orm.CalcJobNode).all(flat=True)
    assert job.is_killed and re.search(r"submit_calculation failed \d+ times", job.process_status)
