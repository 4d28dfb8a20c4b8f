"""Electrostatic energies of point charges on fixed places, as a matrix that is computed once."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import erfc

from aiida_ion.analysis.crystals.cell import reduction
from aiida_ion.analysis.disorder.distances import close_pairs
from aiida_ion.units import COULOMB_EV_A

FloatArray = npt.NDArray[np.float64]

#: Terms of both sums are below exp of minus this.
ACCURACY = 26.0
#: Reciprocal vectors treated at once, so that the memory stays small.
BLOCK = 2048


def ewald_matrix(cell: FloatArray, places: FloatArray) -> FloatArray:
    """Return V, (n, n), eV/e^2: neutral charges q on the places have the energy q V q / 2 in each cell.

    Element (i, j) is the potential at place i of unit charges at place j and its images in a uniform background; on
    the diagonal the charge itself is left out. The background cancels for neutral charges. Ewald's sums (Ann. Phys.
    369, 253 (1921)) as in Allen and Tildesley, Computer Simulation of Liquids (1987), chapter 5.5.

    :param cell: rows are cell vectors, angstrom, (3, 3).
    :param places: fractional coordinates, (n, 3); no two of them the same.
    """
    reduced = reduction(cell) @ cell
    fractions = (places @ cell @ np.linalg.inv(reduced)) % 1.0
    volume = abs(float(np.linalg.det(reduced)))
    n_places = len(places)
    # The cost of pairs in the real sum, about n^2 each, against that of vectors in the reciprocal one.
    splitting = math.sqrt(math.pi) * (5.0 * n_places / volume**2) ** (1.0 / 6.0)
    matrix = _real(reduced, fractions, splitting)
    matrix += _reciprocal(reduced, fractions, splitting)
    matrix -= math.pi / (volume * splitting**2)
    matrix[np.diag_indices(n_places)] -= 2.0 * splitting / math.sqrt(math.pi)
    result: FloatArray = COULOMB_EV_A * matrix
    return result


def _real(cell: FloatArray, places: FloatArray, splitting: float) -> FloatArray:
    first, second, distances = close_pairs(cell, places, math.sqrt(ACCURACY) / splitting)
    terms = erfc(splitting * distances) / distances
    size = len(places)
    # A place and its image come once for both directions, and count for one each.
    flat = np.bincount(first * size + second, weights=terms, minlength=size * size).reshape(size, size)
    flat = flat + flat.T - np.diag(np.diag(flat))
    return np.asarray(flat, dtype=np.float64)


def _reciprocal(cell: FloatArray, places: FloatArray, splitting: float) -> FloatArray:
    reciprocal = 2.0 * math.pi * np.linalg.inv(cell).T
    longest = 2.0 * splitting * math.sqrt(ACCURACY)
    reach = np.ceil(longest * np.linalg.norm(cell, axis=1) / (2.0 * math.pi)).astype(int)
    grid = np.stack(np.meshgrid(*(np.arange(-k, k + 1) for k in reach), indexing="ij"), axis=-1).reshape(-1, 3)
    grid = grid[len(grid) // 2 + 1 :]  # half of all: opposite vectors give the same
    squares = ((grid @ reciprocal) ** 2).sum(axis=1)
    kept = squares <= longest**2
    vectors, squares = grid[kept].astype(float), squares[kept]
    volume = abs(float(np.linalg.det(cell)))
    weights = np.sqrt(8.0 * math.pi / volume * np.exp(-squares / (4.0 * splitting**2)) / squares)
    matrix = np.zeros((len(places), len(places)))
    for start in range(0, len(vectors), BLOCK):
        phases = 2.0 * math.pi * (places @ vectors[start : start + BLOCK].T)
        scale = weights[start : start + BLOCK]
        for wave in (np.cos(phases) * scale, np.sin(phases) * scale):
            matrix += wave @ wave.T
    return matrix


def energies_eV(matrix: FloatArray, charges: FloatArray) -> FloatArray:  # noqa: N802
    """Return the energy of each set of charges, eV per cell, (m,).

    :param matrix: of :func:`ewald_matrix`, (n, n).
    :param charges: e, (m, n).
    """
    result: FloatArray = 0.5 * np.einsum("mi,mi->m", charges, charges @ matrix)
    return result
