"""What an engine's jobs get: its inputs, and the cores they run on."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

from aiida import orm

from aiida_ion.engines.codes import Engine
from aiida_ion.engines.options import check_job_options, check_resources

#: Resources of a job where nobody says otherwise.
ONE_CORE = {"num_machines": 1, "num_mpiprocs_per_machine": 1, "num_cores_per_mpiproc": 1}


def engine_choices(engine: Engine) -> dict[str, Any]:
    """Return what the engine's `engine_inputs` takes: the program, and what it computes forces with."""
    chosen: dict[str, Any] = {"code": engine.code} | engine.choices
    if engine.potential:
        chosen["potential"] = engine.potential
    if engine.checkpoint is not None:
        chosen["checkpoint"] = engine.checkpoint
    return chosen | ({"files": engine.files} if engine.files else {})


def job_options(engine: Engine, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return ``metadata.options`` of an engine's jobs: the engine's own, and those of one command, which win.

    :param engine: with its ``resources`` and ``job_options``.
    :param given: ``processes``, ``threads``, ``walltime_s`` and ``job_options`` of the command, where they were given.
    """
    return _options(engine.resources, engine.job_options, given or {})


def _options(resources: Mapping[str, int], own: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return options of jobs, each source winning over those before; MPI where there is more than one process."""
    options = {"resources": ONE_CORE | _counts(resources), **own}
    options["resources"] = {**options["resources"], **_counts(given)}
    if given.get("walltime_s"):
        options["max_wallclock_seconds"] = given["walltime_s"]
    options |= given.get("job_options") or {}
    return {"withmpi": n_processes(options["resources"]) > 1} | options


def _counts(given: Mapping[str, Any]) -> dict[str, int]:
    """Return processes and threads, where they were given, in AiiDA's words."""
    names = {"processes": "num_mpiprocs_per_machine", "threads": "num_cores_per_mpiproc"}
    return {name: int(given[key]) for key, name in names.items() if given.get(key)}


def n_processes(resources: Mapping[str, Any]) -> int:
    """Return how many processes a job of these resources has."""
    counts = [int(resources.get(name) or 1) for name in ("num_machines", "num_mpiprocs_per_machine")]
    return max(math.prod(counts), int(resources.get("tot_num_mpiprocs") or 1))


def cores_per_job(options: Mapping[str, Any]) -> int:
    """Return how many cores a job of these options keeps busy."""
    resources = options["resources"]
    return n_processes(resources) * int(resources.get("num_cores_per_mpiproc") or 1)


def checked_options(engine: Engine, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``metadata.options`` of an engine's jobs, see :func:`job_options`, once they are sure to be taken.

    :raises ValueError: saying what the job, the computer or its scheduler does not take.
    """
    return check_options(engine.job, engine.code.computer, engine.resources, engine.job_options, given)


def check_options(
    job: str,
    computer: orm.Computer,
    resources: Mapping[str, int],
    own: Mapping[str, Any],
    given: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return ``metadata.options`` of jobs, checked against the job, the computer and its scheduler.

    :param job: entry point of the job.
    :param computer: where it runs.
    :param resources: ``processes`` and ``threads`` of an engine.
    :param own: its ``job_options``.
    :param given: as in :func:`job_options`.
    :raises ValueError: saying what does not fit.
    """
    given = given or {}
    by_hand = {**own, **(given.get("job_options") or {})}
    check_job_options(by_hand, job, computer)
    options = _options(resources, own, given)
    if "resources" not in by_hand:
        check_cores(cores_per_job(options), computer.label)
    check_resources(options["resources"], computer)
    return options


def check_cores(n_cores: int, computer: str) -> None:
    """Refuse jobs that want more cores than this machine has.

    :param n_cores: of each job.
    :param computer: label of the computer; what another one has is not known here.
    :raises ValueError: with the numbers.
    """
    available = os.cpu_count() or 1
    if computer == "localhost" and n_cores > available:
        raise ValueError(
            f"{n_cores} cores for each job, and this machine has {available}: lower --processes or --threads"
        )
