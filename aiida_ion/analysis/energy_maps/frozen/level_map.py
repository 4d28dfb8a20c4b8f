"""The highest energy that an ion must pass on its best pathway from one voxel to every other of a box.

The minimum spanning tree of the voxels holds a best pathway between any two of them, so that one walk along the tree
gives all levels exactly.
"""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Steps to the neighbours of a voxel, one of each pair of opposite ones.
FORWARD = [step for step in itertools.product((-1, 0, 1), repeat=3) if step > (0, 0, 0)]


def levels_from(energies_eV: FloatArray, seed: tuple[int, int, int]) -> FloatArray:
    """Return for each voxel the lowest possible highest energy of a pathway from the seed to it, eV, (nx, ny, nz).

    Pathways stay in the box; voxels that share a corner are neighbours.

    :param energies_eV: energies in a box that does not repeat, eV, (nx, ny, nz); infinite where the ion cannot be.
    :param seed: the voxel where pathways begin.
    :returns: infinite where no pathway leads.
    :raises ValueError: if the energy at the seed is not finite.
    """
    energies = np.asarray(energies_eV, dtype=float)
    if not np.isfinite(energies[seed]):
        raise ValueError("pathways cannot begin where the energy is not finite")
    node_of = np.full(energies.shape, -1, dtype=np.int64)
    voxels = np.isfinite(energies)
    node_of[voxels] = np.arange(voxels.sum())
    values = energies[voxels]
    rank = np.empty(len(values), dtype=np.int64)
    rank[np.argsort(values, kind="stable")] = np.arange(1, len(values) + 1)
    first, second = _neighbours(node_of)
    weights = np.maximum(rank[first], rank[second])  # never zero, which SciPy would take for no edge
    graph = coo_array((weights, (first, second)), shape=(len(values), len(values))).tocsr()
    order, before = breadth_first_order(
        minimum_spanning_tree(graph), int(node_of[seed]), directed=False, return_predecessors=True
    )
    levels = np.full(len(values), np.inf)
    levels[order] = _along(order.tolist(), before.tolist(), values.tolist())
    result = np.full(energies.shape, np.inf)
    result[voxels] = levels
    return result


def _neighbours(node_of: IntArray) -> tuple[IntArray, IntArray]:
    """Return the nodes of all pairs of neighbouring voxels; -1 marks voxels without a node."""
    firsts, seconds = [], []
    for step in FORWARD:
        here = tuple(slice(max(0, -shift), n - max(0, shift)) for shift, n in zip(step, node_of.shape, strict=True))
        there = tuple(slice(max(0, shift), n - max(0, -shift)) for shift, n in zip(step, node_of.shape, strict=True))
        first, second = node_of[here].ravel(), node_of[there].ravel()
        both = (first >= 0) & (second >= 0)
        firsts.append(first[both])
        seconds.append(second[both])
    return np.concatenate(firsts), np.concatenate(seconds)


def _along(order: list[int], before: list[int], values: list[float]) -> list[float]:
    """Return the highest value on the way to each node of a tree, in the order of the walk."""
    highest = dict[int, float]()
    for node in order:
        highest[node] = max(values[node], highest.get(before[node], -np.inf))
    return [highest[node] for node in order]
