"""Cells and rows of tables as Python values: None instead of NaN."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd


def known(value: Any) -> bool:
    """Whether a table cell has a value."""
    if isinstance(value, (list, tuple, dict)):
        return len(value) > 0
    return value is not None and not pd.isna(value)


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as mappings, with None instead of NaN."""
    rows = table.astype(object).where(table.map(known), None).to_dict("records")
    return [{str(name): _finite(value) for name, value in row.items()} for row in rows]


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
