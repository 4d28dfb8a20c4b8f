"""A crystal that can be simulated, read from a file with a report; or the reason why not, in a sentence."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from pymatgen.core.structure import Structure

from aiida_ion.analysis.crystals.structure import DisorderedError, check_cell, check_structure
from aiida_ion.crystal_files.cif import read_cif
from aiida_ion.crystal_files.cif_sites import FULL
from aiida_ion.crystal_files.other_formats import (
    check_pw_input,
    check_xyz,
    only_elements,
    read_pymatgen_json,
    read_with_ase,
)
from aiida_ion.crystal_files.plausible import caveats_and_notes
from aiida_ion.crystal_files.poscar import read_poscar
from aiida_ion.crystal_files.report import Crystal, Reading, report_of
from aiida_ion.crystal_files.text import decode, read_bytes

CIF, POSCAR, TRAJ, JSON = "CIF", "POSCAR", "ASE traj", "pymatgen JSON"
#: Text formats read by ASE, by its names.
OF_ASE = {
    "extxyz": "extended xyz",
    "espresso-in": "input of pw.x",
    "espresso-out": "output of pw.x",
    "vasp-xml": "vasprun.xml",
}
#: File suffix -> format.
ENDINGS = {
    ".cif": CIF,
    ".vasp": POSCAR,
    ".poscar": POSCAR,
    ".traj": TRAJ,
    ".json": JSON,
    ".extxyz": "extxyz",
    ".exyz": "extxyz",
    ".xyz": "extxyz",
    ".in": "espresso-in",
    ".pwi": "espresso-in",
    ".pwo": "espresso-out",
    ".out": "espresso-out",
}
#: Beginnings of file names without a suffix.
STARTS = {"poscar": POSCAR, "contcar": POSCAR, "vasprun": "vasp-xml"}
REFUSED = {
    ".mcif": "a magnetic CIF; give the nuclear structure as an ordinary CIF",
    ".pdb": "a PDB file, in which elements and symmetry are ambiguous; give a CIF",
    ".mol": "a molecule; give a CIF",
    ".cell": "a file of CASTEP; give a CIF",
}


class DoubtfulCrystalError(ValueError):
    """A file that contradicts its atoms, or is not plausible as a crystal; the user may insist."""


def read_crystal(path: Path, mobile_species: str | None = None, insist: bool = False) -> Crystal:
    """Read a crystal from a file and check it.

    :param mobile_species: an element that must be in it.
    :param insist: accept it although the file contradicts itself or is not plausible.
    :raises DoubtfulCrystalError: if the user may insist.
    :raises DisorderedError: for partly occupied sites.
    :raises ValueError: one line: unreadable, no cell, disordered, overlapping atoms, or mobile ion absent.
    """
    file_format = format_of(path)
    reading = Reading(OF_ASE.get(file_format, file_format))
    try:
        structure, digest = _parse(path, file_format, reading)
        return finish(structure, reading, path.name, digest, mobile_species, insist)
    except DoubtfulCrystalError:
        raise
    except ValueError as error:
        message = str(error)
        kind = DisorderedError if isinstance(error, DisorderedError) else ValueError
        raise kind(message if message.startswith(f"{path.name}: ") else f"{path.name}: {message}") from error


def read_cif_text(text: str, name: str, full_from: float = FULL, insist: bool = False) -> Crystal:
    """Read a crystal from the text of a CIF, like :func:`read_crystal`.

    :param name: of the file, for messages and the report.
    :param full_from: occupancy from which a site counts as full.
    """
    reading = Reading(CIF)
    plain, notes = decode(text.encode())
    reading.notes += notes
    structure = read_cif(plain, reading, full_from)
    return finish(structure, reading, name, hashlib.sha256(text.encode()).hexdigest(), None, insist)


def format_of(path: Path) -> str:
    """Return the format of a file name.

    :raises ValueError: for an unsupported format.
    """
    name = path.name.lower().removesuffix(".gz")
    for start, kind in STARTS.items():
        if name.startswith(start) and not name.endswith(".cif"):
            return kind
    ending = Path(name).suffix
    if ending in REFUSED:
        raise ValueError(f"{path.name}: {REFUSED[ending]}")
    if ending not in ENDINGS:
        raise ValueError(
            f"{path.name}: its name is not that of a supported format; give a CIF (.cif), a POSCAR or .vasp, .extxyz, "
            ".traj, .pwi, .pwo, vasprun.xml, or .json of pymatgen"
        )
    return ENDINGS[ending]


def finish(
    structure: Structure, reading: Reading, name: str, digest: str, mobile_species: str | None, insist: bool
) -> Crystal:
    """Check a structure and return it with its report.

    :raises DoubtfulCrystalError: if the user may insist.
    :raises ValueError: if it cannot be simulated.
    """
    check_cell(structure)
    structure = _right_handed(only_elements(structure, reading), reading)
    check_structure(structure, mobile_species)
    if reading.file_format != CIF:  # a CIF was already checked for each possible symmetry
        caveats, notes = caveats_and_notes(structure)
        reading.caveats += caveats
        reading.notes += notes
    if reading.caveats and not insist:
        raise DoubtfulCrystalError(f"{name}: {'; '.join(dict.fromkeys(reading.caveats))}")
    return Crystal(structure, report_of(structure, reading, name, digest))


def _parse(path: Path, kind: str, reading: Reading) -> tuple[Structure, str]:
    if kind == TRAJ:
        if not path.is_file():
            raise ValueError(f"{path.name}: no such file")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return read_with_ase(path, "traj", reading), digest
    content = read_bytes(path)
    text, notes = decode(content)
    reading.notes += notes
    return _from_text(text, kind, reading), hashlib.sha256(content).hexdigest()


def _from_text(text: str, kind: str, reading: Reading) -> Structure:
    readers = {CIF: read_cif, POSCAR: read_poscar, JSON: read_pymatgen_json}
    if kind in readers:
        return readers[kind](text, reading)
    if kind == "extxyz":
        check_xyz(text)
    if kind == "espresso-in":
        check_pw_input(text)
    if kind == "vasp-xml" and "<!ENTITY" in text:
        raise ValueError("it defines XML entities, which a vasprun.xml never does")
    return read_with_ase(text, kind, reading)


def _right_handed(structure: Structure, reading: Reading) -> Structure:
    """Return the same crystal with right-handed cell vectors, as VASP and LAMMPS require."""
    if float(np.linalg.det(structure.lattice.matrix)) > 0:
        return structure
    reading.notes.append("its cell vectors are left-handed: all three were inverted, the atoms are unchanged")
    species, labels = [site.species for site in structure], [site.label for site in structure]
    return Structure(-structure.lattice.matrix, species, -structure.frac_coords, labels=labels)
