"""Crystals fit for molecular dynamics: reading, checking, and the supercell they need."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from pymatgen.core.structure import Structure

from aiida_ion.analysis.cell import perpendicular_widths, supercell_multiples

__all__ = ["check_structure", "perpendicular_widths", "read_structure", "supercell_multiples"]

#: Atoms closer than this share a site: no real crystal has them.
MIN_DISTANCE_A = 0.5


def read_structure(source: str | Path | Structure, mobile_species: str | None = None) -> Structure:
    """Read a crystal from a CIF (or another file pymatgen knows) and check it.

    :param source: a path, or a structure that is only checked.
    :param mobile_species: an element that must be in it.
    :raises ValueError: one line that says what is wrong: unreadable, no cell, disordered, overlapping, ion
        absent.
    """
    if isinstance(source, Structure):
        check_structure(source, mobile_species)
        return source
    structure = _parse(Path(source))
    try:
        check_structure(structure, mobile_species)
    except ValueError as error:
        raise ValueError(f"{Path(source).name}: {error}") from error
    return structure


def check_structure(structure: Structure, mobile_species: str | None = None) -> None:
    """Refuse a crystal that molecular dynamics cannot start from.

    :raises ValueError: one line; see :func:`read_structure`.
    """
    lattice = getattr(structure, "lattice", None)
    if lattice is None or lattice.volume < 1e-3:
        raise ValueError("no periodic cell: this is a molecule, not a crystal")
    _check_order(structure)
    _check_distances(structure)
    elements = {element.symbol for element in structure.composition.elements}
    if mobile_species is not None and mobile_species not in elements:
        raise ValueError(f"no {mobile_species} in {structure.composition.reduced_formula}: nothing would move")


def _parse(path: Path) -> Structure:
    if not path.is_file():
        raise ValueError(f"{path.name}: no such file")
    if path.suffix.lower() == ".xyz":
        raise ValueError(f"{path.name}: no periodic cell in an xyz file; give a CIF")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Structure.from_file(str(path))
    except Exception as error:  # parsers raise whatever they meet in a broken file
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{path.name}: cannot be read as a crystal ({reason[:200]})") from error


def _check_order(structure: Structure) -> None:
    partial = [site for site in structure if not site.is_ordered]
    if partial:
        site = partial[0]
        where = ", ".join(f"{coordinate:.3f}" for coordinate in site.frac_coords)
        raise ValueError(
            f"disordered: the site {site.label} at ({where}) holds {site.species_string} and {len(partial)} sites are "
            "partly occupied; order the structure first"
        )


def _check_distances(structure: Structure) -> None:
    first, second, _, distances = structure.get_neighbor_list(MIN_DISTANCE_A, exclude_self=True)
    if len(distances) == 0:
        return
    closest = int(np.argmin(distances))
    i, j = int(first[closest]), int(second[closest])
    raise ValueError(
        f"atoms {i} ({structure[i].species_string}) and {j} ({structure[j].species_string}) are "
        f"{distances[closest]:.3f} angstrom apart, closer than {MIN_DISTANCE_A} angstrom"
    )
