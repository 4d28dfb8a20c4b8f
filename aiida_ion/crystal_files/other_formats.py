"""Formats read by ASE or pymatgen, always by explicit name, never guessed from the content."""

from __future__ import annotations

import io
import json
import re
import warnings
from itertools import takewhile
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import iread
from ase.io.trajectory import Trajectory
from pymatgen.core.structure import Structure

from aiida_ion.crystal_files.expansion import MAX_ATOMS
from aiida_ion.crystal_files.report import Reading
from aiida_ion.crystal_files.species import element_of_type

#: Properties of ASE's atoms that a simulation does not use.
LEFT_OUT = {"momenta": "velocities", "initial_magmoms": "magnetic moments", "initial_charges": "charges"}


def read_with_ase(source: str | Path, ase_format: str, reading: Reading) -> Structure:
    """Return the last frame of a file that ASE reads.

    :param source: text of the file, or its path where it is binary.
    :param ase_format: ASE's name of the format.
    :raises ValueError: with the reason in a sentence.
    """
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            atoms, n_frames = _last_frame(source, ase_format)
    except Exception as error:  # parsers can raise any exception on a broken file
        raise ValueError(_reason(error, reading)) from error
    reading.warnings += _words(caught)
    if n_frames > 1:
        reading.part = f"frame {n_frames} of {n_frames}, the last"
    return _from_atoms(atoms, reading)


def _last_frame(source: str | Path, ase_format: str) -> tuple[Atoms, int]:
    if isinstance(source, Path):
        with Trajectory(str(source)) as frames:
            return frames[-1], len(frames)
    last, formulas = None, []
    for last in iread(io.StringIO(source), index=":", format=ase_format):
        formulas.append(last.get_chemical_formula())
    if last is None:
        raise ValueError("it has no atoms")
    if len(set(formulas)) > 1:
        raise ValueError(f"its {len(formulas)} frames are different crystals ({formulas[0]}, ...); give one of them")
    return last, len(formulas)


def _from_atoms(atoms: Atoms, reading: Reading) -> Structure:
    if atoms.cell.rank < 3 or not np.all(np.isfinite(atoms.cell.array)):
        raise ValueError("no periodic cell: this is a molecule, not a crystal")
    if not all(atoms.pbc):
        raise ValueError(
            "it is not periodic along all three cell vectors: a molecule, a chain or a slab, not a crystal"
        )
    if len(atoms) == 0 or len(atoms) > MAX_ATOMS:
        raise ValueError(f"{len(atoms):,} atoms; the number must be between 1 and {MAX_ATOMS:,}")
    if not np.all(np.isfinite(atoms.positions)):
        raise ValueError("a position is not a number")
    if any(number == 0 for number in atoms.numbers):
        raise ValueError("an atom (X) is not an element: remove vacancies and dummies from the file")
    shares = atoms.arrays.get("occupancy", np.ones(1))
    if "occupancy" in atoms.info or np.any(np.asarray(shares) != 1.0):
        raise ValueError("disordered: its sites are partly occupied; order the structure first")
    for name, words in LEFT_OUT.items():
        if atoms.has(name) and np.any(atoms.arrays[name]):
            reading.notes.append(f"its {words} were left out")
    if atoms.constraints:
        reading.notes.append("constraints were left out: every atom moves")
    return Structure(atoms.cell.array, atoms.get_chemical_symbols(), atoms.positions, coords_are_cartesian=True)


def read_pymatgen_json(text: str, reading: Reading) -> Structure:
    """Return the crystal in a JSON file of pymatgen.

    :raises ValueError: a sentence that says why there is none.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("it is not JSON") from error
    # monty imports what a file names: allow only pymatgen's own classes.
    modules = set(re.findall(r'"@module"\s*:\s*"([^"]*)"', json.dumps(content)))
    if not isinstance(content, dict) or not all(name.startswith("pymatgen.core") for name in modules):
        raise ValueError("it is not a pymatgen structure")
    if len(content.get("sites") or ()) > MAX_ATOMS:
        raise ValueError(f"more than the maximum of {MAX_ATOMS:,} atoms")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            structure = Structure.from_str(json.dumps(content), fmt="json")
    except Exception as error:  # parsers can raise any exception on a broken file
        raise ValueError(_reason(error, reading)) from error
    reading.warnings += _words(caught)
    if not len(structure) or not np.all(np.isfinite(structure.cart_coords)):
        raise ValueError("it holds no atoms, or positions that are not numbers")
    return structure


def check_xyz(text: str) -> None:
    """Check the numbers of atoms before reading them.

    :raises ValueError: if there is no cell, or the wrong number of lines.
    """
    if "lattice=" not in text.lower():
        raise ValueError("no periodic cell in an xyz file; give a CIF")
    lines = text.rstrip().split("\n")
    position = 0
    while position < len(lines):
        word = lines[position].strip()
        count = int(word) if word.isdigit() and len(word) < 12 else None
        if count is None or count > len(lines) - position - 2:
            raise ValueError(f"line {position + 1}: expected a number of atoms and that many lines, got {word[:30]!r}")
        if count > MAX_ATOMS:
            raise ValueError(f"{count:,} atoms are more than the maximum of {MAX_ATOMS:,}")
        position += count + 2


def check_pw_input(text: str) -> None:
    """Refuse inputs of pw.x that ASE reads differently from pw.x.

    :raises ValueError: naming the unsupported feature.
    """
    if "&system" not in text.lower():
        raise ValueError("it is not an input of pw.x: it has no &SYSTEM")
    lines = [re.split(r"[!#]", line)[0].strip() for line in text.split("\n")]
    plain = "\n".join(lines)
    if re.search(r"(?i)\bspace_group\s*=", plain):
        raise ValueError("its atoms are given by a space group (space_group), which is not supported; give a CIF")
    stated = re.search(r"(?i)\bnat\s*=\s*(\d+)", plain)
    start = next((n for n, line in enumerate(lines) if line.upper().startswith("ATOMIC_POSITIONS")), None)
    if stated is None or start is None:
        return
    rows = list(takewhile(lambda line: len(line.split()) in (4, 7), (line for line in lines[start + 1 :] if line)))
    if len(rows) != int(stated[1]):
        raise ValueError(f"it states nat = {stated[1]} but has {len(rows)} positions")


def only_elements(structure: Structure, reading: Reading) -> Structure:
    """Return an ordered crystal with only elements on its sites.

    :raises ValueError: for a site that holds anything else.
    """
    if not structure.is_ordered:
        return structure
    elements = []
    for site in structure:
        symbol = getattr(getattr(site.specie, "element", site.specie), "name", str(site.specie))
        elements.append(element_of_type(symbol, f"the site {site.label}", reading.notes))
        if getattr(site.specie, "oxi_state", None):
            reading.notes.append("oxidation states were left out: charges are guessed from the formula, or given")
    labels = [site.label for site in structure]
    return Structure(structure.lattice, elements, structure.frac_coords, labels=labels)


def _words(caught: list[warnings.WarningMessage]) -> list[str]:
    return [" ".join(str(warning.message).split())[:200] for warning in caught]


def _reason(error: BaseException, reading: Reading) -> str:
    """Return the reason as a sentence, without internal errors of the parser."""
    text = " ".join(str(error).split())[:200] if isinstance(error, ValueError) else ""
    return f"cannot be read as a crystal: {text or f'it is damaged, or is not of the format {reading.file_format}'}"
