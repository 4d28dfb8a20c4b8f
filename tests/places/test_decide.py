"""Who may start: by hand."""

from __future__ import annotations

import pytest

from aiida_ion.places.decide import decide
from aiida_ion.places.demand import Demand, cores_per_job
from aiida_ion.places.limits import Limits

TWO = Limits(cores=2)


def job(pk: int, cores: int = 1, engine: str = "a", memory_GiB: float | None = None) -> Demand:
    return Demand(f"u{pk}", pk, "here", engine, cores, memory_GiB)


def may_start(*arguments: object) -> list[str]:
    return [uuid for uuid, reason in decide(*arguments).items() if reason is None]  # type: ignore[arg-type]


def test_as_many_start_as_there_are_cores() -> None:
    reasons = decide([job(1)], [job(2), job(3)], TWO, {})
    assert reasons == {"u2": None, "u3": "2 of 2 cores in use"}


def test_a_job_larger_than_the_computer_runs_alone() -> None:
    assert may_start([], [job(1, cores=8)], TWO, {}) == ["u1"]
    assert decide([job(2)], [job(1, cores=8)], TWO, {}) == {"u1": "1 of 2 cores in use, it needs 8"}
    assert may_start([job(1, cores=8)], [job(2)], TWO, {}) == []


def test_a_large_job_is_not_overtaken() -> None:
    reasons = decide([job(1)], [job(2, cores=2), job(3)], TWO, {})
    assert reasons == {"u2": "1 of 2 cores in use, it needs 2", "u3": "job 2 came first"}


def test_a_job_that_waits_for_its_engine_alone_lets_others_pass() -> None:
    reasons = decide([job(1, engine="gpu")], [job(2, engine="gpu"), job(3)], TWO, {"gpu": 1})
    assert reasons == {"u2": "1 of 1 jobs of its engine run", "u3": None}


def test_memory_counts_where_it_is_stated() -> None:
    limits = Limits(cores=8, memory_GiB=10.0)
    reasons = decide([job(1, memory_GiB=6.0), job(2)], [job(3), job(4, memory_GiB=6.0)], limits, {})
    assert reasons == {"u3": None, "u4": "6 of 10 GiB of memory in use, it needs 6"}


def test_a_number_of_jobs_and_no_limit() -> None:
    assert may_start([job(1)], [job(2), job(3)], Limits(jobs=2), {}) == ["u2"]
    assert len(may_start([], [job(pk) for pk in range(100)], Limits(), {})) == 100


@pytest.mark.parametrize(
    ("resources", "cores"),
    [
        ({}, 1),
        ({"num_machines": 2, "num_mpiprocs_per_machine": 4, "num_cores_per_mpiproc": 3}, 24),
        ({"parallel_env": "mpi", "tot_num_mpiprocs": 6}, 6),
    ],
)
def test_cores_are_processes_times_threads(resources: dict[str, object], cores: int) -> None:
    assert cores_per_job({"resources": resources}) == cores
