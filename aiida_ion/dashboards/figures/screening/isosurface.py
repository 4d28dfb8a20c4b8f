"""A map of energies in the cell of a crystal, as the surface below which an ion can be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from scipy import ndimage

from aiida_ion.dashboards.figures.cell import MOBILE_COLOR, cell_figure
from aiida_ion.dashboards.figures.theme import Theme, empty_figure

FloatArray = NDArray[np.float64]

#: Most points along each side of the drawn box: the browser gets all of them.
MOST_POINTS = 36
#: Height of what no ion enters above the level, eV: the surface ends there.
CLOSED_EV = 1.0


def map_figure(
    energies_eV: FloatArray,
    cell_A: FloatArray,
    level_eV: float,
    framework_A: FloatArray,
    framework_symbols: Sequence[str],
    *,
    theme: Theme,
    paths_A: FloatArray | None = None,
    mobile_species: str = "",
) -> go.Figure:
    """Return the surface of equal energy of a periodic map, in its cell with the framework and, if given, hop paths.

    :param energies_eV: (nx, ny, nz), periodic, without a duplicated end plane; infinite where no ion can be.
    :param cell_A: rows are cell vectors, angstrom, (3, 3); it may be skewed.
    :param level_eV: energy of the surface, in the zero of the map.
    :param framework_A: positions, angstrom, (k, 3).
    :param framework_symbols: element of each.
    :param paths_A: positions of m ions at n points of their hops, unwrapped, angstrom, (n, m, 3).
    """
    energies, cell = np.asarray(energies_eV, dtype=float), np.asarray(cell_A, dtype=float)
    if energies.ndim != 3 or min(energies.shape) < 2 or abs(np.linalg.det(cell)) == 0:
        return empty_figure(theme, "The map has no three dimensions.")
    if not (energies <= level_eV).any():
        return empty_figure(theme, f"No point of the map is below {level_eV:g} eV.")
    paths = np.zeros((1, 0, 3)) if paths_A is None else np.asarray(paths_A, dtype=float)
    figure = cell_figure(cell, framework_A, framework_symbols, paths, mobile_species, theme=theme)
    x, y, z, values = box_values(energies, cell, level_eV)
    surface: dict[str, Any] = {"isomin": level_eV, "isomax": level_eV, "surface": {"count": 1}}
    figure.add_isosurface(
        x=x,
        y=y,
        z=z,
        value=values,
        **surface,
        opacity=0.35,
        colorscale=[[0, MOBILE_COLOR], [1, MOBILE_COLOR]],
        showscale=False,
        caps={"x_show": False, "y_show": False, "z_show": False},
        name=f"{level_eV:.2g} eV",
        showlegend=True,
        hoverinfo="skip",
    )
    return figure


def box_values(
    energies_eV: FloatArray, cell_A: FloatArray, level_eV: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return a map on a rectangular box around its cell, as plotly needs it, flat: x, y, z (angstrom) and energies, eV.

    Points outside the cell, and those that no ion enters, are above the level, so that the surface ends at the faces.
    """
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)], dtype=float) @ cell_A
    low, high = corners.min(axis=0), corners.max(axis=0)
    step = float((high - low).max()) / (MOST_POINTS - 1)
    axes = [
        np.linspace(start, end, max(2, round((end - start) / step) + 1)) for start, end in zip(low, high, strict=True)
    ]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    fractional = points @ np.linalg.inv(cell_A)
    inside = ((fractional > -1e-9) & (fractional < 1 + 1e-9)).all(axis=1)
    highest = level_eV + CLOSED_EV
    closed = np.minimum(np.where(np.isfinite(energies_eV), energies_eV, highest), highest)
    at = (fractional * np.array(energies_eV.shape)).T
    values = ndimage.map_coordinates(closed, at, order=1, mode="grid-wrap")
    values = np.where(inside, values, highest)
    return points[:, 0], points[:, 1], points[:, 2], np.round(values, 4)
