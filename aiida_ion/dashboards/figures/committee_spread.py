"""The spread of a committee beside its true error, frame by frame: whether the one tells the other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from aiida_ion.dashboards.figures.theme import OKABE_ITO, Theme, empty_figure, faded, legend_below, new_figure

#: Split -> name and colour; frames of other splits are not drawn.
SPLITS = {
    "train": ("train", OKABE_ITO["sky blue"]),
    "validation": ("validation", OKABE_ITO["orange"]),
    "test": ("test", OKABE_ITO["vermillion"]),
    "unknown": ("unknown split", OKABE_ITO["bluish green"]),
}


def committee_figure(
    spread_eV_A: NDArray[np.float64],
    error_eV_A: NDArray[np.float64],
    split: NDArray[np.str_],
    error_per_std: Mapping[str, float],
    *,
    theme: Theme,
) -> go.Figure:
    """Return each frame as a point, with the line on which the spread is the error.

    :param spread_eV_A: mean over atoms of the spread of the members' forces, shape (n,).
    :param error_eV_A: mean over atoms of the error of their mean, shape (n,).
    :param split: of each frame.
    :param error_per_std: by split; a dashed line of this slope for each.
    """
    known = np.isfinite(spread_eV_A) & np.isfinite(error_eV_A)
    if not known.any():
        return empty_figure(theme, "The report has no spread of a committee.")
    figure = new_figure(theme, "spread of the forces (eV/Å)", "true error of their mean (eV/Å)")
    most = 1.05 * float(spread_eV_A[known].max())
    line = {"color": theme.muted, "width": 1.5}
    figure.add_scatter(x=[0, most], y=[0, most], mode="lines", name="equal", line=line, hoverinfo="skip")
    for key, (name, color) in SPLITS.items():
        chosen = known & (split == key)
        if not chosen.any():
            continue
        figure.add_scatter(
            x=spread_eV_A[chosen],
            y=error_eV_A[chosen],
            mode="markers",
            name=name,
            legendgroup=name,
            marker={"color": faded(color, 0.7), "size": 8},
            hovertemplate="spread %{x:.3f}, error %{y:.3f} eV/Å",
        )
        if key in error_per_std:
            ratio = error_per_std[key]
            figure.add_scatter(
                x=[0, most],
                y=[0, ratio * most],
                mode="lines",
                name=f"{name}: error is {ratio:.3g} times the spread",
                legendgroup=name,
                line={"color": color, "dash": "dash", "width": 1.5},
                hoverinfo="skip",
            )
    figure.update_yaxes(rangemode="tozero", range=[0, 1.1 * float(error_eV_A[known].max())])
    figure.update_xaxes(range=[0, most])
    return legend_below(figure).update_layout(showlegend=True)
