"""Why the extension of runs stopped, as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida_ion.cli.text.tables import entries, number, text
from aiida_ion.queries.cells import known


def convergence_lines(attributes: Mapping[str, Any] | None) -> list[str]:
    """Return why each temperature stopped, and what was used.

    :param attributes: the last decision of a conductivity; ``None`` if its runs were not extended.
    """
    if not isinstance(attributes, Mapping):
        return []
    aim = f"{words(attributes.get('target_quantity'))} to {number(attributes.get('target_relative_error'), 2)}"
    steps = attributes.get("n_steps")
    n_steps = f"{steps:,}" if isinstance(steps, int) else "-"
    total = number(attributes.get("total_time_ps"), 4)
    used = f"{text(attributes.get('round'))} rounds, {n_steps} steps, {total} ps in all"
    lines = [f"runs went on until: {aim}; {words(attributes.get('reason'))} after {used}"]
    for entry in entries(attributes.get("temperatures")):
        relative = entry.get("relative_error")
        error = f", D known to {number(relative, 2)}" if known(relative) else ""
        what = f"{number(entry.get('temperature_K'), 4)} K, {number(entry.get('time_ps'), 4)} ps{error}"
        lines.append(f"  {what}: {words(entry.get('reason'))}. {text(entry.get('message'))}")
    return lines


def words(reason: Any) -> str:
    """Return a reason in plain words."""
    return text(reason or "still running").replace("_", " ")
