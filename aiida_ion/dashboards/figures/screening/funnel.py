"""The funnel of a screening: what became of the materials at each stage, and what that cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from aiida_ion.dashboards.figures.theme import OKABE_ITO, Theme, empty_figure, legend_below, new_figure, plain
from aiida_ion.units import duration

#: Column of the funnel -> name and colour, in the order of the bars.
PARTS = {
    "n_pass": ("pass", OKABE_ITO["bluish green"]),
    "n_unsure": ("unsure", OKABE_ITO["orange"]),
    "n_fail": ("fail", OKABE_ITO["vermillion"]),
    "n_error": ("could not be judged", OKABE_ITO["reddish purple"]),
    "n_not_reached": ("not reached: budget", OKABE_ITO["sky blue"]),
}
OPEN = "not judged yet"
LINE_PX, FRAME_PX = 56, 150
#: Beside the smallest and the largest cost, decades.
ROOM_DECADES = 0.3


def funnel_figure(table: pd.DataFrame, *, theme: Theme) -> go.Figure:
    """Return a bar for each stage, in the parts that its materials fell into.

    :param table: of `aiida_ion.queries.funnel`.
    """
    if table.empty or not table["n_materials"].notna().any():
        return empty_figure(theme, "The screening has no stages with materials.")
    stages = [plain(name) for name in table["stage"]]
    figure = new_figure(theme, "materials", "", barmode="stack", bargap=0.3)
    for column, (name, color) in PARTS.items():
        numbers = table[column].astype(float)
        if numbers.fillna(0.0).sum() > 0:
            figure.add_bar(
                x=numbers,
                y=stages,
                orientation="h",
                name=name,
                marker={"color": color},
                text=["" if not number > 0 else f"{number:.0f}" for number in numbers],
                textposition="inside",
                insidetextanchor="middle",
                hovertemplate=f"%{{y}}: %{{x}} {name}<extra></extra>",
            )
    pending = table["n_materials"].astype(float).where(table["state"] == "running")
    if pending.notna().any():
        figure.add_bar(
            x=pending,
            y=stages,
            orientation="h",
            name=OPEN,
            marker={"color": theme.grid, "line": {"color": theme.muted, "width": 1}},
            hovertemplate=f"%{{y}}: %{{x}} {OPEN}<extra></extra>",
        )
    figure.update_yaxes(categoryorder="array", categoryarray=stages[::-1], showgrid=False)
    return legend_below(figure, lines=1).update_layout(showlegend=True, legend_traceorder="normal")


def cost_figure(table: pd.DataFrame, *, theme: Theme) -> go.Figure:
    """Return the core time of each stage, on a logarithmic axis.

    :param table: of `aiida_ion.queries.funnel`.
    """
    known = table[table["core_s"].astype(float) > 0]
    if known.empty:
        return empty_figure(theme, "No stage has spent anything that its jobs account for.")
    stages = [plain(name) for name in known["stage"]]
    figure = new_figure(theme, "core time (s)", "")
    # Points: a bar on a logarithmic axis has no length that means anything.
    figure.add_scatter(
        x=known["core_s"].astype(float),
        y=stages,
        mode="markers+text",
        marker={"color": OKABE_ITO["blue"], "size": 13, "symbol": "diamond"},
        text=[duration(float(seconds)) for seconds in known["core_s"]],
        textposition="top center",
        cliponaxis=False,
        hovertemplate="%{y}: %{text}<extra></extra>",
    )
    places: dict[str, Any] = {
        "categoryorder": "array",
        "categoryarray": stages[::-1],
        "range": [-0.6, len(stages) - 0.3],
    }
    figure.update_yaxes(showgrid=False, **places)
    decades = np.log10(known["core_s"].astype(float))
    low, high = float(decades.min()) - ROOM_DECADES, float(decades.max()) + ROOM_DECADES
    ticks = "D2" if high - low < 2.0 else 1
    return figure.update_xaxes(type="log", exponentformat="power", dtick=ticks, range=[low, high])


def height_px(table: pd.DataFrame) -> int:
    """Return the height at which the stages are readable."""
    return FRAME_PX + LINE_PX * max(len(table), 3)
