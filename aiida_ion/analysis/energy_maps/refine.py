"""Minima and saddles of a potential, searched for from those of its map.

A grid misses both by up to half of its spacing, which shifts percolation barriers by some 0.04 eV at 0.2 angstrom, up
or down. Here saddles of the map are starts of searches in the potential; from each saddle the two ways down are
followed to minima, so that it is known what it connects. Percolation is decided on the graph of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.energy_maps.basins import Basins
from aiida_ion.analysis.energy_maps.percolation import Percolation, percolate_graph
from aiida_ion.analysis.energy_maps.stationary import PUSH_A, Derivatives, find_minimum, find_saddle

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Vector = tuple[int, int, int]

#: Saddles of the map within this energy of where it percolates are searched for in the potential, eV.
WINDOW_EV = 0.25
#: How far from its place on the map a saddle may be, in diagonals of a voxel.
MAX_DIAGONALS = 2.0
#: Two minima closer than this are one, angstrom.
SAME_MINIMUM_A = 0.1
#: How far a way down may lead, angstrom.
MAX_DESCENT_A = 8.0
#: Equivalent points have energies as close as this, eV.
SAME_ENERGY_EV = 1e-4
#: Points on a line between two minima.
N_LINE = 17


@dataclass(frozen=True)
class Saddle:
    """A saddle between two minima.

    :param first, second: the minima.
    :param vector: cell of the second where the first is in the home cell.
    :param energy_eV: energy there, eV.
    :param point_A: where it is, Cartesian, angstrom, (3,); ``None`` of one that was not searched for.
    """

    first: int
    second: int
    vector: Vector
    energy_eV: float
    point_A: FloatArray | None = None


@dataclass(frozen=True)
class Network:
    """Minima and saddles of a potential, and where it percolates.

    :param minima_A: Cartesian positions of the minima, angstrom, (k, 3).
    :param energies_eV: their energies, eV, (k,).
    :param percolation: of the graph of minima and saddles.
    :param closing: for each of its thresholds the saddle that closes the pathway.
    """

    minima_A: FloatArray
    energies_eV: FloatArray
    percolation: Percolation
    closing: tuple[Saddle, ...]


def refine_network(
    derivatives: Derivatives,
    cell_A: FloatArray,
    shape: tuple[int, int, int],
    basins: Basins,
    operations: Sequence[tuple[FloatArray, FloatArray]] = (),
) -> Network:
    """Return minima and saddles of the potential behind a map, and where it percolates.

    Every pathway of the result is one of the potential, so that a barrier is never too low; it is too high where a
    saddle was missed, which the map shows. Saddles far below those that decide are as on the map.

    :param derivatives: of the potential.
    :param cell_A: cell of the map, rows, angstrom, (3, 3).
    :param shape: of the map.
    :param basins: of the map.
    :param operations: r -> r @ R + t (angstrom), of the symmetry of the potential: a map need not have it.
    """
    search = _Search(derivatives, cell_A, MAX_DIAGONALS * _diagonal_A(cell_A, shape))
    bottoms = [search.bottom(point) for point in _points(basins.minima, cell_A, shape)]
    is_deciding = _is_deciding(basins)
    for index, (pair, vector) in enumerate(zip(basins.pairs, basins.vectors, strict=True)):
        first, second = (bottoms[basin] for basin in pair)
        if first is None or second is None:
            continue
        second = second + vector @ cell_A
        if is_deciding[index]:
            search.connect(first, second, _starts(basins, index, cell_A, shape))
        else:
            search.add(first, second, float(basins.saddle_energies_eV[index]), None)
    search.complete(operations)
    return search.network()


class _Search:
    """Collects minima and saddles of a potential, each once."""

    def __init__(self, derivatives: Derivatives, cell_A: FloatArray, reach_A: float) -> None:
        self._derivatives, self._reach_A = derivatives, reach_A
        self._cell, self._inverse = cell_A, np.linalg.inv(cell_A)
        self._minima: list[FloatArray] = []
        self._energies: list[float] = []
        self._saddles: dict[tuple[int, ...], Saddle] = {}

    def bottom(self, point_A: FloatArray) -> FloatArray | None:
        """Return the minimum below a point, Cartesian, angstrom; ``None`` if none is reached."""
        found = find_minimum(self._derivatives, point_A, MAX_DESCENT_A)
        if found is None:
            return None
        self._place(found.point_A, found.energy_eV)
        return found.point_A

    def connect(self, first_A: FloatArray, second_A: FloatArray, starts_A: list[FloatArray]) -> None:
        """Search for a saddle between two minima, and for those beyond it where it leads to a third minimum."""
        ends = self._saddle(starts_A) or self._saddle(self._top(first_A, second_A))
        if ends is None:
            return
        if np.linalg.norm(ends[0] - first_A) > np.linalg.norm(ends[1] - first_A):
            ends = ends[::-1]
        for reached, wanted in zip(ends, (first_A, second_A), strict=True):
            if SAME_MINIMUM_A < np.linalg.norm(wanted - reached) < MAX_DESCENT_A:
                self._saddle(self._top(reached, wanted))

    def add(self, first_A: FloatArray, second_A: FloatArray, energy_eV: float, point_A: FloatArray | None) -> None:
        """Add a saddle between two minima, unless a lower one is there."""
        (first, cell), (second, other) = self._place(first_A), self._place(second_A)
        a, b, c = (int(step) for step in other - cell)
        name = (first, second, a, b, c)
        if name not in self._saddles or energy_eV < self._saddles[name].energy_eV:
            self._saddles[name] = Saddle(first, second, (a, b, c), energy_eV, point_A)

    def complete(self, operations: Sequence[tuple[FloatArray, FloatArray]]) -> None:
        """Add the saddles that are equivalent to those found, as far as the potential has the symmetry."""
        found = [saddle for saddle in self._saddles.values() if saddle.point_A is not None]
        for rotation, translation in operations:
            for saddle in found:
                assert saddle.point_A is not None
                first = self._minima[saddle.first]
                second = self._minima[saddle.second] + np.array(saddle.vector) @ self._cell
                ends = first @ rotation + translation, second @ rotation + translation
                point = saddle.point_A @ rotation + translation
                if self._is_known(*ends, saddle.energy_eV):
                    continue
                if abs(self._derivatives(point)[0] - saddle.energy_eV) < SAME_ENERGY_EV:
                    self.add(*ends, saddle.energy_eV, point)

    def network(self) -> Network:
        """Return what was found, and where it percolates."""
        names = np.array(list(self._saddles), dtype=np.int64).reshape(-1, 5)
        heights = np.array([saddle.energy_eV for saddle in self._saddles.values()])
        energies = np.array(self._energies)
        percolation = percolate_graph(energies, names[:, :2], names[:, 2:], heights)
        closing = tuple(self._saddles[(*found.saddle, *found.vector)] for found in percolation.thresholds)
        return Network(np.array(self._minima), energies, percolation, closing)

    def _saddle(self, starts_A: list[FloatArray]) -> tuple[FloatArray, FloatArray] | None:
        """Add the saddle near the first of several points that has one; return the two minima that it connects."""
        for start in starts_A:
            found = find_saddle(self._derivatives, start, self._reach_A)
            if found is None:
                continue
            first, second = (self.bottom(found.point_A + sign * PUSH_A * found.mode) for sign in (1.0, -1.0))
            if first is not None and second is not None:
                self.add(first, second, found.energy_eV, found.point_A)
                return first, second
        return None

    def _top(self, first_A: FloatArray, second_A: FloatArray) -> list[FloatArray]:
        """Return the point of highest energy on the line between two points."""
        line = [first_A + share * (second_A - first_A) for share in np.linspace(0.0, 1.0, N_LINE)[1:-1]]
        return [max(line, key=lambda point: self._derivatives(point)[0])]

    def _is_known(self, first_A: FloatArray, second_A: FloatArray, energy_eV: float) -> bool:
        """Whether a saddle between two minima that is not higher is there."""
        (first, cell), (second, other) = self._place(first_A), self._place(second_A)
        saddle = self._saddles.get((first, second, *(int(step) for step in other - cell)))
        return saddle is not None and saddle.energy_eV <= energy_eV + SAME_ENERGY_EV

    def _place(self, point_A: FloatArray, energy_eV: float | None = None) -> tuple[int, IntArray]:
        """Return which minimum a point is, and in which cell; a new one is added."""
        if self._minima:
            away = point_A - np.array(self._minima)
            cells = np.rint(away @ self._inverse)
            distances = np.linalg.norm(away - cells @ self._cell, axis=1)
            nearest = int(np.argmin(distances))
            if distances[nearest] < SAME_MINIMUM_A:
                return nearest, cells[nearest].astype(np.int64)
        self._minima.append(point_A)
        self._energies.append(self._derivatives(point_A)[0] if energy_eV is None else energy_eV)
        return len(self._minima) - 1, np.zeros(3, dtype=np.int64)


def _is_deciding(basins: Basins) -> npt.NDArray[np.bool_]:
    """Return which saddles may decide where the potential percolates, (m,)."""
    on_map = percolate_graph(basins.energies_eV, basins.pairs, basins.vectors, basins.saddle_energies_eV)
    levels = np.array([threshold.energy_eV for threshold in on_map.thresholds])
    is_near: npt.NDArray[np.bool_] = (np.abs(basins.saddle_energies_eV[:, None] - levels) < WINDOW_EV).any(axis=1)
    return is_near


def _starts(basins: Basins, index: int, cell_A: FloatArray, shape: tuple[int, int, int]) -> list[FloatArray]:
    """Return where the search for a saddle begins: between its two voxels, then at each of them."""
    first, second = _points(basins.saddles[index], cell_A, shape)
    second = second + basins.saddle_vectors[index] @ cell_A
    return [0.5 * (first + second), first, second]


def _points(voxels: IntArray, cell_A: FloatArray, shape: tuple[int, int, int]) -> FloatArray:
    """Return the positions of voxels, from their flat indices, Cartesian, angstrom, (n, 3)."""
    points: FloatArray = np.stack(np.unravel_index(voxels, shape), axis=-1) / np.array(shape) @ cell_A
    return points


def _diagonal_A(cell_A: FloatArray, shape: tuple[int, int, int]) -> float:  # noqa: N802
    """Return the length of the edges of a voxel, added as for a diagonal, angstrom."""
    return float(np.linalg.norm(np.linalg.norm(cell_A, axis=1) / np.array(shape)))
