"""The space group on sites and hops: which hops are equivalent, and which have ends that an operation exchanges."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pymatgen.core.structure import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer, SymmetryUndeterminedError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
#: A hop as whole numbers: first site, second site, the cell (3) that the second is in when the first is in (0, 0, 0).
Key = tuple[int, ...]
#: An operation takes a site to another one within this distance, angstrom, or the sites are not closed under it.
MATCH_A = 0.25


@dataclass(frozen=True)
class Operations:
    """The space group of a cell, with all translations that it has.

    :param rotations: (n, 3, 3) whole numbers; x' = W x + w in fractions of the cell.
    :param translations: (n, 3), fractions.
    :param symbol: of the space group.
    """

    rotations: IntArray
    translations: FloatArray
    symbol: str

    def __len__(self) -> int:
        return len(self.rotations)


def operations_of(structure: Structure, symprec_A: float) -> Operations:
    """Return the space group of a crystal.

    :param symprec_A: how far atoms may be from their symmetric places, angstrom.
    :raises ValueError: where spglib finds none.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # spglib's, on its own handling of errors
        try:
            analyzer = SpacegroupAnalyzer(structure, symprec=symprec_A)
            operations = analyzer.get_symmetry_operations(cartesian=False)
        except SymmetryUndeterminedError as error:
            raise ValueError(f"spglib finds no space group with symprec_A = {symprec_A:g}: try another") from error
    return Operations(
        np.array([np.rint(operation.rotation_matrix) for operation in operations], dtype=np.int64),
        np.array([operation.translation_vector for operation in operations], dtype=float),
        str(analyzer.get_space_group_symbol()),
    )


@dataclass(frozen=True)
class SiteAction:
    """What the operations do to sites.

    :param images: (n operations, n sites), the site that each becomes.
    :param shifts: (n operations, n sites, 3), the cell that it is then in.
    :param rotations: (n operations, 3, 3), as in :class:`Operations`.
    """

    images: IntArray
    shifts: IntArray
    rotations: IntArray

    def image(self, operation: int, key: Key) -> Key:
        """Return the hop that an operation makes of a hop."""
        first, second, *cell = key
        moved = self.rotations[operation] @ np.array(cell)
        moved = moved + self.shifts[operation, second] - self.shifts[operation, first]
        return (int(self.images[operation, first]), int(self.images[operation, second]), *map(int, moved))

    def orbit(self, key: Key) -> set[Key]:
        """Return all hops equivalent to one, each in one of its two directions: :func:`undirected`."""
        return {undirected(self.image(operation, key)) for operation in range(len(self.rotations))}

    def exchanging(self, key: Key) -> list[int]:
        """Return the operations that exchange the ends of a hop: they turn it into its reverse."""
        back = reverse(key)
        return [operation for operation in range(len(self.rotations)) if self.image(operation, key) == back]

    def site_orbits(self) -> IntArray:
        """Return the lowest equivalent site of each site, (n sites,)."""
        lowest: IntArray = self.images.min(axis=0)
        return lowest


def reverse(key: Key) -> Key:
    """Return the hop in the other direction."""
    first, second, *cell = key
    return (second, first, *(-number for number in cell))


def undirected(key: Key) -> Key:
    """Return the same key for a hop and its reverse."""
    return min(key, reverse(key))


def act_on_sites(operations: Operations, sites: FloatArray, cell: npt.NDArray[Any]) -> SiteAction:
    """Return what the operations do to sites.

    :param sites: (n, 3), fractions.
    :param cell: rows are cell vectors, angstrom, (3, 3).
    :raises ValueError: where an operation takes a site to a place without one.
    """
    n_sites = len(sites)
    images = np.empty((len(operations), n_sites), dtype=np.int64)
    shifts = np.empty((len(operations), n_sites, 3), dtype=np.int64)
    for number, (rotation, translation) in enumerate(zip(operations.rotations, operations.translations, strict=True)):
        moved = sites @ rotation.T + translation
        apart = moved[:, None, :] - sites[None, :, :]
        whole = np.rint(apart)
        distances = np.linalg.norm((apart - whole) @ cell, axis=2)
        images[number] = distances.argmin(axis=1)
        if distances.min(axis=1).max() > MATCH_A:
            raise ValueError("the sites are not closed under the space group: give all equivalent ones, or none")
        shifts[number] = whole[np.arange(n_sites), images[number]].astype(np.int64)
    return SiteAction(images, shifts, operations.rotations)


def with_equivalent_sites(
    operations: Operations, sites: FloatArray, cell: npt.NDArray[Any], apart_A: float
) -> FloatArray:
    """Return sites and all that are equivalent to them, (n, 3), in fractions within the cell.

    :param sites: (k, 3), fractions.
    :param apart_A: places closer than this are the same site, angstrom.
    """
    kept: list[FloatArray] = []
    for site in np.asarray(sites, dtype=float).reshape(-1, 3):
        for rotation, translation in zip(operations.rotations, operations.translations, strict=True):
            place = (rotation @ site + translation) % 1.0
            if all(distance_A(place, other, cell) > apart_A for other in kept):
                kept.append(place)
    return np.array(kept).reshape(-1, 3)


def on_special_places(operations: Operations, sites: FloatArray, cell: npt.NDArray[Any], apart_A: float) -> FloatArray:
    """Return sites moved onto the special place that they are close to, fractions, (k, 3): the mean of close images.

    Minima of a grid miss a special place by less than a step; their images would be several sites beside it.

    :param sites: (k, 3), fractions.
    :param apart_A: images closer than this are of one place, angstrom.
    """
    moved = []
    for site in np.asarray(sites, dtype=float).reshape(-1, 3):
        apart = operations.rotations @ site + operations.translations - site
        apart -= np.rint(apart)
        moved.append(site + apart[np.linalg.norm(apart @ cell, axis=1) < apart_A].mean(axis=0))
    return np.array(moved).reshape(-1, 3) % 1.0


def distance_A(first: FloatArray, second: FloatArray, cell: npt.NDArray[Any]) -> float:  # noqa: N802
    """Return the distance of two places to the nearest image, angstrom, for cells that are not very skewed."""
    apart = first - second
    return float(np.linalg.norm((apart - np.rint(apart)) @ cell))


def keeps_supercell(rotation: npt.NDArray[Any], multiples: Sequence[int]) -> bool:
    """Whether an operation of the crystal is one of its supercell, too: it turns the supercell's lattice into itself.

    :param rotation: (3, 3), on fractions of the cell.
    :param multiples: repeats along each vector.
    """
    repeats = np.asarray(multiples, dtype=float)
    turned = np.asarray(rotation) * repeats[None, :] / repeats[:, None]
    return bool(np.allclose(turned, np.rint(turned)))
