"""Groups of users."""

from __future__ import annotations

import pandas as pd
from aiida import orm

#: Types of groups created by users or imports; pseudopotential families are groups too, but hold no results.
KINDS = ("core", "core.import")


def groups() -> pd.DataFrame:
    """Return one row for each group that may hold results: ``label`` and ``uuid``, in alphabetical order."""
    query = orm.QueryBuilder()
    query.append(orm.Group, filters={"type_string": {"in": list(KINDS)}}, project=["label", "uuid"])
    rows = pd.DataFrame(query.all(), columns=["label", "uuid"])
    return rows.sort_values("label", ignore_index=True)
