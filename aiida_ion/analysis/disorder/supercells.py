"""Supercells of a primitive cell: of all lattices with n times its volume, the widest one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.crystals.cell import perpendicular_widths, reduction

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: How many of the lattices that are about widest are reduced exactly.
N_COMPARED = 12
#: Most rounds of shortening the vectors of a lattice.
MAX_SHORTENINGS = 30


@dataclass(frozen=True)
class Supercell:
    """A supercell and how it was made.

    :param cell: rows are cell vectors, angstrom, (3, 3).
    :param multiples: whole numbers T, (3, 3): the cell is T times the primitive one.
    :param width_A: smallest distance between opposite faces, angstrom.
    """

    cell: FloatArray
    multiples: IntArray
    width_A: float


@cache
def sublattices(n: int) -> IntArray:
    """Return the Hermite normal forms of determinant n: every lattice with n times the volume once, (m, 3, 3).

    Rows are the vectors of the lattice in units of those of the primitive cell (Santoro and Mighell, Acta Cryst. A28,
    284 (1972)).

    :raises ValueError: for n below 1.
    """
    if n < 1:
        raise ValueError(f"a supercell has at least 1 primitive cell, got {n}")
    forms = []
    for a in range(1, n + 1):
        if n % a:
            continue
        for d in range(1, n // a + 1):
            if (n // a) % d:
                continue
            f = n // a // d
            b, c, e = (array.ravel() for array in np.meshgrid(np.arange(d), np.arange(f), np.arange(f), indexing="ij"))
            form = np.zeros((len(b), 3, 3), dtype=np.int64)
            form[:, 0, 0], form[:, 1, 1], form[:, 2, 2] = a, d, f
            form[:, 0, 1], form[:, 0, 2], form[:, 1, 2] = b, c, e
            forms.append(form)
    return np.concatenate(forms)


def compact_supercell(primitive: FloatArray, n: int) -> Supercell:
    """Return the widest supercell of n primitive cells; of equally wide ones that with the longest short vector.

    :param primitive: rows are cell vectors, angstrom, (3, 3).
    """
    start = reduction(primitive)
    reduced = start @ primitive
    forms = sublattices(n)
    widths = _widths(forms @ reduced)
    best: tuple[tuple[float, float], Supercell] | None = None
    for form in forms[np.argsort(-widths, kind="stable")[:N_COMPARED]]:
        turned = reduction(form @ reduced) @ form
        cell = turned @ reduced
        if np.linalg.det(cell) < 0:
            turned, cell = -turned, -cell
        # Rounded: equal cells must not be chosen by the last digits.
        width = float(perpendicular_widths(cell).min())
        merit = (round(width, 5), round(float(np.linalg.norm(cell, axis=1).min()), 5))
        if best is None or merit > best[0]:
            best = merit, Supercell(cell, turned @ start, width)
    assert best is not None
    return best[1]


def _widths(cells: FloatArray) -> FloatArray:
    """Return about the smallest distance between opposite faces of each lattice's reduced cell, angstrom, (m,).

    Vectors are shortened by whole multiples of each other until none gets shorter, all lattices at once.

    :param cells: rows are cell vectors, angstrom, (m, 3, 3).
    """
    vectors = cells.copy()
    for _ in range(MAX_SHORTENINGS):
        before = vectors.copy()
        for one, other in ((2, 1), (2, 0), (1, 0), (1, 2), (0, 1), (0, 2)):
            products = (vectors[:, one] * vectors[:, other]).sum(axis=1)
            multiples = np.rint(products / (vectors[:, other] ** 2).sum(axis=1) - 1e-9)
            vectors[:, one] -= multiples[:, None] * vectors[:, other]
        if np.allclose(vectors, before):
            break
    areas = np.linalg.norm(np.cross(vectors[:, [1, 2, 0]], vectors[:, [2, 0, 1]]), axis=2)
    widths: FloatArray = np.abs(np.linalg.det(vectors)) / areas.max(axis=1)
    return widths


def repeated_places(places: FloatArray, multiples: IntArray) -> tuple[FloatArray, IntArray]:
    """Return the places of a supercell, and for each the index of its place in the primitive cell.

    :param places: fractional coordinates in the primitive cell, (n, 3).
    :param multiples: whole numbers T, (3, 3): the supercell is T times the primitive cell.
    :returns: fractional coordinates in the supercell from 0 to 1, ``(n |det T|, 3)``, and indices, ``(n |det T|,)``.
    """
    size = round(abs(float(np.linalg.det(multiples))))
    inverse = np.linalg.inv(multiples)
    corners = np.stack(np.meshgrid(*[[0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3) @ multiples
    low, high = corners.min(axis=0), corners.max(axis=0)
    ranges = (np.arange(first, last + 1) for first, last in zip(low, high, strict=True))
    grid = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
    inside = grid @ inverse
    shifts = grid[np.all((inside > -1e-9) & (inside < 1.0 - 1e-9), axis=1)]
    if len(shifts) != size:
        raise ArithmeticError(f"{len(shifts)} translations found for a supercell of {size} cells")
    result = ((places[:, None] + shifts[None]) @ inverse) % 1.0
    return result.reshape(-1, 3), np.repeat(np.arange(len(places)), size)
