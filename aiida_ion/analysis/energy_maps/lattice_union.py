"""Connected parts of a periodic graph, with the lattice vectors of their closed walks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Vector = tuple[int, int, int]
NO_VECTOR: Vector = (0, 0, 0)


class LatticeUnion:
    """Union-find in which each node knows the cell it is in relative to its root.

    :param energies_eV: energy of each node, eV, (n,): the lowest of a part is its minimum.
    """

    def __init__(self, energies_eV: npt.NDArray[np.float64]) -> None:
        n_nodes = len(energies_eV)
        self._energies: list[float] = np.asarray(energies_eV, dtype=float).tolist()
        self._parents = list(range(n_nodes))
        self._cells: list[Vector] = [NO_VECTOR] * n_nodes
        self._members: dict[int, list[int]] = {}
        self._minima: dict[int, int] = {}
        self._bases: dict[int, list[Vector]] = {}

    def join(self, first: int, second: int, vector: Vector) -> int:
        """Add an edge and return the root of the part that it belongs to.

        :param vector: cell of the second node where the first is in the home cell.
        """
        (root, cell), (other, other_cell) = self._find(first), self._find(second)
        shift = _sum(_sum(cell, vector), other_cell, -1)
        if root == other:
            self._extend(root, shift)
            return root
        if len(self._members.get(root, ())) < len(self._members.get(other, ())):
            root, other, shift = other, root, _sum(NO_VECTOR, shift, -1)
        self._parents[other], self._cells[other] = root, shift
        self._minima[root] = min(self.minimum(root), self.minimum(other), key=lambda node: (self._energies[node], node))
        self._members[root] = [*self._members.pop(root, [root])]
        self._members[root].extend(self._members.pop(other, [other]))
        for cycle in self._bases.pop(other, []):
            self._extend(root, cycle)
        return root

    def rank(self, root: int) -> int:
        """Number of independent lattice vectors among the closed walks of a part: its dimension."""
        return len(self._bases.get(root, []))

    def minimum(self, root: int) -> int:
        """Node of lowest energy in a part."""
        return self._minima.get(root, root)

    def members(self, root: int) -> list[int]:
        """Nodes of a part, in order."""
        return sorted(self._members.get(root, [root]))

    def _find(self, node: int) -> tuple[int, Vector]:
        """Root of a node, and the node's cell relative to it; shortens the way for the next time."""
        path = []
        while self._parents[node] != node:
            path.append(node)
            node = self._parents[node]
        cell = NO_VECTOR
        for below in reversed(path):
            cell = _sum(cell, self._cells[below])
            self._parents[below], self._cells[below] = node, cell
        return node, cell

    def _extend(self, root: int, cycle: Vector) -> None:
        basis = self._bases.setdefault(root, [])
        if _is_independent(basis, cycle):
            basis.append(cycle)


def _sum(first: Vector, second: Vector, sign: int = 1) -> Vector:
    return (first[0] + sign * second[0], first[1] + sign * second[1], first[2] + sign * second[2])


def _cross(a: Vector, b: Vector) -> Vector:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def _is_independent(basis: list[Vector], vector: Vector) -> bool:
    """Whether a vector of whole numbers is linearly independent of a basis, exactly."""
    if len(basis) == 0:
        return vector != NO_VECTOR
    if len(basis) == 1:
        return _cross(basis[0], vector) != NO_VECTOR
    if len(basis) == 2:
        normal = _cross(basis[0], basis[1])
        return normal[0] * vector[0] + normal[1] * vector[1] + normal[2] * vector[2] != 0
    return False
