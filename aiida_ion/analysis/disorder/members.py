"""Ordered cells of an ensemble, symmetry copies counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from pymatgen.core.lattice import Lattice as Cell
from pymatgen.core.structure import Structure

from aiida_ion.analysis.crystals.identity import structure_hash
from aiida_ion.analysis.disorder.distances import close_pairs
from aiida_ion.analysis.disorder.lattice import EMPTY, Lattice
from aiida_ion.analysis.disorder.plan import Plan
from aiida_ion.analysis.disorder.retries import Arrangement

#: Distances are reported up to here, angstrom.
REPORTED_A = 5.0


@dataclass(frozen=True)
class Member:
    """An ordered cell.

    :param structure: the cell, its atoms sorted by element.
    :param energy_eV: electrostatic energy of the point charges, eV per cell.
    :param closest_mobile_A: smallest distance of two mobile ions, angstrom; ``None`` above 5.
    :param closest_A: smallest distance of any two atoms, angstrom.
    :param occupancies: for each orbit that holds mobile ions, the share of its places that they fill.
    :param digest: hash of the crystal, equal for symmetry copies.
    :param framework_digest: that of its framework.
    :param index: its number; it depends on the seed and this number alone.
    :param min_distance_A: distance that its mobile ions were drawn with.
    :param count: draws that gave this cell or a symmetry copy of it.
    """

    structure: Structure
    energy_eV: float
    closest_mobile_A: float | None
    closest_A: float
    occupancies: dict[str, float]
    digest: str
    framework_digest: str
    index: int
    min_distance_A: float
    count: int = 1


def members_of(plan: Plan, lattice: Lattice, arrangements: Sequence[Arrangement]) -> tuple[Member, ...]:
    """Return arrangements as cells, each once, with how many draws gave it; in the order in which they come first."""
    members: dict[str, Member] = {}
    for arrangement in arrangements:
        member = _member(plan, lattice, arrangement)
        known = members.get(member.digest)
        members[member.digest] = member if known is None else replace(known, count=known.count + 1)
    return tuple(members.values())


def _member(plan: Plan, lattice: Lattice, arrangement: Arrangement) -> Member:
    state = arrangement.state
    structure = ordered_structure(lattice, state)
    mobile = np.flatnonzero(state == lattice.mobile)
    framework = np.flatnonzero((state != EMPTY) & (state != lattice.mobile))
    rest = Structure.from_sites([site for site in structure if site.specie.symbol != plan.mobile_species])
    occupancies = {
        orbit.label: float((lattice.orbit_of[mobile] == index).sum() / (lattice.orbit_of == index).sum())
        for index, orbit in enumerate(plan.crystal.orbits)
        if plan.mobile_species in orbit.occupancies
    }
    closest = _closest(lattice, np.concatenate([mobile, framework]))
    return Member(
        structure=structure,
        energy_eV=arrangement.energy_eV,
        closest_mobile_A=_closest(lattice, mobile),
        closest_A=REPORTED_A if closest is None else closest,
        occupancies=occupancies,
        digest=structure_hash(structure),
        framework_digest=structure_hash(rest),
        index=arrangement.number,
        min_distance_A=arrangement.min_distance_A,
    )


def ordered_structure(lattice: Lattice, state: npt.NDArray[np.int8]) -> Structure:
    """Return an arrangement as a structure, its atoms sorted by electronegativity."""
    filled = np.flatnonzero(state != EMPTY)
    symbols = [lattice.elements[int(state[place]) - 1] for place in filled]
    return Structure(Cell(lattice.cell), symbols, lattice.places[filled]).get_sorted_structure()


def _closest(lattice: Lattice, places: npt.NDArray[np.int64]) -> float | None:
    """Return the smallest distance of two of the places and their images, angstrom; ``None`` above 5."""
    distances = close_pairs(lattice.cell, lattice.places[places], REPORTED_A)[2]
    return float(distances.min()) if len(distances) else None
