"""Errors by element: the mean signed difference of the materials that contain it."""

from __future__ import annotations

import re

import pandas as pd
import plotly.graph_objects as go
from dash import dcc
from dash.development.base_component import Component

from aiida_ion.dashboards.comparing import ALL, Choices, chosen_pairs
from aiida_ion.dashboards.components import card, control, empty_state, figure_card
from aiida_ion.dashboards.figures.levels.element_errors import HEIGHT_PX, NARROWEST_PX, element_errors_figure
from aiida_ion.dashboards.figures.theme import empty_figure, theme_named
from aiida_ion.dashboards.state import View

FIGURE, LEVEL = "compare-elements", "compare-map-level"
TITLE = "Mean error by element"
COLUMNS = ("element", "mean", "n_pairs", "n_materials")
_ELEMENT = re.compile(r"[A-Z][a-z]?")


def element_errors(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the mean signed difference of the pairs whose formula contains each element: columns `COLUMNS`.

    Only differences of two values of one crystal count; bounds and what is poorly known have none.

    :param pairs: of one level of theory, from `aiida_ion.dashboards.pairs.pairs`.
    """
    counted = pairs[(pairs["difference_kind"] == "value") & pairs["same_structure"].astype(bool)]
    rows = [
        {"element": element, "difference": float(difference), "material": formula}
        for formula, difference in zip(counted["formula"], counted["difference"], strict=True)
        for element in sorted(set(_ELEMENT.findall(str(formula))))
    ]
    table = pd.DataFrame(rows, columns=["element", "difference", "material"])
    made = table.groupby("element", as_index=False).agg(
        mean=("difference", "mean"), n_pairs=("difference", "size"), n_materials=("material", "nunique")
    )
    return made[list(COLUMNS)]


def mapped_level(view: View, made: Choices, pairs: pd.DataFrame) -> str | None:
    """Return the level of theory of the map: the one that is compared, else that of the address, else the commonest."""
    counted = pairs[pairs["difference_kind"] == "value"]
    known = [str(level) for level in counted["y_level_of_theory"].value_counts().index]
    if made.level != ALL:
        return made.level if made.level in known else None
    asked = view.option("map")
    return asked if asked in known else next(iter(known), None)


def figure(view: View, made: Choices) -> go.Figure:
    """Return the map of a view."""
    pairs = chosen_pairs(view, made)
    level, theme = mapped_level(view, made, pairs), theme_named(view.theme)
    if level is None:
        return empty_figure(theme, "No pair has two values.")
    table = element_errors(pairs[pairs["y_level_of_theory"] == level])
    return element_errors_figure(table, made.quantity, made.reference, theme=theme)


def map_card(view: View, made: Choices, pairs: pd.DataFrame) -> Component:
    """Return the map with the choice of one level of theory: errors of several levels are not averaged."""
    level = mapped_level(view, made, pairs)
    if level is None:
        return card(TITLE, empty_state("No pair has two values.", "Bounds and poorly known values have no difference."))
    table = element_errors(pairs[pairs["y_level_of_theory"] == level])
    names = sorted({str(name) for name in pairs["y_level_of_theory"]}) if made.level == ALL else [level]
    choice = dcc.Dropdown(names, level, id=LEVEL, clearable=False, className="dropdown wide")
    return figure_card(
        FIGURE,
        TITLE,
        figure(view, made),
        note=f"Against {made.reference}. A material counts for every element that it contains.",
        height_px=HEIGHT_PX,
        width_px=NARROWEST_PX,
        controls=[control("errors of", choice)],
        description=_in_words(table, level, made),
    )


def _in_words(table: pd.DataFrame, level: str, made: Choices) -> str:
    unit = "decades" if made.quantity.logarithmic else made.quantity.unit
    largest = table.reindex(table["mean"].abs().sort_values(ascending=False).index).head(5)
    words = [
        f"{name} {mean:+.2f} of {n}"
        for name, mean, n in zip(largest["element"], largest["mean"], largest["n_pairs"], strict=True)
    ]
    return f"Periodic table of mean differences of {level} from {made.reference} in {unit}; largest: {', '.join(words)}"
