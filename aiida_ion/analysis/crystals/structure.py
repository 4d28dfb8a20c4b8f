"""Checks that a crystal is fit for molecular dynamics."""

from __future__ import annotations

import numpy as np
from pymatgen.core.structure import Structure

from aiida_ion.analysis.crystals.cell import perpendicular_widths, supercell_multiples
from aiida_ion.analysis.crystals.nearest import nearest_neighbours

__all__ = ["DisorderedError", "check_cell", "check_structure", "perpendicular_widths", "supercell_multiples"]

#: Atoms closer than this occupy the same site, angstrom: impossible in a real crystal.
MIN_DISTANCE_A = 0.5
#: Longest cell vector, angstrom.
MAX_EDGE_A = 1e5


class DisorderedError(ValueError):
    """A crystal whose sites are partly occupied, or shared by elements: it has to be ordered."""


def check_structure(structure: Structure, mobile_species: str | None = None) -> None:
    """Refuse a crystal that molecular dynamics cannot start from.

    :param mobile_species: an element that must be in it.
    :raises ValueError: one line: no cell, disordered, overlapping atoms, or mobile ion absent.
    """
    check_cell(structure)
    _check_order(structure)
    _check_distances(structure)
    elements = {element.symbol for element in structure.composition.elements}
    if mobile_species is not None and mobile_species not in elements:
        raise ValueError(f"no {mobile_species} in {structure.composition.reduced_formula}: nothing would diffuse")


def check_cell(structure: Structure) -> None:
    """Refuse a structure without a cell, or with an impossible one.

    :raises ValueError: with a one-line message.
    """
    lattice = getattr(structure, "lattice", None)
    if lattice is None:
        raise ValueError("no periodic cell: this is a molecule, not a crystal")
    if not np.all(np.abs(lattice.matrix) < MAX_EDGE_A):
        raise ValueError(f"a cell vector is longer than {MAX_EDGE_A:g} angstrom, or not a number")
    if lattice.volume < 1e-3:
        raise ValueError("no periodic cell: this is a molecule, not a crystal")


def _check_order(structure: Structure) -> None:
    partial = [site for site in structure if not site.is_ordered]
    if partial:
        site = partial[0]
        where = ", ".join(f"{coordinate:.3f}" for coordinate in site.frac_coords)
        raise DisorderedError(
            f"disordered: the site {site.label} at ({where}) holds {site.species_string} and {len(partial)} sites are "
            "partly occupied; order the structure first (aiida-ion order)"
        )


def _check_distances(structure: Structure) -> None:
    distances, others = nearest_neighbours(structure.lattice.matrix, structure.frac_coords, MIN_DISTANCE_A)
    closest = int(np.argmin(distances))
    if others[closest] < 0:
        return
    i, j = sorted((closest, int(others[closest])))
    raise ValueError(
        f"atoms {i} ({structure[i].species_string}) and {j} ({structure[j].species_string}) are "
        f"{distances[closest]:.3f} angstrom apart, closer than {MIN_DISTANCE_A} angstrom"
    )
