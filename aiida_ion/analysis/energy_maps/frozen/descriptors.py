"""The descriptors of Maevskiy et al. (arXiv:2411.06804) of frozen potential-energy surfaces, under their names.

Each map is tiled to a box that reaches one cell vector to each side of its minimum. ``mpe`` is the lowest level at
which a face of the box is reached, ``mpe_robust_0p03`` the 3 % quantile of the levels on the best face;
``fv_0p5_connected`` the fraction of the box whose level is below 0.5 eV, ``fv_0p5_disconnected`` that whose energy is,
each averaged over five thresholds near the one that it is named after; summed over the ions, or of the ``_union`` of
their regions; ``_rel`` is the sum divided by the volume of the cell. ``masked1p5_`` leaves out what is within 1.5
angstrom of the minimum, ``Wmasked1p5_`` of its images, too. ``Xi`` joins two of them.

What differs from the published program: the grid has a point on the site and equal numbers of points along equivalent
axes; levels are exact (there in steps of at least 0.1 eV), and their pathways may step to all 26 neighbours (there some
diagonals of skewed cells are left out); points of the union are the nearest of each ion's own grid.
As there, points that are too close to other atoms have the highest energy of their map, and levels end at 6 eV.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.energy_maps.frozen.level_map import levels_from
from aiida_ion.analysis.energy_maps.frozen.map_plan import Operations

FloatArray = npt.NDArray[np.float64]

THRESHOLDS_EV = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
NEAR_EV = (-0.04, -0.02, 0.0, 0.02, 0.04)
QUANTILES = (0.03, 0.05, 0.10)
MASK_A = 1.5
MASKS = ("", "masked1p5_", "Wmasked1p5_")
#: The published flood ends here, eV above the minimum.
HIGHEST_LEVEL_EV = 6.0


@dataclass(frozen=True)
class IonMap:
    """The map of one ion, which stands for all equivalent ones.

    :param energies_eV: energies, eV, (nx, ny, nz), infinite or not a number where there is none.
    :param site: fractional coordinates of the first grid point, (3,).
    :param copies: operations that carry the map to that of each equivalent ion, the identity among them.
    """

    energies_eV: FloatArray
    site: FloatArray
    copies: Operations


@dataclass(frozen=True)
class _Box:
    """A map from one cell vector before its minimum to one behind it.

    :param shape: points along each vector of the cell.
    :param minimum: fractional coordinates, (3,).
    :param levels_eV: with both faces, (2 nx + 1, 2 ny + 1, 2 nz + 1).
    :param values_eV: energies (``disconnected``) and levels (``connected``) above the minimum, without the last faces,
        (2 nx, 2 ny, 2 nz); equivalent faces have the lower of their levels.
    :param kept: for each mask the points that it leaves.
    :param copies: operations that carry the map to that of each equivalent ion.
    """

    shape: tuple[int, int, int]
    minimum: FloatArray
    levels_eV: FloatArray
    values_eV: dict[str, FloatArray]
    kept: dict[str, npt.NDArray[np.bool_]]
    copies: Operations


def published_descriptors(ions: Sequence[IonMap], cell: FloatArray) -> dict[str, Any]:
    """Return the published descriptors of the maps of all inequivalent ions of a crystal.

    :param ions: their maps.
    :param cell: rows are cell vectors, angstrom, (3, 3).
    :returns: by name: eV, fractions, and fractions per cubic angstrom; ``None`` where there is no value.
    """
    boxes = [_box(ion, cell) for ion in ions]
    volume = abs(float(np.linalg.det(cell)))
    result: dict[str, Any] = {"cell_volume": volume, "mpe": _lowest(_faces(box, 0.0) for box in boxes)}
    for quantile in QUANTILES:
        result[f"mpe_robust_{_name(quantile, 2)}"] = _lowest(_faces(box, quantile) for box in boxes)
    for mask in MASKS:
        for kind in ("disconnected", "connected"):
            result |= _free_volumes(boxes, mask, kind, volume)
    highest = min(float(box.values_eV["disconnected"].max()) for box in boxes)
    result |= {f"fv_{_name(level)}_WARNlowPES": highest < level for level in THRESHOLDS_EV}
    return result | {"Xi": xi(result["fv_0p5_connected_union"], result["fv_0p5_disconnected_union"])}


def xi(connected_union: float, disconnected_union: float) -> float:
    """Return the published product of two logistic functions, of the free volumes at 0.5 eV."""
    with np.errstate(divide="ignore", over="ignore"):
        connected = 1.0 / (1.0 + np.exp(-10.0 * (np.log10(connected_union) + 2.0)))
        disconnected = 1.0 / (1.0 + np.exp(-10.0 * (np.log10(disconnected_union) + 1.15)))
    return float(connected * disconnected)


def _box(ion: IonMap, cell: FloatArray) -> _Box:
    nx, ny, nz = ion.energies_eV.shape
    shape = np.array([nx, ny, nz])
    finite = np.isfinite(ion.energies_eV)
    highest, lowest = ion.energies_eV[finite].max(), ion.energies_eV[finite].min()
    above = np.where(finite, ion.energies_eV, highest) - lowest
    steps = np.array(np.unravel_index(int(above.argmin()), above.shape))
    around = [(step + np.arange(-n, n + 1)) % n for step, n in zip(steps, shape, strict=True)]
    box = above[np.ix_(*around)]
    levels = levels_from(np.where(box <= HIGHEST_LEVEL_EV, box, np.inf), (nx, ny, nz))
    values = {"disconnected": box[:-1, :-1, :-1], "connected": _periodic(levels)}
    return _Box((nx, ny, nz), ion.site + steps / shape, levels, values, _kept(shape, cell), ion.copies)


def _periodic(levels: FloatArray) -> FloatArray:
    """Return levels without the last faces, equivalent points of faces having the lowest of theirs."""
    levels = levels.copy()
    for axis in range(3):
        faces = np.moveaxis(levels, axis, 0)
        faces[0] = np.minimum(faces[0], faces[-1])
    return levels[:-1, :-1, :-1]


def _kept(shape: npt.NDArray[np.int64], cell: FloatArray) -> dict[str, npt.NDArray[np.bool_]]:
    """Return the points of a box without its last faces that each mask leaves."""
    offsets = np.stack(np.meshgrid(*(np.arange(-n, n) / n for n in shape), indexing="ij"), axis=-1)
    alone = np.linalg.norm(offsets @ cell, axis=-1) >= MASK_A
    among_images = alone.copy()
    for image in itertools.product((-1, 0, 1), repeat=3):
        among_images &= np.linalg.norm((offsets - np.array(image)) @ cell, axis=-1) >= MASK_A
    return dict(zip(MASKS, (np.ones_like(alone), alone, among_images), strict=True))


def _faces(box: _Box, quantile: float) -> float:
    """Return the lowest quantile of the levels on the six faces of a box, eV."""
    levels = np.minimum(box.levels_eV, HIGHEST_LEVEL_EV)
    faces = [np.moveaxis(levels, axis, 0)[end] for axis in range(3) for end in (0, -1)]
    return min(float(np.quantile(face, quantile)) for face in faces)


def _free_volumes(boxes: Sequence[_Box], mask: str, kind: str, volume: float) -> dict[str, Any]:
    """Return the free volumes of all thresholds, of energies or of levels."""
    sums = np.zeros(len(THRESHOLDS_EV))
    for box in boxes:
        sums += len(box.copies) * _below(box.values_eV[kind][box.kept[mask]])
    union = _below(_union(boxes, mask, kind).ravel())
    result = dict[str, Any]()
    for level, total, any_ion in zip(THRESHOLDS_EV, sums.tolist(), union.tolist(), strict=True):
        name = f"{mask}fv_{_name(level)}_{kind}"
        known = None if np.isnan(total) else total
        result |= {name: known, f"{name}_rel": None if known is None else known / volume, f"{name}_union": any_ion}
    return result


def _below(values: FloatArray) -> FloatArray:
    """Return the fraction of values below each threshold, averaged over those near it; not a number of no values."""
    if not len(values):
        return np.full(len(THRESHOLDS_EV), np.nan)
    limits = np.array(THRESHOLDS_EV)[:, None] + np.array(NEAR_EV)
    fractions: FloatArray = np.searchsorted(np.sort(values), limits).mean(axis=1) / len(values)
    return fractions


def _union(boxes: Sequence[_Box], mask: str, kind: str) -> FloatArray:
    """Return for each point of two cells along each vector the lowest value that any ion has there, eV."""
    masked = [np.where(box.kept[mask], box.values_eV[kind], np.inf) for box in boxes]
    if sum(len(box.copies) for box in boxes) == 1:
        return masked[0]
    points = np.stack(np.meshgrid(*(np.arange(2 * n) / n for n in boxes[0].shape), indexing="ij"), axis=-1)
    lowest = np.full(points.shape[:3], np.inf)
    for box, values in zip(boxes, masked, strict=True):
        counts = np.array(box.shape)
        for rotation, minimum in zip(box.copies.rotations, box.copies.images(box.minimum) % 1.0, strict=True):
            there = (points - minimum) @ np.linalg.inv(rotation).T
            index = (np.round(there * counts).astype(np.int64) + counts) % (2 * counts)
            np.minimum(lowest, values[tuple(np.moveaxis(index, -1, 0))], out=lowest)
    return lowest


def _lowest(values: Iterable[float]) -> float | None:
    lowest = min(values)
    return lowest if lowest < HIGHEST_LEVEL_EV else None


def _name(number: float, digits: int = 1) -> str:
    return f"{number:.{digits}f}".replace(".", "p")
