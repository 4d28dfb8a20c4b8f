"""Conductivities of all materials at one level of theory, ordered, beside what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from aiida_ion.dashboards.figures.theme import (
    EXPERIMENT_SYMBOL,
    OKABE_ITO,
    Theme,
    empty_figure,
    file_columns,
    legend_below,
    new_figure,
    plain,
)
from aiida_ion.dashboards.material_rows import BOUND, EDGES, EXPERIMENT, SIGMA

#: Grade of a result -> colour and symbol; the symbol says it without the colour, too.
GRADES = {
    "A": (OKABE_ITO["bluish green"], "circle"),
    "B": (OKABE_ITO["blue"], "square"),
    "C": (OKABE_ITO["orange"], "diamond"),
    "D": (OKABE_ITO["vermillion"], "x"),
}
UPPER_BOUND, NO_GRADE = "upper bound", "no grade"
#: With at most this many materials each has its name on the axis.
MOST_NAMES = 40
#: With at most this many each has its interval: more would be one grey area.
MOST_BARS = 400
LINE_PX, FRAME_PX, TALLEST_PX = 21, 150, 620


def strip_figure(table: pd.DataFrame, *, theme: Theme, at: str) -> go.Figure:
    """Return log sigma of each material with its 95 % interval, the best on top; bounds are arrows, experiments stars.

    What is poorly known or undetermined is not drawn: the page counts it.

    :param table: rows of `aiida_ion.dashboards.material_rows.material_rows` with ``name``.
    :param at: level of theory and temperature, for the axis.
    """
    shown = ordered(table)
    if shown.empty:
        return empty_figure(theme, f"There is no conductivity by {at}.")
    figure = new_figure(theme, f"σ (mS/cm)<br>{plain(at)}", "", showlegend=True)
    for grade in [*GRADES, NO_GRADE, UPPER_BOUND]:
        rows = shown[shown["series"] == grade]
        if len(rows):
            _add_series(figure, rows, grade, theme, with_bars=len(shown) <= MOST_BARS)
    _add_experiments(figure, shown, theme)
    figure.update_xaxes(type="log", exponentformat="power", dtick=_ticks(shown))
    places = {"range": [-0.7, len(shown) - 0.3], "zeroline": False, "showgrid": len(shown) <= MOST_NAMES}
    if len(shown) <= MOST_NAMES:
        places |= {"tickvals": shown["place"].tolist(), "ticktext": [plain(name) for name in shown["name"]]}
    else:
        places |= {"showticklabels": False, "title": {"text": f"{len(shown):,} materials, by σ"}}
    figure.update_yaxes(**places)
    return legend_below(figure, lines=3)


def ordered(table: pd.DataFrame) -> pd.DataFrame:
    """Return the materials with a value or a bound, by rising conductivity, with ``place`` and ``series``."""
    bound = table[BOUND].where(table[SIGMA].isna())
    x = table[SIGMA].fillna(bound)
    grades = table["grade"].where(table["grade"].isin(GRADES), NO_GRADE)
    made = table.assign(x=x, series=grades.where(bound.isna(), UPPER_BOUND))
    made = made[np.isfinite(made["x"]) & (made["x"] > 0)].sort_values("x", ignore_index=True)
    return pd.DataFrame(made.assign(place=np.arange(len(made))))


def height_px(table: pd.DataFrame) -> int:
    """Return the height at which the names are readable."""
    return min(max(FRAME_PX + LINE_PX * len(ordered(table)), 240), TALLEST_PX)


def _add_series(figure: go.Figure, rows: pd.DataFrame, name: str, theme: Theme, with_bars: bool) -> None:
    color, symbol = GRADES.get(name, (theme.muted, "arrow-left" if name == UPPER_BOUND else "circle-open"))
    is_bound = name == UPPER_BOUND
    bars: dict[str, Any] = {}
    if with_bars and not is_bound:
        up, down = (rows[EDGES[1]] - rows["x"]).clip(lower=0.0), (rows["x"] - rows[EDGES[0]]).clip(lower=0.0)
        ends = {"array": up.fillna(0.0).tolist(), "arrayminus": down.fillna(0.0).tolist()}
        bars = {"error_x": {"type": "data", "symmetric": False, "color": color, "thickness": 1.3, "width": 0} | ends}
    figure.add_scatter(
        x=rows["x"].tolist(),
        y=rows["place"].tolist(),
        mode="markers",
        name=name if name in (UPPER_BOUND, NO_GRADE) else f"grade {name}",
        marker={"color": color, "symbol": symbol, "size": 9, "line": {"width": 1, "color": color}},
        customdata=rows[["conductivity_uuid"]].to_numpy(dtype=object),
        meta=file_columns(x_is_bound=[is_bound] * len(rows)),
        text=[_words(row) for row in rows.to_dict("records")],
        hovertemplate="%{text}<extra></extra>",
        **bars,
    )


def _words(row: Mapping[Any, Any]) -> str:
    lines = [f"<b>{plain(row['name'])}</b>", plain(f"σ {row['sigma_words']} mS/cm")]
    if row["experiment_words"] != "-":
        lines.append(plain(f"measured: {row['experiment_words']}"))
    return "<br>".join(lines)


def _add_experiments(figure: go.Figure, shown: pd.DataFrame, theme: Theme) -> None:
    measured = shown[shown[EXPERIMENT].notna() & (shown[EXPERIMENT] > 0)]
    if measured.empty:
        return
    figure.add_scatter(
        x=measured[EXPERIMENT].tolist(),
        y=measured["place"].tolist(),
        mode="markers",
        name="experiment",
        marker={"symbol": EXPERIMENT_SYMBOL, "size": 13, "color": theme.experiment},
        customdata=measured[["conductivity_uuid"]].to_numpy(dtype=object),
        text=[_words(row) for row in measured.to_dict("records")],
        hovertemplate="%{text}<extra></extra>",
    )


def _ticks(shown: pd.DataFrame) -> int | str:
    decades = float(np.log10(shown["x"].max()) - np.log10(shown["x"].min()))
    return max(1, round(decades / 8)) if decades > 2 else "D2"
