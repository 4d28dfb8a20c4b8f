"""What an engine's jobs get: its inputs, and the cores they run on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from aiida_ion.engines.codes import Engine


def engine_choices(engine: Engine) -> dict[str, Any]:
    """Return what the engine's `engine_inputs` takes: the program, and what it computes forces with."""
    chosen: dict[str, Any] = {"code": engine.code} | engine.choices
    if engine.potential:
        chosen["potential"] = engine.potential
    if engine.checkpoint is not None:
        chosen["checkpoint"] = engine.checkpoint
    return chosen | ({"files": engine.files} if engine.files else {})


def job_options(engine: Engine, processes: int | None = None, threads: int | None = None) -> dict[str, Any]:
    """Return ``metadata.options`` of an engine's jobs: MPI only where there is more than one process.

    :param processes: MPI processes of each job; the engine's own number, else one, when not given.
    :param threads: threads of each process; likewise.
    """
    n_processes = processes or engine.resources.get("processes", 1)
    resources = {
        "num_machines": 1,
        "num_mpiprocs_per_machine": n_processes,
        "num_cores_per_mpiproc": threads or engine.resources.get("threads", 1),
    }
    return {"resources": resources, "withmpi": n_processes > 1}


def cores_per_job(options: Mapping[str, Any]) -> int:
    """Return how many cores a job of these options keeps busy."""
    resources = options["resources"]
    per_process = int(resources.get("num_cores_per_mpiproc") or 1)
    return int(resources.get("num_machines", 1)) * int(resources.get("num_mpiprocs_per_machine", 1)) * per_process


def check_cores(resources: Mapping[str, int], computer: str) -> None:
    """Refuse jobs that want more cores than this machine has.

    :param resources: ``processes`` and ``threads`` of each job, one where absent.
    :param computer: label of the computer; what another one bears is not known here.
    :raises ValueError: with the numbers.
    """
    wanted, cores = resources.get("processes", 1) * resources.get("threads", 1), os.cpu_count() or 1
    if computer == "localhost" and wanted > cores:
        raise ValueError(f"{wanted} cores for each job, and this machine has {cores}: lower --processes or --threads")
