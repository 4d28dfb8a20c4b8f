"""The lowest free energy at which the density of mobile ions percolates, in one to three dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from aiida_ion.analysis.jumps.network import IntArray, network_dimension
from aiida_ion.units import BOLTZMANN_EV_K

FloatArray = npt.NDArray[np.float64]

#: The free energy of a voxel visited less often than this is uncertain by a third of kT or more.
MIN_BOTTLENECK_COUNT = 10
#: Voxels that share a corner are neighbours.
NEIGHBOURS = np.ones((3, 3, 3), dtype=bool)


@dataclass(frozen=True)
class Percolation:
    """Barriers of the free energy from the density.

    :param barriers_eV: lowest barrier at which the density is connected in one, two, three dimensions, eV; ``None`` if
        it never is.
    :param bottleneck_counts: visits to the narrowest voxel of each pathway.
    :param highest_visible_eV: free energy of a voxel visited once, eV: higher barriers are not visible.
    """

    barriers_eV: list[float | None]
    bottleneck_counts: list[int | None]
    highest_visible_eV: float

    @property
    def dimension(self) -> int:
        """In how many dimensions the sampled density is connected."""
        return sum(barrier is not None for barrier in self.barriers_eV)


class _Faces(NamedTuple):
    """Pairs of neighbouring voxels across cell faces, as flat indices (k,), and the cell of the second."""

    first: IntArray
    second: IntArray
    offset: IntArray


def percolation_barriers(counts: npt.NDArray[np.integer], temperature_K: float) -> Percolation:
    """Return the barriers of F = -kT ln(density / largest density) along pathways through the whole crystal.

    The barrier for d dimensions is the lowest F below which a connected part of the density reaches its own periodic
    images in d independent directions: the highest point of the best pathway, not the sum of F along a shortest path.

    :param counts: visits to each voxel, (nx, ny, nz); at least 3 voxels in each direction.
    :param temperature_K: temperature of the trajectory, K.
    :raises ValueError: if the density is empty or too coarse.
    """
    if min(counts.shape) < 3:
        raise ValueError(f"a density of {counts.shape} voxels is too coarse: lower density_resolution_A")
    if counts.max() < 1:
        raise ValueError("the density is empty")
    levels = np.unique(counts[counts > 0])[::-1]
    faces = _faces(counts.shape)
    levels_eV = [_first_level(counts, levels, faces, dimension) for dimension in (1, 2, 3)]
    kT = BOLTZMANN_EV_K * temperature_K
    top = float(levels[0])
    return Percolation(
        [None if level is None else float(kT * np.log(top / level)) for level in levels_eV],
        levels_eV,
        float(kT * np.log(top)),
    )


def _first_level(
    counts: npt.NDArray[np.integer], levels: npt.NDArray[np.integer], faces: _Faces, dimension: int
) -> int | None:
    """Largest threshold of counts at which the voxels percolate in a number of dimensions, by bisection."""
    if _dimension(counts >= levels[-1], faces) < dimension:
        return None
    low, high = 0, len(levels) - 1
    while low < high:
        middle = (low + high) // 2
        if _dimension(counts >= levels[middle], faces) >= dimension:
            high = middle
        else:
            low = middle + 1
    return int(levels[high])


def _dimension(mask: npt.NDArray[np.bool_], faces: _Faces) -> int:
    """In how many dimensions the voxels of a mask form an infinite network."""
    labels = ndimage.label(mask, structure=NEIGHBOURS)[0].ravel().astype(np.int64)
    first, second = labels[faces.first], labels[faces.second]
    across = (first > 0) & (second > 0)
    return network_dimension(first[across], second[across], faces.offset[across])


def _faces(shape: tuple[int, ...]) -> _Faces:
    """Pair the voxels that are neighbours only across a face, edge or corner of the cell."""
    size = np.array(shape)
    boundary = np.zeros(shape, dtype=bool)
    for axis in range(3):
        boundary[(slice(None),) * axis + ([0, -1],)] = True
    voxels = np.argwhere(boundary)
    first, second, offset = [], [], []
    for step in product((-1, 0, 1), repeat=3):
        if step > (0, 0, 0):  # each pair once
            target = voxels + step
            cell = target // size
            leaves = cell.any(axis=1)
            first.append(np.ravel_multi_index(tuple(voxels[leaves].T), shape))
            second.append(np.ravel_multi_index(tuple((target[leaves] % size).T), shape))
            offset.append(cell[leaves])
    return _Faces(np.concatenate(first), np.concatenate(second), np.concatenate(offset))
