"""AG Grid's filters and sorting on the server, for tables whose rows are requested in blocks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from aiida_ion.dashboards.columns import is_number

_NUMBERS: dict[str, Callable[[Any, float], Any]] = {
    "equals": lambda column, value: column == value,
    "notEqual": lambda column, value: column != value,
    "lessThan": lambda column, value: column < value,
    "lessThanOrEqual": lambda column, value: column <= value,
    "greaterThan": lambda column, value: column > value,
    "greaterThanOrEqual": lambda column, value: column >= value,
}
_TEXTS: dict[str, Callable[[Any, str], Any]] = {
    "contains": lambda column, value: column.str.contains(value, regex=False),
    "notContains": lambda column, value: ~column.str.contains(value, regex=False),
    "equals": lambda column, value: column == value,
    "notEqual": lambda column, value: column != value,
    "startsWith": lambda column, value: column.str.startswith(value),
    "endsWith": lambda column, value: column.str.endswith(value),
}


def filtered(table: pd.DataFrame, model: Mapping[str, Any] | None) -> pd.DataFrame:
    """Return the rows that match AG Grid's filter model; unknown filters are ignored."""
    keep = pd.Series(True, index=table.index)
    for name, entry in (model or {}).items():
        if name in table.columns and isinstance(entry, Mapping):
            keep &= _fits(table[name], entry)
    return table[keep]


def ordered(table: pd.DataFrame, model: Sequence[Mapping[str, Any]] | None) -> pd.DataFrame:
    """Return the rows in the order of AG Grid's sort model; missing values come last, ties keep their order."""
    keys = [
        (str(rule["colId"]), rule.get("sort") != "desc") for rule in model or [] if rule.get("colId") in table.columns
    ]
    if not keys:
        return table
    names, rising = zip(*keys, strict=True)
    return table.sort_values(list(names), ascending=list(rising), kind="stable", na_position="last")


def with_elements(table: pd.DataFrame, elements: Iterable[str], column: str = "formula") -> pd.DataFrame:
    """Return the rows whose formula contains all these elements."""
    keep = pd.Series(True, index=table.index)
    for element in elements:
        # Not the beginning of another symbol: the S in Si is not sulfur.
        keep &= table[column].astype(str).str.contains(rf"{re.escape(element)}(?![a-z])", regex=True)
    return table[keep]


def _fits(column: pd.Series[Any], entry: Mapping[str, Any]) -> Any:
    """Return which cells match the filter of a column."""
    kind, value = str(entry.get("type")), entry.get("filter")
    missing = column.isna() | (column.astype(str) == "")
    if kind in ("blank", "notBlank"):
        return missing if kind == "blank" else ~missing
    if value is None:
        return pd.Series(True, index=column.index)
    if not is_number(column):
        compare = _TEXTS.get(kind, _TEXTS["contains"])
        fits = compare(column.astype(str).str.lower(), str(value).lower())
        return (fits & ~missing) if kind not in ("notContains", "notEqual") else fits | missing
    try:
        if kind == "inRange":
            upper = entry.get("filterTo")
            return column.between(float(value), float(value if upper is None else upper)).fillna(False).astype(bool)
        return _NUMBERS[kind](column, float(value)).fillna(False).astype(bool)
    except (KeyError, TypeError, ValueError):
        return pd.Series(True, index=column.index)
