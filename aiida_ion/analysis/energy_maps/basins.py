"""Local minima of a periodic map on a grid, and the lowest saddles between them.

From each voxel the steepest descent ends in a local minimum, so whatever is connected below an energy is connected
through minima: the graph of minima and the lowest saddles between them percolates at exactly the energies of the grid,
and is thousands of times smaller.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Step = tuple[int, int, int]

CONNECTIVITIES = (6, 26)


@dataclass(frozen=True)
class Basins:
    """Minima of a map and the saddles between them; of each saddle the lowest edge between two images of minima.

    :param minima: flat index of the voxel of each minimum, (k,), lowest first.
    :param energies_eV: their energies, eV, (k,).
    :param labels: basin of each voxel, (nx, ny, nz); -1 where the energy is infinite.
    :param pairs: basins of each saddle, (m, 2).
    :param vectors: cell of the minimum of the second where that of the first is in the home cell, (m, 3).
    :param saddle_energies_eV: energies of the saddles: the higher of two neighbouring voxels, eV, (m,).
    :param saddles: flat indices of those two voxels, the first in the home cell, (m, 2).
    :param saddle_vectors: cell of the second voxel, (m, 3).
    """

    minima: IntArray
    energies_eV: FloatArray
    labels: IntArray
    pairs: IntArray
    vectors: IntArray
    saddle_energies_eV: FloatArray
    saddles: IntArray
    saddle_vectors: IntArray


def find_basins(energies_eV: npt.NDArray[np.floating], connectivity: int = 26) -> Basins:
    """Return minima and saddles of a periodic map.

    Equal energies are ordered by the index of their voxels, so that a plateau is one basin or several that meet at its
    energy; neither changes where the map percolates.

    :param energies_eV: energies, eV, (nx, ny, nz), without a last plane that repeats the first; infinite where the ion
        cannot be.
    :param connectivity: 26, voxels that share a corner are neighbours, or 6, those that share a face.
    :raises ValueError: for a map without a finite energy, with one that is not a number, or another connectivity.
    """
    energies = np.asarray(energies_eV, dtype=float)
    if energies.ndim != 3 or connectivity not in CONNECTIVITIES:
        raise ValueError(f"a map has three axes and 6 or 26 neighbours, got {energies.ndim} and {connectivity}")
    if np.isnan(energies).any() or np.isneginf(energies).any() or not np.isfinite(energies).any():
        raise ValueError("a map needs at least one finite energy, and none that is not a number")
    flat = energies.ravel()
    by_energy = np.argsort(flat, kind="stable")
    rank = np.empty(flat.size, dtype=np.int64)
    rank[by_energy] = np.arange(flat.size)
    steps = _forward_steps(connectivity)
    root, cell = _descend(rank.reshape(energies.shape), steps)
    roots = by_energy[root[by_energy] == by_energy]
    minima = roots[np.isfinite(flat[roots])]
    label = np.full(flat.size, -1, dtype=np.int64)
    label[minima] = np.arange(len(minima))
    label = np.where(np.isfinite(flat), label[root], -1)
    edges = _lowest_edges(rank, label, cell, energies.shape, steps)
    higher = np.maximum(flat[edges[:, 5]], flat[edges[:, 6]])
    return Basins(
        minima,
        flat[minima],
        label.reshape(energies.shape),
        edges[:, :2],
        edges[:, 2:5],
        higher,
        edges[:, 5:7],
        edges[:, 7:],
    )


def _forward_steps(connectivity: int) -> list[Step]:
    """Half of the steps to neighbours: each pair of voxels once."""
    steps = [(a, b, c) for a, b, c in product((-1, 0, 1), repeat=3) if (a, b, c) > (0, 0, 0)]
    return [step for step in steps if connectivity == 26 or sum(map(abs, step)) == 1]


def _neighbour(shape: tuple[int, ...], step: tuple[int, ...]) -> tuple[IntArray, IntArray]:
    """Flat index (n,) and cell (n, 3) of the neighbour of each voxel at a step."""
    index = np.arange(np.prod(shape), dtype=np.int64).reshape(shape)
    target = np.roll(index, [-s for s in step], axis=(0, 1, 2)).ravel()
    cells = []
    for axis, (size, one) in enumerate(zip(shape, step, strict=True)):
        crossed = (np.arange(size) + one) // size
        cells.append(np.broadcast_to(np.expand_dims(crossed, [i for i in range(3) if i != axis]), shape).ravel())
    return target, np.stack(cells, axis=1).astype(np.int64)


def _descend(rank: IntArray, steps: list[Step]) -> tuple[IntArray, IntArray]:
    """Minimum at the end of the steepest descent of each voxel, (n,), and the cell in which it is, (n, 3)."""
    shape, flat = rank.shape, rank.ravel()
    best, root = flat.copy(), np.arange(flat.size, dtype=np.int64)
    cell = np.zeros((flat.size, 3), dtype=np.int64)
    for step in [*steps, *[(-a, -b, -c) for a, b, c in steps]]:
        target, crossed = _neighbour(shape, step)
        lower = flat[target] < best
        best[lower], root[lower], cell[lower] = flat[target[lower]], target[lower], crossed[lower]
    while True:
        next_root = root[root]
        if np.array_equal(next_root, root):
            return root, cell
        cell = cell + cell[root]
        root = next_root


def _lowest_edges(
    rank: IntArray, label: IntArray, cell: IntArray, shape: tuple[int, ...], steps: list[Step]
) -> IntArray:
    """Lowest edge between each two images of minima: basins (2), vector (3), voxels (2), cell of the second (3)."""
    found = [np.empty((0, 11), dtype=np.int64)]
    voxel = np.arange(rank.size, dtype=np.int64)
    for step in steps:
        target, crossed = _neighbour(shape, step)
        vector = crossed + cell[target] - cell
        differs = (label != label[target]) | vector.any(axis=1)
        chosen = np.flatnonzero(differs & (label >= 0) & (label[target] >= 0))
        near = target[chosen]
        height = np.maximum(rank[chosen], rank[near])
        columns = [label[chosen], label[near], *vector[chosen].T, voxel[chosen], near, *crossed[chosen].T, height]
        found.append(np.stack(columns, axis=1))
    edges = _canonical(np.concatenate(found))
    edges = edges[np.lexsort((edges[:, 10], *edges[:, 4::-1].T))]
    is_first = np.ones(len(edges), dtype=bool)
    is_first[1:] = (edges[1:, :5] != edges[:-1, :5]).any(axis=1)
    lowest = edges[is_first]
    return lowest[np.argsort(lowest[:, 10], kind="stable"), :10]


def _canonical(edges: IntArray) -> IntArray:
    """Turn edges so that the same saddle has the same basins and vector from whichever side it was met."""
    first, second, vector = edges[:, 0], edges[:, 1], edges[:, 2:5]
    leading = np.take_along_axis(vector, (vector != 0).argmax(axis=1)[:, None], axis=1)[:, 0]
    turned = (first > second) | ((first == second) & (leading < 0))
    result = edges.copy()
    result[turned, 0], result[turned, 1] = second[turned], first[turned]
    result[turned, 5], result[turned, 6] = edges[turned, 6], edges[turned, 5]
    result[turned, 2:5] = -vector[turned]
    result[turned, 7:10] = -edges[turned, 7:10]
    return result
