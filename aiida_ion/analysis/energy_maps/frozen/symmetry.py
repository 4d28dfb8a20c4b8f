"""Symmetry of crystals by spglib: operations, equivalent points, the reduced primitive cell."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import spglib

from aiida_ion.analysis.crystals.cell import supercell_multiples
from aiida_ion.analysis.energy_maps.frozen.map_plan import Operations

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
#: How far atoms may be from where an operation puts them, angstrom: above coordinates of four digits, below what
#: changes an energy by more than a few meV.
TOLERANCE_A = 1e-3


@dataclass(frozen=True)
class Crystal:
    """A periodic arrangement of atoms.

    :param cell: rows are cell vectors, angstrom, (3, 3).
    :param numbers: atomic numbers, (n,).
    :param fractions: fractional coordinates, (n, 3).
    """

    cell: FloatArray
    numbers: IntArray
    fractions: FloatArray

    def without(self, *indices: int) -> Crystal:
        """Return the crystal without some atoms."""
        keep = np.setdiff1d(np.arange(len(self.numbers)), indices)
        return Crystal(self.cell, self.numbers[keep], self.fractions[keep])

    def repeated(self, multiples: tuple[int, int, int]) -> Crystal:
        """Return a supercell; the atoms of the first cell come first."""
        counts = np.array(multiples)
        shifts = np.stack(np.meshgrid(*map(np.arange, multiples), indexing="ij"), axis=-1).reshape(-1, 3)
        fractions = ((self.fractions[None] + shifts[:, None]) / counts).reshape(-1, 3)
        return Crystal(self.cell * counts[:, None], np.tile(self.numbers, len(shifts)), fractions)


def separation_A(differences: FloatArray, cell: FloatArray) -> FloatArray:  # noqa: N802
    """Return the length of differences of fractional coordinates, each component to its nearest image, (...,)."""
    lengths: FloatArray = np.linalg.norm((differences - np.round(differences)) @ cell, axis=-1)
    return lengths


def keeping(operations: Operations, point: FloatArray, cell: FloatArray, tolerance_A: float) -> Operations:
    """Return the operations that keep a point, or put it on an image of itself."""
    return operations.select(separation_A(operations.images(point) - point, cell) <= 2.0 * tolerance_A)


def find_operations(crystal: Crystal, tolerance_A: float = TOLERANCE_A) -> Operations:
    """Return the symmetry operations of a crystal, pure translations among them; the identity if none is found.

    :param tolerance_A: how far atoms may be from where an operation puts them, angstrom.
    """
    if len(crystal.numbers) == 0:
        return Operations()
    found: Any = _quietly(spglib.get_symmetry, _as_spglib(crystal), symprec=tolerance_A)
    if found is None:
        return Operations()
    return Operations(np.asarray(found["rotations"], dtype=np.int64), np.asarray(found["translations"], dtype=float))


def equivalent_points(points: FloatArray, operations: Operations, cell: FloatArray, tolerance_A: float) -> IntArray:
    """Return for each point the index of the first that an operation puts on it, (k,).

    :param points: fractional coordinates, (k, 3).
    """
    first = np.full(len(points), -1, dtype=np.int64)
    for index, point in enumerate(points):
        if first[index] < 0:
            images = operations.images(point)
            apart = separation_A(points[:, None] - images[None], cell).min(axis=1)
            first[(first < 0) & (apart <= 2.0 * tolerance_A)] = index
            first[index] = index
    return first


def primitive_cell(crystal: Crystal, tolerance_A: float = TOLERANCE_A) -> Crystal:
    """Return the crystal in its Niggli-reduced primitive cell; as it is where no symmetry is found.

    Positions are those of the crystal, not idealised.
    """
    options: dict[str, Any] = {"to_primitive": True, "no_idealize": True, "symprec": tolerance_A}
    standard: Any = _quietly(spglib.standardize_cell, _as_spglib(crystal), **options)
    if standard is None:
        return crystal
    cell, fractions, numbers = (np.asarray(part) for part in standard)
    reduced: Any = _quietly(spglib.niggli_reduce, cell)
    reduced = cell if reduced is None else np.asarray(reduced, dtype=float)
    places = (fractions @ cell @ np.linalg.inv(reduced)) % 1.0
    return Crystal(reduced, numbers.astype(np.int64), places)


def wide_enough(cell: FloatArray, min_width_A: float | None) -> tuple[int, int, int]:
    """Return the repeats of a cell that make it ``min_width_A`` wide between all faces; (1, 1, 1) without a width."""
    return (1, 1, 1) if min_width_A is None else supercell_multiples(cell, min_width_A)


def _as_spglib(crystal: Crystal) -> tuple[Any, Any, Any]:
    return crystal.cell.tolist(), crystal.fractions.tolist(), crystal.numbers.tolist()


def _quietly(function: Any, *arguments: Any, **options: Any) -> Any:
    """Call a function of spglib; ``None`` where it fails, by an error or as earlier versions did."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # on the error handling of spglib
        try:
            return function(*arguments, **options)
        except spglib.SpglibError:
            return None
