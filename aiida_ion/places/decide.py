"""Which of the waiting jobs may start: plain arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiida_ion.places.demand import Demand
from aiida_ion.places.limits import Limits


def decide(
    running: Sequence[Demand], waiting: Sequence[Demand], limits: Limits, max_jobs: Mapping[str, int]
) -> dict[str, str | None]:
    """Return by uuid why each waiting job has to wait, None for those that may start now.

    First come, first served: a job that waits for its computer is not overtaken, so that a large one gets its turn. One
    that waits only because its engine runs as many jobs as it may lets the others pass.

    :param running: jobs that hold a place on one computer.
    :param waiting: jobs for the same computer, the first to come first.
    :param limits: those of the computer.
    :param max_jobs: of the engines that have a limit.
    """
    held = list(running)
    reasons: dict[str, str | None] = {}
    first: Demand | None = None
    for job in waiting:
        n_jobs = sum(other.engine == job.engine for other in held)
        most = max_jobs.get(job.engine)
        if most is not None and n_jobs >= most:
            reasons[job.uuid] = f"{n_jobs} of {most} jobs of its engine run"
            continue
        reason = validate_room(job, held, limits)
        if reason is None and first is not None:
            reason = f"job {first.pk} came first"
        reasons[job.uuid] = reason
        if reason is None:
            held.append(job)
        else:
            first = first or job
    return reasons


def validate_room(job: Demand, held: Sequence[Demand], limits: Limits) -> str | None:
    """Return what a computer lacks for one more job, nothing where it has room; a job alone always has room."""
    if not held:
        return None
    if limits.jobs is not None and len(held) >= limits.jobs:
        return f"{len(held)} of {limits.jobs} jobs run"
    cores = sum(other.cores for other in held)
    if limits.cores is not None and cores + job.cores > limits.cores:
        needs = f", it needs {job.cores}" if job.cores > 1 else ""
        return f"{cores} of {limits.cores} cores in use{needs}"
    memory_GiB = sum(other.memory_GiB or 0.0 for other in held)
    if job.memory_GiB and limits.memory_GiB is not None and memory_GiB + job.memory_GiB > limits.memory_GiB:
        return f"{memory_GiB:.3g} of {limits.memory_GiB:.3g} GiB of memory in use, it needs {job.memory_GiB:.3g}"
    return None
