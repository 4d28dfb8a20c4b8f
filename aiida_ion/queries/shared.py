"""What the tables share: process types, filters, and rows under their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from aiida import orm

DIFFUSION_PROCESS = "aiida.calculations:ion.diffusion"
CONDUCTIVITY_PROCESS = "aiida.workflows:ion.conductivity"
#: Extra of a process that was served from the cache: the uuid of the one that really ran.
CACHED_FROM = "_aiida_cached_from"


def filters(material: str | None, level_of_theory: str | None) -> dict[str, Any]:
    """Return the filters of a result: those of its formula and level of theory that are given."""
    wanted = {"attributes.formula": material, "attributes.level_of_theory": level_of_theory}
    return {key: value for key, value in wanted.items() if value is not None}


def attributes(names: Sequence[str]) -> list[str]:
    """Return the projections of attributes."""
    return [f"attributes.{name}" for name in names]


def frame(query: orm.QueryBuilder, columns: list[str]) -> pd.DataFrame:
    """Return the rows of a query under their names; nothing found is an empty table with the same columns."""
    return pd.DataFrame(query.all(), columns=columns)
