"""From the options of ``aiida-ion run`` to the overrides of a protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida_ion.workchains.protocols import read_overrides

#: Option -> where its value stands in the protocol.
OVERRIDES: dict[str, tuple[str, ...]] = {
    "temperatures": ("temperatures_K",),
    "seeds": ("seeds",),
    "target_temperature_k": ("target_temperature_K",),
    "supercell": ("supercell",),
    "min_width_a": ("min_width_A",),
    "mobile_species": ("mobile_species",),
    "charges": ("charges",),
    "framework_species": ("diffusion", "framework_species"),
    "max_concurrent": ("max_concurrent",),
    "jumps": ("jumps",),
    "clean_workdir": ("clean_workdir",),
    "time_ps": ("md", "total_time_ps"),
    "target_relative_error": ("target_relative_error",),
    "target_quantity": ("target_quantity",),
    "first_time_ps": ("first_time_ps",),
    "max_time_ps": ("max_time_ps",),
    "max_rounds": ("max_rounds",),
    "max_total_time_ps": ("max_total_time_ps",),
    "timestep_fs": ("md", "timestep_fs"),
    "sample_every": ("md", "sample_every"),
    "keep": ("md", "keep"),
    "thermostat": ("md", "thermostat"),
    "ensemble": ("md", "ensemble"),
}
#: Options that say nothing without `--target-relative-error`.
TARGET_OPTIONS = ("target_quantity", "first_time_ps", "max_time_ps", "max_rounds", "max_total_time_ps")


def collect_overrides(given: Mapping[str, Any], cores_per_plan: int | None = None) -> dict[str, Any]:
    """Return what changes in the protocol: the file first, then the options.

    :param given: options of the command.
    :param cores_per_plan: jobs in parallel where nothing else is set.
    """
    from aiida_ion.units import FS_PER_PS  # here, since it takes scipy, and help should not

    overrides: dict[str, Any] = {}
    if given.get("overrides_file") is not None:
        overrides = read_overrides(given["overrides_file"])
    for option, path in OVERRIDES.items():
        if given.get(option) is not None:
            _put(overrides, path, given[option])
    _check_target(given, overrides)
    if given.get("time_ps") is not None or given.get("first_time_ps") is not None:
        _put(overrides, ("md", "n_steps"), None)
    if given.get("equilibration_ps") is not None:
        _put(overrides, ("md", "equilibration_fs"), given["equilibration_ps"] * FS_PER_PS)
    if given.get("no_relax"):
        overrides["relax_ions"] = False
    if cores_per_plan is not None:
        overrides.setdefault("max_concurrent", cores_per_plan)
    return overrides


def _check_target(given: Mapping[str, Any], overrides: Mapping[str, Any]) -> None:
    """Refuse a length of all runs beside a target, and options of a target without one.

    :raises ValueError: with the options.
    """
    if overrides.get("target_relative_error") is not None:
        if given.get("time_ps") is not None:
            raise ValueError("--time-ps is for runs that are not extended: give --first-time-ps and --max-time-ps")
        return
    idle = [f"--{name.replace('_', '-')}" for name in TARGET_OPTIONS if given.get(name) is not None]
    if idle:
        raise ValueError(f"{', '.join(idle)}: only runs with --target-relative-error are extended; give that too")


def _put(overrides: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        overrides = overrides.setdefault(key, {})
    overrides[path[-1]] = value
