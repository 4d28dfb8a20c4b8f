"""Jobs on this machine, all started at once: as many run as there are places, and all finish."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node
from aiida.engine.processes.process import Process
from aiida.manage import get_manager
from aiida.manage.caching import enable_caching
from plumpy import ensure_portal

from aiida_ion.places import turnstile as turnstiles
from aiida_ion.places.demand import Demand, demand_of
from aiida_ion.places.ledger import Ledger, hold
from aiida_ion.places.limits import forget_limits, limits_of, set_limits
from aiida_ion.places.owner import this_owner
from aiida_ion.places.turnstile import WAITS, Turnstile, ledger_path, turnstile
from tests.places.jobs import ManyJobs, SleepJob, most_at_once, times_of

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")
ONE_CORE = {"num_machines": 1, "num_mpiprocs_per_machine": 1}


@pytest.fixture
def shell_code(aiida_code_installed: Callable[..., orm.InstalledCode]) -> orm.InstalledCode:
    """Return bash on this machine, whose scheduler is asked often."""
    code = aiida_code_installed(label="bash", filepath_executable="/bin/bash")
    code.computer.set_minimum_job_poll_interval(0.1)
    return code


@pytest.fixture
def two_cores(shell_code: orm.InstalledCode) -> Iterator[orm.Computer]:
    """Limit this machine to two cores, and look at it often."""
    set_limits(shell_code.computer, {"cores": 2})
    yield shell_code.computer
    forget_limits(shell_code.computer)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turnstiles, "POLL_S", 0.1)
    monkeypatch.setattr(turnstiles, "STATUS_S", 0.0)


def jobs_of(chain: Any) -> list[Any]:
    return sorted(chain.called, key=lambda node: node.pk)


@pytest.mark.slow
def test_twelve_jobs_share_two_cores(two_cores: orm.Computer, shell_code: orm.InstalledCode) -> None:
    _, chain = run_get_node(ManyJobs, code=shell_code, cores=orm.List([1] * 12), seconds=orm.Float(1.0))
    jobs = jobs_of(chain)
    assert [job.is_finished_ok for job in jobs] == [True] * 12
    assert most_at_once(jobs) <= 2
    starts = [times_of(job)[0] for job in jobs]
    assert sorted(starts[:2]) < sorted(starts[-2:]), "first come, first served"
    assert Ledger(ledger_path()).entries(two_cores.uuid) == []
    assert all(job.process_status is None for job in jobs)


def test_a_large_job_runs_alone_and_has_its_turn(two_cores: orm.Computer, shell_code: orm.InstalledCode) -> None:
    _, chain = run_get_node(ManyJobs, code=shell_code, cores=orm.List([1, 8, 1]))
    jobs = jobs_of(chain)
    assert all(job.is_finished_ok for job in jobs)
    before, large, after = map(times_of, jobs)
    assert before[1] < large[0]
    assert large[1] < after[0]


def test_an_engine_has_a_limit_of_its_own(shell_code: orm.InstalledCode) -> None:
    set_limits(shell_code.computer, {"cores": 4})
    shell_code.base.extras.set("ion", {"max_jobs": 1})
    _, chain = run_get_node(ManyJobs, code=shell_code, cores=orm.List([1] * 2), seconds=orm.Float(0.2))
    assert most_at_once(jobs_of(chain)) == 1


def test_a_queue_is_given_all_jobs(aiida_localhost: orm.Computer) -> None:
    assert limits_of(aiida_localhost).cores is not None
    cluster = orm.Computer("cluster", "there", "", "core.ssh", "core.slurm", "/tmp").store()
    assert limits_of(cluster) == limits_of(cluster).__class__()
    no_queue = orm.Computer("node", "there", "", "core.ssh", "core.direct", "/tmp").store()
    assert limits_of(no_queue).cores is None
    no_queue.set_default_mpiprocs_per_machine(16)
    assert limits_of(no_queue).cores == 16
    assert set_limits(cluster, {"jobs": 3}).jobs == 3
    assert limits_of(orm.load_computer("cluster")).jobs == 3
    assert forget_limits(cluster).jobs is None


def others_hold(computer: orm.Computer, owner: str, cores: int = 2) -> Any:
    """Let a job that is not of this test hold all places, and return its node."""
    node = orm.CalcJobNode(computer=computer)
    node.set_option("resources", {**ONE_CORE, "num_cores_per_mpiproc": cores})
    node.set_process_state("waiting")
    node.store()
    turnstile().hold(demand_of(node), owner)
    return node


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.05)


def start_job(code: orm.InstalledCode) -> Process:
    """Start a job in this process, and let it wait for its place."""
    runner = get_manager().get_runner()
    process = runner.instantiate_process(SleepJob, code=code, seconds=orm.Float(0.1))
    runner.loop.create_task(process.step_until_terminated())
    runner.loop.run_until_complete(
        asyncio.wait_for(until(lambda: WAITS in str(process.node.process_status)), timeout=60)
    )
    return process


def finish(process: Process) -> None:
    loop = get_manager().get_runner().loop
    loop.run_until_complete(asyncio.wait_for(until(process.has_terminated), timeout=60))


async def kill(process: Process) -> None:
    await ensure_portal()
    process.kill("not needed any more")


def test_a_job_that_waits_says_so_and_goes_on(two_cores: orm.Computer, shell_code: orm.InstalledCode) -> None:
    other = others_hold(two_cores, this_owner())
    process = start_job(shell_code)
    assert process.node.process_status == "Waiting for a place on localhost: 2 of 2 cores in use"
    turnstile().release(demand_of(other))
    finish(process)
    assert process.node.is_finished_ok


def test_a_job_that_waits_can_be_killed(two_cores: orm.Computer, shell_code: orm.InstalledCode) -> None:
    others_hold(two_cores, this_owner())
    process = start_job(shell_code)
    get_manager().get_runner().loop.run_until_complete(kill(process))
    finish(process)
    assert process.node.is_killed
    assert process.node.get_remote_workdir() is None
    uuids = [entry.demand.uuid for entry in Ledger(ledger_path()).entries()]
    assert process.node.uuid not in uuids


def test_a_job_that_waits_can_be_paused_and_played(two_cores: orm.Computer, shell_code: orm.InstalledCode) -> None:
    other = others_hold(two_cores, this_owner())
    process = start_job(shell_code)
    loop = get_manager().get_runner().loop
    process.pause("for a while")
    loop.run_until_complete(asyncio.wait_for(until(lambda: process.paused), timeout=60))
    assert process.node.uuid not in [entry.demand.uuid for entry in Ledger(ledger_path()).entries()]
    turnstile().release(demand_of(other))
    process.play()
    finish(process)
    assert process.node.is_finished_ok


def test_places_of_jobs_that_ended_and_of_lost_programs_are_free(
    two_cores: orm.Computer, shell_code: orm.InstalledCode
) -> None:
    ended = others_hold(two_cores, "daemon")
    ended.set_process_state("killed")
    lost = others_hold(two_cores, this_owner().rpartition("/")[0] + "/1.00")
    deleted = Demand("no-such-node", 10**6, two_cores.uuid, "", 2)
    turnstile().hold(deleted, "daemon")
    _, node = run_get_node(SleepJob, code=shell_code, seconds=orm.Float(0.0))
    assert node.is_finished_ok
    assert Ledger(ledger_path()).entries(two_cores.uuid) == []
    assert not lost.is_terminated


def test_a_lost_or_broken_ledger_is_made_anew(two_cores: orm.Computer, shell_code: orm.InstalledCode) -> None:
    path = ledger_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"not a database" * 100)
    _, node = run_get_node(SleepJob, code=shell_code, seconds=orm.Float(0.0))
    assert node.is_finished_ok
    other = others_hold(two_cores, this_owner())
    process = start_job(shell_code)
    path.unlink()
    finish(process)
    assert process.node.is_finished_ok
    assert not other.is_terminated


def test_a_new_ledger_has_the_jobs_that_run(two_cores: orm.Computer, shell_code: orm.InstalledCode) -> None:
    node = orm.CalcJobNode(computer=two_cores, process_type="aiida.calculations:ion.mlip_md")
    node.set_option("resources", ONE_CORE)
    node.set_process_state("waiting")
    node.store()
    node.base.attributes.set("state", "withscheduler")
    Ledger(ledger_path()).remove()
    turnstile().hold(Demand("other", 1, two_cores.uuid, "", 1), "daemon")
    assert {entry.demand.uuid for entry in Ledger(ledger_path()).entries()} == {node.uuid, "other"}


def test_a_result_from_the_cache_takes_no_place(two_cores: orm.Computer, shell_code: orm.InstalledCode) -> None:
    inputs = {"code": shell_code, "seconds": orm.Float(0.0).store()}
    run_get_node(SleepJob, **inputs)
    others_hold(two_cores, this_owner())
    with enable_caching():
        _, node = run_get_node(SleepJob, **inputs)
    assert node.base.caching.is_created_from_cache
    assert node.is_finished_ok


def test_a_ledger_that_cannot_be_written_makes_jobs_wait(
    two_cores: orm.Computer, shell_code: orm.InstalledCode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "places"
    folder.write_text("in the way")
    own = Turnstile(Ledger(folder / "ledger.sqlite"))
    monkeypatch.setattr("aiida_ion.places.job.turnstile", lambda: own)
    process = start_job(shell_code)
    assert "cannot be used" in str(process.node.process_status)
    folder.unlink()
    finish(process)
    assert process.node.is_finished_ok


def test_hold_is_idempotent(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "places.sqlite")
    ledger.create()
    for _ in range(2):
        with ledger.changing() as connection:
            hold(connection, Demand("u", 1, "here", "", 1), "daemon")
    assert len(ledger.entries()) == 1
