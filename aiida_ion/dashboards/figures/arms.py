"""A surrogate, its controls, baselines and ablations: scores as bars, noise ceiling as a line."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from aiida_ion.dashboards.figures.theme import OKABE_ITO, Theme, empty_figure, legend_below, new_figure, plain

#: Kind of an arm -> colour and label.
KINDS = {
    "model": (OKABE_ITO["blue"], "the model"),
    "control": (OKABE_ITO["vermillion"], "controls: must be beaten"),
    "baseline": (OKABE_ITO["orange"], "baselines: must be beaten"),
    "ablation": (OKABE_ITO["sky blue"], "ablations: parts of the model"),
}
#: Bars are cut here; scores worse than predicting the mean need no exact length.
LOWEST = -0.5
LINE_PX, FRAME_PX = 34, 180


def arms_figure(arms: pd.DataFrame, ceiling: float | None, *, theme: Theme) -> go.Figure:
    """Return the R2 of each arm on held-out materials with its spread over repeats, in the order of the report.

    :param arms: from `aiida_ion.dashboards.surrogate_rows.arm_rows`.
    :param ceiling: the largest R2 that the noise of the labels allows.
    """
    known = arms[arms["r2"].notna()]
    if known.empty:
        return empty_figure(theme, "The report has no arms.")
    figure = new_figure(theme, "R<sup>2</sup> on held-out materials", "", bargap=0.35)
    for kind, (color, words) in KINDS.items():
        rows = known[known["kind"] == kind]
        if len(rows):
            figure.add_bar(
                x=rows["r2"].clip(lower=LOWEST),
                y=[plain(name) for name in rows["name"]],
                orientation="h",
                name=words,
                marker={"color": color},
                error_x={"type": "data", "array": rows["r2_std"].fillna(0.0), "color": theme.text, "thickness": 1.3},
                text=[f"{value:.2f}" for value in rows["r2"]],
                textposition="inside",
                insidetextanchor="start",
                hovertemplate="%{y}: %{text}<extra></extra>",
            )
    if ceiling is not None:
        line = {"color": theme.text, "width": 2, "dash": "dash"}
        above = {"annotation_text": f"noise ceiling {ceiling:.2f}", "annotation_position": "top"}
        figure.add_vline(x=ceiling, line=line, annotation_xanchor="right", **above)
    figure.add_vline(x=0.0, line={"color": theme.muted, "width": 1})
    labels = [plain(name) for name in known["name"]]
    figure.update_yaxes(categoryorder="array", categoryarray=labels[::-1], showgrid=False)
    figure.update_xaxes(range=[min(0.0, max(float(known["r2"].min()), LOWEST)) - 0.05, 1.05])
    return legend_below(figure)


def height_px(arms: pd.DataFrame) -> int:
    """Return the height at which the arms are readable."""
    return FRAME_PX + LINE_PX * max(len(arms), 6)
