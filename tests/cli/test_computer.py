"""Limits of computers and engines by the command line, and what it says of jobs that wait."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm

from aiida_ion.engines.engine import load_engine
from aiida_ion.places.demand import demand_of
from aiida_ion.places.ledger import queue
from aiida_ion.places.limits import cores_here, engine_limits, limits_of
from aiida_ion.places.turnstile import turnstile
from aiida_ion.queries.computers import computer_table, place_table
from tests.cli.conftest import Invoke, invoke, lj_engine, only_line

__all__ = ["invoke", "lj_engine"]


@pytest.fixture
def two_jobs(invoke: Invoke, aiida_localhost: orm.Computer) -> list[Any]:
    """Return two jobs of two cores: one runs, the other waits."""
    nodes = []
    for status in ("Monitoring scheduler: job state RUNNING", "Waiting for a place on localhost: 2 of 2 cores in use"):
        node = orm.CalcJobNode(computer=aiida_localhost, process_type="aiida.calculations:ion.mlip_md")
        node.set_option("resources", {"num_machines": 1, "num_mpiprocs_per_machine": 2})
        node.set_option("max_memory_kb", 3 * 1024**2)
        node.set_process_state("waiting")
        node.set_process_status(status)
        nodes.append(node.store())
    turnstile().hold(demand_of(nodes[0]), "daemon")
    with turnstile().ledger.changing() as connection:
        queue(connection, demand_of(nodes[1]), "daemon")
    return nodes


def test_computers_are_listed_with_what_runs_and_waits(two_jobs: list[Any], invoke: Invoke) -> None:
    table = computer_table()
    row = table[table["computer"] == "localhost"].iloc[0]
    assert (row["n_running"], row["cores_in_use"], row["memory_in_use_GiB"], row["n_waiting"]) == (1, 2, 3.0, 1)
    assert row["cores"] == cores_here()
    assert list(place_table()["runs"]) == [True, False]
    assert f"2 of {cores_here()}" in invoke("computer").output
    output = invoke("computer", "localhost").output
    assert [line.split()[:2] for line in output.splitlines()[-2:]] == [
        [str(two_jobs[0].pk), "runs"],
        [str(two_jobs[1].pk), "waits"],
    ]
    two_jobs[0].set_process_state("killed")
    assert list(place_table()["pk"]) == [two_jobs[1].pk]


def test_status_says_who_waits_for_what(two_jobs: list[Any], invoke: Invoke) -> None:
    output = invoke("status").output
    assert f"{two_jobs[1].pk}  ion.mlip_md: waits for a place on localhost: 2 of 2 cores in use" in output
    assert "1 job waits for a place on a computer" in output


def test_the_queue_is_asked_as_often_as_the_user_says(invoke: Invoke, aiida_localhost: orm.Computer) -> None:
    assert invoke("computer", "localhost", "--poll-interval-s", 45).output.splitlines()[2].split()[-1] == "45"
    assert orm.load_computer("localhost").get_minimum_job_poll_interval() == 45
    assert limits_of(aiida_localhost).jobs is None
    assert "name the computer" in invoke("computer", "--poll-interval-s", 45, code=2).stderr


def test_limits_are_set_and_forgotten(invoke: Invoke, aiida_localhost: orm.Computer) -> None:
    invoke("computer", "localhost", "--cores", 3, "--memory-GiB", 2.5, "--max-jobs", 7)
    limits = limits_of(orm.load_computer("localhost"))
    assert (limits.cores, limits.memory_GiB, limits.jobs) == (3, 2.5, 7)
    invoke("computer", "localhost", "--cores", 5)
    assert limits_of(aiida_localhost).jobs == 7
    assert "no limit" in invoke("computer", "localhost", "--unlimited").output
    assert limits_of(aiida_localhost).cores is None
    assert "default" in invoke("computer", "localhost", "--default").output
    assert limits_of(aiida_localhost).cores == cores_here()


def test_what_cannot_be_a_limit_is_refused(invoke: Invoke, aiida_localhost: orm.Computer) -> None:
    assert "name the computer" in invoke("computer", "--cores", 3, code=2).stderr
    assert "no computer 'nowhere'" in only_line(invoke("computer", "nowhere", "--cores", 3, code=1))
    assert "--cores" in only_line(invoke("computer", "localhost", "--cores", 0, code=1))
    assert "either" in invoke("computer", "localhost", "--cores", 2, "--default", code=2).stderr


def test_an_engine_has_a_number_of_jobs(lj_engine: str, invoke: Invoke) -> None:
    engine = load_engine(lj_engine)
    assert engine.max_jobs is None
    assert engine_limits([engine.code.uuid]) == {}
    invoke("engine", "limit", lj_engine, "--max-jobs", 2)
    assert load_engine(lj_engine).max_jobs == 2
    assert engine_limits([engine.code.uuid, ""]) == {engine.code.uuid: 2}
    assert "most jobs" in invoke("engine", "list").output
    invoke("engine", "limit", lj_engine)
    assert engine_limits([engine.code.uuid]) == {}
