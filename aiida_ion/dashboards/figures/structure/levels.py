"""Surfaces of one map at several levels with a slider: the browser has all of them, and none is asked for later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from aiida_ion.dashboards.figures.structure.cell import SLIDER_PX, in_space
from aiida_ion.dashboards.figures.structure.isosurface import (
    CLOSED_EV,
    MOST_POINTS,
    drawn_grid,
    mesh_of,
    surface,
)
from aiida_ion.dashboards.figures.theme import Theme

FloatArray = NDArray[np.float64]

#: Most triangles of all surfaces together, about 2 MB, unless the coarsest map has more.
MOST_TRIANGLES = 120_000
#: Points along the longest vector of the cell, tried in turn.
POINTS = (MOST_POINTS, 34, 24)


@dataclass(frozen=True)
class Level:
    """A level of a map that a slider can choose.

    :param value: the surface surrounds what is below it, in the unit of the map.
    :param name: of the surface, in the legend.
    :param words: above the slider.
    """

    value: float
    name: str
    words: str


def add_levels(
    figure: go.Figure,
    values: FloatArray,
    cell_A: FloatArray,
    levels: Sequence[Level],
    chosen: int,
    *,
    theme: Theme,
    origin: Sequence[float] = (0.0, 0.0, 0.0),
) -> go.Figure:
    """Add the surface of each level around all that is below it, of which one is seen, and the slider that chooses it.

    Levels that all or no values are below have no surface and are left out; nothing is added where that leaves none.

    :param values: (nx, ny, nz), periodic, without end planes; infinite where no ion can be.
    :param cell_A: rows are cell vectors, angstrom, (3, 3).
    :param chosen: index of the level that is seen first.
    :param origin: fractional coordinates of the first point of the map.
    """
    for points in POINTS:
        surfaces = [_surface(values, cell_A, level.value, origin, points) for level in levels]
        if sum(len(triangles) for _, triangles in surfaces) <= MOST_TRIANGLES:
            break
    drawn = [(level, mesh_of(*one, level.name)) for level, one in zip(levels, surfaces, strict=True) if len(one[1])]
    if not drawn:
        return figure
    seen = max(sum(len(triangles) > 0 for _, triangles in surfaces[: chosen + 1]) - 1, 0)
    first = len(figure.data)
    for number, (_, mesh) in enumerate(drawn):
        figure.add_trace(mesh.update(visible=number == seen))
    return _add_slider(figure, [level for level, _ in drawn], first, seen, theme)


def _surface(
    values: FloatArray, cell_A: FloatArray, level: float, origin: Sequence[float], points: int
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return vertices and triangles of one level; values far above it, infinite ones too, are drawn as `CLOSED_EV`."""
    return surface(drawn_grid(np.minimum(values, level + CLOSED_EV), cell_A, origin, points), cell_A, level)


def _add_slider(figure: go.Figure, levels: Sequence[Level], first: int, seen: int, theme: Theme) -> go.Figure:
    """Add the slider; the surfaces are the last traces of the figure, from `first` on."""
    traces = list(range(first, first + len(levels)))
    steps = [
        {
            "label": level.words,
            "method": "restyle",
            "args": [{"visible": [trace == first + number for trace in traces]}, traces],
        }
        for number, level in enumerate(levels)
    ]
    slider: dict[str, Any] = {
        "steps": steps,
        "active": seen,
        "currentvalue": {"prefix": "", "font": {"color": theme.text, "size": 13}},
        "x": 0.02,
        "len": 0.96,
        "y": 0.02,
        "pad": {"t": 6, "b": 6},
        "ticklen": 0,
        "minorticklen": 0,
        "font": {"size": 1, "color": theme.card},
        "bgcolor": theme.muted,
        "bordercolor": theme.muted,
        "activebgcolor": theme.text,
    }
    return in_space(figure, SLIDER_PX).update_layout(sliders=[slider])
