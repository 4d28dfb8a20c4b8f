"""Hashes by which a result is found again: of a crystal, whatever its cell, and of what decides a number."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
from ase.geometry.minkowski_reduction import minkowski_reduce
from pymatgen.core.structure import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer, SymmetryUndeterminedError
from scipy.spatial import KDTree

from aiida_ion.analysis.method_hash import method_hash

FloatArray = npt.NDArray[np.float64]

#: Part of every hash of a crystal: raised when the description below changes.
IDENTITY_VERSION = 1
#: Tolerance of the symmetry search, angstrom: above the rounding of coordinates with four digits.
SYMPREC_A = 1e-3
#: Lengths are compared in steps of this size, angstrom.
STEP_A = 1e-4
#: Shift of the steps, so that lengths with few digits do not lie on the limit between two of them.
STEP_SHIFT = 0.3137
#: Neighbours of each element that describe the surroundings of an atom.
N_NEIGHBOURS = 24


def structure_hash(structure: Structure) -> str:
    """Return a hash of a crystal that does not depend on how it is written down.

    Primitive and conventional cells, supercells, other origins and orientations, other orders of atoms and charges on
    the species give the same hash; a mirror image does so, too. Lengths enter in steps of 1e-4 angstrom.

    The description is the pointwise distance distribution of Widdowson and Kurlin (NeurIPS 2022), with the distances
    sorted by element: for each inequivalent atom of the symmetrised primitive cell its share of the atoms and its
    distances to the nearest atoms of each element. The lengths of the reduced cell and the space group are added.

    :raises ValueError: for a disordered structure, or one without a periodic cell.
    """
    if not structure.is_ordered:
        raise ValueError("disordered: partly occupied sites have no hash; order the structure first")
    cell, fractions, numbers, group = _primitive(structure)
    lengths = np.sort(np.linalg.norm(minkowski_reduce(cell)[0], axis=1))
    atoms = Counter(_surroundings(cell, fractions, numbers))
    description = {
        "version": IDENTITY_VERSION,
        "space_group": group,
        "n_atoms": len(numbers),
        "cell": _steps(lengths),
        "atoms": sorted([count, *row] for row, count in atoms.items()),
    }
    return method_hash(description)


def _primitive(structure: Structure) -> tuple[FloatArray, FloatArray, npt.NDArray[np.int64], int]:
    """Return the symmetrised primitive cell (rows, angstrom), fractional coordinates, atomic numbers and space group.

    Where no symmetry is found the cell stays as it is, and the space group is 0.
    """
    cell = np.asarray(structure.lattice.matrix, dtype=float)
    if not np.isfinite(cell).all() or abs(np.linalg.det(cell)) < 1e-6:
        raise ValueError("the cell has no volume: no periodic crystal")
    plain = Structure(cell, [site.specie.symbol for site in structure], structure.frac_coords, to_unit_cell=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # spglib's, on its own handling of errors
        warnings.filterwarnings("ignore", "No Pauling electronegativity")  # pymatgen's, on noble gases
        try:
            analyzer = SpacegroupAnalyzer(plain, symprec=SYMPREC_A)
            group, primitive = int(analyzer.get_space_group_number()), analyzer.find_primitive()
        except (ValueError, TypeError, SymmetryUndeterminedError):
            group, primitive = 0, plain
    numbers = np.array([site.specie.Z for site in primitive], dtype=np.int64)
    matrix, fractions = (np.asarray(array, dtype=float) for array in (primitive.lattice.matrix, primitive.frac_coords))
    return matrix, fractions, numbers, group


def _surroundings(
    cell: FloatArray, fractions: FloatArray, numbers: npt.NDArray[np.int64]
) -> list[tuple[int, tuple[int, ...]]]:
    """Return for each atom its element, and its distances to the nearest atoms of each element, in steps."""
    reduced = np.asarray(minkowski_reduce(cell)[0], dtype=float)
    positions = ((fractions @ cell) @ np.linalg.inv(reduced) % 1.0) @ reduced
    rows: list[list[int]] = [[] for _ in numbers]
    for element in np.unique(numbers):
        places = positions[numbers == element]
        for atom, distances in enumerate(_nearest(reduced, positions, places)):
            rows[atom] += _steps(distances)
    return [(int(number), tuple(row)) for number, row in zip(numbers, rows, strict=True)]


def _nearest(cell: FloatArray, positions: FloatArray, others: FloatArray) -> FloatArray:
    """Return the distances of each position to the nearest of others and their images, angstrom, (n, N_NEIGHBOURS).

    :param cell: reduced, rows, angstrom; positions lie within it.
    """
    # A sphere that holds enough of them, wherever it is centred in the cell.
    density = len(others) / abs(float(np.linalg.det(cell)))
    diagonal = float(np.linalg.norm(cell, axis=1).sum())
    radius = (3.0 * (N_NEIGHBOURS + 1) / (4.0 * np.pi * density)) ** (1.0 / 3.0) + diagonal
    widths = abs(float(np.linalg.det(cell))) / np.linalg.norm(np.cross(cell[[1, 2, 0]], cell[[2, 0, 1]]), axis=1)
    reach = np.ceil(radius / widths).astype(int)
    shifts = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij"), axis=-1).reshape(-1, 3)
    images = (others[None] + (shifts @ cell)[:, None]).reshape(-1, 3)
    distances: Any = KDTree(images).query(positions, k=N_NEIGHBOURS)[0]
    return np.asarray(distances, dtype=float)


def _steps(lengths_A: FloatArray) -> list[int]:
    return [int(step) for step in np.floor(np.asarray(lengths_A) / STEP_A + STEP_SHIFT)]
