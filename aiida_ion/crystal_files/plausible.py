"""Plausibility of a crystal: how full its cell is, and the distances of its atoms.

A lost symmetry leaves a cell nearly empty, and a wrong unit of length makes it far too large or too small.
"""

from __future__ import annotations

import numpy as np
from ase.data import atomic_numbers, covalent_radii
from ase.data.vdw_alvarez import vdw_radii
from pymatgen.core.structure import Structure

from aiida_ion.analysis.crystals.nearest import nearest_neighbours

#: Volume of the cell over that of its van der Waals spheres (Alvarez, Dalton Trans. 42, 8617 (2013)). Oxides, sulphides
#: and halides have 0.2 to 0.8, ice 1.1, solid argon 1.5, metal-organic frameworks up to 2.
USUAL_ROOM, POSSIBLE_ROOM = (0.18, 1.2), (0.12, 1.6)
#: Distance between neighbours over the sum of their covalent radii (Cordero et al., Dalton Trans., 2832 (2008)).
USUAL_DISTANCE, POSSIBLE_DISTANCE = 0.75, 0.6
#: An atom is isolated if its nearest neighbour is further than this times the sum of their covalent radii.
ALONE = 1.6
NOBLE = ("He", "Ne", "Ar", "Kr", "Xe", "Rn")
#: Search radius for neighbours, angstrom.
REACH_A = 6.0
#: Mistakes of units, and the factors that correct the lengths.
SLIPS = (("picometre", 0.01), ("nanometre", 10.0), ("bohr", 0.529177), ("angstrom divided by bohr", 1.889726))


def room(structure: Structure) -> float | None:
    """Return the volume of the cell over that of its van der Waals spheres; ``None`` if a radius is unknown."""
    radii = np.array([vdw_radii[number] for number in _numbers(structure)], dtype=float)
    if not np.all(np.isfinite(radii)):
        return None
    return float(structure.volume / (4.0 / 3.0 * np.pi * (radii**3).sum()))


def caveats_and_notes(structure: Structure) -> tuple[list[str], list[str]]:
    """Return impossible and unusual properties of a crystal, one sentence each.

    :raises ValueError: for a cell that is far too flat.
    """
    caveats: list[str] = []
    notes: list[str] = []
    filled = room(structure)
    if filled is not None and not USUAL_ROOM[0] <= filled <= USUAL_ROOM[1]:
        many = "empty" if filled > 1 else "dense"
        sentence = (
            f"the cell is {'far too ' if not POSSIBLE_ROOM[0] <= filled <= POSSIBLE_ROOM[1] else 'unusually '}{many}: "
            f"{structure.density:.3g} g/cm^3, {structure.volume / len(structure):.3g} A^3 per atom{_hint(filled)}"
        )
        (notes if POSSIBLE_ROOM[0] <= filled <= POSSIBLE_ROOM[1] else caveats).append(sentence)
    _check_distances(structure, caveats, notes)
    return caveats, notes


def _check_distances(structure: Structure, caveats: list[str], notes: list[str]) -> None:
    radii = covalent_radii[_numbers(structure)]
    distances, others = nearest_neighbours(structure.lattice.matrix, structure.frac_coords, REACH_A)
    near = others >= 0
    ratios = np.full(len(structure), np.inf)
    ratios[near] = distances[near] / (radii[near] + radii[others[near]])
    closest = int(np.argmin(ratios))
    if ratios[closest] < USUAL_DISTANCE:
        names = f"{structure[closest].species_string} and {structure[int(others[closest])].species_string}"
        sentence = f"{names} are only {distances[closest]:.3f} angstrom apart"
        (caveats if ratios[closest] < POSSIBLE_DISTANCE else notes).append(sentence)
    alone = [i for i in np.flatnonzero(ratios > ALONE) if structure[int(i)].species_string not in NOBLE]
    if alone:
        first = int(alone[0])
        distance = f"{distances[first]:.2f}" if near[first] else f"more than {REACH_A:g}"
        notes.append(
            f"{len(alone)} of {len(structure)} atoms have no neighbour nearby: {structure[first].species_string} "
            f"has none within {distance} angstrom"
        )


def _numbers(structure: Structure) -> list[int]:
    return [atomic_numbers[site.specie.symbol] for site in structure]


def _hint(filled: float) -> str:
    """Return a hint at the mistake."""
    for unit, factor in SLIPS:
        if factor not in (0.01, 10.0):
            continue
        if 0.18 <= filled * factor**3 <= 1.2:
            return f"; are its lengths in {unit}, not angstrom?"
    if filled > 1:
        return "; are symmetry operations missing, or is it not in angstrom?"
    return "; are atoms duplicated, or is it not in angstrom?"
