"""The grid on which one ion moves in a frozen crystal: its symmetry, and which of its points need an energy.

The energy of the ion at a point is that of the host, which stays as it is, with the ion there; so the map has the
symmetry of the host alone, of what is left when the moved ion and all removed ions are gone. The grid has a point on
the site of the ion. Only operations that map this grid onto itself are used: those that keep the site where it is
always do, others where their shift is a whole number of steps.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Host:
    """What stays in place while one ion moves.

    :param cell: rows are cell vectors, angstrom, (3, 3).
    :param numbers: atomic numbers, (n,).
    :param fractions: fractional coordinates, (n, 3).
    :param rotations: of its symmetry operations x' = R x + t in fractional coordinates, (m, 3, 3).
    :param translations: of the same operations, (m, 3).
    :param tolerance_A: by how much operations may miss atoms, angstrom.
    """

    cell: FloatArray
    numbers: IntArray
    fractions: FloatArray
    rotations: IntArray
    translations: FloatArray
    tolerance_A: float


@dataclass(frozen=True)
class Grid:
    """Points of a cell, evenly spaced along its vectors, the first of them on a site.

    :param shape: points along each vector; all even, so that every second point makes a grid, too.
    :param site: fractional coordinates of the first point, (3,).
    :param representatives: flat index of one point of each set of equivalent ones, (k,).
    :param inverse: for each point the index of its set, (n,).
    :param n_operations: symmetry operations used, the identity among them.
    """

    shape: tuple[int, int, int]
    site: FloatArray
    representatives: IntArray
    inverse: IntArray
    n_operations: int

    def fractions(self, indices: IntArray) -> FloatArray:
        """Return fractional coordinates of points by their flat index, (k, 3), those of the cell at the site."""
        steps = np.stack(np.unravel_index(indices, self.shape), axis=-1)
        places: FloatArray = self.site + steps / np.array(self.shape)
        return places

    def spread(self, values: FloatArray) -> FloatArray:
        """Return values of the representatives, (k,), at all points, (nx, ny, nz)."""
        everywhere: FloatArray = values[self.inverse].reshape(self.shape)
        return everywhere


def n_points(host: Host, step_A: float) -> int:
    """Return how many points the largest grid has that :func:`make_grid` tries."""
    return math.prod(_equal_along_orbits(_shape(host, step_A), host.rotations).tolist())


def make_grid(host: Host, site: FloatArray, step_A: float, use_symmetry: bool = True) -> Grid:
    """Return the grid with the fewest inequivalent points whose steps are not longer than ``step_A``.

    Axes that the symmetry exchanges get as many points as each other, unless the operations that remain with different
    numbers leave fewer points to evaluate.

    :param host: what stays in place.
    :param site: fractional coordinates of the moved ion, (3,).
    :param step_A: longest step along a cell vector, angstrom.
    :param use_symmetry: whether equivalent points are evaluated once.
    """
    plain = _shape(host, step_A)
    shapes = [plain] if not use_symmetry else [_equal_along_orbits(plain, host.rotations), plain]
    grids = [_grid(host, site, shape, use_symmetry) for shape in np.unique(shapes, axis=0)]
    return min(grids, key=lambda grid: len(grid.representatives))


def grid_operations(host: Host, site: FloatArray, shape: IntArray) -> tuple[IntArray, IntArray]:
    """Return the operations of the host on the steps of a grid, g' = M g + d, where they map the grid onto itself.

    :returns: M (k, 3, 3) and d (k, 3).
    """
    matrices = host.rotations * shape[:, None] / shape[None, :]
    moved = host.rotations @ site + host.translations - site
    steps = np.round(moved * shape)
    misfit = np.linalg.norm((moved - steps / shape) @ host.cell, axis=1)
    # An operation is known to the tolerance, and so is the site.
    is_usable = (misfit <= 2.0 * host.tolerance_A) & np.isclose(matrices, np.round(matrices)).all(axis=(1, 2))
    return np.round(matrices[is_usable]).astype(np.int64), steps[is_usable].astype(np.int64)


def distance_to_host_A(host: Host, fractions: FloatArray, cutoff_A: float) -> tuple[FloatArray, IntArray]:  # noqa: N802
    """Return the distance of points to the nearest atom of the host, angstrom, and that atom.

    :param fractions: fractional coordinates of the points, (k, 3).
    :param cutoff_A: beyond it the distance is infinite and the atom -1, angstrom.
    :returns: distances (k,) and indices (k,).
    """
    if len(host.numbers) == 0:
        return np.full(len(fractions), np.inf), np.full(len(fractions), -1)
    volume = abs(float(np.linalg.det(host.cell)))
    areas = np.linalg.norm(np.cross(host.cell[[1, 2, 0]], host.cell[[2, 0, 1]]), axis=1)
    reach = [math.ceil(cutoff_A * area / volume) for area in areas]
    shifts = np.array(list(itertools.product(*(range(-n, n + 1) for n in reach))), dtype=float)
    atoms = (host.fractions % 1.0)[None] + shifts[:, None]
    tree = KDTree(atoms.reshape(-1, 3) @ host.cell)
    near: Any = tree.query((fractions % 1.0) @ host.cell, distance_upper_bound=cutoff_A)
    distances, index = near
    return distances, np.where(np.isfinite(distances), index % len(host.numbers), -1)


def _shape(host: Host, step_A: float) -> IntArray:
    """Return an even number of points along each vector whose steps are not longer than ``step_A``."""
    lengths = np.linalg.norm(host.cell, axis=1)
    return np.array([2 * math.ceil(length / (2.0 * step_A) - 1e-6) for length in lengths], dtype=np.int64)


def _equal_along_orbits(shape: IntArray, rotations: IntArray) -> IntArray:
    """Return the shape with the largest number of each orbit of axes for all of its axes."""
    mixed = (rotations != 0).any(axis=0)
    mixed |= mixed.T
    for _ in range(2):  # an axis reaches another in two steps at most
        mixed |= (mixed.astype(int) @ mixed.astype(int)) > 0
    return np.array([shape[mixed[axis] | (np.arange(3) == axis)].max() for axis in range(3)])


def _grid(host: Host, site: FloatArray, shape: IntArray, use_symmetry: bool) -> Grid:
    nx, ny, nz = map(int, shape)
    matrices, shifts = grid_operations(host, site, shape)
    if not use_symmetry:
        matrices, shifts = np.eye(3, dtype=np.int64)[None], np.zeros((1, 3), dtype=np.int64)
    points = np.stack(np.unravel_index(np.arange(nx * ny * nz), (nx, ny, nz)), axis=-1)
    first = np.arange(nx * ny * nz)
    for matrix, shift in zip(matrices, shifts, strict=True):
        images = (points @ matrix.T + shift) % shape
        np.minimum(first, np.ravel_multi_index(tuple(images.T), (nx, ny, nz)), out=first)
    while not np.array_equal(first[first], first):  # a group needs no second round
        first = first[first]
    representatives, inverse = np.unique(first, return_inverse=True)
    return Grid((nx, ny, nz), np.asarray(site, dtype=float), representatives, inverse.ravel(), len(matrices))
