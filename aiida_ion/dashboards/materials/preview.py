"""The Arrhenius plot of the material whose row was clicked, under the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
from dash import Dash, Input, Output, State, no_update
from dash.development.base_component import Component

from aiida_ion.dashboards.components import card, empty_state, figure_card, page_link
from aiida_ion.dashboards.crystals import material_view
from aiida_ion.dashboards.figures.theme import formula_label
from aiida_ion.dashboards.material_rows import material_rows
from aiida_ion.dashboards.pages import material, material_line
from aiida_ion.dashboards.pages.materials_choices import LEVEL, TEMPERATURE
from aiida_ion.dashboards.state import THEME, View

FIGURE, PLACE, PLOTTED = "materials-arrhenius", "materials-plot", "materials-plotted"
TITLE = "Arrhenius plot"
HEIGHT_PX = 440


def register(app: Dash, grid_id: str) -> None:
    """Add the callbacks: the row that was chosen last is plotted, by the chosen level of theory and temperature.

    :param grid_id: of the table, whose rows have a ``key``.
    """

    @app.callback(Output(PLOTTED, "data"), Input(grid_id, "selectedRows"), prevent_initial_call=True)
    def choose(selected: list[Mapping[str, Any]] | None) -> Any:
        return str(selected[-1]["key"]) if selected else no_update

    @app.callback(
        Output(PLACE, "children"),
        Input(PLOTTED, "data"),
        Input(LEVEL, "value"),
        Input(TEMPERATURE, "value"),
        State(THEME, "data"),
        prevent_initial_call=True,
    )
    def draw(key: str | None, level: str | None, temperature: str | None, theme: str | None) -> list[Component]:
        view = View(level_of_theory=level or None, theme=theme)
        return cards(view.with_options(temperature=temperature or None, plot=key or None))


def cards(view: View) -> list[Component]:
    """Return the plot of the material in the option ``plot`` of a view, or how to get one."""
    chosen = _row(view)
    if chosen is None:
        return [card(TITLE, empty_state("No material is chosen.", "Click a row of the table to see its plot here."))]
    uuid = chosen["conductivity_uuid"]
    shown = replace(material_view(chosen["formula"], chosen["crystal_key"], uuid), theme=view.theme)
    drawn = material_line.figure(material.shown_of(shown))
    name = formula_label(chosen["formula"])
    link = page_link(f"page of {name}", str(chosen["href"]))
    by = "" if isinstance(uuid, str) else " It has no result at the level of theory and temperature chosen above."
    return [
        figure_card(
            FIGURE,
            f"{TITLE}: {name}",
            drawn,
            note=f"{chosen['crystal']}: all levels of theory.{by}",
            height_px=HEIGHT_PX,
            description=f"Arrhenius plot of {name}",
            actions=[link],
        )
    ]


def _row(view: View) -> Mapping[Any, Any] | None:
    """Return the row of the material in a view, with the key of its crystal; ``None`` without one."""
    table = material_rows(view)
    rows = table[table["key"] == view.option("plot")]
    if rows.empty:
        return None
    # The key of a row is that of its crystal, or, where it has none, its formula.
    record: dict[Any, Any] = rows.iloc[0].to_dict()
    has_crystal = record["key"] != record["formula"]
    return record | {"crystal_key": record["key"] if has_crystal else None, "conductivity_uuid": _text(record)}


def _text(record: Mapping[Any, Any]) -> str | None:
    uuid = record["conductivity_uuid"]
    return None if pd.isna(uuid) else str(uuid)
