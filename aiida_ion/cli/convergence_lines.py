"""How runs that were extended came to an end, in lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida_ion.cli.tables import number


def convergence_lines(said: Mapping[str, Any] | None) -> list[str]:
    """Return why each temperature stopped, and what was used.

    :param said: the last decision of a conductivity; ``None`` where its runs were not extended.
    """
    if said is None:
        return []
    aim = f"{said['target_quantity'].replace('_', ' ')} to {number(said['target_relative_error'], 2)}"
    used = f"{said['round']} rounds, {said['n_steps']:,} steps, {number(said['total_time_ps'], 4)} ps in all"
    lines = [f"runs went on until: {aim}; {words(said['reason'])} after {used}"]
    for entry in said["temperatures"]:
        error = "" if entry["relative_error"] is None else f", D known to {number(entry['relative_error'], 2)}"
        what = f"{number(entry['temperature_K'], 4)} K, {number(entry['time_ps'], 4)} ps{error}"
        lines.append(f"  {what}: {words(entry['reason'])}. {entry['message']}")
    return lines


def words(reason: str | None) -> str:
    """Return a reason as people say it."""
    return (reason or "still running").replace("_", " ")
