"""Widths of periodic cells, and the supercell that is wide enough."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from ase.geometry.minkowski_reduction import minkowski_reduce

FloatArray = npt.NDArray[np.float64]

#: Largest number of atoms in a simulated cell.
MAX_SIMULATED_ATOMS = 500_000
WIDTH_RULES = ("perpendicular", "edge")


def perpendicular_widths(cell: npt.NDArray[Any]) -> FloatArray:
    """Distance between the opposite faces of a cell along each vector, angstrom, (3,).

    Width i is ``V / |a_j x a_k|``: it limits minimum images and is shorter than the edge in a skewed cell.

    :param cell: rows are cell vectors, angstrom, (3, 3).
    :raises ValueError: for a cell without volume.
    """
    cell = np.asarray(cell, dtype=float)
    volume = abs(float(np.linalg.det(cell)))
    if volume < 1e-6:
        raise ValueError("the cell has no volume: no periodic crystal")
    areas = np.linalg.norm(np.cross(cell[[1, 2, 0]], cell[[2, 0, 1]]), axis=1)
    widths: FloatArray = volume / areas
    return widths


def reduction(cell: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Whole numbers R, (3, 3), such that the rows of R @ cell are the shortest vectors of the same lattice (Minkowski).

    :param cell: rows are cell vectors, angstrom, (3, 3).
    """
    multiples: npt.NDArray[np.int64] = np.asarray(minkowski_reduce(np.asarray(cell, dtype=float))[1], dtype=np.int64)
    return multiples


def image_room_A(cell: npt.NDArray[Any]) -> float:  # noqa: N802
    """Half the narrowest width of the reduced cell, angstrom: a shorter step has only one nearest image.

    :param cell: rows are cell vectors, angstrom, (3, 3); all cells of a lattice give the same value.
    """
    cell = np.asarray(cell, dtype=float)
    return 0.5 * float(perpendicular_widths(reduction(cell) @ cell).min())


def supercell_multiples(
    cell: npt.NDArray[Any], min_width_A: float = 10.0, rule: str = "perpendicular"
) -> tuple[int, int, int]:
    """Repeats along each cell vector that make every width at least ``min_width_A``.

    :param cell: rows are cell vectors, angstrom, (3, 3).
    :param min_width_A: smallest width, angstrom.
    :param rule: ``perpendicular`` measures between faces, ``edge`` along the cell vectors, as benchmark studies of AIMD
        do.
    :raises ValueError: for an unknown rule, a width that is not positive, or a cell without volume.
    """
    if rule not in WIDTH_RULES:
        raise ValueError(f"rule must be one of {', '.join(WIDTH_RULES)}, got {rule!r}")
    if not min_width_A > 0:
        raise ValueError(f"min_width_A must be positive, got {min_width_A!r}")
    widths = perpendicular_widths(cell)
    if rule == "edge":
        widths = np.linalg.norm(np.asarray(cell, dtype=float), axis=1)
    a, b, c = (max(1, math.ceil(min_width_A / float(width) - 1e-6)) for width in widths)
    return a, b, c


def check_size(n_atoms: int) -> None:
    """Refuse a cell that would be too large.

    :raises ValueError: for more than :data:`MAX_SIMULATED_ATOMS`.
    """
    if n_atoms > MAX_SIMULATED_ATOMS:
        raise ValueError(
            f"the simulated cell would have {n_atoms:,} atoms, more than the maximum of {MAX_SIMULATED_ATOMS:,}: "
            "use a smaller min_width_A or supercell"
        )
