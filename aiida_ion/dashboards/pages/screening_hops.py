"""The hops of a crystal of a screening in its cell, from the images of ``ion.barrier``."""

from __future__ import annotations

import pandas as pd
from dash import dcc, html
from dash.development.base_component import Component

from aiida_ion.dashboards import tables
from aiida_ion.dashboards.components import card, control, empty_state, figure_card, row
from aiida_ion.dashboards.figures.structure.cell import cell_figure
from aiida_ion.dashboards.figures.theme import theme_named
from aiida_ion.dashboards.numbers import short
from aiida_ion.dashboards.pages.material_runs import plain_table
from aiida_ion.queries.screening.hop_paths import hop_paths

HOPS, HOP_CELL, CRYSTAL = "screening-hops", "screening-hop-cell", "screening-crystal"
#: Most crystals to choose from.
MOST = 200


def crystals_with_hops(structure_uuids: set[str]) -> pd.DataFrame:
    """Return the results of ``ion.barrier`` for these crystals, the newest of each, the lowest barrier first."""
    table = tables.table("percolation")
    mine = table[(table["method"] == "barrier") & table["structure_uuid"].isin(structure_uuids)]
    return mine.drop_duplicates("structure_uuid").sort_values("barrier_1d_eV", ignore_index=True).head(MOST)


def hops_cards(crystals: pd.DataFrame, process_uuid: str | None, theme_name: str | None) -> list[Component]:
    """Return the hops of a crystal under the choice of it; nothing for a screening without barriers of hops."""
    if crystals.empty:
        return []
    chosen = process_uuid if process_uuid in set(crystals["process_uuid"]) else crystals["process_uuid"].iloc[0]
    options = [
        {"label": f"{crystal['formula']}, {short(crystal['barrier_1d_eV'])} eV", "value": crystal["process_uuid"]}
        for crystal in crystals.to_dict("records")
    ]
    choice = dcc.Dropdown(options, chosen, id=CRYSTAL, clearable=False, className="dropdown wide")
    body = html.Div(drawn(str(chosen), theme_name), id=HOPS, className="page")
    return [html.Div(control("Hops of", choice), className="filters"), body]


def drawn(process_uuid: str, theme_name: str | None) -> list[Component]:
    """Return the hops of a crystal in its cell, and their energies."""
    paths = hop_paths(process_uuid)
    title = "Hops in the cell"
    if paths is None:
        return [card(title, empty_state("The images of its hops are not here.", "An export may leave them out."))]
    figure = cell_figure(
        paths.cell_A,
        paths.framework_A,
        paths.framework_symbols,
        paths.paths_A,
        paths.mobile_species,
        theme=theme_named(theme_name),
    )
    left = f" {paths.n_left_out} hops in another supercell are not drawn." if paths.n_left_out else ""
    rows = [(label, short(float(height))) for label, height in zip(paths.labels, paths.heights_eV, strict=True)]
    note = f"Paths of the ion from site to site; atoms are where they are before the first hop.{left}"
    return [
        row(
            figure_card(HOP_CELL, title, figure, note=note, height_px=520),
            card("Energies of the hops", plain_table(("hop", "highest image (eV)"), rows), note="Above the lower end."),
        )
    ]
