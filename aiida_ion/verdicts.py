"""Verdicts on results, and the rule for values too poorly known to be quoted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

#: Diffusivity: diffusion was detected, so there is a value. Conductivity: there is a value at the target temperature.
MOVED, MEASURED = "moved", "measured"
#: Both: there is a value, but its 95 % interval is wider than ``max_interval_decades``.
POORLY_KNOWN = "poorly_known"
#: Diffusivity: there is only an upper bound. Conductivity: there is neither a value nor a bound.
BOUND, NOT_MEASURABLE = "bound", "not_measurable"
#: Stored verdict -> the words shown for it.
WORDS = {MOVED: "diffusive", BOUND: "upper bound", NOT_MEASURABLE: "undetermined"}
#: Verdicts with a posterior behind them.
WITH_POSTERIOR = (MOVED, MEASURED, POORLY_KNOWN)

#: A 95 % interval wider than this (log10 of its upper over its lower edge) says little more than a bound.
MAX_INTERVAL_DECADES = 2.0
#: Upper bounds above these say nothing of a solid, by unit.
LARGEST_IN_SOLIDS = {"mS_cm": 1e4, "cm2_s": 1e-3}
#: Unit -> setting of the fits, and attribute of results, that replaces such a limit.
MAX_USEFUL_BOUND = {unit: f"max_useful_bound_{unit}" for unit in LARGEST_IN_SOLIDS}
#: What results keep of the settings that say which of their numbers are shown.
SHOWN_LIMITS = ("max_interval_decades", *MAX_USEFUL_BOUND.values())
#: The interval that a verdict is based on (the first one present), and whether it is that of a base-ten logarithm.
INTERVALS = (
    ("log10_diffusivity_ci95_cm2_s", True),
    ("log10_ionic_conductivity_ci95_mS_cm", True),
    ("tracer_diffusivity_ci95_cm2_s", False),
    ("ionic_conductivity_ci95_mS_cm", False),
)


def interval_decades(low: Any, high: Any) -> float | None:
    """Return the decades that an interval of a positive quantity spans: infinite from zero, ``None`` without one."""
    if not all(_is_known(edge) for edge in (low, high)):
        return None
    if high <= 0 or low <= 0:
        return math.inf
    return abs(math.log10(high) - math.log10(low))


def is_too_wide(decades: float | None, max_interval_decades: Any = None) -> bool:
    """Whether a 95 % interval spans more than the maximum number of decades."""
    return decades is not None and decades > _limit(max_interval_decades)


def is_poorly_known(low: Any, high: Any, max_interval_decades: Any = None) -> bool:
    """The same for the edges of an interval."""
    return is_too_wide(interval_decades(low, high), max_interval_decades)


def verdict_of(attributes: Mapping[str, Any]) -> str | None:
    """Return the verdict of a diffusion or conductivity; results of earlier versions are judged by the same rule.

    :param attributes: of the node, or a row of a table whose intervals are two columns, ``..._low_...`` and
        ``..._high_...``.
    """
    verdict = attributes.get("verdict")
    if verdict not in (MOVED, MEASURED):
        return verdict if isinstance(verdict, str) else None
    for name, is_logarithm in INTERVALS:
        low, high = edges_of(attributes, name)
        if low is None or high is None:
            continue
        decades = abs(high - low) if is_logarithm else interval_decades(low, high)
        return POORLY_KNOWN if is_too_wide(decades, attributes.get("max_interval_decades")) else str(verdict)
    return str(verdict)


def useful_bound(attributes: Mapping[str, Any], quantity: str, unit: str) -> float | None:
    """Return an upper bound that is the result; ``None`` where there is none, or where it says nothing of a solid.

    A result that is undetermined keeps the number that makes it so, which is not to be shown as a bound.

    :param attributes: of the node, or a row of a table, with its ``verdict`` if it has one.
    :param quantity: such as ``ionic_conductivity``.
    :param unit: end of its name, such as ``mS_cm``.
    """
    bound: Any = attributes.get(f"{quantity}_upper_bound_{unit}")
    if not _is_known(bound) or verdict_of(attributes) not in (BOUND, None):
        return None
    return float(bound) if bound <= largest_useful_bound(attributes, unit) else None


def largest_useful_bound(attributes: Mapping[str, Any], unit: str) -> float:
    """Return the largest upper bound that says something of a solid: the setting of the fit, else the default.

    :param attributes: of the node, or a row of a table.
    :param unit: a key of `LARGEST_IN_SOLIDS`.
    """
    limit: Any = attributes.get(MAX_USEFUL_BOUND[unit])
    return float(limit) if _is_known(limit) and limit > 0 else LARGEST_IN_SOLIDS[unit]


def edges_of(attributes: Mapping[str, Any], name: str) -> tuple[float | None, float | None]:
    """Return the edges of an interval: from a list, as in attributes, or from two columns, as in tables.

    :param name: of the list, with ``_ci95_`` in it.
    """
    whole = attributes.get(name)
    before, _, unit = name.rpartition("_ci95_")
    edges_or_columns = (
        whole if isinstance(whole, (list, tuple)) else [attributes.get(f"{before}_ci95_{end}_{unit}") for end in _ENDS]
    )
    edges = [edge if _is_known(edge) else None for edge in edges_or_columns]
    return (edges[0], edges[1]) if len(edges) == 2 else (None, None)


_ENDS = ("low", "high")


def too_wide(decades: float, max_interval_decades: float) -> str:
    """Return a sentence on an interval that is too wide."""
    return f"The 95 % interval spans {decades:.1f} decades, more than max_interval_decades = {max_interval_decades:g}."


def words_of(verdict: Any) -> str:
    """Return a stored verdict in plain words; in any other word, spaces replace underscores."""
    return WORDS.get(str(verdict), str(verdict).replace("_", " "))


def _is_known(edge: Any) -> bool:
    return isinstance(edge, int) or (isinstance(edge, float) and not math.isnan(edge))


def _limit(max_interval_decades: Any) -> float:
    is_number = isinstance(max_interval_decades, (int, float)) and max_interval_decades > 0
    return float(max_interval_decades) if is_number else MAX_INTERVAL_DECADES
