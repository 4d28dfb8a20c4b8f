"""Predictions for held-out materials against their labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from aiida_ion.dashboards.figures.theme import (
    LevelStyle,
    Theme,
    empty_figure,
    faded,
    file_columns,
    formula_label,
    legend_below,
    level_styles,
    new_figure,
    plain,
)

#: Number of chemical systems, the most frequent ones, with their own colour; the others share one.
MAX_SYSTEMS = 12
OTHERS = "others"
UNIT = "log<sub>10</sub> of the MSD slope (Å²/ps)"
CENSORED_SYMBOL = "arrow-left-open"
ROOM = 0.3


def parity_figure(rows: pd.DataFrame, clip: float, *, theme: Theme) -> go.Figure:
    """Return the held-out prediction of each material over its label.

    Bars are the conformal intervals. A label that is only an upper bound is an arrow towards possible values. Values
    below `clip` are drawn at it, since slower motion cannot be resolved.

    :param rows: of `aiida_ion.dashboards.surrogate_rows.report_rows`.
    :param clip: floor of labels and predictions, log10 of the slope in angstrom^2/ps.
    """
    shown = rows[np.isfinite(rows["true"]) & np.isfinite(rows["predicted"])]
    if shown.empty:
        return empty_figure(theme, "The report has no predictions for held-out materials.")
    figure = new_figure(theme, f"{UNIT}, label", f"{UNIT}, predicted")
    edges = shown[["true", "predicted"]].to_numpy(dtype=float).clip(min=clip)
    low, high = float(edges.min()) - ROOM, float(edges.max()) + ROOM
    _add_lines(figure, low, high, clip, theme)
    styles = system_styles(shown["chemical_system"], theme)
    for system, group in shown.assign(series=named_systems(shown["chemical_system"])).groupby("series", sort=False):
        _add_system(figure, group, str(system), styles[str(system)], clip)
    figure.update_xaxes(range=[low, high])
    figure.update_yaxes(range=[low, high])
    return legend_below(figure, lines=3)


def named_systems(systems: pd.Series[Any]) -> pd.Series[Any]:
    """Return the chemical system of each row, or `OTHERS` if it is not among the most frequent."""
    counts = systems.astype(str).value_counts(sort=False).sort_index(kind="stable").sort_values(ascending=False)
    named = set(counts.index[: MAX_SYSTEMS if len(counts) > MAX_SYSTEMS else None])
    return systems.astype(str).where(systems.astype(str).isin(named), OTHERS)


def system_styles(systems: pd.Series[Any], theme: Theme) -> dict[str, LevelStyle]:
    """Return colour and symbol of each named chemical system, the same in all figures of a report."""
    named = set(named_systems(systems)) - {OTHERS}
    return level_styles(named) | {OTHERS: LevelStyle(theme.muted, "circle")}


def _add_lines(figure: go.Figure, low: float, high: float, clip: float, theme: Theme) -> None:
    """Add the diagonal and the floor."""
    line = {"color": theme.muted, "width": 1.5, "dash": "dash"}
    figure.add_scatter(x=[low, high], y=[low, high], mode="lines", name="equal", line=line, hoverinfo="skip")
    dotted = {"color": theme.grid, "width": 1.5, "dash": "dot"}
    figure.add_vline(x=clip, line=dotted, layer="below")
    figure.add_hline(y=clip, line=dotted, layer="below")


def _add_system(figure: go.Figure, rows: pd.DataFrame, name: str, style: LevelStyle, clip: float) -> None:
    censored = rows["censored"].to_numpy(dtype=bool)
    predicted = rows["predicted"].to_numpy(dtype=float).clip(min=clip)
    figure.add_scatter(
        x=rows["true"].to_numpy(dtype=float).clip(min=clip),
        y=predicted,
        mode="markers",
        name=plain(name),
        marker={
            "symbol": [CENSORED_SYMBOL if is_censored else style.symbol for is_censored in censored],
            "size": 10,
            "color": style.color,
            "line": {"width": 1.5, "color": style.color},
        },
        error_y={
            "type": "data",
            "symmetric": False,
            "array": np.maximum(rows["high"].to_numpy(dtype=float) - predicted, 0.0),
            "arrayminus": np.maximum(predicted - rows["low"].to_numpy(dtype=float).clip(min=clip), 0.0),
            "color": faded(style.color, 0.35),
            "thickness": 1.2,
            "width": 2,
        },
        customdata=rows[["diffusion_uuid"]].to_numpy(dtype=object),
        meta=file_columns(x_is_bound=censored),
        text=[hover_words(row) for row in rows.to_dict("records")],
        hovertemplate="%{text}<extra></extra>",
    )


def hover_words(row: Mapping[Any, Any]) -> str:
    """Return the hover text of a material; text of nodes is escaped."""
    sign = "&lt; " if row["censored"] else ""
    lines = [
        f"<b>{plain(formula_label(row['formula']))}</b>, {plain(row['chemical_system'])}",
        f"label {sign}{row['true']:.2f}, predicted {row['predicted']:.2f}",
        f"95 % from {row['low']:.2f} to {row['high']:.2f}",
        plain(row["level_of_theory"]),
    ]
    return "<br>".join(lines)
