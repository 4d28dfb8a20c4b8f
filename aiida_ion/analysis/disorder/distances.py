"""Pairs of places that cannot both be filled."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from pymatgen.core.periodic_table import Element
from scipy.spatial import KDTree

from aiida_ion.analysis.crystals.cell import perpendicular_widths, reduction
from aiida_ion.analysis.disorder.crystal import Orbit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Ions closer than this part of the sum of their radii overlap.
OVERLAP = 0.7
#: The same where one of the two places is always full: the file itself states that they are this close, and ions
#: relax before molecular dynamics.
STATED_OVERLAP = 0.5
#: Radius of hydrogen for this rule, angstrom: protons and hydride ions in molecules have no radius of their own.
HYDROGEN_A = 0.2
#: Where no radius is tabulated, angstrom.
UNKNOWN_A = 1.0


def close_pairs(cell: FloatArray, places: FloatArray, limit_A: float) -> tuple[IntArray, IntArray, FloatArray]:
    """Return all pairs of places, periodic images included, closer than a limit: first, second, distance in angstrom.

    A place and its own image are a pair of equal indices. Each pair is named once for each image.

    :param cell: rows are cell vectors, angstrom, (3, 3).
    :param places: fractional coordinates, (n, 3).
    """
    reduced = reduction(cell) @ cell
    wrapped = (places @ cell @ np.linalg.inv(reduced)) % 1.0
    reach = np.ceil(limit_A / perpendicular_widths(reduced)).astype(int)
    shifts = np.stack(np.meshgrid(*(np.arange(-k, k + 1) for k in reach), indexing="ij"), axis=-1).reshape(-1, 3)
    margin = limit_A / perpendicular_widths(reduced)
    moved = wrapped[None] + shifts[:, None]
    near = np.all((moved > -margin) & (moved < 1.0 + margin), axis=2)
    image, owner = np.nonzero(near)
    tree = KDTree(moved[image, owner] @ reduced)
    home = KDTree(wrapped @ reduced)
    found = home.sparse_distance_matrix(tree, limit_A, output_type="ndarray")
    first, second = found["i"].astype(np.int64), owner[found["j"]].astype(np.int64)
    own = np.all(shifts[image[found["j"]]] == 0, axis=1) & (first == second)
    # Of the two ways to name a pair, that with the smaller index first; pairs of a place with its image come twice.
    kept = ~own & (first <= second)
    return first[kept], second[kept], np.asarray(found["v"], dtype=float)[kept]


def radius_A(element: str, charge_e: float) -> float:  # noqa: N802
    """Return the crystal radius of Shannon (Acta Cryst. A32, 751 (1976)) of the nearest tabulated charge, angstrom."""
    if element == "H":
        return HYDROGEN_A
    radii = {int(state): float(radius) for state, radius in Element(element).ionic_radii.items()}
    if not radii:
        return UNKNOWN_A
    nearest = min(radii, key=lambda state: abs(state - charge_e))
    return radii[nearest]


def orbit_radius_A(orbit: Orbit, charges: Mapping[str, float]) -> float:  # noqa: N802
    """Return the mean radius of what an orbit holds, angstrom."""
    shares = orbit.occupancies
    return sum(share * radius_A(element, charges[element]) for element, share in shares.items()) / orbit.total
