"""Hops between sites of a periodic crystal, and those that symmetry makes equal."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.crystals.cell import perpendicular_widths
from aiida_ion.analysis.energy_maps.frozen.map_plan import Operations

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Hops that are longer than the shortest by no more than this are nearest ones, too, angstrom.
SAME_LENGTH_A = 0.1


def nearest_hops(places: FloatArray, first: int, cell: FloatArray) -> list[tuple[int, IntArray]]:
    """Return the nearest other sites of a site: their index, and the cell of the nearest image, shortest first.

    :param places: fractional coordinates, (n, 3).
    :param first: index of the site that hops begin at.
    :param cell: rows are cell vectors, angstrom, (3, 3).
    """
    others = np.setdiff1d(np.arange(len(places)), [first])
    if not len(others):
        return []
    offsets = places[others] - places[first]
    home = -np.round(offsets).astype(np.int64)
    # In a skewed cell the nearest image may be some cells further.
    reach = np.ceil(0.5 * np.linalg.norm(cell, axis=1).sum() / perpendicular_widths(cell)).astype(int)
    shifts = np.array(list(itertools.product(*(range(-n, n + 1) for n in np.minimum(reach, 3)))))
    vectors = home[:, None] + shifts[None]
    lengths = np.linalg.norm((offsets[:, None] + vectors) @ cell, axis=-1)
    near = np.argwhere(lengths <= lengths.min() + SAME_LENGTH_A)
    near = near[np.argsort(lengths[tuple(near.T)], kind="stable")]
    return [(int(others[row]), vectors[row, column]) for row, column in near]


def equivalent_hops(
    places: FloatArray, first: int, second: int, vector: IntArray, operations: Operations, cell: FloatArray
) -> IntArray:
    """Return all hops that symmetry or the opposite direction makes equal to one, each once, sorted.

    :param places: fractional coordinates, (n, 3).
    :param first, second: indices of the two sites.
    :param vector: cell of the second where the first is in the home cell, (3,).
    :returns: (m, 5): the lower index, the other, and its cell.
    """
    starts, start_cells = _sites_of(operations.images(places[first]), places, cell)
    ends, end_cells = _sites_of(operations.images(places[second] + vector), places, cell)
    hops = {
        canonical(int(start), int(end), tuple(there))
        for start, end, there in zip(starts, ends, (end_cells - start_cells).tolist(), strict=True)
    }
    return np.array(sorted(hops), dtype=np.int64)


def canonical(first: int, second: int, vector: tuple[int, ...]) -> tuple[int, ...]:
    """Return a hop or its reverse, whichever comes first: the two indices and the cell of the second."""
    return min((first, second, *vector), (second, first, *(-step for step in vector)))


def _sites_of(points: FloatArray, places: FloatArray, cell: FloatArray) -> tuple[IntArray, IntArray]:
    """Return the site of each point, (k,), and the cell that it is in, (k, 3)."""
    differences = points[:, None] - places[None]
    cells = np.round(differences)
    nearest = np.linalg.norm((differences - cells) @ cell, axis=-1).argmin(axis=1)
    return nearest, cells[np.arange(len(points)), nearest].astype(np.int64)
