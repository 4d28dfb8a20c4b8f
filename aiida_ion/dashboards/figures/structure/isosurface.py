"""Surfaces of equal value of a periodic map in the cell of a crystal: of energies, and of densities of ions.

Marching cubes run on the grid of the cell itself, whose axes need not be orthogonal, so that surfaces end exactly at
its faces and go on at the opposite ones; Plotly's own isosurfaces need a rectangular box.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import marching_cubes

from aiida_ion.dashboards.figures.structure.cell import MOBILE_COLOR, cell_figure
from aiida_ion.dashboards.figures.theme import OKABE_ITO, Theme, empty_figure

FloatArray = NDArray[np.float64]

#: Most points along the longest vector of the cell, and most triangles of a surface: the browser gets all of them.
MOST_POINTS, MOST_TRIANGLES = 48, 60_000
#: Energies further above the level than this are drawn as if they were so far, eV.
CLOSED_EV = 1.0
SURFACE_COLOR = OKABE_ITO["sky blue"]


def map_figure(
    energies_eV: FloatArray,
    cell_A: FloatArray,
    level_eV: float,
    framework_A: FloatArray,
    framework_symbols: Sequence[str],
    *,
    theme: Theme,
    origin: Sequence[float] = (0.0, 0.0, 0.0),
    paths_A: FloatArray | None = None,
    mobile_species: str = "",
) -> go.Figure:
    """Return the surface of equal energy of a periodic map, in its cell with the framework and, if given, hop paths.

    :param energies_eV: (nx, ny, nz), periodic, without end planes; infinite where no ion can be.
    :param cell_A: rows are cell vectors, angstrom, (3, 3); it may be skewed.
    :param level_eV: energy of the surface, in the zero of the map.
    :param framework_A: positions, angstrom, (k, 3).
    :param framework_symbols: element of each.
    :param origin: fractional coordinates of the first point of the map.
    :param paths_A: positions of m ions at n points of their hops, unwrapped, angstrom, (n, m, 3).
    """
    energies, cell = np.asarray(energies_eV, dtype=float), np.asarray(cell_A, dtype=float)
    if energies.ndim != 3 or min(energies.shape) < 2 or abs(np.linalg.det(cell)) == 0:
        return empty_figure(theme, "The map has no three dimensions.")
    if not (energies < level_eV).any():
        return empty_figure(theme, f"No point of the map is below {level_eV:g} eV.")
    paths = np.zeros((1, 0, 3)) if paths_A is None else np.asarray(paths_A, dtype=float)
    figure = cell_figure(cell, framework_A, framework_symbols, paths, mobile_species, theme=theme)
    closed = np.minimum(energies, level_eV + CLOSED_EV)
    return add_surface(figure, closed, cell, level_eV, origin=origin, name=f"{level_eV:.2f} eV above the lowest")


def density_figure(
    density_A3: FloatArray,
    cell_A: FloatArray,
    level_A3: float,
    framework_A: FloatArray,
    framework_symbols: Sequence[str],
    mobile_species: str,
    *,
    theme: Theme,
) -> go.Figure:
    """Return the surface of equal number density of the mobile ions, in their cell with the framework.

    :param density_A3: ions per cubic angstrom, (nx, ny, nz), periodic, without end planes.
    :param cell_A: rows are cell vectors, angstrom, (3, 3).
    :param level_A3: density of the surface, ions per cubic angstrom.
    :param framework_A: positions, angstrom, (k, 3), with their elements in `framework_symbols`.
    """
    density, cell = np.asarray(density_A3, dtype=float), np.asarray(cell_A, dtype=float)
    if density.ndim != 3 or min(density.shape) < 2 or abs(np.linalg.det(cell)) == 0:
        return empty_figure(theme, "The density has no three dimensions.")
    if not density.min() < level_A3 < density.max():
        return empty_figure(theme, f"The density is nowhere {level_A3:.2g} ions per cubic angstrom.")
    figure = cell_figure(cell, framework_A, framework_symbols, np.zeros((1, 0, 3)), mobile_species, theme=theme)
    return add_surface(figure, -density, cell, -level_A3, name=f"{level_A3:.2g} {mobile_species} per Å³")


def add_surface(
    figure: go.Figure,
    values: FloatArray,
    cell_A: FloatArray,
    level: float,
    *,
    name: str,
    origin: Sequence[float] = (0.0, 0.0, 0.0),
    color: str = MOBILE_COLOR,
) -> go.Figure:
    """Add the surface around all that is below a level; nothing where the grid has no values on both sides of it."""
    vertices, triangles = surface(drawn_grid(values, cell_A, origin), cell_A, level)
    return figure.add_trace(mesh_of(vertices, triangles, name, color)) if len(triangles) else figure


def mesh_of(vertices_A: FloatArray, triangles: NDArray[np.int64], name: str, color: str = MOBILE_COLOR) -> go.Mesh3d:
    """Return the trace of a surface, in the smallest numbers that hold it: the browser gets all of them.

    :param vertices_A: angstrom, (n, 3).
    :param triangles: indices of their corners, (m, 3).
    """
    whole = np.uint16 if len(vertices_A) <= np.iinfo(np.uint16).max else np.int32
    places: dict[str, Any] = dict(zip("xyz", vertices_A.astype(np.float32).T, strict=True))
    corners: dict[str, Any] = dict(zip("ijk", triangles.astype(whole).T, strict=True))
    look = {"ambient": 0.55, "diffuse": 0.7, "specular": 0.15, "roughness": 0.7}
    style = {"color": color, "opacity": 0.4, "lighting": look, "flatshading": False}
    return go.Mesh3d(**places, **corners, **style, name=name, showlegend=True, hoverinfo="skip")


def surface(values: FloatArray, cell_A: FloatArray, level: float) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return vertices, angstrom, (n, 3), and triangles, (m, 3), of the surface of equal value within a cell.

    :param values: (nx, ny, nz), at the fractional coordinates i/nx, j/ny, k/nz; periodic, without end planes.
    :param cell_A: rows are cell vectors, angstrom, (3, 3).
    :param level: of the surface; both arrays are empty where no value is below it, or none above.
    """
    whole = np.pad(values, [(0, 1)] * 3, mode="wrap")
    if not whole.min() < level < whole.max():
        return np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int64)
    for step in (1, 2, 4):
        vertices, triangles, *_ = marching_cubes(whole, level, step_size=step)
        if len(triangles) <= MOST_TRIANGLES or any(n % (2 * step) for n in values.shape):
            break
    return (vertices / np.array(values.shape)) @ cell_A, triangles.astype(np.int64)


def drawn_grid(
    values: FloatArray, cell_A: FloatArray, origin: Sequence[float], most_points: int = MOST_POINTS
) -> FloatArray:
    """Return a periodic map on a grid that begins at the corner of the cell and is not finer than can be drawn.

    Values between points are those of linear interpolation.

    :param most_points: along the longest vector of the cell.
    """
    lengths = np.linalg.norm(cell_A, axis=1)
    most = np.maximum(np.ceil(most_points * lengths / lengths.max()), 4).astype(int)
    shape = np.minimum(values.shape, most)
    if np.array_equal(shape, values.shape) and not np.any(origin):
        return values
    points = np.stack(np.meshgrid(*[np.arange(n) / n for n in shape], indexing="ij"))
    at = (points - np.reshape(origin, (3, 1, 1, 1))) * np.reshape(values.shape, (3, 1, 1, 1))
    return np.asarray(ndimage.map_coordinates(values, at, order=1, mode="grid-wrap"), dtype=np.float64)
