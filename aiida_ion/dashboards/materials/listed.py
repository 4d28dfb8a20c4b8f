"""The rows of the table of materials, and the figure that shows their results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from dash import dcc
from dash.development.base_component import Component

from aiida_ion.dashboards import components, tables
from aiida_ion.dashboards.choosing import within
from aiida_ion.dashboards.columns import column_title, numeric_columns
from aiida_ion.dashboards.comparing import level_names
from aiida_ion.dashboards.components import control
from aiida_ion.dashboards.figures.landscape import MOST_POINTS, landscape
from aiida_ion.dashboards.figures.theme import level_styles, theme_named
from aiida_ion.dashboards.filtering import filtered, with_elements
from aiida_ion.dashboards.material_rows import (
    BOUND,
    ENERGY,
    EXPERIMENT,
    SIGMA,
    level_of,
    material_rows,
    results_of,
    temperature_of,
)
from aiida_ion.dashboards.pages.materials_choices import matching
from aiida_ion.dashboards.serving.origins import ARCHIVE
from aiida_ion.dashboards.state import View, filter_model

FIGURE = "materials-figure"
X, Y = ENERGY, SIGMA
#: Columns shown by default, in this order; others can be chosen.
SHOWN = (
    *("formula", "crystal", SIGMA, "grade", ENERGY, EXPERIMENT),
    *("n_levels", "n_running", "n_failed", "time"),
)
#: Those of these that change while something runs.
ACTIVE = ("n_running", "n_failed")


def materials(view: View) -> pd.DataFrame:
    """Return the table of materials, with the result of the level and temperature of a view and the address of each."""
    table = material_rows(view)
    first = shown_columns(table)
    return table[[*first, *(name for name in table.columns if name not in first)]]


def shown_columns(table: pd.DataFrame) -> list[str]:
    """Return the columns shown by default; of several archives, in which nothing runs, the archive of each row."""
    names = (*(name for name in SHOWN if name not in ACTIVE), ARCHIVE) if ARCHIVE in table.columns else SHOWN
    return [name for name in names if name in table.columns]


def matching_rows(model: Mapping[str, Any] | None, asked: View) -> pd.DataFrame:
    """Return the materials that match all choices."""
    table = with_elements(matching(asked), asked.elements)
    if asked.selected:
        table = table[table["key"].isin(asked.selected)]
    return filtered(table, model)


def figure(table: pd.DataFrame, x: str, y: str, asked: View, marked: list[str], theme: str | None) -> Any:
    """Return the figure of the matching materials: their results of the level and temperature, group and time."""
    results = within(results_of(level_of(asked), temperature_of(asked)), asked)
    keys = results["crystal"].astype(object).where(results["crystal"].notna(), results["formula"])
    results = results.assign(key=keys)
    shown = results[results["key"].isin(set(table["key"]))].sort_values("time", ascending=False)
    return landscape(shown, x, y, level_styles(level_names()), theme_named(theme), marked)


def figure_card(view: View) -> Component:
    """Return the figure of the results of the materials in the table, with the choice of its axes."""
    results = tables.table("conductivity")
    x, y = view.x or X, view.y or Y
    model = filter_model(view.filters, numeric_columns(materials(view)))
    table = matching_rows(model, view)
    axes = [
        control(
            axis, dcc.Dropdown(_axes(results), value, id=f"materials-{axis}", clearable=False, className="dropdown")
        )
        for axis, value in (("x", x), ("y", y))
    ]
    note = "Click a point, or draw a box, to show only those materials."
    if len(results) > MOST_POINTS:
        note += f" Of more than {MOST_POINTS:,} results the newest are drawn."
    drawn = figure(table, x, y, view, [], view.theme)
    return components.figure_card(
        FIGURE, "Results", drawn, note=note, height_px=480, controls=axes, description="Results by level"
    )


def _axes(results: pd.DataFrame) -> list[dict[str, str]]:
    """Return the quantities that an axis may show."""
    names = [name for name in numeric_columns(results) if not name.endswith("pk") and name != BOUND]
    return [{"label": column_title(name), "value": name} for name in names]


def power(decade: int) -> str:
    """Return a power of ten: 1e-06 as 10⁻⁶."""
    return "10" + str(decade).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
