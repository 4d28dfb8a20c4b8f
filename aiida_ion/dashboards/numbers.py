"""Numbers and texts formatted for display."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

#: Maximum number of characters of a stored text.
LONGEST = 500


def short(value: Any, digits: int = 3) -> str:
    """Return a number with this many significant digits, a dash if there is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return "-"
    text = f"{value:.{digits}g}"
    return f"{value:.0f}" if "e+" in text and abs(value) < 1e6 else text


def readable(value: Any) -> str:
    """Return a stored value as text that people read, with three dots where it goes on."""
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def grouped(value: float) -> str:
    """Return a count with commas; numbers below a thousand as `short` does."""
    return f"{value:,.0f}" if abs(value) >= 1000 else short(value)


def interval(row: Mapping[str, Any], name: str, unit_in_name: str, unit: str) -> str:
    """Return a number with its 95 % interval and unit, a dash if there is none.

    :param row: attributes of a result.
    :param name: name of the quantity, without its unit.
    :param unit_in_name: ending of the attribute's name, such as ``_mS_cm``.
    """
    value, ends = row.get(f"{name}{unit_in_name}"), row.get(f"{name}_ci95{unit_in_name}")
    if short(value) == "-":
        return "-"
    if isinstance(ends, (list, tuple)) and len(ends) == 2:
        return f"{short(value)} [{short(ends[0])}, {short(ends[1])}] {unit}"
    return f"{short(value)} {unit}"
