"""From a request to the overrides of a protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida_ion.campaigns.request import RunRequest
from aiida_ion.units import FS_PER_PS
from aiida_ion.workchains.protocols import read_overrides


def collect_overrides(request: RunRequest, cores_per_plan: int | None = None) -> dict[str, Any]:
    """Return what changes in the protocol: the request's ``overrides`` first, then its other fields.

    :param request: what the user asks for.
    :param cores_per_plan: jobs in parallel where nothing else is set.
    :raises ValueError: for a length of all runs beside a target, or options of a target without one.
    """
    overrides = read_overrides(request.overrides)
    for place, value in request.protocol_settings().items():
        _put(overrides, place, value)
    _check_target(request, overrides)
    if request.time_ps is not None or request.first_time_ps is not None:
        _put(overrides, ("md", "n_steps"), None)
    if request.equilibration_ps is not None:
        _put(overrides, ("md", "equilibration_fs"), request.equilibration_ps * FS_PER_PS)
    if cores_per_plan is not None:
        overrides.setdefault("max_concurrent", cores_per_plan)
    return overrides


def _check_target(request: RunRequest, overrides: Mapping[str, Any]) -> None:
    """Refuse a length of all runs beside a target, and options of a target without one.

    :raises ValueError: with the options.
    """
    if overrides.get("target_relative_error") is not None:
        if request.time_ps is not None:
            raise ValueError("--time-ps is for runs that are not extended: give --first-time-ps and --max-time-ps")
        return
    idle = [f"--{name.replace('_', '-')}" for name in request.idle_without_target()]
    if idle:
        raise ValueError(f"{', '.join(idle)}: only runs with --target-relative-error are extended; give that too")


def _put(overrides: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    for key in place[:-1]:
        overrides = overrides.setdefault(key, {})
    overrides[place[-1]] = value
