"""Which archive a row is from, where a dashboard shows several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from aiida_ion.queries.reading.archives import Archives

ARCHIVE = "archive"
_KEY = ["formula", "crystal"]


def with_archives(table: pd.DataFrame, archives: Archives | None) -> pd.DataFrame:
    """Return a table with the archive of each row, by its PK; unchanged where there are not several, or without PKs."""
    if archives is None or "pk" not in table:
        return table
    return table.assign(**{ARCHIVE: pd.Series([name_of(pk, archives) for pk in table["pk"]], table.index, object)})


def name_of(pk: Any, archives: Archives) -> str | None:
    """Return the archive of a node; None for no PK, or one that no node has."""
    try:
        return archives.name_of(int(pk))
    except (TypeError, ValueError):
        return None


def with_archives_of_results(
    materials: pd.DataFrame, results: Iterable[pd.DataFrame], archives: Archives | None
) -> pd.DataFrame:
    """Return the table of materials with the archives of the results of each, in the order in which they were named.

    A material without a result has that of its structure.

    :param results: tables with ``formula``, ``crystal`` and the archive of each row.
    """
    if archives is None:
        return materials
    parts = [table[[*_KEY, ARCHIVE]].astype(object) for table in results if not table.empty]
    together = pd.concat(parts) if parts else pd.DataFrame(columns=[*_KEY, ARCHIVE])
    known: dict[Any, set[str]] = {}
    for formula, crystal, name in together.dropna(subset=[ARCHIVE]).itertuples(index=False):
        known.setdefault(_key(formula, crystal), set()).add(str(name))
    words = [_words(row, known, archives) for row in materials.to_dict("records")]
    return materials.assign(**{ARCHIVE: pd.Series(words, materials.index, object)})


def _key(formula: Any, crystal: Any) -> tuple[str, str | None]:
    return str(formula), crystal if isinstance(crystal, str) else None


def _words(row: Mapping[Any, Any], known: Mapping[Any, set[str]], archives: Archives) -> str | None:
    names = known.get(_key(row["formula"], row["crystal"]), set())
    return ", ".join(name for name in archives.names if name in names) or name_of(row["structure_pk"], archives)
