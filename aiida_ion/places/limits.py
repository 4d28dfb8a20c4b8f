"""How much of a computer our jobs may use at a time, and how many jobs of one engine may run.

Kept in the database: with the computer, in its metadata; with an engine, in the extra of its code.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import psutil  # type: ignore[import-untyped]
from aiida import orm

from aiida_ion.units import BYTES_PER_GIB

#: Key of a computer's metadata.
COMPUTER_KEY = "ion_limits"
#: Extra of a code that is an engine; its ``max_jobs`` is read here.
ENGINE_EXTRA = "ion"
#: Extra of a code of fits, likewise.
FITS_EXTRA = "ion_fits"
#: Scheduler that starts every job at once.
WITHOUT_QUEUE = "core.direct"
#: Transport of this machine.
LOCAL = "core.local"


@dataclass(frozen=True)
class Limits:
    """What our jobs may use of a computer at a time; None is without limit.

    :param cores: processes times threads of all jobs together.
    :param memory_GiB: of all jobs that state theirs.
    :param jobs: number of jobs.
    """

    cores: int | None = None
    memory_GiB: float | None = None
    jobs: int | None = None


def limits_of(computer: orm.Computer) -> Limits:
    """Return the limits of a computer: those that were set, and the defaults of the others.

    A computer without a queue of its own gets as many jobs as it has cores; a queue is given all jobs.
    """
    return Limits(**{**asdict(default_limits(computer)), **own_limits(computer)})


def own_limits(computer: orm.Computer) -> dict[str, Any]:
    """Return the limits that were set for a computer; what is stored there and is not a limit counts for nothing."""
    query = orm.QueryBuilder().append(orm.Computer, filters={"uuid": computer.uuid}, project=["metadata"])
    stored = (query.first(flat=True) or {}).get(COMPUTER_KEY)
    names = {field.name for field in fields(Limits)}
    numbers = stored.items() if isinstance(stored, Mapping) else ()
    return {name: value for name, value in numbers if name in names and (value is None or _is_count(value))}


def default_limits(computer: orm.Computer) -> Limits:
    """Return the limits of a computer where none were set."""
    if computer.scheduler_type != WITHOUT_QUEUE:
        return Limits()
    if computer.transport_type == LOCAL:
        return Limits(cores_here(), psutil.virtual_memory().total / BYTES_PER_GIB)
    return Limits(computer.get_default_mpiprocs_per_machine())


def cores_here() -> int:
    """Return how many cores of this machine a process may use."""
    allowed = getattr(os, "sched_getaffinity", None)  # Linux only
    return len(allowed(0)) if allowed is not None else os.cpu_count() or 1


def set_limits(computer: orm.Computer, given: Mapping[str, Any]) -> Limits:
    """Set limits of a computer; those not given stay.

    :param given: names of :class:`Limits` with their values; None is without limit.
    :returns: all limits of the computer.
    """
    computer.metadata = {**computer.metadata, COMPUTER_KEY: {**own_limits(computer), **given}}
    return limits_of(computer)


def forget_limits(computer: orm.Computer) -> Limits:
    """Go back to the defaults of a computer, and return them."""
    computer.metadata = {key: value for key, value in computer.metadata.items() if key != COMPUTER_KEY}
    return limits_of(computer)


def engine_limits(engines: Iterable[str]) -> dict[str, int]:
    """Return how many jobs of an engine may run at a time, for those of the codes that say so.

    :param engines: uuids of codes.
    """
    uuids = [uuid for uuid in set(engines) if uuid]
    if not uuids:
        return {}
    keys = [f"extras.{extra}.max_jobs" for extra in (ENGINE_EXTRA, FITS_EXTRA)]
    query = orm.QueryBuilder().append(orm.Code, filters={"uuid": {"in": uuids}}, project=["uuid", *keys])
    return {uuid: int(most) for uuid, *limits in query.all() for most in limits if _is_count(most)}


def _is_count(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0
