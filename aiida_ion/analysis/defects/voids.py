"""Empty sites of a crystal: corners of the Voronoi cells of its atoms, those with the most room first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pymatgen.core.structure import Structure
from scipy.optimize import nnls
from scipy.spatial import KDTree, Voronoi

from aiida_ion.analysis.crystals.cell import perpendicular_widths, reduction
from aiida_ion.analysis.defects.refusal import DefectRefused
from aiida_ion.analysis.disorder.crystal import SYMPREC_A, DisorderedCrystal
from aiida_ion.analysis.disorder.distances import OVERLAP, STATED_OVERLAP, radius_A
from aiida_ion.analysis.migration.symmetry import operations_of, with_equivalent_sites

FloatArray = npt.NDArray[np.float64]

#: Atoms around the cell up to here take part, angstrom: an ion in a wider void touches nothing.
REACH_A = 8.0
#: Corners closer than this are one site, angstrom.
SAME_SITE_A = 0.5
#: Atoms whose distances differ by less surround a corner, angstrom.
EQUAL_A = 1e-3


@dataclass(frozen=True)
class Void:
    """Empty sites that symmetry makes equal.

    :param label: ``void 1``, by room.
    :param places: fractional coordinates in the primitive cell, (n, 3).
    :param nearest_A: element -> distance of its nearest atom, angstrom.
    :param room_A: distance of the atom that is closest when its radius is taken off, angstrom.
    """

    label: str
    places: FloatArray
    nearest_A: Mapping[str, float]
    room_A: float

    @property
    def words(self) -> str:
        """Such as ``void 1 (2 in the primitive cell; Li 1.93, N 2.11 angstrom away)``."""
        distances = ", ".join(f"{element} {distance:.2f}" for element, distance in sorted(self.nearest_A.items()))
        return f"{self.label} ({len(self.places)} in the primitive cell; {distances} angstrom away)"


def find_voids(crystal: DisorderedCrystal, states: Mapping[str, float], mobile_species: str, most: int) -> list[Void]:
    """Return the inequivalent empty sites where the mobile ion has the most room.

    Candidates are those corners of Voronoi cells that are maxima of the distance to the nearest atom: the atoms around
    a corner surround it, or it would be on the way to a wider place. Room is the distance to the surface of the nearest
    ion, with Shannon's radii. No ion of opposite charge may be closer than 0.7 times the sum of the radii, no other
    closer than 0.5 times: neighbours give way when the ions relax.

    :param crystal: ordered.
    :param states: charge of each element, e.
    :param most: how many kinds of site.
    :raises DefectRefused: where no site has room.
    """
    symbols = elements_of(crystal)
    cell = reduction(crystal.cell) @ crystal.cell
    atoms, owners = _surroundings(cell, crystal.places @ crystal.cell)
    corners = _corners(cell, atoms)
    of_atoms = np.array([symbols[owner] for owner in owners])
    distances = {
        symbol: np.asarray(KDTree(atoms[of_atoms == symbol]).query(corners)[0], dtype=float)
        for symbol in sorted(set(symbols))
    }
    own_A = radius_A(mobile_species, states[mobile_species])
    radii = {symbol: radius_A(symbol, states[symbol]) for symbol in distances}
    room = np.min([distances[symbol] - radii[symbol] for symbol in distances], axis=0)
    limits = {
        symbol: (OVERLAP if states[symbol] * states[mobile_species] < 0 else STATED_OVERLAP) * (radii[symbol] + own_A)
        for symbol in distances
    }
    free = np.all([distances[symbol] > limits[symbol] for symbol in distances], axis=0)
    chosen = np.flatnonzero(free)
    # Rounded: which of equivalent corners comes first must not depend on the last digits.
    order = chosen[np.lexsort((*np.round(corners[chosen].T, 4), -np.round(room[chosen], 4)))]
    operations = operations_of(Structure(crystal.cell, symbols, crystal.places), SYMPREC_A)
    voids: list[Void] = []
    for corner in order:
        place = corners[corner] @ np.linalg.inv(crystal.cell)
        if len(voids) == most:
            break
        if any(_is_near(place, void.places, crystal.cell) for void in voids):
            continue
        if not _is_surrounded(corners[corner], atoms):
            continue
        voids.append(
            Void(
                label=f"void {len(voids) + 1}",
                places=with_equivalent_sites(operations, place[None], crystal.cell, SAME_SITE_A),
                nearest_A={symbol: float(distances[symbol][corner]) for symbol in distances},
                room_A=float(room[corner]),
            )
        )
    if not voids:
        raise DefectRefused(f"no empty site has room for {mobile_species}: interstitials cannot be made here")
    return voids


def elements_of(crystal: DisorderedCrystal) -> list[str]:
    """Return the element on each place of an ordered crystal."""
    names = [next(iter(orbit.occupancies)) for orbit in crystal.orbits]
    return [names[index] for index in crystal.orbit_of]


def _surroundings(cell: FloatArray, positions: FloatArray) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Return the atoms in and around a cell, angstrom, and which atom of the cell each is an image of."""
    inverse, widths = np.linalg.inv(cell), perpendicular_widths(cell)
    fractions = (positions @ inverse) % 1.0
    reach = np.ceil(REACH_A / widths).astype(int)
    shifts = np.stack(np.meshgrid(*(np.arange(-k, k + 1) for k in reach), indexing="ij"), axis=-1).reshape(-1, 3)
    images = (fractions[None] + shifts[:, None]).reshape(-1, 3)
    owners = np.tile(np.arange(len(positions)), len(shifts))
    margin = REACH_A / widths
    near = np.all((images > -margin) & (images < 1.0 + margin), axis=1)
    return images[near] @ cell, owners[near]


def _corners(cell: FloatArray, atoms: FloatArray) -> FloatArray:
    """Return the corners of the Voronoi cells of atoms that are in a cell, each about once, angstrom, (n, 3)."""
    fractions = Voronoi(atoms).vertices @ np.linalg.inv(cell)
    inside = fractions[np.all((fractions > -1e-6) & (fractions < 1.0 - 1e-6), axis=1)]
    return np.unique(np.round(inside, 6), axis=0) @ cell


def _is_surrounded(corner: FloatArray, atoms: FloatArray) -> bool:
    """Whether a corner lies within its nearest atoms: no direction leads away from all of them."""
    apart = atoms - corner
    lengths = np.linalg.norm(apart, axis=1)
    around = apart[lengths < lengths.min() + EQUAL_A] / lengths.min()
    sums = np.vstack([around.T, np.ones(len(around))])
    return bool(nnls(sums, np.array([0.0, 0.0, 0.0, 1.0]))[1] < 1e-3)


def _is_near(place: FloatArray, places: FloatArray, cell: FloatArray) -> bool:
    apart = places - place
    distances = np.linalg.norm((apart - np.rint(apart)) @ cell, axis=1)
    return bool(distances.min() < SAME_SITE_A)
