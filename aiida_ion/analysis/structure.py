"""Crystals fit for molecular dynamics: reading, checking, and the supercell they need."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pymatgen.core.structure import Structure

FloatArray = npt.NDArray[np.float64]

#: Atoms closer than this share a site: no real crystal has them.
MIN_DISTANCE_A = 0.5
WIDTH_RULES = ("perpendicular", "edge")


def perpendicular_widths(cell: npt.NDArray[Any]) -> FloatArray:
    """Distance between the opposite faces of a cell along each vector, angstrom, (3,).

    Width i is V / |a_j x a_k|: the room a minimum image has, shorter than the edge in a skewed cell.

    :param cell: rows are cell vectors, angstrom, (3, 3).
    :raises ValueError: for a cell without volume.
    """
    cell = np.asarray(cell, dtype=float)
    volume = abs(float(np.linalg.det(cell)))
    if volume < 1e-6:
        raise ValueError("the cell has no volume: no periodic crystal")
    areas = np.linalg.norm(np.cross(cell[[1, 2, 0]], cell[[2, 0, 1]]), axis=1)
    widths: FloatArray = volume / areas
    return widths


def supercell_multiples(
    cell: npt.NDArray[Any], min_width_A: float = 10.0, rule: str = "perpendicular"
) -> tuple[int, int, int]:
    """Repeats along each cell vector that make every width at least ``min_width_A``.

    :param cell: rows are cell vectors, angstrom, (3, 3).
    :param min_width_A: least width, angstrom.
    :param rule: ``perpendicular`` measures between faces, ``edge`` the lengths of the cell vectors, as
        benchmark studies of AIMD do.
    :raises ValueError: for an unknown rule, a width that is not positive, or a cell without volume.
    """
    if rule not in WIDTH_RULES:
        raise ValueError(f"rule must be one of {', '.join(WIDTH_RULES)}, got {rule!r}")
    if not min_width_A > 0:
        raise ValueError(f"min_width_A must be positive, got {min_width_A!r}")
    widths = perpendicular_widths(cell)
    if rule == "edge":
        widths = np.linalg.norm(np.asarray(cell, dtype=float), axis=1)
    a, b, c = (max(1, math.ceil(min_width_A / float(width) - 1e-6)) for width in widths)
    return a, b, c


def read_structure(source: str | Path | Structure, mobile_species: str | None = None) -> Structure:
    """Read a crystal from a CIF (or another file pymatgen knows) and check it.

    :param source: a path, or a structure that is only checked.
    :param mobile_species: an element that must be in it.
    :raises ValueError: one line that says what is wrong: unreadable, no cell, disordered, overlapping, ion
        absent.
    """
    structure = source if isinstance(source, Structure) else _parse(Path(source))
    check_structure(structure, mobile_species)
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
        raise ValueError(
            f"no {mobile_species} in {structure.composition.reduced_formula}: nothing would move"
        )


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
            f"disordered: the site at ({where}) holds {site.species_string} and {len(partial)} sites are "
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
