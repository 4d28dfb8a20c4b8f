"""All results: one quantity over another, with a colour and a symbol for each level of theory."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from aiida_ion.dashboards.columns import column_title
from aiida_ion.dashboards.figures.theme import (
    UPPER_BOUND_SYMBOL,
    LevelStyle,
    Theme,
    empty_figure,
    faded,
    file_columns,
    formula_label,
    legend_below,
    new_figure,
    plain,
)
from aiida_ion.verdicts import POORLY_KNOWN

#: Maximum number of points: more would be slow in the browser and indistinguishable.
MOST_POINTS = 2000
#: Quantities that span decades.
LOGARITHMIC = ("conductivity", "diffusivity", "wall_time", "steps_per_s")
SIGMA = "ionic_conductivity_mS_cm"
BOUND = "ionic_conductivity_upper_bound_mS_cm"


def landscape(
    table: pd.DataFrame,
    x: str,
    y: str,
    styles: Mapping[str, LevelStyle],
    theme: Theme,
    picked: Collection[str] = (),
) -> go.Figure:
    """Return a point for each row; upper bounds of the conductivity are arrows, poorly known ones are not drawn.

    :param table: rows with ``formula``, ``level_of_theory``, ``uuid`` and the columns of both axes.
    :param x: column of the horizontal axis.
    :param y: column of the vertical axis.
    :param styles: colour and symbol of each level of theory.
    :param picked: keys of highlighted materials, their formulas if the table has no ``key``; all if empty.
    """
    if x not in table.columns or y not in table.columns:
        return empty_figure(theme, "These axes are not in the table.")
    shown = _with_bounds(_quotable(table, (x, y)), (x, y)).dropna(subset=[x, y]).head(MOST_POINTS)
    shown = shown[_drawable(shown[x], x) & _drawable(shown[y], y)]
    if shown.empty:
        return empty_figure(theme, f"No row has both {column_title(x)} and {column_title(y)}.")
    figure = new_figure(theme, column_title(x), column_title(y), showlegend=True)
    legend_below(figure).update_layout(dragmode="select", clickmode="event")
    for axis, name in (("xaxis", x), ("yaxis", y)):
        if is_logarithmic(name):
            figure.update_layout({axis: {"type": "log", "exponentformat": "power", "dtick": _ticks(shown[name])}})
    for level, rows in shown.groupby("level_of_theory", sort=True):
        figure.add_trace(_points(rows, str(level), x, y, styles[str(level)], theme, set(picked)))
    return figure


def is_logarithmic(name: str) -> bool:
    """Whether a quantity spans decades."""
    return any(word in name for word in LOGARITHMIC) and not name.startswith("log10")


def _quotable(table: pd.DataFrame, names: tuple[str, str]) -> pd.DataFrame:
    """Return the rows whose conductivity is more than an interval of decades; all if no axis is the conductivity."""
    return table[table["verdict"] != POORLY_KNOWN] if SIGMA in names and "verdict" in table else table


def _with_bounds(table: pd.DataFrame, names: tuple[str, str]) -> pd.DataFrame:
    """Return the table with the bound where there is no conductivity, and a column that marks bounds."""
    bounded = pd.Series(False, index=table.index)
    if SIGMA in names and BOUND in table.columns:
        bounded = table[SIGMA].isna() & table[BOUND].notna()
        table = table.assign(**{SIGMA: table[SIGMA].fillna(table[BOUND])})
    return table.assign(is_bound=bounded)


def _drawable(column: pd.Series[float], name: str) -> pd.Series[bool]:
    return column > 0 if is_logarithmic(name) else column.notna()


def _ticks(column: pd.Series[float]) -> int | str:
    """Return the number of decades between ticks; ranges within two decades also get ticks at 2 and 5."""
    decades = float(np.log10(column.max()) - np.log10(column.min()))  # their ratio may overflow
    return max(1, round(decades / 6)) if decades > 2 else "D2"


def _points(
    rows: pd.DataFrame, level: str, x: str, y: str, style: LevelStyle, theme: Theme, picked: set[str]
) -> go.Scatter:
    """Return the points of a level of theory; those not picked are faded."""
    keys = rows["key"] if "key" in rows else rows["formula"]
    out = keys.isin(picked)
    # Lists only where points differ: plotly validates each entry.
    symbol = np.where(rows["is_bound"], UPPER_BOUND_SYMBOL, style.symbol) if rows["is_bound"].any() else style.symbol
    width = np.where(out, 1.5, 0.5) if picked else 0.5
    color = np.where(out, style.color, faded(style.color, 0.15)) if picked else style.color
    edge = {"width": width, "color": theme.text if picked else theme.card}
    parts = [f"{column_title(name)} %{{{axis}:.3g}}" for name, axis in ((x, "x"), (y, "y"))]
    return go.Scatter(
        x=rows[x],
        y=rows[y],
        mode="markers",
        name=plain(level),
        customdata=np.stack([rows["uuid"], keys], axis=-1),
        meta=_file(rows, x, y),
        text=[plain(formula_label(formula)) for formula in rows["formula"]],
        marker={
            "symbol": symbol,
            "size": 9,
            "line": edge,
            "color": color,
        },
        hovertemplate="<br>".join([f"<b>%{{text}}</b> {plain(level)}", *parts]) + "<extra></extra>",
    )


def _file(rows: pd.DataFrame, x: str, y: str) -> dict[str, Any]:
    """Return what the file says of each point: which conductivities are bounds or poorly known, and their intervals."""
    poor = rows["verdict"].eq(POORLY_KNOWN) if "verdict" in rows else pd.Series(False, index=rows.index)
    nothing = pd.Series(False, index=rows.index)
    columns = file_columns(
        is_bound=rows["is_bound"] if y == SIGMA else nothing,
        x_is_bound=rows["is_bound"] if x == SIGMA else nothing,
        is_poorly_known=poor,
    )
    for axis, name in (("x", x), ("y", y)):
        before, found, unit = next((name.partition(end) for end in _UNITS if name.endswith(end)), (name, "", ""))
        for end in ("low", "high"):
            edge = f"{before}_ci95_{end}{found}{unit}"
            if found and edge in rows:
                columns["columns"][f"{axis} 95 % {end}"] = (
                    rows[edge].astype(object).where(rows[edge].notna(), None).tolist()
                )
    return columns


_UNITS = ("_mS_cm", "_cm2_s", "_eV")
