"""Percolation barriers of one crystal by several potentials, or with other ions removed and kept, as one interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

#: Barriers that differ by more than this are not known, eV.
DISAGREEMENT_EV = 0.15


def combined_barriers(results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the interval that the results of one crystal span, and by how much they disagree.

    Each result counts with its own interval of the grid. A dimension in which some results percolate and others do not
    has no upper end.

    :param results: by name; each has `barriers_eV`, and `barriers_interval_eV` where its grid has an error.
    :returns: `barriers_eV`, the middle of the values; `barriers_interval_eV`; `disagreement_eV`, the largest difference
        between values; `agrees`, whether it is below :data:`DISAGREEMENT_EV`, for 1, 2 and 3 dimensions.
    """
    combined: dict[str, Any] = {
        name: [] for name in ("barriers_eV", "barriers_interval_eV", "disagreement_eV", "agrees")
    }
    for dimension in range(3):
        values = [result["barriers_eV"][dimension] for result in results.values()]
        for name, value in _combined(values, _edges(results.values(), dimension)).items():
            combined[name].append(value)
    return combined


def _combined(values: Sequence[float | None], edges: Sequence[tuple[float, float]]) -> dict[str, Any]:
    known = [value for value in values if value is not None]
    if not known:
        return {"barriers_eV": None, "barriers_interval_eV": None, "disagreement_eV": None, "agrees": True}
    low = min(edge[0] for edge in edges)
    if len(known) < len(values):
        return {"barriers_eV": None, "barriers_interval_eV": [low, None], "disagreement_eV": None, "agrees": False}
    spread = max(known) - min(known)
    return {
        "barriers_eV": 0.5 * (max(known) + min(known)),
        "barriers_interval_eV": [low, max(edge[1] for edge in edges)],
        "disagreement_eV": spread,
        "agrees": spread <= DISAGREEMENT_EV,
    }


def _edges(results: Iterable[Mapping[str, Any]], dimension: int) -> list[tuple[float, float]]:
    """Return the interval of each value that there is; a value without one is both ends."""
    edges = []
    for result in results:
        value = result["barriers_eV"][dimension]
        if value is not None:
            own = (result.get("barriers_interval_eV") or [None] * 3)[dimension] or [value, value]
            edges.append((float(own[0]), float(own[1])))
    return edges
