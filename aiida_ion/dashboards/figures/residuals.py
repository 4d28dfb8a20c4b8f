"""Errors of a surrogate by chemical system."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from aiida_ion.dashboards.figures.surrogate_parity import hover_words, named_systems, system_styles
from aiida_ion.dashboards.figures.theme import Theme, empty_figure, faded, file_columns, new_figure, plain

#: Fewest materials for a box.
SMALLEST_BOX = 5
CENSORED_SYMBOL = "arrow-right-open"
LINE_PX, FRAME_PX = 30, 130


def residual_figure(rows: pd.DataFrame, clip: float, halfwidth_dex: float | None, *, theme: Theme) -> go.Figure:
    """Return prediction minus label of each material, one strip for each chemical system, the worst at the top.

    A label that is only an upper bound is an arrow towards possible residuals, and excluded from boxes.

    :param rows: of `aiida_ion.dashboards.surrogate_rows.report_rows`.
    :param clip: floor of labels and predictions, log10 of the slope in angstrom^2/ps.
    :param halfwidth_dex: half the width of the conformal interval, drawn as a band.
    """
    shown = rows.assign(residual=residuals(rows, clip), series=named_systems(rows["chemical_system"]))
    shown = shown[np.isfinite(shown["residual"])]
    if shown.empty:
        return empty_figure(theme, "The report has no predictions for held-out materials.")
    figure = new_figure(theme, "predicted − label (decades)", "", showlegend=False)
    if halfwidth_dex is not None:
        shade = {"fillcolor": faded(theme.muted, 0.14), "line_width": 0, "layer": "below"}
        figure.add_vrect(x0=-halfwidth_dex, x1=halfwidth_dex, **shade)
    figure.add_vline(x=0.0, line={"color": theme.muted, "width": 1.5, "dash": "dash"})
    styles = system_styles(shown["chemical_system"], theme)
    for system, group in shown.groupby("series", sort=True):
        _add_system(figure, group, plain(system), styles[str(system)].color)
    order = shown["residual"].abs().groupby(shown["series"]).median().sort_values()
    figure.update_yaxes(categoryorder="array", categoryarray=[plain(system) for system in order.index], showgrid=True)
    return figure


def residuals(rows: pd.DataFrame, clip: float) -> pd.Series[float]:
    """Return prediction minus label, decades, both clipped to the floor."""
    return rows["predicted"].clip(lower=clip) - rows["true"].clip(lower=clip)


def height_px(rows: pd.DataFrame) -> int:
    """Return the height at which the systems are readable."""
    return FRAME_PX + LINE_PX * max(named_systems(rows["chemical_system"]).nunique(), 5)


def _add_system(figure: go.Figure, rows: pd.DataFrame, name: str, color: str) -> None:
    """Add the materials of a system, with a box if there are enough."""
    detected = rows.loc[~rows["censored"].astype(bool), "residual"]
    if len(detected) >= SMALLEST_BOX:
        look: dict[str, Any] = {
            "boxpoints": False,
            "fillcolor": faded(color, 0.15),
            "line": {"width": 1, "color": color},
        }
        figure.add_box(x=detected, y=[name] * len(detected), orientation="h", hoverinfo="skip", name=name, **look)
    figure.add_scatter(
        x=rows["residual"],
        y=[name] * len(rows),
        mode="markers",
        name=name,
        marker={
            "symbol": [CENSORED_SYMBOL if is_censored else "circle" for is_censored in rows["censored"]],
            "size": 8,
            "color": color,
            "line": {"width": 1, "color": color},
        },
        customdata=rows[["diffusion_uuid"]].to_numpy(dtype=object),
        meta=file_columns(label_is_bound=rows["censored"]),
        text=[hover_words(row) for row in rows.to_dict("records")],
        hovertemplate="%{text}<extra></extra>",
    )
