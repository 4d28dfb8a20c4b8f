"""The kept energy maps of all crystals: the surface below which the ion can be, at an energy of one's choice."""

from __future__ import annotations

from typing import Any

import pandas as pd
from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from aiida_ion.dashboards import tables
from aiida_ion.dashboards.components import control, figure_card
from aiida_ion.dashboards.figures.theme import Theme, empty_figure, formula_label, theme_named
from aiida_ion.dashboards.maps import MapView, barriers_words, level_options, map_view
from aiida_ion.dashboards.state import THEME
from aiida_ion.queries.screening.crystals import crystal_facts
from aiida_ion.queries.screening.maps import kept_maps

CELL, MAP, LEVEL, WORDS = "screening-map-cell", "screening-map", "screening-map-level", "screening-map-words"
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
    figure, words, levels, chosen = drawn(str(options[0]["value"]), None, theme_named(theme_name))
    picked = dcc.Dropdown(options, options[0]["value"], id=MAP, clearable=False, className="dropdown wide")
    level = dcc.Dropdown(levels, chosen, id=LEVEL, clearable=False, className="dropdown")
    return [
        figure_card(
            CELL,
            "Energy maps",
            figure,
            note=html.Span(words, id=WORDS),
            height_px=520,
            controls=[control("map, with its barriers in 1, 2, 3 dimensions", picked), control("surface", level)],
        )
    ]


def drawn(uuid: str, chosen: str | None, theme: Theme) -> tuple[Any, str, list[dict[str, str]], str | None]:
    """Return the figure of a map, its words, the surfaces to choose from and the one that is drawn."""
    try:
        levels = level_options(uuid)
        values = [level["value"] for level in levels]
        level = chosen if chosen in values else values[0]
        return (*map_view(uuid, level, theme), levels, level)
    except ValueError as error:
        return empty_figure(theme, f"There is nothing to draw: {error}."), "", [], None


def register(app: Dash) -> None:
    """Add the callback that draws another map, or another surface of it."""

    @app.callback(
        Output(CELL, "figure"),
        Output(WORDS, "children"),
        Output(LEVEL, "options"),
        Output(LEVEL, "value"),
        Input(MAP, "value"),
        Input(LEVEL, "value"),
        State(THEME, "data"),
        prevent_initial_call=True,
    )
    def draw(uuid: str, level: str | None, theme: str | None) -> tuple[Any, ...]:
        return drawn(str(uuid), level, theme_named(theme))
