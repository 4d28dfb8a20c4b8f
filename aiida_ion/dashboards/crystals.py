"""Which crystal is meant: its name in lists, its address, and the rows of tables that belong to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from aiida_ion.dashboards import tables
from aiida_ion.dashboards.figures.theme import formula_label
from aiida_ion.dashboards.serving.origins import ARCHIVE
from aiida_ion.dashboards.state import View
from aiida_ion.queries.structures import space_groups

#: In addresses: the results of a formula that belong to no crystal, of imported trajectories.
NO_CRYSTAL = "none"
#: In lists: what stands instead of space group and id.
IMPORTED = "imported, no crystal"
#: Letters of a crystal's key in addresses and in lists.
ADDRESS_LETTERS, ID_LETTERS = 16, 8
#: Space groups are looked for in this many materials, the newest; the others have only an id.
MOST_GROUPS = 5000


def material_view(formula: Any, crystal: Any, uuid: Any = None) -> View:
    """Return the view of a material's page.

    :param crystal: key of the crystal; anything but text stands for results without a crystal.
    :param uuid: of the result shown, if it is text.
    """
    key = crystal[:ADDRESS_LETTERS] if isinstance(crystal, str) and crystal else NO_CRYSTAL
    return View(formula=str(formula), crystal=key, uuid=uuid if isinstance(uuid, str) else None)


def short_id(crystal: Any) -> str:
    """Return the first letters of a crystal's key; empty without one."""
    return crystal[:ID_LETTERS] if isinstance(crystal, str) else ""


def words_of(crystals: Iterable[Any]) -> list[str]:
    """Return space group and id of crystals by their keys, such as ``Fm-3m · 1f2e3d4c``, or that there is none."""
    known = _described().drop_duplicates("crystal").set_index("crystal")["words"].to_dict()
    return [known.get(key, short_id(key)) if isinstance(key, str) else IMPORTED for key in crystals]


def names_of(table: pd.DataFrame) -> list[str]:
    """Return the material of each row: its formula, with the crystal where the formula has several.

    :param table: with ``formula`` and ``crystal``.
    """
    counts = _described().groupby("formula").size()
    several = set(counts[counts > 1].index)
    words = words_of(table["crystal"])
    rows = zip(table["formula"], words, strict=True)
    return [f"{formula_label(one)} ({word})" if one in several else formula_label(one) for one, word in rows]


def _described() -> pd.DataFrame:
    """Return formula, key and words of each material."""
    return tables.derived("crystals", _describe)


def _describe() -> pd.DataFrame:
    table = tables.table("materials")[["formula", "crystal", "structure_uuid", "time"]]
    newest = table.sort_values("time", ascending=False, na_position="first").head(MOST_GROUPS)
    groups = space_groups(newest["structure_uuid"])
    pairs = zip(table["crystal"], table["structure_uuid"], strict=True)
    words = [" · ".join(filter(None, (groups.get(str(uuid)), short_id(key)))) for key, uuid in pairs]
    return table[["formula", "crystal"]].assign(words=words)


def found(view: View) -> pd.DataFrame:
    """Return the materials that an address may mean: rows of the table of materials, one for each crystal.

    The result that it names decides, else the crystal, else the formula.
    """
    table = tables.table("materials")
    for name in ("conductivity", tables.FITS) if view.uuid else ():
        rows = tables.table(name)
        rows = rows[rows["uuid"] == view.uuid]
        if len(rows):
            return table[of(table, rows["formula"].iloc[0], rows["crystal"].iloc[0])]
    if not (view.formula or view.crystal):
        return table.iloc[:0]
    keep = pd.Series(True, index=table.index)
    if view.formula:
        keep &= table["formula"] == view.formula
    if view.crystal == NO_CRYSTAL:
        keep &= table["crystal"].isna()
    elif view.crystal:
        named = table["crystal"].astype(str).str.startswith(view.crystal) & table["crystal"].notna()
        keep &= named | (table["structure_uuid"] == view.crystal)
    return table[keep]


def of(table: pd.DataFrame, formula: Any, crystal: Any) -> pd.Series[bool]:
    """Return which rows belong to a crystal or, without one, to the results of a formula that have none.

    :param table: with ``formula`` and ``crystal``.
    """
    known = isinstance(crystal, str)
    same = table["crystal"] == crystal if known else table["crystal"].isna()
    return pd.Series(same & (table["formula"] == formula), index=table.index, dtype=bool)


def rows_of(name: str, material: pd.Series[Any]) -> pd.DataFrame:
    """Return the rows of a table that belong to a material, newest first.

    :param name: of the table, see `tables.table`.
    :param material: a row of `found`.
    """
    table = tables.table(name)
    chosen = table[of(table, material["formula"], material["crystal"])]
    return chosen.sort_values("time", ascending=False, ignore_index=True)


def archives_of(name: str, uuids: Iterable[str]) -> list[str | None]:
    """Return the archive of each row of a table, by its UUID; None where there are not several.

    :param name: of the table, see `table`.
    """
    rows = tables.table(name) if tables.archives() is not None else pd.DataFrame()
    known = dict(zip(rows["uuid"], rows[ARCHIVE], strict=True)) if ARCHIVE in rows else {}
    return [known.get(uuid) for uuid in uuids]


def named(names: Iterable[Any]) -> list[str]:
    """Return texts sorted, without what is missing."""
    return sorted({str(name) for name in names if isinstance(name, str)})
