"""The energies at which the pathways of an ion reach through a whole crystal in one, two and three dimensions.

Exact for any periodic graph, and so for any grid: a connected part of the graph percolates in as many dimensions as
there are independent lattice vectors among its closed walks. (Testing a supercell of 2 x 2 x 2 for contact between
opposite faces misses pathways that close after two cells, and counts faces that are touched without a closed walk.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.energy_maps.basins import find_basins
from aiida_ion.analysis.energy_maps.lattice_union import LatticeUnion

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Threshold:
    """Where pathways first reach through the crystal in one more dimension.

    :param energy_eV: energy at the saddle, on the scale of the input, eV.
    :param saddle: the two nodes of the edge that closes the pathway (of a grid: flat indices of neighbouring voxels).
    :param vector: cell of the second of them, in multiples of the cell vectors.
    :param minimum: node of lowest energy in the percolating part.
    :param component_zero_eV: its energy, eV.
    :param component: the nodes of the percolating part (of a grid: its local minima).
    """

    energy_eV: float
    saddle: tuple[int, int]
    vector: tuple[int, int, int]
    minimum: int
    component_zero_eV: float
    component: tuple[int, ...]


@dataclass(frozen=True)
class Percolation:
    """Energies at which pathways percolate.

    :param zero_eV: lowest energy of all nodes, eV.
    :param minimum: the node that has it.
    :param thresholds: for one, two and three dimensions; shorter where pathways never percolate in as many.
    """

    zero_eV: float
    minimum: int
    thresholds: tuple[Threshold, ...]

    @property
    def dimension(self) -> int:
        """In how many dimensions pathways percolate at any energy."""
        return len(self.thresholds)

    @property
    def barriers_eV(self) -> list[float | None]:  # noqa: N802
        """Percolation barriers in one, two, three dimensions above the lowest energy of all nodes, eV."""
        return self._barriers([self.zero_eV] * len(self.thresholds))

    @property
    def barriers_in_component_eV(self) -> list[float | None]:  # noqa: N802
        """The same above the lowest energy of the percolating part: a deep isolated pocket does not count, eV."""
        return self._barriers([threshold.component_zero_eV for threshold in self.thresholds])

    def _barriers(self, zeros: list[float]) -> list[float | None]:
        above = [threshold.energy_eV - zero for threshold, zero in zip(self.thresholds, zeros, strict=True)]
        return [*above, *[None] * (3 - len(above))]


def percolate_graph(
    energies_eV: npt.NDArray[np.floating],
    pairs: npt.NDArray[np.integer],
    vectors: npt.NDArray[np.integer],
    weights_eV: npt.NDArray[np.floating],
) -> Percolation:
    """Return the percolation energies of a periodic graph.

    Edges are added in order of their energy to a union-find structure that knows the cell of each node relative to
    its root; an edge within a connected part closes a walk, and its lattice vector joins the basis of that part. The
    rank of the basis is the number of dimensions.

    :param energies_eV: energy of each node, eV, (n,).
    :param pairs: nodes of each edge, (m, 2).
    :param vectors: cell of the second node where the first is in the home cell, (m, 3).
    :param weights_eV: energy of each edge, on the same scale as the nodes, eV, (m,); infinite ones are not passable.
    :raises ValueError: for no node, shapes that do not match, or energies that are not numbers.
    """
    energies = np.asarray(energies_eV, dtype=float)
    weights = np.asarray(weights_eV, dtype=float)
    _check_graph(energies, np.asarray(pairs), np.asarray(vectors), weights)
    minimum = int(np.argmin(energies))
    union = LatticeUnion(energies)
    thresholds: list[Threshold] = []
    order = np.argsort(weights, kind="stable")
    for edge in order[np.isfinite(weights[order])].tolist():
        first, second = (int(node) for node in pairs[edge])
        vector = (int(vectors[edge][0]), int(vectors[edge][1]), int(vectors[edge][2]))
        root = union.join(first, second, vector)
        while len(thresholds) < union.rank(root):
            lowest = union.minimum(root)
            component = tuple(union.members(root))
            zero = float(energies[lowest])
            thresholds.append(Threshold(float(weights[edge]), (first, second), vector, lowest, zero, component))
        if len(thresholds) == 3:
            break
    return Percolation(float(energies[minimum]), minimum, tuple(thresholds))


def percolate_grid(energies_eV: npt.NDArray[np.floating], connectivity: int = 26) -> Percolation:
    """Return the percolation energies of a periodic map on a grid; nodes are flat indices of voxels.

    :param energies_eV: energies, eV, (nx, ny, nz), without a last plane that repeats the first; infinite where the ion
        cannot be.
    :param connectivity: 26, voxels that share a corner are neighbours, or 6, those that share a face (higher barriers).
    :raises ValueError: for a map without a finite energy, with one that is not a number, or another connectivity.
    """
    basins = find_basins(energies_eV, connectivity)
    minima = basins.minima
    among_basins = percolate_graph(basins.energies_eV, basins.pairs, basins.vectors, basins.saddle_energies_eV)
    edge_of = {
        (*pair, *vector): tuple(edge)
        for pair, vector, edge in zip(
            basins.pairs.tolist(),
            basins.vectors.tolist(),
            np.c_[basins.saddles, basins.saddle_vectors].tolist(),
            strict=True,
        )
    }
    thresholds = []
    for threshold in among_basins.thresholds:
        first, second, *vector = edge_of[(*threshold.saddle, *threshold.vector)]
        thresholds.append(
            Threshold(
                threshold.energy_eV,
                (first, second),
                (vector[0], vector[1], vector[2]),
                int(minima[threshold.minimum]),
                threshold.component_zero_eV,
                tuple(int(minima[basin]) for basin in threshold.component),
            )
        )
    return Percolation(among_basins.zero_eV, int(minima[among_basins.minimum]), tuple(thresholds))


def _check_graph(energies: FloatArray, pairs: IntArray, vectors: IntArray, weights: FloatArray) -> None:
    if not len(energies):
        raise ValueError("the graph has no node")
    if pairs.reshape(-1, 2).shape != (len(weights), 2) or vectors.reshape(-1, 3).shape != (len(weights), 3):
        raise ValueError(
            f"{len(weights)} edges need {len(weights)} pairs and vectors, got {pairs.shape}, {vectors.shape}"
        )
    if np.isnan(energies).any() or np.isnan(weights).any():
        raise ValueError("an energy is not a number")
    if len(weights) and (pairs.min() < 0 or pairs.max() >= len(energies)):
        raise ValueError("an edge names a node that is not there")
