"""The rigid ions of a crystal, their primitive cell and their symmetry."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.crystals.cell import reduction
from aiida_ion.analysis.crystals.identity import SYMPREC_A

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Framework:
    """The ions of a crystal that stay where they are.

    :param cell_A: rows are cell vectors, angstrom, (3, 3).
    :param positions_A: Cartesian positions, angstrom, (n, 3).
    :param symbols: element of each.
    :param charges_e: charge of each, e, (n,).
    """

    cell_A: FloatArray
    positions_A: FloatArray
    symbols: Sequence[str]
    charges_e: FloatArray

    def kinds(self) -> list[int]:
        """Return a number for each ion, the same for those of one element and charge."""
        ions = list(zip(self.symbols, self.charges_e.tolist(), strict=True))
        names = sorted(set(ions))
        return [names.index(ion) + 1 for ion in ions]

    def fractions(self) -> FloatArray:
        """Return the fractional coordinates, from 0 to 1, (n, 3)."""
        fractions: FloatArray = (self.positions_A @ np.linalg.inv(self.cell_A)) % 1.0
        return fractions


def primitive_framework(framework: Framework) -> Framework:
    """Return the framework in its smallest cell, whose vectors are as short as possible.

    Without its mobile ions a crystal may have a smaller cell than with them; ions stay where they are.
    """
    cell, fractions = framework.cell_A, framework.fractions()
    rotations, translations = _symmetry(framework)
    pure = translations[[bool(np.array_equal(rotation, np.eye(3, dtype=int))) for rotation in rotations]]
    smallest = cell
    if len(pure) > 1:
        count = len(pure)
        rows = np.concatenate([count * np.eye(3, dtype=np.int64), np.rint(count * pure).astype(np.int64)])
        basis = _lattice_basis(rows) / count
        if np.isclose(abs(np.linalg.det(basis)) * count, 1.0):
            smallest = basis @ cell
    smallest = reduction(smallest) @ smallest
    kept = _distinct(fractions @ cell @ np.linalg.inv(smallest), framework.kinds(), smallest)
    if not np.isclose(len(kept) / abs(np.linalg.det(smallest)), len(fractions) / abs(np.linalg.det(cell))):
        smallest, kept = reduction(cell) @ cell, list(range(len(fractions)))
    return Framework(
        smallest,
        framework.positions_A[kept],
        [framework.symbols[index] for index in kept],
        framework.charges_e[kept],
    )


def symmetry_operations(framework: Framework) -> list[tuple[FloatArray, FloatArray]]:
    """Return the operations r -> r @ R + t (angstrom) that leave the framework as it is, but for lattice vectors."""
    cell = framework.cell_A
    inverse = np.linalg.inv(cell)
    rotations, translations = _symmetry(framework)
    return [
        (inverse @ rotation.T @ cell, translation @ cell)
        for rotation, translation in zip(rotations, translations, strict=True)
    ]


def _symmetry(framework: Framework) -> tuple[IntArray, FloatArray]:
    """Return rotations (m, 3, 3) and translations (m, 3) of fractional coordinates; the identity if none is found."""
    import spglib

    given: Any = (framework.cell_A, framework.fractions(), framework.kinds())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # spglib's, on its own handling of errors
        dataset = spglib.get_symmetry_dataset(given, symprec=SYMPREC_A)
    if dataset is None:
        return np.eye(3, dtype=np.int64)[None], np.zeros((1, 3))
    return np.asarray(dataset.rotations, dtype=np.int64), np.asarray(dataset.translations, dtype=float)


def _lattice_basis(rows: IntArray) -> IntArray:
    """Return three vectors that span the same lattice as the rows, (3, 3), by Euclid's algorithm."""
    rows = rows.copy()
    for column in range(3):
        while True:
            below = [index for index in range(column, len(rows)) if rows[index, column]]
            pivot = min(below, key=lambda index: abs(int(rows[index, column])))
            rows[[column, pivot]] = rows[[pivot, column]]
            others = rows[column + 1 :]
            others -= (others[:, column] // rows[column, column])[:, None] * rows[column]
            if not others[:, column].any():
                break
    return rows[:3]


def _distinct(fractions: FloatArray, kinds: list[int], cell: FloatArray) -> list[int]:
    """Return the first of all ions that are one in a smaller cell."""
    numbers, kept = np.array(kinds), list[int]()
    for index, fraction in enumerate(fractions):
        away = fractions[kept] - fraction
        away -= np.rint(away)
        same = numbers[kept] == numbers[index]
        if not np.any((np.linalg.norm(away @ cell, axis=1) < 3 * SYMPREC_A) & same):
            kept.append(index)
    return kept
