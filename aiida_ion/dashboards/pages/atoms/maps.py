"""The kept energy maps of all crystals: surfaces below which the ion can be, with a slider over the energy."""

from __future__ import annotations

from typing import Any

import pandas as pd
from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from aiida_ion.dashboards import tables
from aiida_ion.dashboards.components import control, figure_card
from aiida_ion.dashboards.figures.theme import Theme, empty_figure, formula_label, theme_named
from aiida_ion.dashboards.maps import MapView, barriers_words, map_view
from aiida_ion.dashboards.state import THEME
from aiida_ion.queries.screening.crystals import crystal_facts
from aiida_ion.queries.screening.maps import kept_maps

CELL, MAP, WORDS = "screening-map-cell", "screening-map", "screening-map-words"
#: Most maps to choose from, the newest.
MOST = 200


def listed() -> pd.DataFrame:
    """Return the kept maps with the formula of their crystal, newest first."""
    return tables.derived("kept maps", _listed)


def _listed() -> pd.DataFrame:
    table = kept_maps().head(MOST)
    facts = crystal_facts([str(uuid) for uuid in table["structure_uuid"]])
    formulas: list[Any] = [facts[uuid].formula if uuid in facts else None for uuid in table["structure_uuid"]]
    return table.assign(formula=formulas)


def maps_card(theme_name: str | None) -> list[Component]:
    """Return the card of the kept maps; nothing where none was kept."""
    table = listed()
    if table.empty:
        return []
    options = [
        {
            "label": f"{formula_label(row['formula'] or '?')}: {MapView.name(row)}, {barriers_words(row)} eV",
            "value": str(row["uuid"]),
        }
        for row in table.to_dict("records")
    ]
    figure, words = drawn(str(options[0]["value"]), theme_named(theme_name))
    picked = dcc.Dropdown(options, options[0]["value"], id=MAP, clearable=False, className="dropdown wide")
    return [
        figure_card(
            CELL,
            "Energy maps",
            figure,
            note=html.Span(words, id=WORDS),
            height_px=560,
            controls=[control("map, with its barriers in 1, 2, 3 dimensions", picked)],
        )
    ]


def drawn(uuid: str, theme: Theme) -> tuple[Any, str]:
    """Return the figure of a map, and its words."""
    try:
        return map_view(uuid, theme)
    except ValueError as error:
        return empty_figure(theme, f"There is nothing to draw: {error}."), ""


def register(app: Dash) -> None:
    """Add the callback that draws another map; the browser has all its surfaces."""

    @app.callback(
        Output(CELL, "figure"),
        Output(WORDS, "children"),
        Input(MAP, "value"),
        State(THEME, "data"),
        prevent_initial_call=True,
    )
    def draw(uuid: str, theme: str | None) -> tuple[Any, ...]:
        return drawn(str(uuid), theme_named(theme))
