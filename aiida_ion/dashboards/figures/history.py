"""The error at each temperature as its runs were extended."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from aiida_ion.dashboards.figures.msd import temperature_colors
from aiida_ion.dashboards.figures.theme import SYMBOLS, Theme, empty_figure, legend_below, new_figure, plain


def history_figure(rounds: pd.DataFrame, *, theme: Theme) -> go.Figure:
    """Return the relative error of D* over the length of a run, a line for each temperature, and the target error.

    A temperature without detected diffusion, and so without an error, is in the legend with the reason why it stopped.

    :param rounds: rows of `aiida_ion.queries.details.history`.
    """
    if rounds.empty:
        return empty_figure(theme, "These runs were not extended.")
    figure = new_figure(theme, "time of a run (ps)", "relative error of D*")
    temperatures = rounds["temperature_K"].astype(float)
    colors = temperature_colors(temperatures.tolist(), theme)
    for number, (temperature, rows) in enumerate(rounds.assign(temperature_K=temperatures).groupby("temperature_K")):
        end = rows.sort_values("round")["reason"].iloc[-1]
        words = f"{temperature:.0f} K" + (f": {str(end).replace('_', ' ')}" if isinstance(end, str) else "")
        figure.add_scatter(
            x=rows["time_ps"],
            y=pd.to_numeric(rows["relative_error"]),
            mode="lines+markers",
            line={"color": colors[float(str(temperature))], "width": 2},
            marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 9},
            customdata=rows[["uuid"]].to_numpy(),
            name=plain(words),
            hovertemplate="%{x:.3g} ps: %{y:.2g}<extra>%{fullData.name}</extra>",
        )
    targets = pd.to_numeric(rounds["target_relative_error"]).dropna()
    if len(targets):
        figure.add_hline(
            y=float(targets.iloc[-1]),
            line={"color": theme.muted, "width": 1.5, "dash": "dash"},
            annotation={"text": "wanted", "font": {"color": theme.muted}},
        )
    figure.update_yaxes(rangemode="tozero")
    return legend_below(figure).update_layout(showlegend=True)
