"""A crystal with partly occupied sites from a CIF: the same reader, without the demand for order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pymatgen.core.composition import Composition
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure
from scipy.spatial import KDTree

from aiida_ion.analysis.crystals.structure import check_cell
from aiida_ion.crystal_files.cif import OTHER_KINDS, candidate_symmetries, cell_of, one_block
from aiida_ion.crystal_files.cif_sites import read_sites
from aiida_ion.crystal_files.cif_text import read_blocks
from aiida_ion.crystal_files.cross_check import SAME_COMPOSITION
from aiida_ion.crystal_files.expansion import Atoms, Site, check_count, expand
from aiida_ion.crystal_files.report import Reading
from aiida_ion.crystal_files.stated import read_stated
from aiida_ion.crystal_files.symmetry import Symmetry
from aiida_ion.crystal_files.text import decode

#: Atoms closer than this share one place, angstrom.
ONE_PLACE_A = 0.05


@dataclass(frozen=True)
class DisorderedFile:
    """What a CIF holds.

    :param structure: all places of the cell with the occupancies of their elements; labels are those of the file.
    :param formula: atoms of each element in the formula unit that the file states; empty if it states none.
    :param reading: notes and caveats.
    """

    structure: Structure
    formula: Mapping[str, float]
    reading: Reading


def read_disordered_cif(text: str, name: str) -> DisorderedFile:
    """Read a crystal whose sites may be partly occupied, from the text of a CIF.

    :param name: of the file, for messages.
    :raises ValueError: with the reason in a sentence.
    """
    reading = Reading("CIF")
    plain, notes = decode(text.encode())
    reading.notes += notes
    try:
        return _read(plain, reading)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _read(text: str, reading: Reading) -> DisorderedFile:
    block = one_block(read_blocks(text), reading)
    for item, kind in OTHER_KINDS.items():
        if item in block.items:
            raise ValueError(f"it describes {kind}")
    cell = cell_of(block, reading)
    stated = read_stated(block, reading.notes)
    # A site that is nearly full keeps its occupancy here: what counts as full is decided per place.
    sites = read_sites(block, stated.formula, reading, full_from=1.0, disordered=True)
    candidates = candidate_symmetries(block, cell, reading)
    check_count(len(sites), max(len(candidate) for candidate in candidates))
    symmetry, atoms = _chosen(candidates, sites, cell, stated.formula, reading)
    reading.symmetry = symmetry.words
    structure = _merged(sites, atoms, cell, reading)
    check_cell(structure)
    return DisorderedFile(structure, stated.formula, reading)


def _chosen(
    candidates: list[Symmetry],
    sites: list[Site],
    cell: npt.NDArray[np.float64],
    formula: Mapping[str, float],
    reading: Reading,
) -> tuple[Symmetry, Atoms]:
    """Return the symmetry whose atoms have the stated composition, the first where the file does not decide."""
    built = [(symmetry, expand(sites, symmetry, cell)) for symmetry in candidates]
    differences = [_difference(_amounts(sites, atoms), formula) for _, atoms in built]
    best = int(np.argmin(differences))
    if formula and differences[best] > SAME_COMPOSITION:
        reading.caveats.append(
            f"the sites hold {_formula(_amounts(sites, built[best][1]))}, the file states {_formula(formula)}"
        )
    return built[best]


def _amounts(sites: list[Site], atoms: Atoms) -> dict[str, float]:
    amounts: dict[str, float] = {}
    for index, count in enumerate(np.bincount(atoms.sites, minlength=len(sites))):
        amounts[sites[index].element] = amounts.get(sites[index].element, 0.0) + float(count) * sites[index].occupancy
    return amounts


def _difference(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    """Return half the sum of the differences of atomic fractions, from 0 to 1; 0 where one is empty."""
    if not first or not second:
        return 0.0
    totals = sum(first.values()), sum(second.values())
    names = {*first, *second}
    return 0.5 * sum(abs(first.get(name, 0.0) / totals[0] - second.get(name, 0.0) / totals[1]) for name in names)


def _formula(amounts: Mapping[str, float]) -> str:
    return str(Composition(dict(amounts)).formula)


def _merged(sites: list[Site], atoms: Atoms, cell: npt.NDArray[np.float64], reading: Reading) -> Structure:
    """Return the places of all atoms, those at one place together.

    :param reading: gets a note on occupancies that were scaled.
    """
    cartesian, groups = atoms.places @ cell, np.arange(len(atoms.places))
    for first, second in _near_pairs(atoms.places, cell):
        groups[groups == groups[second]] = groups[first]
    species, places, labels = [], [], []
    for group in dict.fromkeys(groups.tolist()):
        members = np.flatnonzero(groups == group)
        shares: dict[str, float] = {}
        for member in members:
            site = sites[int(atoms.sites[member])]
            shares[site.element] = shares.get(site.element, 0.0) + site.occupancy
        if sum(shares.values()) > 1.0:
            label = "/".join(dict.fromkeys(sites[int(atoms.sites[member])].label for member in members))
            shares, note = _rounded_down(shares, label)
            if note and note not in reading.notes:
                reading.notes.append(note)
        species.append(shares)
        places.append(cartesian[members[0]])
        labels.append("/".join(dict.fromkeys(sites[int(atoms.sites[member])].label for member in members)))
    return Structure(Lattice(cell), species, places, coords_are_cartesian=True, to_unit_cell=True, labels=labels)


def _rounded_down(shares: dict[str, float], label: str) -> tuple[dict[str, float], str]:
    """Return shares that add up to 1, if they do but for rounding, and a note where they did not.

    :raises ValueError: for more than one atom on a place.
    """
    total = sum(shares.values())
    if total > 1.02:
        raise ValueError(
            f"the site {label} holds {total:.3f} atoms: correct the occupancies; a site holds at most one atom"
        )
    note = f"the occupancies of {label} add up to {total:.3f} and were scaled to 1" if total > 1.0 + 1e-3 else ""
    return {element: share / total for element, share in shares.items()}, note


def _near_pairs(places: npt.NDArray[np.float64], cell: npt.NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return pairs of atoms that share a place."""
    wrapped = places % 1.0
    shifts = np.stack(np.meshgrid(*[[0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    # Images on the far side of those close to a face.
    images, owners = [wrapped @ cell], [np.arange(len(wrapped))]
    for shift in shifts[1:]:
        near = np.all((shift == 0) | (wrapped < 0.02), axis=1)
        images.append((wrapped[near] + shift) @ cell)
        owners.append(np.flatnonzero(near))
    owner = np.concatenate(owners)
    pairs = KDTree(np.concatenate(images)).query_pairs(ONE_PLACE_A, output_type="ndarray")
    return sorted({(min(i, j), max(i, j)) for i, j in owner[pairs].tolist() if i != j})
