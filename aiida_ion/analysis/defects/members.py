"""Cells with defects, symmetry copies counted, and what is in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from aiida_ion.analysis.crystals.identity import structure_hash
from aiida_ion.analysis.defects.placing import Placement, Sites, distances_A
from aiida_ion.analysis.defects.plan import DefectPlan
from aiida_ion.analysis.disorder.distances import close_pairs
from aiida_ion.analysis.disorder.members import REPORTED_A

#: More distances between defects than this are not listed; the smallest always is.
MAX_LISTED = 200
#: Standard deviation of the displacements of a cell that is to leave a saddle, angstrom, along each axis.
DISPLACEMENT_A = 0.05
#: Beside the seed, what makes its random numbers other ones than those of the cells.
DISPLACED = 10**6


@dataclass(frozen=True)
class DefectMember:
    """A cell with defects.

    :param structure: the cell, its atoms sorted by electronegativity.
    :param defects: ``kind`` (vacancy, interstitial, dopant), ``species``, ``site`` and ``fractional`` of each.
    :param distances_A: between every two of them, by their indices: ``[0, 1, 3.2]``.
    :param energy_eV: electrostatic energy of the point charges, eV per cell; ``None`` for places drawn at random.
    :param closest_mobile_A: smallest distance of two mobile ions, angstrom; ``None`` above 5.
    :param closest_A: smallest distance of any two atoms, angstrom.
    :param digest: hash of the crystal, equal for symmetry copies.
    :param framework_digest: that of it without mobile ions.
    :param index: its number; it depends on the seed and this number alone.
    :param count: draws that gave this cell or a symmetry copy of it.
    """

    structure: Structure
    defects: tuple[dict[str, Any], ...]
    distances_A: tuple[tuple[int, int, float], ...]
    energy_eV: float | None
    closest_mobile_A: float | None
    closest_A: float
    digest: str
    framework_digest: str
    index: int
    count: int = 1


def merged(members: list[DefectMember]) -> tuple[DefectMember, ...]:
    """Return each cell once, with how many are copies of it by symmetry."""
    kept: dict[str, DefectMember] = {}
    for member in members:
        known = kept.get(member.digest)
        kept[member.digest] = member if known is None else replace(known, count=known.count + 1)
    return tuple(kept.values())


def member_of(
    plan: DefectPlan, sites: Sites, placement: Placement, number: int, energy_eV: float | None
) -> DefectMember:
    """Return the cell with defects at given places."""
    structure = structure_of(plan, sites, placement)
    mobile = plan.settings.mobile_species
    symbols = [site.specie.symbol for site in structure]
    rest = Structure.from_sites([site for site in structure if site.specie.symbol != mobile] or list(structure))
    defects = _defects(plan, sites, placement)
    own = structure.frac_coords[[symbol == mobile for symbol in symbols]]
    cell = np.asarray(structure.lattice.matrix, dtype=float)
    closest = _closest(cell, structure.frac_coords)
    return DefectMember(
        structure=structure,
        defects=tuple(defects),
        distances_A=_distances(cell, defects),
        energy_eV=energy_eV,
        closest_mobile_A=_closest(cell, own),
        closest_A=REPORTED_A if closest is None else closest,
        digest=structure_hash(structure),
        framework_digest=structure_hash(rest),
        index=number,
    )


def structure_of(plan: DefectPlan, sites: Sites, placement: Placement) -> Structure:
    """Return the atoms of a cell, sorted by electronegativity."""
    symbols = sites.symbols.astype(object)
    symbols[placement.doped] = plan.settings.dopant
    kept = np.setdiff1d(np.arange(len(symbols)), placement.vacant)
    names = [*symbols[kept].tolist(), *[plan.settings.mobile_species] * len(placement.added)]
    places = np.concatenate([sites.places[kept], sites.voids[placement.added]])
    return Structure(Lattice(sites.cell), names, places).get_sorted_structure()


def perfect_structure(sites: Sites) -> Structure:
    """Return the same cell without defects."""
    return Structure(Lattice(sites.cell), sites.symbols.tolist(), sites.places).get_sorted_structure()


def displaced_structure(perfect: Structure, seed: int) -> Structure:
    """Return the perfect cell with its atoms displaced at random: forces vanish by symmetry at a saddle, too.

    :param seed: of the displacements.
    """
    moved = perfect.copy()
    steps = np.random.default_rng([seed, DISPLACED]).normal(scale=DISPLACEMENT_A, size=(len(perfect), 3))
    for index, step in enumerate(steps - steps.mean(axis=0)):
        moved.translate_sites([index], step, frac_coords=False, to_unit_cell=False)
    return moved


def _defects(plan: DefectPlan, sites: Sites, placement: Placement) -> list[dict[str, Any]]:
    labels = [orbit.label for orbit in plan.crystal.orbits]
    found = [
        ("vacancy", sites.symbols[atom], labels[sites.orbit_of[atom]], sites.places[atom]) for atom in placement.vacant
    ]
    found += [
        ("dopant", str(plan.settings.dopant), labels[sites.orbit_of[atom]], sites.places[atom])
        for atom in placement.doped
    ]
    found += [
        ("interstitial", plan.settings.mobile_species, plan.voids[sites.void_of[place]].label, sites.voids[place])
        for place in placement.added
    ]
    return [
        {"kind": kind, "species": str(species), "site": site, "fractional": [float(x) for x in place]}
        for kind, species, site, place in found
    ]


def _distances(cell: npt.NDArray[np.float64], defects: list[dict[str, Any]]) -> tuple[tuple[int, int, float], ...]:
    """Return the distance of every two defects to the nearest image, angstrom, the smallest first."""
    places = np.array([defect["fractional"] for defect in defects])
    table = distances_A(cell, places, places)
    pairs = [(i, j, round(float(table[i, j]), 4)) for i in range(len(places)) for j in range(i + 1, len(places))]
    return tuple(sorted(pairs, key=lambda pair: pair[2])[:MAX_LISTED])


def _closest(cell: npt.NDArray[np.float64], places: npt.NDArray[np.float64]) -> float | None:
    distances = close_pairs(cell, places, REPORTED_A)[2]
    return float(distances.min()) if len(distances) else None
