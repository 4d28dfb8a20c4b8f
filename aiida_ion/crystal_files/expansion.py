"""All atoms of the cell from listed sites and symmetry operations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiida_ion.crystal_files.symmetry import Symmetry

#: Images of a site closer than this are one atom on a (rounded) special position, angstrom.
SAME_ATOM_A = 0.1
#: Shifts of an atom to its special position that are reported, angstrom.
WORTH_A_WORD_A = 0.01
#: Maximum number of atoms.
MAX_ATOMS = 50_000

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Site:
    """A site as listed.

    :param place: fractional coordinates, (3,).
    :param multiplicity: stated number of atoms in the cell.
    """

    label: str
    element: str
    place: FloatArray
    occupancy: float = 1.0
    multiplicity: int | None = None


@dataclass(frozen=True)
class Atoms:
    """All atoms of a cell.

    :param places: fractional coordinates from 0 to 1, (n, 3).
    :param sites: index of the site of each atom, (n,).
    :param moved_A: how far each site was moved to its special position, angstrom, (n sites,).
    """

    places: FloatArray
    sites: npt.NDArray[np.int64]
    moved_A: FloatArray


def check_count(n_sites: int, n_operations: int) -> None:
    """Refuse before anything is allocated.

    :raises ValueError: if there may be more than :data:`MAX_ATOMS` atoms.
    """
    if n_sites > MAX_ATOMS or n_sites * n_operations > 20 * MAX_ATOMS:
        raise ValueError(f"{n_sites:,} sites with {n_operations} symmetry operations are more than can be read here")


def expand(sites: list[Site], symmetry: Symmetry, cell: FloatArray) -> Atoms:
    """Return all atoms from sites and symmetry; a site near a special position is moved there.

    :param cell: rows are cell vectors, angstrom, (3, 3).
    :raises ValueError: for too many atoms.
    """
    check_count(len(sites), len(symmetry))
    places, numbers, moved, n_atoms = [], [], [], 0
    for index, site in enumerate(sites):
        on_place, distance_A = _special_position(site.place, symmetry, cell)
        images = _unique(_images(on_place, symmetry), cell)
        places.append(images)
        numbers.append(np.full(len(images), index))
        moved.append(distance_A)
        n_atoms += len(images)
        if n_atoms > MAX_ATOMS:
            raise ValueError(f"its sites give more than the maximum of {MAX_ATOMS:,} atoms")
    whole = np.concatenate(places)
    return Atoms(whole, np.concatenate(numbers), np.array(moved))


def _images(place: FloatArray, symmetry: Symmetry) -> FloatArray:
    images: FloatArray = symmetry.rotations @ place + symmetry.translations
    return images


def _special_position(place: FloatArray, symmetry: Symmetry, cell: FloatArray) -> tuple[FloatArray, float]:
    """Return the mean of a site and its coinciding images, and the distance from the site, angstrom."""
    steps = _images(place, symmetry) - place
    steps -= np.rint(steps)
    same = np.linalg.norm(steps @ cell, axis=1) < SAME_ATOM_A
    step = steps[same].mean(axis=0)
    return place + step, float(np.linalg.norm(step @ cell))


def _unique(images: FloatArray, cell: FloatArray) -> FloatArray:
    """Return images that are different atoms, wrapped into the cell."""
    wrapped = images % 1.0
    wrapped[wrapped > 1.0 - 1e-9] = 0.0
    if len(wrapped) == 1:
        return wrapped
    steps = wrapped[:, None] - wrapped[None]
    steps -= np.rint(steps)
    near = np.linalg.norm(steps @ cell, axis=2) < SAME_ATOM_A / 2
    first = near.argmax(axis=1) == np.arange(len(wrapped))
    kept: FloatArray = wrapped[first]
    return kept
