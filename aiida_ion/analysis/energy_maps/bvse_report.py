"""Barriers, interval, minima and saddles of two maps of a crystal, as plain data in the cell that was given."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pymatgen.core.structure import Structure

from aiida_ion.analysis.energy_maps.framework import Framework
from aiida_ion.analysis.energy_maps.levels import Level

FloatArray = npt.NDArray[np.float64]

#: A minimum farther than this from every site of the mobile ion is an empty cavity, angstrom.
MAX_SITE_DISTANCE_A = 1.0
#: Framework ions that are named around a saddle, and how far they may be, angstrom.
N_NEIGHBOURS, NEIGHBOUR_RADIUS_A = 4, 5.0
ZERO = "lowest energy in the crystal"
#: Digits of results: beyond them are rounding errors.
DECIMALS = 6


def report_pathways(
    structure: Structure, mobile: str, framework: Framework, fine: Level, coarse: Level
) -> dict[str, Any]:
    """Return barriers (eV), their interval, the zero, and where minimum and saddles are.

    The interval of a barrier spans both maps, the grid where the pathway was not found in the potential, and, where
    the lowest energy is in an empty cavity, the barrier above the lowest site.

    :param structure: with all its ions.
    """
    places = _Places(structure, mobile, framework)
    lowest = fine.network.percolation.minimum
    away = places.distance_to_site_A(fine.network.minima_A[lowest])
    site_eV = _lowest_site_eV(fine, places)
    chosen = [_chosen(number, fine, coarse) for number in range(3)]
    barriers = [level.barrier_eV(number) for number, level in enumerate(chosen)]
    above_site = site_eV if away > MAX_SITE_DISTANCE_A else None
    intervals = [_interval_eV(number, fine, coarse, above_site) for number in range(3)]
    is_refined = [level.is_refined(number) for number, level in enumerate(chosen)]
    report = {
        "barriers_eV": barriers,
        "barriers_interval_eV": intervals,
        "uncertainty_eV": [None if pair is None else 0.5 * (pair[1] - pair[0]) for pair in intervals],
        "is_refined": is_refined,
        "barriers_fine_eV": [fine.barrier_eV(number) for number in range(3)],
        "barriers_coarse_eV": [coarse.barrier_eV(number) for number in range(3)],
        "barriers_grid_eV": fine.on_grid.barriers_eV,
        "barriers_in_component_eV": fine.network.percolation.barriers_in_component_eV,
        "zero": ZERO,
        "site_above_zero_eV": site_eV,
        "minimum": {
            "fractional": places.fractional(fine.network.minima_A[lowest]),
            "energy_eV": float(fine.network.percolation.zero_eV),
            "distance_to_site_A": away,
        },
        "saddles": [_saddle(number, level, places) for number, level in enumerate(chosen) if is_refined[number]],
    }
    return dict(rounded(report))


class _Places:
    """Where points are in a crystal."""

    def __init__(self, structure: Structure, mobile: str, framework: Framework) -> None:
        self._lattice = structure.lattice
        symbols = [site.specie.symbol for site in structure]
        self._mobile = [index for index, symbol in enumerate(symbols) if symbol == mobile]
        self._rigid = [index for index, symbol in enumerate(symbols) if symbol != mobile]
        self._fractions = np.asarray(structure.frac_coords, dtype=float)
        self._symbols, self._charges_e = list(framework.symbols), framework.charges_e

    def fractional(self, point_A: FloatArray) -> list[float]:
        """Return the fractional coordinates of a point in the cell, from 0 to 1."""
        wrapped = np.round(self._lattice.get_fractional_coords(point_A), DECIMALS) % 1.0
        return [float(coordinate) for coordinate in wrapped]

    def distance_to_site_A(self, point_A: FloatArray) -> float:  # noqa: N802
        """Return the distance to the nearest site of the mobile ion, angstrom."""
        fraction = self._lattice.get_fractional_coords(point_A)
        return float(self._lattice.get_all_distances(fraction[None], self._fractions[self._mobile]).min())

    def neighbours(self, point_A: FloatArray) -> list[dict[str, Any]]:
        """Return the nearest framework ions: element, charge (e), index in the structure and distance (angstrom)."""
        near = self._lattice.get_points_in_sphere(self._fractions[self._rigid], point_A, NEIGHBOUR_RADIUS_A)
        nearest = sorted((round(float(distance), DECIMALS), int(index)) for _, distance, index, *_ in near)
        return [
            {
                "symbol": self._symbols[index],
                "charge_e": float(self._charges_e[index]),
                "index": self._rigid[index],
                "distance_A": distance,
            }
            for distance, index in nearest[:N_NEIGHBOURS]
        ]


def _chosen(number: int, fine: Level, coarse: Level) -> Level:
    """Return the map that gives the barrier of a dimension.

    Of two pathways of the potential it is the lower one, since a map can only miss pathways.
    """
    refined = [level for level in (fine, coarse) if level.is_refined(number)]
    return min(refined, key=lambda level: level.barrier_eV(number) or 0.0, default=fine)


def rounded(content: Any) -> Any:
    """Return plain data with rounded numbers."""
    if isinstance(content, dict):
        return {key: rounded(value) for key, value in content.items()}
    if isinstance(content, list):
        return [rounded(value) for value in content]
    return round(content, DECIMALS) + 0.0 if isinstance(content, float) else content


def _lowest_site_eV(level: Level, places: _Places) -> float | None:  # noqa: N802
    """Return the energy of the lowest minimum at a site of the mobile ion above the lowest energy, eV."""
    above = level.network.energies_eV - level.network.percolation.zero_eV
    at_sites = [
        float(energy)
        for point, energy in zip(level.network.minima_A, above, strict=True)
        if places.distance_to_site_A(point) <= MAX_SITE_DISTANCE_A
    ]
    return min(at_sites, default=None)


def _interval_eV(number: int, fine: Level, coarse: Level, above_site_eV: float | None) -> list[float] | None:  # noqa: N802
    values = [fine.barrier_eV(number), coarse.barrier_eV(number)]
    if not (fine.is_refined(number) or coarse.is_refined(number)):
        values += [fine.on_grid.barriers_eV[number], coarse.on_grid.barriers_eV[number]]
    known = [value for value in values if value is not None]
    if not known:
        return None
    low = min(known) - (above_site_eV or 0.0)
    return [max(low, 0.0), max(known)]


def _saddle(number: int, level: Level, places: _Places) -> dict[str, Any]:
    """Return the saddle that closes the pathways of a dimension."""
    closing = level.network.closing[number]
    assert closing.point_A is not None
    ends = [level.network.minima_A[index] for index in (closing.first, closing.second)]
    return {
        "dimension": number + 1,
        "fractional": places.fractional(closing.point_A),
        "energy_eV": closing.energy_eV,
        "distance_to_site_A": places.distance_to_site_A(closing.point_A),
        "neighbours": places.neighbours(closing.point_A),
        "minima": [
            {
                "fractional": places.fractional(point),
                "above_zero_eV": float(level.network.energies_eV[index] - level.network.percolation.zero_eV),
                "distance_to_site_A": places.distance_to_site_A(point),
            }
            for point, index in zip(ends, (closing.first, closing.second), strict=True)
        ],
    }
