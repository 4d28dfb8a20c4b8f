"""A crystal with partly occupied sites: its places by orbit, and what each orbit holds."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import spglib
from pymatgen.core.structure import Structure

from aiida_ion.analysis.disorder.refusal import OrderingRefused

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Tolerance of the symmetry search, angstrom.
SYMPREC_A = 1e-3
#: An orbit with at least this occupancy is full: occupancies are refined, and rounded.
FULL = 0.98
#: A sum up to this is a rounded 1, and scaled to it; above it the site holds more than one atom.
OVERFULL = 1.02
#: A crystal whose sites are all at least this full is ordered: the rest is a refinement's.
NEARLY_FULL = 0.95
#: An element with less than this on a site is not there.
LEAST_OCCUPANCY = 1e-4


@dataclass(frozen=True)
class Orbit:
    """Places that symmetry makes equal.

    :param label: of the site in its file, or one made from its elements.
    :param occupancies: share of the places that each element holds, from 0 to 1.
    """

    label: str
    occupancies: Mapping[str, float]

    @property
    def total(self) -> float:
        """Share of the places that are filled."""
        return float(sum(self.occupancies.values()))

    @property
    def is_partial(self) -> bool:
        """Whether it holds vacancies or several elements."""
        return len(self.occupancies) > 1 or self.total < FULL

    @property
    def words(self) -> str:
        """What it holds, such as ``Ge 0.5, P 0.5``."""
        return ", ".join(f"{element} {share:.3g}" for element, share in sorted(self.occupancies.items()))


@dataclass(frozen=True)
class DisorderedCrystal:
    """A crystal in its primitive cell.

    :param cell: rows are cell vectors, angstrom, (3, 3).
    :param places: fractional coordinates, (n, 3).
    :param orbits: what the places hold.
    :param orbit_of: index of the orbit of each place, (n,).
    :param remarks: what was changed on reading, one sentence each.
    """

    cell: FloatArray
    places: FloatArray
    orbits: tuple[Orbit, ...]
    orbit_of: IntArray
    remarks: tuple[str, ...] = ()

    @property
    def multiplicities(self) -> IntArray:
        """Places of each orbit in the cell, (n orbits,)."""
        return np.bincount(self.orbit_of, minlength=len(self.orbits)).astype(np.int64)

    @property
    def composition(self) -> dict[str, float]:
        """Atoms of each element in the cell."""
        atoms: Counter[str] = Counter()
        for orbit, count in zip(self.orbits, self.multiplicities, strict=True):
            for element, share in orbit.occupancies.items():
                atoms[element] += share * float(count)  # type: ignore[assignment]
        return dict(sorted(atoms.items()))

    @property
    def n_atoms(self) -> float:
        """Atoms in the cell, on average."""
        return float(sum(self.composition.values()))

    @property
    def is_ordered(self) -> bool:
        """Whether every place is full with one element."""
        return not any(orbit.is_partial for orbit in self.orbits)


def disordered_crystal(structure: Structure) -> DisorderedCrystal:
    """Return a structure with partly occupied sites as orbits in its primitive cell.

    Orbits are found by symmetry among the sites that hold the same; labels of sites name them.

    :raises OrderingRefused: for a site that holds more than one atom, or no element.
    """
    contents, remarks = _contents(structure)
    kinds = sorted(set(contents))
    types = np.array([kinds.index(content) for content in contents])
    cell = np.asarray(structure.lattice.matrix, dtype=float)
    places = np.asarray(structure.frac_coords, dtype=float) % 1.0
    orbit_of = _equivalent(cell, places, types)
    names, orbit_of = np.unique(orbit_of, return_inverse=True)
    labels = _labels(structure, names)
    orbits = tuple(Orbit(label, dict(contents[first])) for label, first in zip(labels, names, strict=True))
    cell, places, orbit_of = _primitive(cell, places, orbit_of)
    return DisorderedCrystal(cell, places, orbits, orbit_of, tuple(remarks))


Content = tuple[tuple[str, float], ...]


def _contents(structure: Structure) -> tuple[list[Content], list[str]]:
    """Return elements and occupancies of each site, and what was changed."""
    contents, scaled, filled = [], set(), set()
    full = NEARLY_FULL if _is_nearly_full(structure) else FULL
    for site in structure:
        shares: dict[str, float] = {}
        for species, share in site.species.items():
            symbol = str(getattr(species, "symbol", species))
            if not getattr(species, "Z", 0):
                raise OrderingRefused(
                    "occupancy", f"the site {site.label} holds {symbol}, which is not an element: replace or remove it"
                )
            shares[symbol] = shares.get(symbol, 0.0) + float(share)
        shares = {symbol: share for symbol, share in shares.items() if share > LEAST_OCCUPANCY}
        total = sum(shares.values())
        if total > OVERFULL:
            raise OrderingRefused(
                "occupancy",
                f"the site {site.label} holds {total:.3f} atoms ({site.species_string}): correct the occupancies in "
                "the file; each site holds at most one atom",
            )
        if total > 1.0 + 1e-9:
            scaled.add(site.label)
        if full <= total < 1.0 - 1e-9:
            filled.add(site.label)
        if total >= full:
            shares = {symbol: share / total for symbol, share in shares.items()}
        contents.append(tuple(sorted((symbol, round(share, 6)) for symbol, share in shares.items())))
    remarks = [f"the occupancies of {label} add up to slightly more than 1 and were scaled" for label in sorted(scaled)]
    remarks += [f"the occupancies of {label} add up to almost 1 and were scaled to 1" for label in sorted(filled)]
    return contents, remarks


def _is_nearly_full(structure: Structure) -> bool:
    """Whether every site holds one element, and is nearly full of it."""
    return all(len(site.species) == 1 and site.species.num_atoms >= NEARLY_FULL for site in structure)


def _labels(structure: Structure, firsts: IntArray) -> list[str]:
    """Return a name for each orbit, given its first site; numbers are added where names repeat."""
    names = [structure[int(first)].label or structure[int(first)].species_string for first in firsts]
    counts = Counter(names)
    seen: Counter[str] = Counter()
    labels = []
    for name in names:
        seen[name] += 1
        labels.append(name if counts[name] == 1 else f"{name} ({seen[name]})")
    return labels


def _equivalent(cell: FloatArray, places: FloatArray, types: IntArray) -> IntArray:
    """Return for each place the first that symmetry makes equal to it, (n,)."""
    data = spglib_call(spglib.get_symmetry_dataset, (cell, places, types), symprec=SYMPREC_A)
    if data is None:
        return types
    return np.asarray(data.equivalent_atoms, dtype=np.int64)


def _primitive(cell: FloatArray, places: FloatArray, types: IntArray) -> tuple[FloatArray, FloatArray, IntArray]:
    found = spglib_call(
        spglib.standardize_cell, (cell, places, types), to_primitive=True, no_idealize=True, symprec=SYMPREC_A
    )
    if found is None:
        return cell, places, types.astype(np.int64)
    matrix, fractions, numbers = found
    return (
        np.asarray(matrix, dtype=float),
        np.asarray(fractions, dtype=float) % 1.0,
        np.asarray(numbers, dtype=np.int64),
    )


def spglib_call(function: Any, *args: Any, **kwargs: Any) -> Any:
    """Return what spglib returns; ``None`` where it finds nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # spglib's, on its own handling of errors
        try:
            return function(*args, **kwargs)
        except Exception as error:  # spglib's errors have no common public class in all versions
            if type(error).__module__.partition(".")[0] != "spglib":
                raise
            return None
