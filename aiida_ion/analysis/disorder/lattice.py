"""The places of a supercell, what may exchange between them, and pairs that cannot both be filled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.disorder.crystal import FULL
from aiida_ion.analysis.disorder.distances import OVERLAP, STATED_OVERLAP, close_pairs, orbit_radius_A
from aiida_ion.analysis.disorder.plan import Plan
from aiida_ion.analysis.disorder.supercells import repeated_places

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
States = npt.NDArray[np.int8]

#: Number of an empty place in an arrangement.
EMPTY = 0


@dataclass(frozen=True)
class Lattice:
    """Places of a supercell and the rules of an arrangement.

    An arrangement is a whole number for each place: 0 for an empty one, else 1 + the index of its element.

    :param cell: rows are cell vectors, angstrom, (3, 3).
    :param places: fractional coordinates, (n, 3).
    :param orbit_of: index of the orbit of each place, (n,).
    :param elements: the elements.
    :param charges_e: charge of an empty place (zero) and of each element, e, (1 + elements,).
    :param contents: for each orbit how many of its places hold each element other than the mobile ion.
    :param mobile: index of the mobile ion in an arrangement.
    :param n_mobile: mobile ions.
    :param open_places: places on which a mobile ion may be or be missing.
    :param filled: places of orbits that the mobile ion fills, or whose rest it fills.
    :param framework_pools: sets of places, one for each orbit, whose contents may exchange.
    """

    cell: FloatArray
    places: FloatArray
    orbit_of: IntArray
    elements: tuple[str, ...]
    charges_e: FloatArray
    contents: tuple[Mapping[str, int], ...]
    mobile: int
    n_mobile: int
    open_places: IntArray
    filled: IntArray
    framework_pools: tuple[IntArray, ...]


def lattice_of(plan: Plan) -> Lattice:
    """Return the places of the supercell of a plan."""
    crystal, counts = plan.crystal, plan.counts
    places, home = repeated_places(crystal.places, plan.supercell.multiples)
    orbit_of = crystal.orbit_of[home]
    elements = tuple(sorted({name for orbit in crystal.orbits for name in orbit.occupancies}))
    charges = np.array([0.0, *(counts.states[name] for name in elements)])
    open_orbits = _open_orbits(plan)
    filled = [index for index in (*plan.roles.full_mobile, *plan.roles.mixed) if index not in open_orbits]
    exchanging = [index for index in (*plan.roles.mixed, *plan.roles.framework) if _exchanges(plan, index)]
    return Lattice(
        cell=plan.supercell.cell,
        places=places,
        orbit_of=orbit_of,
        elements=elements,
        charges_e=charges,
        contents=counts.framework,
        mobile=1 + elements.index(plan.mobile_species),
        n_mobile=counts.n_mobile,
        open_places=np.flatnonzero(np.isin(orbit_of, open_orbits)),
        filled=np.flatnonzero(np.isin(orbit_of, filled)),
        framework_pools=tuple(np.flatnonzero(orbit_of == index) for index in sorted(exchanging)),
    )


def _open_orbits(plan: Plan) -> list[int]:
    """Return the orbits on which a place of the mobile ion may be empty."""
    crystal = plan.crystal
    if plan.counts.n_emptied:
        return sorted((*plan.roles.mobile, *plan.roles.full_mobile, *plan.roles.mixed))
    return sorted((*plan.roles.mobile, *(i for i in plan.roles.mixed if crystal.orbits[i].total < FULL)))


def _exchanges(plan: Plan, index: int) -> bool:
    """Whether the places of an orbit hold different things in this supercell."""
    numbers = plan.counts.framework[index]
    places = plan.counts_of_places()[index]
    return len([number for number in numbers.values() if number]) > 1 or 0 < sum(numbers.values()) < places


def forbidden_pairs(plan: Plan, lattice: Lattice, min_distance_A: float) -> npt.NDArray[np.bool_]:
    """Return which pairs of places cannot both be filled, (n, n).

    Two sites of the mobile ion that are closer than ``min_distance_A``, and any others closer than 0.7 times the sum
    of their radii, or 0.5 times where one of them is always full; pairs that are always full are left out. A place
    that is too close to an image of itself is forbidden with itself.
    """
    orbits = plan.crystal.orbits
    radii = np.array([orbit_radius_A(orbit, plan.counts.states) for orbit in orbits])
    holds_mobile = np.array([plan.mobile_species in orbit.occupancies for orbit in orbits])
    partial = np.array([orbit.total < FULL for orbit in orbits])
    if plan.counts.n_emptied:
        partial |= holds_mobile
    overlap = np.where(partial[:, None] & partial[None], OVERLAP, STATED_OVERLAP)
    limits = overlap * (radii[:, None] + radii[None])
    both = holds_mobile[:, None] & holds_mobile[None]
    limits = np.where(both, np.maximum(limits, min_distance_A), limits)
    first, second, distances = close_pairs(lattice.cell, lattice.places, float(limits.max()))
    one, other = lattice.orbit_of[first], lattice.orbit_of[second]
    chosen = (distances < limits[one, other]) & (partial[one] | partial[other])
    result = np.zeros((len(lattice.places),) * 2, dtype=bool)
    result[first[chosen], second[chosen]] = True
    return result | result.T


def random_arrangement(lattice: Lattice, rng: np.random.Generator) -> States:
    """Return an arrangement with the right numbers and no other rule, (n,)."""
    state = np.zeros(len(lattice.places), dtype=np.int8)
    for index, numbers in enumerate(lattice.contents):
        places = rng.permutation(np.flatnonzero(lattice.orbit_of == index))
        start = 0
        for element, number in sorted(numbers.items()):
            state[places[start : start + number]] = 1 + lattice.elements.index(element)
            start += number
    rest = lattice.filled[state[lattice.filled] == EMPTY]
    state[rest] = lattice.mobile
    free = lattice.open_places[state[lattice.open_places] == EMPTY]
    state[rng.permutation(free)[: lattice.n_mobile - len(rest)]] = lattice.mobile
    return state
