"""Inputs and options of the jobs of an engine."""

from __future__ import annotations

import os
from typing import Any

from aiida import orm

from aiida_ion.engines.engine import Engine
from aiida_ion.engines.options import check_job_options, check_resources
from aiida_ion.engines.requests import JobRequest
from aiida_ion.places.demand import cores_per_job, n_processes

#: Resources of a job by default.
ONE_CORE = {"num_machines": 1, "num_mpiprocs_per_machine": 1, "num_cores_per_mpiproc": 1}


def engine_choices(engine: Engine) -> dict[str, Any]:
    """Return the arguments of the engine's `engine_inputs`: the program, and what it computes forces with."""
    chosen: dict[str, Any] = {"code": engine.code} | engine.choices
    if engine.potential:
        chosen["potential"] = engine.potential
    if engine.checkpoint is not None:
        chosen["checkpoint"] = engine.checkpoint
    return chosen | ({"files": engine.files} if engine.files else {})


def job_options(*requests: JobRequest) -> dict[str, Any]:
    """Return ``metadata.options`` of jobs; MPI where there is more than one process.

    :param requests: such as those of an engine and of one command; each wins over those before.
    """
    options: dict[str, Any] = {"resources": ONE_CORE}
    for request in requests:
        options["resources"] = {**options["resources"], **request.resources}
        if request.walltime_s is not None:
            options["max_wallclock_seconds"] = request.walltime_s
        options |= request.job_options or {}
    return {"withmpi": n_processes(options["resources"]) > 1} | options


def check_jobs(job: str, computer: orm.Computer, *requests: JobRequest) -> None:
    """Refuse requests for jobs, see :func:`job_options`, that the job, the computer or its scheduler does not take.

    :param job: entry point of the job.
    :param computer: where it runs.
    :raises ValueError: saying what does not fit.
    """
    by_hand = {name: value for request in requests for name, value in (request.job_options or {}).items()}
    check_job_options(by_hand, job, computer)
    options = job_options(*requests)
    if "resources" not in by_hand:
        check_cores(cores_per_job(options), computer.label)
    check_resources(options["resources"], computer)


def check_cores(n_cores: int, computer: str) -> None:
    """Refuse jobs that ask for more cores than this machine has.

    :param n_cores: of each job.
    :param computer: label of the computer; the cores of another one than this are not known.
    :raises ValueError: with the numbers.
    """
    available = os.cpu_count() or 1
    if computer == "localhost" and n_cores > available:
        raise ValueError(
            f"{n_cores} cores for each job, and this machine has {available}: lower --processes or --threads"
        )
