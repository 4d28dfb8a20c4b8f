"""One map of a frozen potential-energy surface: which energies it needs, and what it is made of when they are there.

:func:`compute_map` is a generator: it yields what has to be evaluated and is sent the energies, so that whoever has the
potential may evaluate points of several maps together.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.energy_maps.frozen.grid import Grid, Host, distance_to_host_A, make_grid, n_points
from aiida_ion.analysis.energy_maps.frozen.hop_region import hop_region
from aiida_ion.analysis.energy_maps.frozen.map_plan import MapPlan

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Sites whose energies differ by less are equally low, eV: numerical noise does not choose where the grid begins.
EQUAL_EV = 1e-3
#: Larger grids do not fit into the memory of a common machine.
MAX_POINTS = 2_000_000


class NoMapError(ValueError):
    """A crystal without the map that was asked for; the message says why, in one sentence."""


@dataclass(frozen=True)
class Request:
    """Energies that are needed: of a host with one ion at each of several positions.

    :param host: what stays in place, in the cell in which energies are evaluated.
    :param moved: atomic number of the ion.
    :param positions_A: where it is, angstrom, (k, 3).
    """

    host: Host
    moved: int
    positions_A: FloatArray


#: Yields what is needed, and is sent energies, eV, (k,), in the same order.
Computation = Generator[Request, Any, "FrozenMap"]


@dataclass(frozen=True)
class FrozenMap:
    """The energy of one ion at the points of a grid.

    :param plan: what the map is of.
    :param grid: its points; the first is the site of lowest energy.
    :param energies_eV: energies, eV, (nx, ny, nz); infinite where the ion is too close to an atom or outside the
        region of its hop.
    :param site_energies_eV: energies of all inequivalent sites of the plan, eV, (k,).
    :param origin: which of them the grid begins at.
    :param vacancy_energy_eV: energy of the ion in the vacancy of a hop, eV.
    :param n_valid: points of the whole grid that are not too close to an atom, and in the region.
    :param n_evaluated: energies that were computed.
    :param n_not_finite: those that were not finite, and count as too close.
    """

    plan: MapPlan
    grid: Grid
    energies_eV: FloatArray
    site_energies_eV: FloatArray
    origin: int
    vacancy_energy_eV: float | None
    n_valid: int
    n_evaluated: int
    n_not_finite: int

    @property
    def site(self) -> FloatArray:
        """Fractional coordinates of the site at which the grid begins, (3,)."""
        return self.grid.site

    @property
    def n_points(self) -> int:
        """Points of the whole grid."""
        return self.energies_eV.size


def compute_map(plan: MapPlan, step_A: float, exclusion_A: float, use_symmetry: bool = True) -> Computation:
    """Compute a map.

    :param plan: what it is of.
    :param step_A: longest step of the grid, angstrom.
    :param exclusion_A: points that are closer to an atom of the host are not evaluated, angstrom.
    :param use_symmetry: whether equivalent points are evaluated once.
    :raises NoMapError: for a site that is closer to an atom than ``exclusion_A`` or has no finite energy, or a grid of
        too many points.
    """
    _check_size(plan, step_A)
    _check_sites(plan, exclusion_A)
    simulated = plan.simulated()
    places = plan.sites if plan.hop is None else np.vstack([plan.sites, plan.hop.vacancy])
    first = yield Request(simulated, plan.moved, places @ plan.host.cell)
    if not np.isfinite(first).all():
        raise NoMapError("the potential gives no finite energy for the ion at its site")
    site_energies = first[: len(plan.sites)]
    origin = int(np.flatnonzero(site_energies <= site_energies.min() + EQUAL_EV)[0])
    grid = make_grid(plan.host, plan.sites[origin], step_A, use_symmetry)
    values = np.full(len(grid.representatives), np.inf)
    is_needed = _is_needed(plan, grid, exclusion_A)
    known = int(grid.inverse[0])
    values[known] = site_energies[origin]
    wanted = np.setdiff1d(np.flatnonzero(is_needed), [known])
    if len(wanted):
        places = grid.fractions(grid.representatives[wanted])
        energies = yield Request(simulated, plan.moved, places @ plan.host.cell)
        values[wanted] = np.where(np.isfinite(energies), energies, np.inf)
    return FrozenMap(
        plan,
        grid,
        grid.spread(values),
        site_energies,
        origin,
        None if plan.hop is None else float(first[-1]),
        int(is_needed[grid.inverse].sum()),
        len(first) + len(wanted),
        int((~np.isfinite(values[wanted])).sum()),
    )


def _check_size(plan: MapPlan, step_A: float) -> None:
    size = n_points(plan.host, step_A)
    if size > MAX_POINTS:
        raise NoMapError(f"its grid would have {size:,} points, more than {MAX_POINTS:,}: take a longer step_A")


def _check_sites(plan: MapPlan, exclusion_A: float) -> None:
    places = plan.sites if plan.hop is None else np.vstack([plan.sites, plan.hop.vacancy])
    distances, _ = distance_to_host_A(plan.host, places, exclusion_A)
    if np.isfinite(distances).any():
        raise NoMapError(
            f"an ion is {distances.min():.2f} angstrom from another atom, closer than exclusion_A = {exclusion_A:g}: "
            "its own site would be left out of the map"
        )


def _is_needed(plan: MapPlan, grid: Grid, exclusion_A: float) -> npt.NDArray[np.bool_]:
    """Return which representatives are far enough from all atoms, and in the region of the hop where there is one."""
    distances, _ = distance_to_host_A(plan.host, grid.fractions(grid.representatives), exclusion_A)
    needed = ~np.isfinite(distances)
    if plan.hop is not None:
        region = hop_region(plan.host.cell, grid, plan.hop.vacancy)
        is_inside = np.zeros(grid.inverse.size, dtype=bool)
        is_inside[region.flat[region.is_inside]] = True
        needed &= np.bincount(grid.inverse, is_inside, len(needed)) > 0
    return np.asarray(needed, dtype=bool)
