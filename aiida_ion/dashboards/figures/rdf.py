"""Order of the framework: its radial distribution early and late in a run."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from aiida_ion.dashboards.figures.theme import OKABE_ITO, Theme, empty_figure, faded, legend_below, new_figure


def rdf_figure(
    r_A: NDArray[np.float64] | None,
    first_half: NDArray[np.float64] | None,
    second_half: NDArray[np.float64] | None,
    *,
    theme: Theme,
) -> go.Figure:
    """Return g(r) of the framework over the first and the second half of a run, which are equal for a solid.

    :param r_A: distances, angstrom, (b,); ``None`` without framework or trajectory.
    """
    if r_A is None or first_half is None or second_half is None:
        return empty_figure(theme, "There is no framework, or the trajectory is missing.")
    figure = new_figure(theme, "r (Å)", "g(r) of the framework")
    early, late = OKABE_ITO["blue"], OKABE_ITO["vermillion"]
    hover = "%{x:.2f} Å: %{y:.2f}<extra>%{fullData.name}</extra>"
    figure.add_scatter(
        x=r_A,
        y=first_half,
        mode="lines",
        line={"color": early, "width": 2},
        fill="tozeroy",
        fillcolor=faded(early, 0.15),
        name="first half of the run",
        hovertemplate=hover,
    )
    figure.add_scatter(
        x=r_A,
        y=second_half,
        mode="lines",
        line={"color": late, "width": 2, "dash": "dash"},
        name="second half",
        hovertemplate=hover,
    )
    figure.add_hline(y=1.0, line={"color": theme.muted, "width": 1, "dash": "dot"})
    figure.update_yaxes(rangemode="tozero")
    return legend_below(figure, lines=1)
