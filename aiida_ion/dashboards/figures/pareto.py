"""Accuracy over cost: which levels of theory are on the Pareto front."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from aiida_ion.dashboards.figures.parity import log_axis
from aiida_ion.dashboards.figures.theme import (
    LevelStyle,
    Theme,
    empty_figure,
    faded,
    formula_label,
    legend_below,
    new_figure,
    plain,
)


def pareto_figure(
    points: pd.DataFrame,
    levels: pd.DataFrame,
    x_title: str,
    y_title: str,
    styles: Mapping[str, LevelStyle],
    *,
    theme: Theme,
) -> go.Figure:
    """Return the error of each level of theory over its cost, small for each material, large for the median.

    The front connects the levels that no other beats in both; the reference is on it with an error of zero.

    :param points: from `aiida_ion.dashboards.accuracy.points`: ``formula``, ``level_of_theory``, ``cost``, ``error``,
        ``uuid``.
    :param levels: from `aiida_ion.dashboards.accuracy.levels`: ``level_of_theory``, ``cost``, ``error``,
        ``n_materials``, ``on_front``, ``is_reference``.
    """
    if levels.empty:
        return empty_figure(theme, "No level of theory has both an error and a cost.")
    figure = new_figure(theme, plain(x_title), plain(y_title))
    _add_front(figure, levels[levels["on_front"].astype(bool)], theme)
    for row in levels.to_dict("records"):
        level = str(row["level_of_theory"])
        _add_materials(figure, points[points["level_of_theory"] == level], level, styles[level])
        words = f"<b>{plain(level)}</b><br>cost {row['cost']:.3g}, error {row['error']:.3g}"
        words += "<br>the reference" if row["is_reference"] else f"<br>median of {row['n_materials']} materials"
        figure.add_scatter(
            x=[row["cost"]],
            y=[row["error"]],
            mode="markers",
            name=plain(level) + (" (reference)" if row["is_reference"] else ""),
            legendgroup=level,
            marker={
                "symbol": styles[level].symbol,
                "size": 17,
                "color": styles[level].color,
                "line": {"color": theme.text, "width": 1.5},
            },
            hovertemplate=f"{words}<extra></extra>",
        )
    _finish_axes(figure, pd.concat([points, levels]))
    return legend_below(figure)


def _finish_axes(figure: go.Figure, drawn: pd.DataFrame) -> None:
    """Let the cost span at least a decade, and the error axis start slightly below zero, for the reference."""
    decades = np.log10(drawn["cost"].to_numpy(dtype=float))
    room = max(0.08 * float(np.ptp(decades)), (1.0 - float(np.ptp(decades))) / 2.0)
    low, high = float(decades.min()) - room, float(decades.max()) + room
    top = float(drawn["error"].max()) or 1.0
    figure.update_xaxes(range=[low, high], **log_axis(high - low))
    figure.update_yaxes(range=[-0.06 * top, 1.08 * top])


def _add_front(figure: go.Figure, front: pd.DataFrame, theme: Theme) -> None:
    ordered = front.sort_values("cost")
    figure.add_scatter(
        x=ordered["cost"],
        y=ordered["error"],
        mode="lines",
        line={"color": theme.muted, "width": 2, "shape": "hv", "dash": "dot"},
        name="front: none is better in both",
        hoverinfo="skip",
    )


def _add_materials(figure: go.Figure, rows: pd.DataFrame, level: str, style: LevelStyle) -> None:
    if rows.empty:
        return
    figure.add_scatter(
        x=rows["cost"],
        y=rows["error"],
        mode="markers",
        name=f"{plain(level)}, each material",
        legendgroup=level,
        showlegend=False,
        marker={"symbol": style.symbol, "size": 7, "color": faded(style.color, 0.45)},
        customdata=rows[["uuid"]].to_numpy(dtype=object),
        text=[plain(formula_label(formula)) for formula in rows["formula"]],
        hovertemplate=f"<b>%{{text}}</b>, {plain(level)}<br>cost %{{x:.3g}}, error %{{y:.3g}}<extra></extra>",
    )
