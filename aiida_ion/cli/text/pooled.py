"""Printed tables have one line for a disordered crystal, not one for each of its ordered cells."""

from __future__ import annotations

import pandas as pd

from aiida_ion.cli.text.shown import SHOWN


def without_members(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table without the ordered cells of crystals whose pooled result is in it, too."""
    if "ensemble_uuid" not in table:
        return table
    pooled = set(table["process_pk"].dropna().astype(int))
    of = pd.to_numeric(table["ensemble_process_pk"], errors="coerce")
    return table[~(table["ensemble_uuid"].notna() & of.isin(pooled))]


def hidden_members(name: str, table: pd.DataFrame) -> list[str]:
    """Return a sentence on the ordered cells that a printed table leaves out; nothing where it leaves out none.

    :param name: function of `aiida_ion.queries` that made it.
    """
    if name in SHOWN:
        return []
    hidden = table.loc[~table.index.isin(without_members(table).index)]
    if hidden.empty:
        return []
    n_cells, n_crystals = hidden["process_pk"].nunique(), hidden["ensemble_process_pk"].nunique()
    cells = "1 ordered cell" if n_cells == 1 else f"{n_cells} ordered cells"
    crystals = "1 ensemble" if n_crystals == 1 else f"{n_crystals} ensembles"
    verb = "is" if n_cells == 1 else "are"
    return [f"{cells} of {crystals} {verb} pooled here; 'aiida-ion show NODE' lists them, csv and json have all."]
