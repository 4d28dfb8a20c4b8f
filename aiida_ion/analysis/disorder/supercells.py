"""Supercells of a primitive cell: of all lattices with n times its volume, the most compact one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.crystals.cell import perpendicular_widths, reduction

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: How many of the lattices with the longest shortest vector are compared by width.
N_COMPARED = 12


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
    """Return the supercell of n primitive cells with the largest width among those with the longest shortest vector.

    :param primitive: rows are cell vectors, angstrom, (3, 3).
    """
    start = reduction(primitive)
    reduced = start @ primitive
    forms = sublattices(n)
    shortest = _shortest_vectors(reduced, forms, n)
    order = np.argsort(-shortest, kind="stable")[:N_COMPARED]
    best: Supercell | None = None
    for form in forms[order]:
        lattice = form @ reduced
        turned = reduction(lattice) @ form
        cell = turned @ reduced
        if np.linalg.det(cell) < 0:
            turned, cell = -turned, -cell
        width = float(perpendicular_widths(cell).min())
        # A small margin: equal cells must not be chosen by rounding.
        if best is None or width > best.width_A + 1e-6:
            best = Supercell(cell, turned @ start, width)
    assert best is not None
    return best


def _shortest_vectors(cell: FloatArray, forms: IntArray, n: int) -> FloatArray:
    """Return the length of the shortest vector of each lattice, angstrom, (m,).

    No lattice of volume V has a shortest vector longer than (sqrt(2) V)^(1/3): a list of vectors up to there does.
    """
    volume = n * abs(float(np.linalg.det(cell)))
    longest = (np.sqrt(2.0) * volume) ** (1.0 / 3.0) * 1.001
    reach = np.ceil(longest / perpendicular_widths(cell)).astype(int)
    grid = np.stack(np.meshgrid(*(np.arange(-k, k + 1) for k in reach), indexing="ij"), axis=-1).reshape(-1, 3)
    grid = grid[len(grid) // 2 + 1 :]  # one of each pair of opposite vectors
    lengths = np.linalg.norm(grid @ cell, axis=1)
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] <= longest]
    result = np.full(len(forms), longest)
    waiting = np.arange(len(forms))
    for vector, length in zip(grid[order], lengths[order], strict=True):
        contained = _contains(forms[waiting], vector)
        result[waiting[contained]] = length
        waiting = waiting[~contained]
        if not len(waiting):
            break
    return result


def _contains(forms: IntArray, vector: IntArray) -> npt.NDArray[np.bool_]:
    """Return whether each lattice contains a vector."""
    x, first = np.divmod(vector[0], forms[:, 0, 0])
    y, second = np.divmod(vector[1] - x * forms[:, 0, 1], forms[:, 1, 1])
    third = (vector[2] - x * forms[:, 0, 2] - y * forms[:, 1, 2]) % forms[:, 2, 2]
    contained: npt.NDArray[np.bool_] = (first == 0) & (second == 0) & (third == 0)
    return contained


def repeated_places(places: FloatArray, multiples: IntArray) -> tuple[FloatArray, IntArray]:
    """Return the places of a supercell, and for each the index of its place in the primitive cell.

    :param places: fractional coordinates in the primitive cell, (n, 3).
    :param multiples: whole numbers T, (3, 3): the supercell is T times the primitive cell.
    :returns: fractional coordinates in the supercell from 0 to 1, (n |det T|, 3), and indices, (n |det T|,).
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
