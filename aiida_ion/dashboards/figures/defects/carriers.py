"""The conductivity against the concentration of carriers, both logarithmic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from aiida_ion.dashboards.figures.theme import (
    OKABE_ITO,
    SYMBOLS,
    UPPER_BOUND_SYMBOL,
    Theme,
    empty_figure,
    faded,
    file_columns,
    legend_below,
    new_figure,
)

VALUE = "ionic_conductivity_mS_cm"
CI95 = "ionic_conductivity_ci95_mS_cm"
BOUND = "ionic_conductivity_upper_bound_mS_cm"


def carriers_figure(content: Mapping[str, Any], *, theme: Theme) -> go.Figure:
    """Return the conductivity of each temperature over the concentration of carriers.

    Points have 95 % intervals, bounds are arrows. A dashed line of slope one through the lowest concentration with a
    value is what carriers that do not see each other would do; a dotted line across is the perfect crystal, or its
    bound.

    :param content: of a node of `ion.defect_conductivity`.
    """
    lines = [line for line in content["lines"] if line.get("points")]
    mobile = content.get("mobile_species") or "mobile ion"
    figure = new_figure(theme, f"carriers for each site of {mobile}", "σ / mS cm<sup>−1</sup>")
    for number, line in enumerate(sorted(lines, key=lambda one: -float(one["temperature_K"]))):
        _add_temperature(figure, line, list(OKABE_ITO.values())[number % 6], SYMBOLS[number % len(SYMBOLS)])
    if not figure.data:
        return empty_figure(
            theme, "This result has no conductivity at a concentration: run 'aiida-ion carriers' again."
        )
    figure.update_xaxes(type="log")
    figure.update_yaxes(type="log", exponentformat="power")
    return legend_below(figure)


def _add_temperature(figure: go.Figure, line: Mapping[str, Any], color: str, symbol: str) -> None:
    """Add the points of a temperature, and the lines that say what they would be without interaction."""
    points: Sequence[Mapping[str, Any]] = line["points"]
    name = f"{float(line['temperature_K']):.0f} K"
    known = [one for one in points if one["concentration"] > 0 and one[VALUE] is not None]
    bounds = [one for one in points if one["concentration"] > 0 and one[VALUE] is None and one[BOUND] is not None]
    x = [float(one["concentration"]) for one in (*known, *bounds)]
    if not x:
        return
    group = {"legendgroup": name}
    if known:
        values = [float(one[VALUE]) for one in known]
        figure.add_scatter(
            x=x[: len(known)],
            y=values,
            error_y={
                "array": [one[CI95][1] - value for one, value in zip(known, values, strict=True)],
                "arrayminus": [value - one[CI95][0] for one, value in zip(known, values, strict=True)],
            },
            mode="markers",
            marker={"color": color, "symbol": symbol, "size": 10},
            name=name,
            meta=file_columns(is_bound=[False] * len(known)),
            **group,
        )
        figure.add_scatter(
            x=[x[0], max(x)],
            y=[values[0], values[0] * max(x) / x[0]],
            mode="lines",
            line={"color": color, "dash": "dash", "width": 1.5},
            name=f"{name}, slope 1",
            hoverinfo="skip",
            showlegend=False,
            **group,
        )
    if bounds:
        figure.add_scatter(
            x=x[len(known) :],
            y=[float(one[BOUND]) for one in bounds],
            mode="markers",
            marker={"color": color, "symbol": UPPER_BOUND_SYMBOL, "size": 12},
            name=f"{name}, upper bound",
            meta=file_columns(is_bound=[True] * len(bounds)),
            **group,
        )
    _add_perfect(figure, points, [min(x), max(x)], color, name)


def _add_perfect(
    figure: go.Figure, points: Sequence[Mapping[str, Any]], ends: list[float], color: str, name: str
) -> None:
    """Add the perfect crystal as a line across, where it was computed."""
    for one in points:
        value = one[VALUE] if one[VALUE] is not None else one[BOUND]
        if one["concentration"] == 0 and value is not None:
            what = "perfect crystal" if one[VALUE] is not None else "bound of the perfect crystal"
            figure.add_scatter(
                x=ends,
                y=[float(value)] * 2,
                mode="lines",
                line={"color": faded(color, 0.7), "dash": "dot", "width": 1.5},
                name=f"{name}, {what}",
                legendgroup=name,
            )
