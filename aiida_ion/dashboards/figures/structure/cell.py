"""The simulated cell in three dimensions, with the pathways of the mobile ions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from aiida_ion.dashboards.figures.structure.bonds import bonds_of
from aiida_ion.dashboards.figures.theme import FONT, LEGEND_BELOW, OKABE_ITO, Theme, new_figure, plain

FloatArray = NDArray[np.float64]

#: Plotly's symbols in three dimensions, used for the elements in turn.
SYMBOLS_3D = ("circle", "square", "diamond", "cross", "x")
#: Colour of the mobile ions' pathways, and colours of the framework.
MOBILE_COLOR = OKABE_ITO["vermillion"]
FRAMEWORK_COLORS = [color for color in OKABE_ITO.values() if color != MOBILE_COLOR]
#: Room for the legend, px; and for a slider above it.
LEGEND_PX, SLIDER_PX = 52, 64
#: A step longer than this fraction of the cell crosses a cell face.
THROUGH_THE_WALL = 0.5


def cell_figure(
    cell: FloatArray,
    framework: FloatArray,
    framework_symbols: Sequence[str],
    paths: FloatArray,
    mobile_species: str,
    *,
    theme: Theme,
) -> go.Figure:
    """Return the cell, the mean positions of the framework, and each mobile ion's pathway folded into the cell.

    :param cell: rows are cell vectors, angstrom, (3, 3).
    :param framework: positions, angstrom, (k, 3).
    :param framework_symbols: element of each.
    :param paths: unwrapped positions of m ions in n frames, angstrom, (n, m, 3); n may be 1, or m 0.
    """
    figure = new_figure(theme, "", "")
    add_edges(figure, cell, theme)
    inside = folded(framework, cell)
    add_bonds(figure, bonds_of(inside, framework_symbols, cell).lines(inside, cell), theme)
    for number, element in enumerate(dict.fromkeys(framework_symbols)):
        chosen = [symbol == element for symbol in framework_symbols]
        add_atoms(figure, inside[chosen], framework_marker(number), plain(element))
    if paths.size:
        _add_paths(figure, paths, cell, plain(mobile_species), theme)
    return in_space(figure)


def crystal_figure(
    cell: FloatArray,
    positions: FloatArray,
    symbols: Sequence[str],
    *,
    theme: Theme,
    marked: Any = None,
) -> go.Figure:
    """Return the atoms of a crystal in its cell, with bonds, and rings around some of them.

    :param cell: rows are cell vectors, angstrom, (3, 3).
    :param positions: angstrom, (n, 3).
    :param symbols: what is on each site.
    :param marked: whether each is ringed, (n,); ``None`` where nothing is known of that.
    """
    figure = cell_figure(cell, positions, symbols, np.zeros((1, 0, 3)), "", theme=theme)
    if marked is not None and np.any(marked):
        ring = {"symbol": "circle-open", "color": theme.text, "size": 11, "line": {"color": theme.text, "width": 2}}
        x, y, z = folded(positions[np.asarray(marked, dtype=bool)], cell).T
        name = "site partly occupied in the crystal"
        figure.add_scatter3d(x=x, y=y, z=z, mode="markers", marker=ring, name=name, hoverinfo="skip")
    return figure


def in_space(figure: go.Figure, more_px: int = 0) -> go.Figure:
    """Lay out a figure in three dimensions: axes in angstrom with one scale, camera, and the legend below.

    :param more_px: room for what stands between figure and legend, px.
    """
    axis = {"showbackground": False, "showgrid": False, "zeroline": False, "showspikes": False}
    letters = {f"{letter}axis": axis | {"title": {"text": f"{letter} (Å)"}} for letter in "xyz"}
    return figure.update_layout(
        scene={**letters, "aspectmode": "data", "camera": {"eye": {"x": 2.0, "y": 1.45, "z": 0.9}}},
        font={"family": FONT, "size": 12},
        margin={"l": 0, "r": 0, "t": 8, "b": LEGEND_PX + more_px},
        legend=LEGEND_BELOW,
        uirevision="camera",
    )


def folded(positions: FloatArray, cell: FloatArray) -> FloatArray:
    """Return positions folded into the cell, angstrom, shape (..., 3)."""
    scaled = positions @ np.linalg.inv(cell)
    return np.asarray((scaled - np.floor(scaled)) @ cell, dtype=np.float64)


def broken_paths(paths: FloatArray, cell: FloatArray) -> FloatArray:
    """Return all pathways in sequence, folded, with a row of NaN after each and at every crossing of a cell face.

    :param paths: (n, m, 3), angstrom, unwrapped.
    """
    inverse = np.linalg.inv(cell)
    pieces = []
    for ion in range(paths.shape[1]):
        scaled = paths[:, ion] @ inverse
        inside = scaled - np.floor(scaled)
        walls = 1 + np.flatnonzero(np.abs(np.diff(inside, axis=0)).max(axis=1) > THROUGH_THE_WALL)
        for part in np.split(inside @ cell, walls):
            pieces += [part, np.full((1, 3), np.nan)]
    return np.concatenate(pieces) if pieces else np.empty((0, 3))


def framework_marker(number: int) -> dict[str, Any]:
    """Return the marker of an element of the framework, by its number among them."""
    return {
        "symbol": SYMBOLS_3D[number % len(SYMBOLS_3D)],
        "color": FRAMEWORK_COLORS[number % len(FRAMEWORK_COLORS)],
        "size": 6,
        "opacity": 0.9,
    }


def add_bonds(figure: go.Figure, lines: FloatArray, theme: Theme) -> None:
    """Add bonds as lines, angstrom, (n, 3), with rows of NaN between them; nothing without any."""
    if len(lines):
        x, y, z = lines.astype(np.float32).T
        line = {"color": theme.muted, "width": 4}
        style = {"name": "bonds", "hoverinfo": "skip", "opacity": 0.6}
        figure.add_scatter3d(x=x, y=y, z=z, mode="lines", line=line, **style)


def add_edges(figure: go.Figure, cell: FloatArray, theme: Theme) -> None:
    """Add the edges of the cell."""
    lines: list[Any] = []
    for corner in product((0, 1), repeat=3):
        for axis in range(3):
            if corner[axis] == 0:
                other = [*corner[:axis], 1, *corner[axis + 1 :]]
                lines += [np.array(corner) @ cell, np.array(other) @ cell, np.full(3, np.nan)]
    x, y, z = np.array(lines).T
    line = {"color": theme.muted, "width": 3}
    figure.add_scatter3d(x=x, y=y, z=z, mode="lines", line=line, name="cell", showlegend=False, hoverinfo="skip")


def add_atoms(figure: go.Figure, positions: FloatArray, marker: dict[str, Any], name: str) -> None:
    """Add atoms of one kind, angstrom, (n, 3)."""
    x, y, z = positions.reshape(-1, 3).T
    hover = f"<b>{name}</b><br>%{{x:.2f}}, %{{y:.2f}}, %{{z:.2f}} Å<extra></extra>"
    figure.add_scatter3d(x=x, y=y, z=z, mode="markers", marker=marker, name=name, hovertemplate=hover)


def _add_paths(figure: go.Figure, paths: FloatArray, cell: FloatArray, name: str, theme: Theme) -> None:
    if len(paths) > 1:
        x, y, z = broken_paths(paths, cell).T
        line = {"color": MOBILE_COLOR, "width": 3}
        style = {"name": f"pathway of {name}", "hoverinfo": "skip", "opacity": 0.55}
        figure.add_scatter3d(x=x, y=y, z=z, mode="lines", line=line, **style)
    marker = {"symbol": "circle", "color": MOBILE_COLOR, "size": 4, "line": {"color": theme.text, "width": 1}}
    add_atoms(figure, folded(paths[-1], cell), marker, f"{name}, at the end")
