"""Differences of each material from the reference, sorted, with intervals."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from aiida_ion.dashboards.figures.parity import hover_words
from aiida_ion.dashboards.figures.theme import (
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
from aiida_ion.dashboards.quantities import Quantity

#: Maximum number of materials in a figure; all are in the table.
MAX_MATERIALS = 40
LINE_PX, FRAME_PX = 24, 150
ARROWS = {"upper": "arrow-left", "lower": "arrow-right", "poorly known": "line-ns-open"}


def error_figure(
    table: pd.DataFrame, quantity: Quantity, reference: str, styles: Mapping[str, LevelStyle], *, theme: Theme
) -> go.Figure:
    """Return the difference of each material from the reference, with the largest mean at the top.

    Bounds are arrows towards possible differences. Of many materials those with the largest differences are shown.

    :param table: of `aiida_ion.dashboards.pairs.pairs`.
    """
    known = _with_names(table[table["difference_kind"] != "unknown"])
    if known.empty:
        return empty_figure(theme, "No material has a difference.")
    order = material_order(known)
    figure = new_figure(theme, _title(quantity, reference), "")
    _add_band(figure, quantity, theme)
    for level, rows in known[known["material"].isin(order)].groupby("y_level_of_theory", sort=True):
        _add_level(figure, rows, str(level), styles[str(level)], quantity, reference)
    labels = [plain(name) for name in order]
    figure.update_yaxes(categoryorder="array", categoryarray=labels[::-1], tickmode="linear", showgrid=True)
    return legend_below(figure)


def material_order(table: pd.DataFrame) -> list[str]:
    """Return the materials from the most positive to the most negative mean difference; of many the largest."""
    means = _with_names(table).groupby("material")["difference"].mean()
    kept = means[means.abs().sort_values(ascending=False).index[:MAX_MATERIALS]]
    return [str(name) for name in kept.sort_values(ascending=False).index]


def height_px(table: pd.DataFrame) -> int:
    """Return the height at which the materials are readable."""
    known = table[table["difference_kind"] != "unknown"]
    n = min(_with_names(known)["material"].nunique(), MAX_MATERIALS)
    return max(FRAME_PX + LINE_PX * n, 260)


def _with_names(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the names of its materials: the formulas, unless it says more."""
    return table if "material" in table else table.assign(material=table["formula"].map(formula_label))


def _title(quantity: Quantity, reference: str) -> str:
    if quantity.logarithmic:
        return f"log<sub>10</sub>({quantity.symbol} / {quantity.symbol} of {plain(reference)})"
    return f"{quantity.symbol} − {quantity.symbol} of {plain(reference)} ({quantity.unit})"


def _add_band(figure: go.Figure, quantity: Quantity, theme: Theme) -> None:
    shade = {"fillcolor": faded(theme.muted, 0.14), "line_width": 0, "layer": "below"}
    figure.add_vrect(x0=-quantity.band, x1=quantity.band, **shade)
    figure.add_vline(x=0.0, line={"color": theme.muted, "width": 1.5, "dash": "dash"})


def _add_level(
    figure: go.Figure, rows: pd.DataFrame, level: str, style: LevelStyle, quantity: Quantity, reference: str
) -> None:
    figure.add_scatter(
        x=rows["difference"],
        y=[plain(name) for name in rows["material"]],
        mode="markers",
        name=plain(level),
        marker={
            "symbol": [ARROWS.get(str(kind), style.symbol) for kind in rows["difference_kind"]],
            "size": 11,
            "color": style.color,
            "line": {"width": 1, "color": style.color},
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": rows["difference_up"].tolist(),
            "arrayminus": rows["difference_down"].tolist(),
            "color": faded(style.color, 0.6),
            "thickness": 1.5,
            "width": 4,
        },
        customdata=rows[["y_uuid", "x_uuid"]].to_numpy(dtype=object),
        meta=file_columns(
            x_is_bound=rows["difference_kind"].isin(["upper", "lower"]),
            is_upper_bound=rows["difference_kind"] == "upper",
            is_lower_bound=rows["difference_kind"] == "lower",
            refused=rows["y_refused"],
            is_poorly_known=rows["difference_kind"] == "poorly known",
        ),
        text=[hover_words(row, quantity, level, reference) for row in rows.to_dict("records")],
        hovertemplate="%{text}<extra></extra>",
    )
