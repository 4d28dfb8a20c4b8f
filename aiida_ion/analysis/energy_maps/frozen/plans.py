"""Which ions of a crystal are moved in which hosts: the maps of the frozen potential-energy surface.

``removed``: one mobile ion in a crystal without all others, the limit of a single vacancy; the host is the same for
every ion, so that one map tells of all of them. ``kept``: all other ions at their places, the landscape of an
interstitial, whose barriers hold the energy of its formation. ``vacancy``: all others but a nearest one, and the ion
moves towards its place.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.energy_maps.frozen.grid import Host
from aiida_ion.analysis.energy_maps.frozen.hops import equivalent_hops, nearest_hops
from aiida_ion.analysis.energy_maps.frozen.map_plan import FrozenPlan, Hop, MapPlan, Operations
from aiida_ion.analysis.energy_maps.frozen.symmetry import (
    TOLERANCE_A,
    Crystal,
    equivalent_points,
    find_operations,
    keeping,
    primitive_cell,
    separation_A,
    wide_enough,
)

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

OTHERS = ("removed", "kept", "vacancy")


def plan_maps(
    crystal: Crystal,
    mobile: int,
    others: str = "removed",
    min_width_A: float | None = None,
    tolerance_A: float = TOLERANCE_A,
) -> FrozenPlan:
    """Return the maps of a crystal, in repeats of its reduced primitive cell, however it is written.

    :param crystal: the crystal in any cell.
    :param mobile: atomic number of the mobile ion.
    :param others: what becomes of the other mobile ions, one of :data:`OTHERS`.
    :param min_width_A: smallest width of the simulated cell between opposite faces, angstrom; without it, one primitive
        cell.
    :param tolerance_A: of the symmetry search, angstrom.
    :raises ValueError: for a crystal without the mobile ion, one of nothing else, or without a neighbour to remove.
    """
    if others not in OTHERS:
        raise ValueError(f"others must be one of {', '.join(OTHERS)}, got {others!r}")
    if not (crystal.numbers == mobile).any():
        raise ValueError("the mobile species is not in the crystal")
    if (crystal.numbers == mobile).all():
        raise ValueError("the crystal holds nothing but the mobile species: there is no framework")
    crystal = primitive_cell(crystal, tolerance_A)
    multiples = wide_enough(crystal.cell, min_width_A)
    if others == "removed":
        return _removed(crystal, mobile, multiples, tolerance_A)
    crystal = crystal.repeated(multiples)
    operations = find_operations(crystal, tolerance_A)
    ions = np.flatnonzero(crystal.numbers == mobile)
    orbits = equivalent_points(crystal.fractions[ions], operations, crystal.cell, tolerance_A)
    make = _kept if others == "kept" else _vacancies
    maps = make(crystal, ions, orbits, operations, tolerance_A)
    n_atoms = len(crystal.numbers) - (others == "vacancy")
    return FrozenPlan(others, crystal.cell, crystal.fractions[ions], orbits, multiples, n_atoms, tuple(maps))


def _removed(crystal: Crystal, mobile: int, multiples: tuple[int, int, int], tolerance_A: float) -> FrozenPlan:
    """Return the plan of one map, with a site for each set of ions that the symmetry of the host makes equivalent."""
    ions = np.flatnonzero(crystal.numbers == mobile)
    framework = crystal.without(*ions)
    operations = find_operations(framework, tolerance_A)
    places = crystal.fractions[ions]
    orbits = equivalent_points(places, operations, crystal.cell, tolerance_A)
    first, counts = np.unique(orbits, return_counts=True)
    host = _host(framework, operations, tolerance_A)
    plan = MapPlan(host, mobile, places[first], counts.astype(np.int64), multiples)
    n_atoms = len(framework.numbers) * int(np.prod(multiples)) + 1
    return FrozenPlan("removed", crystal.cell, places, orbits, multiples, n_atoms, (plan,))


def _kept(
    crystal: Crystal, ions: IntArray, orbits: IntArray, operations: Operations, tolerance_A: float
) -> list[MapPlan]:
    """Return a map for each inequivalent ion, among all others."""
    maps = []
    for first in np.unique(orbits):
        rest = crystal.without(int(ions[first]))
        host = _host(rest, find_operations(rest, tolerance_A), tolerance_A)
        site = crystal.fractions[ions[first]]
        copies = _copies(operations, site, crystal.fractions[ions[orbits == first]], crystal.cell)
        count = np.array([int((orbits == first).sum())])
        maps.append(MapPlan(host, int(crystal.numbers[ions[first]]), site[None], count, copies=copies))
    return maps


def _vacancies(
    crystal: Crystal, ions: IntArray, orbits: IntArray, operations: Operations, tolerance_A: float
) -> list[MapPlan]:
    """Return a map for each inequivalent hop of an ion to the place of a nearest other one.

    :raises ValueError: where there is no other ion: all of them are images of one.
    """
    places = crystal.fractions[ions]
    maps, seen = [], set[tuple[int, ...]]()
    for first in np.unique(orbits):
        for second, vector in nearest_hops(places, int(first), crystal.cell):
            edges = equivalent_hops(places, int(first), second, vector, operations, crystal.cell)
            if tuple(edges[0].tolist()) in seen:
                continue
            seen |= {tuple(edge) for edge in edges.tolist()}
            rest = crystal.without(int(ions[first]), int(ions[second]))
            site, vacancy = places[first], places[second] + vector
            own = find_operations(rest, tolerance_A)
            own = keeping(keeping(own, site, crystal.cell, tolerance_A), vacancy, crystal.cell, tolerance_A)
            host, count = _host(rest, own, tolerance_A), np.array([len(edges)])
            moved = int(crystal.numbers[ions[first]])
            maps.append(MapPlan(host, moved, site[None], count, hop=Hop((int(first), second), vacancy, edges)))
    if not maps:
        raise ValueError(
            "the cell holds a single mobile ion, so that no other one can be removed: give a min_width_A that makes it "
            "larger"
        )
    return maps


def _host(crystal: Crystal, operations: Operations, tolerance_A: float) -> Host:
    rotations, translations = operations.rotations, operations.translations
    return Host(crystal.cell, crystal.numbers, crystal.fractions, rotations, translations, tolerance_A)


def _copies(operations: Operations, site: FloatArray, places: FloatArray, cell: FloatArray) -> Operations:
    """Return for each place one operation that carries the site there."""
    apart = separation_A(operations.images(site)[None] - places[:, None], cell)
    return operations.select(apart.argmin(axis=1))
