"""A crystal from a CIF: block, symmetry, sites, and the check against what the file states."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from aiida_ion.crystal_files import symmetry
from aiida_ion.crystal_files.cif_sites import FULL, read_sites
from aiida_ion.crystal_files.cif_text import SITES, Block, read_blocks
from aiida_ion.crystal_files.cross_check import bond_disagreements, disagreements, multiplicity_disagreement
from aiida_ion.crystal_files.expansion import WORTH_A_WORD_A, Atoms, Site, check_count, expand
from aiida_ion.crystal_files.numbers import number
from aiida_ion.crystal_files.plausible import caveats_and_notes
from aiida_ion.crystal_files.report import Reading
from aiida_ion.crystal_files.stated import StatedContents, read_stated
from aiida_ion.crystal_files.symmetry import Symmetry

#: Places that agree within one part in so many of the cell are the same.
GRID = 1000
#: Items of files with more than atomic positions in a periodic crystal.
OTHER_KINDS = {
    "_space_group_symop_magn_operation_xyz": "a magnetic structure: give the nuclear one as an ordinary CIF",
    "_space_group_magn_number_bns": "a magnetic structure: give the nuclear one as an ordinary CIF",
    "_atom_site_moment_label": "a magnetic structure: give the nuclear one as an ordinary CIF",
    "_cell_modulation_dimension": "a modulated structure, which has no periodic cell",
    "_space_group_ssg_name": "a modulated structure, which has no periodic cell",
}
Cell = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Candidate:
    """The crystal from the sites and one symmetry, and the evidence against it."""

    symmetry: Symmetry
    atoms: Atoms
    structure: Structure
    against: list[str]
    notes: list[str]


def read_cif(text: str, reading: Reading, full_from: float = FULL) -> Structure:
    """Return the crystal of a CIF.

    :param text: of the file.
    :param reading: collects what was read, assumed and doubted.
    :param full_from: occupancy from which a site counts as full.
    :raises ValueError: with the reason in a sentence.
    """
    block = one_block(read_blocks(text), reading)
    for name, kind in OTHER_KINDS.items():
        if name in block.items:
            raise ValueError(f"it describes {kind}")
    cell = cell_of(block, reading)
    stated = read_stated(block, reading.notes)
    sites = read_sites(block, stated.formula, reading, full_from)
    candidates = candidate_symmetries(block, cell, reading)
    check_count(len(sites), max(len(candidate) for candidate in candidates))
    chosen = _choose([_built(setting, sites, cell, stated) for setting in candidates], reading)
    _note_moved(sites, chosen.atoms, reading)
    reading.symmetry = chosen.symmetry.words
    reading.notes += chosen.notes
    reading.caveats += chosen.against
    reading.caveats += bond_disagreements(block, sites, chosen.structure)
    return chosen.structure.get_sorted_structure()


def one_block(blocks: list[Block], reading: Reading) -> Block:
    """Return the one block with atoms."""
    if not blocks:
        raise ValueError("it has no data block (data_...)")
    with_atoms = [block for block in blocks if SITES in block.items or "_atom_site_cartn_x" in block.items]
    if not with_atoms:
        raise ValueError("it has no atom sites")
    if len(with_atoms) > 1:
        names = ", ".join(block.name or "?" for block in with_atoms[:5])
        raise ValueError(f"it holds {len(with_atoms)} crystals ({names}); give a file with one of them")
    reading.part = f"block {with_atoms[0].name}" if with_atoms[0].name else ""
    if len(blocks) > 1:
        reading.notes.append(f"{len(blocks) - 1} of its {len(blocks)} blocks have no atoms and were left out")
    return with_atoms[0]


def cell_of(block: Block, reading: Reading) -> Cell:
    """Return the cell of a block, rows are cell vectors, angstrom, (3, 3).

    :raises ValueError: for one that is not a cell.
    """
    lengths, angles = [], []
    several = [name for name, values in block.items.items() if name.startswith("_cell_length") and len(set(values)) > 1]
    if several:
        raise ValueError(f"{several[0]} has {len(block.items[several[0]])} values")
    for axis in ("a", "b", "c"):
        value = number(block.stated(f"_cell_length_{axis}") or "?", f"the cell length {axis}")
        if value <= 0:
            raise ValueError(f"the cell length {axis} is {value:g}; it must be above zero")
        lengths.append(value)
    for angle in ("alpha", "beta", "gamma"):
        text = block.stated(f"_cell_angle_{angle}")
        angles.append(90.0 if text is None else number(text, f"the cell angle {angle}"))
        if text is None:
            reading.notes.append(
                f"the cell angle {angle} is not stated and was assumed to be 90 degrees, the default of CIF"
            )
    if all(0 < angle < 3.2 for angle in angles):
        raise ValueError(f"the cell angles {', '.join(f'{angle:g}' for angle in angles)} look like radians")
    if not all(5.0 < angle < 175.0 for angle in angles):
        raise ValueError(f"the cell angles {', '.join(f'{angle:g}' for angle in angles)} make no cell")
    cosines = np.cos(np.radians(angles))
    if 1.0 - (cosines**2).sum() + 2.0 * cosines.prod() < 1e-4:
        raise ValueError(f"the cell angles {', '.join(f'{angle:g}' for angle in angles)} make no cell")
    return np.array(Lattice.from_parameters(*lengths, *angles).matrix, dtype=float)


def candidate_symmetries(block: Block, cell: Cell, reading: Reading) -> list[Symmetry]:
    """Return the possible symmetries, the most likely first."""
    in_file, by_name = symmetry.listed(block), []
    try:
        by_name = symmetry.named(block)
    except ValueError:
        if in_file is None:
            raise
    if in_file is not None:
        if not symmetry.fits_cell(in_file, cell):
            raise ValueError("its cell does not have the symmetry of the listed operations")
        # A group of the same order is the same group or another setting, which the list identifies.
        larger = [
            setting for setting in by_name if len(setting) > len(in_file) and symmetry.is_subgroup(in_file, setting)
        ]
        if by_name and not larger and all(len(setting) != len(in_file) for setting in by_name):
            reading.notes.append(f"its symbol does not match the {in_file.words}; the list was used")
        return [in_file, *(setting for setting in larger if symmetry.fits_cell(setting, cell))]
    if not by_name:
        return [symmetry.identity()]
    fitting = [setting for setting in by_name if symmetry.fits_cell(setting, cell)]
    if not fitting:
        raise ValueError(f"its cell does not have the symmetry {by_name[0].words}")
    return symmetry.usual_axes(fitting)


def _built(candidate: Symmetry, sites: list[Site], cell: Cell, stated: StatedContents) -> Candidate:
    atoms = expand(sites, candidate, cell)
    elements = [sites[index].element for index in atoms.sites]
    labels = [sites[index].label for index in atoms.sites]
    structure = Structure(Lattice(cell), elements, atoms.places, labels=labels)
    notes: list[str] = []
    against = disagreements(Counter(elements), float(structure.volume), stated, notes)
    counted = multiplicity_disagreement(sites, atoms)
    if counted is not None:
        # If the contents of the cell are stated and correct, wrong multiplicities are leftovers of another setting.
        confirmed = not against and bool(stated.formula) and stated.z is not None
        (notes if confirmed else against).append(counted)
    caveats, unusual = caveats_and_notes(structure)
    return Candidate(candidate, atoms, structure, against + caveats, notes + unusual)


def _choose(candidates: list[Candidate], reading: Reading) -> Candidate:
    """Return the candidate without evidence against it.

    :raises ValueError: if two different crystals are possible.
    """
    different: list[Candidate] = []
    for candidate in candidates:
        if not any(_same(candidate, other) for other in different):
            different.append(candidate)
    sound = [candidate for candidate in different if not candidate.against]
    if len(sound) > 1:
        words = " or ".join(f"{item.structure.composition.formula} with {item.symmetry.words}" for item in sound)
        raise ValueError(f"the crystal is ambiguous: {words}; list the symmetry operations in the file")
    if sound and len(different) > 1:
        rejected = next(candidate for candidate in different if candidate is not sound[0])
        reading.notes.append(f"not {rejected.symmetry.words}: {rejected.against[0]}")
    return sound[0] if sound else different[0]


def _same(first: Candidate, second: Candidate) -> bool:
    """Whether two symmetries give the same atoms."""
    if len(first.atoms.places) != len(second.atoms.places):
        return False
    keys = [
        {(*np.rint(place * GRID).astype(int) % GRID,) for place in candidate.atoms.places}
        for candidate in (first, second)
    ]
    return keys[0] == keys[1]


def _note_moved(sites: list[Site], atoms: Atoms, reading: Reading) -> None:
    far = [index for index, moved in enumerate(atoms.moved_A) if moved > WORTH_A_WORD_A]
    if far:
        worst = max(far, key=lambda index: float(atoms.moved_A[index]))
        reading.notes.append(
            f"{len(far)} sites near special positions were moved there, {sites[worst].label} by "
            f"{atoms.moved_A[worst]:.3f} angstrom"
        )
