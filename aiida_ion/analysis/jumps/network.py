"""Dimensionality of periodic networks."""

from __future__ import annotations

from collections import defaultdict, deque

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


def network_dimension(start: IntArray, stop: IntArray, offset: IntArray) -> int:
    """Return the largest number of directions in which a connected part of a network is infinite, 0 to 3.

    A walk along edges that returns to its node in another cell gives a lattice vector; the rank of these vectors is
    the dimension (Larsen, Pandey, Strange and Jacobsen, Phys. Rev. Materials 3, 034003 (2019)).

    :param start: start node of each edge, in the home cell, (k,).
    :param stop: end node of each edge, (k,).
    :param offset: cell of the end node, in multiples of the cell vectors, (k, 3).
    """
    edges = np.unique(np.column_stack([start, stop, offset]).astype(np.int64), axis=0)
    neighbours: dict[int, list[tuple[int, IntArray]]] = defaultdict(list)
    for a, b, *cell in edges.tolist():
        step = np.array(cell, dtype=np.int64)
        neighbours[a].append((b, step))
        neighbours[b].append((a, -step))
    cell_of: dict[int, IntArray] = {}
    dimension = 0
    for root in neighbours:
        if root not in cell_of:
            dimension = max(dimension, _rank(_cycles(root, neighbours, cell_of)))
            if dimension == 3:
                break
    return dimension


def _cycles(
    root: int, neighbours: dict[int, list[tuple[int, IntArray]]], cell_of: dict[int, IntArray]
) -> set[tuple[int, ...]]:
    """Lattice vectors of the closed walks of a connected part; fills ``cell_of`` for its nodes."""
    cell_of[root] = np.zeros(3, dtype=np.int64)
    waiting, cycles = deque([root]), set()
    while waiting:
        node = waiting.popleft()
        for other, step in neighbours[node]:
            reached = cell_of[node] + step
            if other not in cell_of:
                cell_of[other] = reached
                waiting.append(other)
            elif np.any(reached != cell_of[other]):
                cycles.add(tuple((reached - cell_of[other]).tolist()))
    return cycles


def _rank(vectors: set[tuple[int, ...]]) -> int:
    return int(np.linalg.matrix_rank(np.array(sorted(vectors), dtype=float))) if vectors else 0
