"""Nearest neighbours in a periodic cell; memory scales with the number of atoms, not with the volume."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt
from pymatgen.core.lattice import Lattice
from scipy.spatial import KDTree

from aiida_ion.analysis.crystals.cell import perpendicular_widths

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
#: Maximum number of images.
MAX_IMAGES = 5_000_000


def nearest_neighbours(
    cell: npt.NDArray[Any], fractions: npt.NDArray[Any], cutoff_A: float
) -> tuple[FloatArray, IntArray]:
    """Return the distance of each atom to the nearest other atom or image, angstrom, and which atom that is.

    If there is none within the cutoff, the distance is infinite and the index -1.

    :param cell: rows are cell vectors, angstrom, (3, 3).
    :param fractions: fractional coordinates, (n, 3).
    :param cutoff_A: search radius, angstrom.
    :returns: distances (n,) and indices (n,).
    :raises ValueError: for a cell so flat that too many images would be needed.
    """
    reduced, wrapped, margins = _reduced(cell, fractions, cutoff_A)
    places, owners = _with_images(wrapped, margins)
    tree = KDTree(places @ reduced)
    near: Any = tree.query(wrapped @ reduced, k=2, distance_upper_bound=cutoff_A)
    distances, indices = near
    # The first is the atom itself, or one coinciding with it.
    own = np.arange(len(wrapped))
    is_first = indices[:, 0] == own
    distance = np.where(is_first, distances[:, 1], distances[:, 0])
    index = np.where(is_first, indices[:, 1], indices[:, 0])
    inside = index < len(owners)
    return distance, np.where(inside, owners[np.minimum(index, len(owners) - 1)], -1)


def shortest_between(
    cell: npt.NDArray[Any], fractions: npt.NDArray[Any], first: list[int], second: list[int], cutoff_A: float
) -> float:
    """Return the shortest distance between different atoms of two lists, angstrom, or infinity.

    :param fractions: fractional coordinates, (n, 3).
    :param first, second: indices of atoms; the lists may be equal.
    """
    reduced, wrapped, margins = _reduced(cell, fractions, cutoff_A)
    places, _ = _with_images(wrapped[second], margins)
    k = 2 if first == second else 1
    tree = KDTree(places @ reduced)
    near: Any = tree.query(wrapped[first] @ reduced, k=k, distance_upper_bound=cutoff_A)
    return float((near[0] if k == 1 else near[0][:, 1]).min())


def _reduced(
    cell: npt.NDArray[Any], fractions: npt.NDArray[Any], cutoff_A: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the least skewed cell of the lattice, the atoms in it, and the cutoff in fractions of its widths."""
    reduced = Lattice(np.asarray(cell, dtype=float)).get_lll_reduced_lattice().matrix
    positions = np.asarray(fractions, dtype=float) @ np.asarray(cell, dtype=float)
    return reduced, (positions @ np.linalg.inv(reduced)) % 1.0, cutoff_A / perpendicular_widths(reduced)


def _with_images(wrapped: FloatArray, margins: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return the atoms of the cell, first and in order, and the images within the margins of its faces."""
    reach = [math.ceil(margin) for margin in margins]
    volume = math.prod(1.0 + 2.0 * float(margin) for margin in margins)
    if volume * len(wrapped) > MAX_IMAGES or math.prod(2 * n + 1 for n in reach) > MAX_IMAGES:
        raise ValueError("the cell is far too flat for a crystal, or holds far too many atoms")
    places, owners = [wrapped], [np.arange(len(wrapped))]
    for shift in itertools.product(*(range(-n, n + 1) for n in reach)):
        if shift == (0, 0, 0):
            continue
        image = wrapped + np.array(shift)
        near = np.all((image >= -margins) & (image <= 1.0 + margins), axis=1)
        places.append(image[near])
        owners.append(np.flatnonzero(near))
    return np.concatenate(places), np.concatenate(owners)
