"""The map of a result, kept as arrays: energies on the grid of a cell, and the atoms that stay in place there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

#: Names of the arrays of a kept map.
ENERGIES, HOST = "energies_eV", "host_positions_A"
#: Whether a matrix is of whole numbers: atoms of a cell of 30 angstrom are then off by less than 0.03 angstrom.
WHOLE = 1e-3
GRID = (
    "energies_eV[i, j, k] is at (origin_fractional + (i/nx, j/ny, k/nz)) of the rows of cell_A; it repeats with the "
    "cell and has no end planes; infinite where no ion can be"
)


@dataclass(frozen=True)
class EnergyMap:
    """Energies of one ion at the points of a cell.

    :param energies_eV: energies above the stated zero, eV, (nx, ny, nz), without end planes that repeat the first
        ones; infinite where no ion can be.
    :param cell_A: rows are cell vectors, angstrom, (3, 3).
    :param origin: fractional coordinates of the first point, (3,).
    :param host_A: Cartesian positions of the atoms that stay in place, angstrom, (k, 3).
    :param host_symbols: element of each.
    """

    energies_eV: npt.NDArray[np.floating[Any]]
    cell_A: FloatArray
    origin: FloatArray
    host_A: FloatArray
    host_symbols: tuple[str, ...]

    def arrays(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return the arrays of the map in single precision: energies (eV) and host (angstrom)."""
        return {ENERGIES: self.energies_eV.astype(np.float32), HOST: self.host_A.astype(np.float32)}

    def about(self) -> dict[str, Any]:
        """Return what else describes the map, ready for JSON."""
        return {
            "shape": list(self.energies_eV.shape),
            "cell_A": np.asarray(self.cell_A, dtype=float).tolist(),
            "origin_fractional": np.asarray(self.origin, dtype=float).tolist(),
            "host_symbols": list(self.host_symbols),
            "grid": GRID,
            "unit": "eV",
        }

    @classmethod
    def read(cls, arrays: Mapping[str, npt.NDArray[Any]], about: Mapping[str, Any]) -> EnergyMap:
        """Return the map that :meth:`arrays` and :meth:`about` describe.

        :raises ValueError: where they do not fit together.
        """
        try:
            energies, host = np.asarray(arrays[ENERGIES]), np.asarray(arrays[HOST], dtype=float)
            cell = np.array(about["cell_A"], dtype=float).reshape(3, 3)
            origin = np.array(about["origin_fractional"], dtype=float).reshape(3)
            symbols = tuple(str(symbol) for symbol in about["host_symbols"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"it is not a map that was kept: {type(error).__name__} {error}") from error
        if energies.ndim != 3 or 0 in energies.shape or energies.dtype.kind != "f" or np.isnan(energies).any():
            raise ValueError("its energies are not numbers on a grid of three axes")
        if host.shape != (len(symbols), 3) or not (
            np.isfinite(host).all() and np.isfinite([*cell.ravel(), *origin]).all()
        ):
            raise ValueError("its cell and atoms do not fit together")
        if abs(float(np.linalg.det(cell))) == 0.0 or not np.isfinite(energies).any():
            raise ValueError("its cell has no volume, or no energy is finite")
        return cls(energies, cell, origin, host, symbols)


def in_cell(one: EnergyMap, cell_A: npt.ArrayLike) -> EnergyMap | None:
    """Return a map repeated in a larger cell of the same lattice, on a grid that is as fine along each of its vectors.

    Energies between points are those of linear interpolation; nothing is interpolated where the cells are equal.

    :param cell_A: rows are cell vectors in the same axes, angstrom, (3, 3).
    :returns: ``None`` where the vectors are not whole multiples of those of the map.
    """
    from scipy import ndimage

    cell = np.asarray(cell_A, dtype=float)
    multiples = cell @ np.linalg.inv(one.cell_A)
    whole = np.rint(multiples)
    count = round(abs(float(np.linalg.det(whole))))
    if np.abs(multiples - whole).max() > WHOLE or count == 0:
        return None
    if np.array_equal(whole, np.eye(3)):
        return one
    shape = np.array(one.energies_eV.shape)
    steps = np.linalg.norm(one.cell_A, axis=1) / shape
    sizes = [max(2, int(np.ceil(np.linalg.norm(vector) / steps.max() - 1e-6))) for vector in cell]
    points = np.stack(np.meshgrid(*[np.arange(n) / n for n in sizes], indexing="ij"), axis=-1).reshape(-1, 3)
    at = ((points @ whole - one.origin) * shape).T
    finite = np.isfinite(one.energies_eV)
    values = ndimage.map_coordinates(np.where(finite, one.energies_eV, 0.0), at, order=1, mode="grid-wrap")
    closed = ndimage.map_coordinates((~finite).astype(float), at, order=1, mode="grid-wrap") > 1e-6
    energies = np.where(closed, np.inf, values).reshape(sizes)
    host, symbols = repeated(one.host_A, one.host_symbols, one.cell_A, cell)
    return EnergyMap(energies, cell, np.zeros(3), host, symbols)


def repeated(
    positions_A: FloatArray, symbols: Sequence[str], small_A: FloatArray, cell_A: FloatArray
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the atoms of a small cell in a larger one of the same lattice, angstrom, (k, 3), with their elements."""
    whole = np.rint(cell_A @ np.linalg.inv(small_A))
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) @ whole
    low, high = corners.min(axis=0).astype(int) - 1, corners.max(axis=0).astype(int) + 1
    shifts = np.stack(
        np.meshgrid(*[np.arange(a, b + 1) for a, b in zip(low, high, strict=True)], indexing="ij"), axis=-1
    ).reshape(-1, 3)
    places = np.linalg.inv(whole)  # fractional coordinates of the vectors of the small cell in the large one
    corner = shifts @ places
    inside = ((corner > -WHOLE) & (corner < 1.0 - WHOLE)).all(axis=1)
    copies = positions_A[None] + (shifts[inside] @ small_A)[:, None]
    return copies.reshape(-1, 3), tuple(symbols) * int(inside.sum())
