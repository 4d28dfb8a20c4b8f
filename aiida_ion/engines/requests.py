"""What a user asks of jobs: their cores, their time, their scheduler. Knows no AiiDA, so that help can read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from aiida_ion.settings.rules import Json, Number
from aiida_ion.settings.schema import Settings, setting

#: Processes, threads, parallel jobs.
COUNT = Number(least=1, most=100_000, whole=True)
#: At most ten years.
WALLTIME_S = Number(least=1, most=315_576_000, whole=True, unit="s")
#: What AiiDA calls processes and threads.
_RESOURCES = {"processes": "num_mpiprocs_per_machine", "threads": "num_cores_per_mpiproc"}


@dataclass(frozen=True)
class JobRequest(Settings):
    """Where and how long each job runs; ``None`` is the engine's own value, or AiiDA's.

    :param processes: MPI processes of each job.
    :param threads: threads of each process.
    :param walltime_s: wall time of each job, s; the next job continues.
    :param job_options: further ``metadata.options``, such as ``{"queue_name": "gpu"}``; they win over the others.
    """

    what: ClassVar[str] = "job request"

    processes: int | None = setting(replace(COUNT, optional=True, help="MPI processes of each job"), None)
    threads: int | None = setting(replace(COUNT, optional=True, help="Threads of each process"), None)
    walltime_s: int | None = setting(replace(WALLTIME_S, optional=True, help="Wall time of each job"), None)
    job_options: Mapping[str, Any] | None = setting(Json(optional=True, help="Further job options"), None)

    def check_together(self) -> None:
        """Take an empty mapping as none, so that requests which ask for the same are equal."""
        object.__setattr__(self, "job_options", self.job_options or None)

    @property
    def counts(self) -> dict[str, int]:
        """Processes and threads, where they are asked for."""
        counts = {"processes": self.processes, "threads": self.threads}
        return {name: count for name, count in counts.items() if count is not None}

    @property
    def resources(self) -> dict[str, int]:
        """Processes and threads, where they are asked for, as AiiDA names them."""
        return {_RESOURCES[name]: count for name, count in self.counts.items()}
