"""Percolation energies as the package bvlain defines them, for comparison with published ones.

Grid: int(a / resolution) points along a cell vector of length a, both ends included, so that the last plane repeats the
first. Energy: over the k nearest framework ions within the cutoff. Percolation: bisection of a level between 0 and
10 eV above the lowest energy until the bracket is below 0.01 eV; at each level parts of a block of 2 x 2 x 2 cells are
labelled (26 neighbours), labels that meet at its faces are merged, and the dimension follows from how many of the eight
images of the first voxel of a part have its label. Pathways that close after two cells are missed by it, and the last
digit is that of the bracket: :mod:`aiida_ion.analysis.energy_maps.percolation` is exact.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.ndimage import generate_binary_structure, label

from aiida_ion.analysis.energy_maps.bond_valence import BondValencePotential

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

HIGHEST_EV, BRACKET_EV = 10.0, 0.01
#: Images of a voxel with the label of its part, in one, two and three dimensions.
IMAGES = (2, 4, 8)
DECIMALS = 4
BLOCK = 4096


def bvlain_shape(cell_A: FloatArray, resolution_A: float) -> tuple[int, int, int]:
    """Return the number of points along each cell vector, both ends included."""
    a, b, c = (max(int(length // resolution_A), 2) for length in np.linalg.norm(cell_A, axis=1))
    return a, b, c


def bvlain_map_eV(  # noqa: N802
    potential: BondValencePotential, resolution_A: float, neighbours: int = 100
) -> FloatArray:
    """Return the energies on bvlain's grid, eV, (nx, ny, nz); the last plane along each axis repeats the first.

    :param neighbours: how many of the nearest framework ions count.
    """
    cell = potential.framework.cell_A
    shape = bvlain_shape(cell, resolution_A)
    axes = [np.linspace(0.0, 1.0, n) for n in shape]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3) @ cell
    blocks = [
        potential.energies_of_nearest_eV(points[start : start + BLOCK], neighbours)
        for start in range(0, len(points), BLOCK)
    ]
    return np.concatenate(blocks).reshape(shape)


def bvlain_barriers_eV(energies_eV: FloatArray) -> list[float | None]:  # noqa: N802
    """Return the percolation energies in one, two and three dimensions, eV; ``None`` above 10 eV.

    :param energies_eV: a map on bvlain's grid, eV, (nx, ny, nz).
    """
    above = energies_eV - energies_eV.min()
    known: dict[float, int] = {}
    return [_bisect(above, needed, known) for needed in IMAGES]


def _bisect(above_eV: FloatArray, needed: int, known: dict[float, int]) -> float | None:
    low, high = 0.0, HIGHEST_EV
    barrier = math.inf
    while high - low > BRACKET_EV:
        level = (low + high) / 2
        if level not in known:
            known[level] = _images_below(above_eV, level)
        if known[level] >= needed:
            high = barrier = level
        else:
            low = level
    return round(barrier, DECIMALS) if math.isfinite(barrier) else None


def _images_below(above_eV: FloatArray, level_eV: float) -> int:
    """Return the largest number of images that any part below a level reaches, of eight."""
    block = np.tile(above_eV, (2, 2, 2))
    labels, n_labels = label(block < level_eV, structure=generate_binary_structure(3, 3))
    merged = _merge_at_faces(np.asarray(labels, dtype=np.int64), int(n_labels))
    names, first = np.unique(merged, return_index=True)
    n = np.array(above_eV.shape)
    shifts = n * np.stack(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij"), axis=-1).reshape(-1, 3)
    most = 0
    for name, place in zip(names.tolist(), first.tolist(), strict=True):
        if name != 0:
            voxel = np.array(np.unravel_index(place, merged.shape)) % n
            most = max(most, int((merged[tuple((voxel + shifts).T)] == name).sum()))
    return most


def _merge_at_faces(labels: IntArray, n_labels: int) -> IntArray:
    """Return the labels after one pass over the three pairs of faces, in bvlain's order.

    A label that was merged into another is not looked at again, as in bvlain.
    """
    current = np.arange(n_labels + 1)
    for axis in range(3):
        last, first = labels.take(-1, axis=axis), labels.take(0, axis=axis)
        for name in np.unique(current[last]).tolist():
            meets = np.unique(current[first][current[last] == name]) if name else np.array([], dtype=int)
            for other in meets[meets != 0].tolist():
                current[current == other] = name
    merged: IntArray = current[labels]
    return merged
