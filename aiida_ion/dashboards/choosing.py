"""Selection of results by an address, from cached tables; only the members of a group need a query, once."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

import pandas as pd

from aiida_ion.dashboards import tables
from aiida_ion.dashboards.state import View
from aiida_ion.queries.groups import groups
from aiida_ion.queries.selection import members_of

#: Columns with nodes, any of which may be in a group.
MEMBERS = ("pk", "job_pk", "process_pk", "conductivity_pk", "structure_pk")
#: Times in addresses are limited to this range.
EARLIEST, LATEST = datetime(1971, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def group_labels() -> list[str]:
    """Return the labels of all groups."""
    return [str(label) for label in tables.derived("groups", groups)["label"]]


def fitting(table: pd.DataFrame, view: View) -> pd.DataFrame:
    """Return the results that match level, grades, temperature, group and dates of an address.

    :param table: of `aiida_ion.queries.conductivity` or `aiida_ion.queries.diffusion`.
    """
    keep = _in_time_and_group(table, view)
    if view.level_of_theory:
        keep &= table["level_of_theory"] == view.level_of_theory
    if view.grades:
        keep &= table["grade"].isin(view.grades)
    if view.temperature_K is not None:
        keep &= table["target_temperature_K"].between(*view.temperature_K)
    return table[keep]


def within(table: pd.DataFrame, view: View) -> pd.DataFrame:
    """Return the results that match group and dates of an address."""
    if not (view.group or view.since or view.until):
        return table
    return table[_in_time_and_group(table, view)]


def _in_time_and_group(table: pd.DataFrame, view: View) -> pd.Series[bool]:
    keep = pd.Series(True, index=table.index)
    if view.since is not None:
        keep &= table["time"] >= _edge(view.since)
    if view.until is not None:
        keep &= table["time"] <= _edge(view.until)
    if view.group:
        inside = _members(view.group)
        keep &= pd.concat([table[name].isin(inside) for name in MEMBERS if name in table], axis=1).any(axis=1)
    return keep


def _members(label: str) -> pd.Series[Any]:
    """Return the pks in a group; none for an unknown label, so that addresses cannot fill the cache."""
    if label not in group_labels():
        return pd.Series([], dtype=int)
    return tables.derived(f"group {label}", lambda: pd.DataFrame({"pk": sorted(members_of(label))}))["pk"]


def _edge(when: datetime) -> datetime:
    """Return a comparable time; one without a zone is local."""
    if not EARLIEST.year <= when.year < LATEST.year:
        return EARLIEST if when.year < EARLIEST.year else LATEST
    return when.astimezone(UTC)


def moment(text: Any, ends: bool = False) -> datetime | None:
    """Return the time typed as ISO 8601; a bare date is the beginning of its day, or the end with `ends`."""
    written = str(text or "").strip()
    try:
        result = datetime.fromisoformat(written)
    except ValueError:
        return None
    return datetime.combine(result.date(), time.max) if ends and len(written) <= len("2026-01-01") else result


def moment_words(when: datetime | None, ends: bool = False) -> str:
    """Return a time as one would type it; a whole day is its date."""
    if when is None:
        return ""
    whole = when.tzinfo is None and when.time() == (time.max if ends else time.min)
    return when.date().isoformat() if whole else when.isoformat(sep=" ")
