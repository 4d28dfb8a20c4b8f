"""The part of a map between a site and a vacancy, and the lowest saddle there: a path without a guess of it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.crystals.cell import perpendicular_widths
from aiida_ion.analysis.energy_maps.frozen.grid import Grid
from aiida_ion.analysis.energy_maps.frozen.level_map import levels_from

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: The region is an ellipsoid: the sum of the distances to site and vacancy is below this many times the hop's length.
DETOUR = 1.6


@dataclass(frozen=True)
class HopRegion:
    """Grid points in a box around a hop.

    :param flat: index of each in the grid of the cell, (a, b, c).
    :param is_inside: whether it is in the ellipsoid around site and vacancy, (a, b, c).
    :param start: index of the site in the box.
    :param ends: indices in the box of the points around the vacancy, (k, 3).
    """

    flat: IntArray
    is_inside: npt.NDArray[np.bool_]
    start: tuple[int, int, int]
    ends: IntArray


def hop_region(cell: FloatArray, grid: Grid, vacancy: FloatArray) -> HopRegion:
    """Return the points of a grid between its site and a vacancy.

    :param cell: rows are cell vectors, angstrom, (3, 3).
    :param vacancy: fractional coordinates, in the cell of its image, (3,).
    """
    shape = np.array(grid.shape)
    offset = vacancy - grid.site
    length = float(np.linalg.norm(offset @ cell))
    extent = 0.5 * DETOUR * length / perpendicular_widths(cell)
    low = np.floor((0.5 * offset - extent) * shape).astype(np.int64)
    high = np.ceil((0.5 * offset + extent) * shape).astype(np.int64)
    steps = np.stack(
        np.meshgrid(*(np.arange(a, b + 1) for a, b in zip(low, high, strict=True)), indexing="ij"), axis=-1
    )
    positions = (steps / shape) @ cell
    detour = np.linalg.norm(positions, axis=-1) + np.linalg.norm(positions - offset @ cell, axis=-1)
    flat = np.ravel_multi_index(tuple(np.moveaxis(steps % shape, -1, 0)), grid.shape)
    near = offset * shape
    corners = itertools.product(*({int(np.floor(x + 1e-6)), int(np.ceil(x - 1e-6))} for x in near))
    start = tuple(int(-edge) for edge in low)
    return HopRegion(flat, detour <= DETOUR * length, (start[0], start[1], start[2]), np.array(list(corners)) - low)


def saddle_eV(region: HopRegion, energies_eV: FloatArray, vacancy_energy_eV: float) -> float:  # noqa: N802
    """Return the lowest highest energy of pathways from site to vacancy in the region, eV; infinite without one.

    :param energies_eV: of the grid of the cell, eV, (nx, ny, nz).
    :param vacancy_energy_eV: energy of the ion in the vacancy, eV.
    """
    box = np.where(region.is_inside, energies_eV.ravel()[region.flat], np.inf)
    levels = levels_from(box, region.start)
    return max(float(levels[tuple(region.ends.T)].min()), vacancy_energy_eV)
