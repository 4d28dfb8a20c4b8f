"""Where the defects of a cell are: drawn at random, inequivalent sites in turn, each cell from its own seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.crystals.cell import reduction
from aiida_ion.analysis.defects.plan import DefectPlan
from aiida_ion.analysis.defects.refusal import DefectRefused
from aiida_ion.analysis.defects.voids import elements_of
from aiida_ion.analysis.disorder.supercells import repeated_places

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Two interstitials keep this distance before they relax, angstrom.
MIN_APART_A = 2.0
#: Random draws before the places are called too few.
MAX_TRIES = 300


@dataclass(frozen=True)
class Sites:
    """The perfect supercell and its empty sites.

    :param cell: rows are cell vectors, angstrom, (3, 3).
    :param places: fractional coordinates of the atoms, (n, 3).
    :param symbols: element of each atom.
    :param orbit_of: inequivalent site of each atom, (n,).
    :param voids: fractional coordinates of the empty sites, (m, 3).
    :param void_of: kind of each empty site, (m,).
    """

    cell: FloatArray
    places: FloatArray
    symbols: npt.NDArray[np.str_]
    orbit_of: IntArray
    voids: FloatArray
    void_of: IntArray


@dataclass(frozen=True)
class Placement:
    """The defects of one cell.

    :param vacant: atoms that are missing.
    :param doped: atoms that are the dopant.
    :param added: empty sites that hold a mobile ion.
    """

    vacant: IntArray
    doped: IntArray
    added: IntArray


def sites_of(plan: DefectPlan) -> Sites:
    """Return the perfect supercell of a plan, and its empty sites."""
    crystal, multiples = plan.crystal, plan.supercell.multiples
    places, home = repeated_places(crystal.places, multiples)
    voids, void_of = np.zeros((0, 3)), np.zeros(0, dtype=np.int64)
    if plan.voids:
        voids, index = repeated_places(np.concatenate([void.places for void in plan.voids]), multiples)
        kinds = np.concatenate([np.full(len(void.places), number) for number, void in enumerate(plan.voids)])
        void_of = kinds[index].astype(np.int64)
    symbols = np.array(elements_of(crystal))[home]
    return Sites(plan.supercell.cell, places, symbols, crystal.orbit_of[home], voids, void_of)


def distances_A(cell: FloatArray, first: FloatArray, second: FloatArray) -> FloatArray:  # noqa: N802
    """Return the distance of each place to the nearest image of each other, angstrom, (n, m).

    :param first: fractional coordinates, (n, 3).
    :param second: fractional coordinates, (m, 3).
    """
    reduced = reduction(cell) @ cell
    apart = ((first[:, None] - second[None]) @ cell) @ np.linalg.inv(reduced)
    apart -= np.rint(apart)
    # In a reduced cell the nearest image is one of the neighbouring cells.
    steps = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    shortest = np.full(apart.shape[:2], np.inf)
    for step in steps:
        shortest = np.minimum(shortest, np.linalg.norm((apart + step) @ reduced, axis=2))
    return shortest


def place_defects(plan: DefectPlan, sites: Sites, number: int) -> Placement:
    """Return vacancies and interstitials of one cell, without dopants.

    The first defect of each element takes inequivalent sites in turn over the cells, the others any. Of vacancies and
    interstitials in one cell, the interstitials go as far from the vacancies as they can, so that pairs do not
    recombine at once.

    :param number: of the cell; it depends on the seed and this number alone.
    :raises DefectRefused: where interstitials cannot keep their distance.
    """
    rng = np.random.default_rng([plan.settings.seed, number])
    vacant: list[int] = []
    # Vacancies and interstitials of a Frenkel pair take turns so that every combination comes.
    turn = number
    for element, count in sorted(plan.unit.removed.items()):
        orbits = np.unique(sites.orbit_of[sites.symbols == element])
        own = np.flatnonzero(sites.orbit_of == orbits[turn % len(orbits)])
        turn //= len(orbits)
        first = int(rng.choice(own))
        rest = np.setdiff1d(np.flatnonzero(sites.symbols == element), [first])
        vacant += [first, *rng.choice(rest, size=count * plan.n_units - 1, replace=False).tolist()]
    taken = np.array(vacant, dtype=np.int64)
    added = _interstitials(plan, sites, rng, taken, turn)
    return Placement(taken, np.zeros(0, dtype=np.int64), added)


def _interstitials(plan: DefectPlan, sites: Sites, rng: np.random.Generator, vacant: IntArray, turn: int) -> IntArray:
    needed = plan.unit.n_added * plan.n_units
    if not needed:
        return np.zeros(0, dtype=np.int64)
    from_vacancies = np.zeros(len(sites.voids))
    if len(vacant):
        from_vacancies = np.round(distances_A(sites.cell, sites.voids, sites.places[vacant]).min(axis=1), 3)
    apart = distances_A(sites.cell, sites.voids, sites.voids)
    for _ in range(MAX_TRIES):
        free = np.ones(len(sites.voids), dtype=bool)
        chosen: list[int] = []
        while len(chosen) < needed and free.any():
            kind = turn % len(plan.voids)
            allowed = free & (sites.void_of == kind) if not chosen and (free & (sites.void_of == kind)).any() else free
            best = np.flatnonzero(allowed & (from_vacancies >= from_vacancies[allowed].max()))
            place = int(rng.choice(best))
            chosen.append(place)
            free &= apart[place] >= MIN_APART_A
        if len(chosen) == needed:
            return np.array(chosen, dtype=np.int64)
    raise DefectRefused(
        f"{needed} interstitials cannot keep {MIN_APART_A:g} angstrom apart on the empty sites of the cell: take a "
        "lower concentration"
    )
