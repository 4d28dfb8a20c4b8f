"""Crystals as they are stored, and their space groups for lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from aiida import orm
from numpy.typing import NDArray

from aiida_ion.analysis.crystals.space_group import space_group
from aiida_ion.queries.reading.shared import attributes, rows
from aiida_ion.queries.reading.uuids import is_uuid
from aiida_ion.units import G_CM3_PER_U_A3

#: Names of the attributes of a structure that are read.
NAMES = ("cell", "kinds", "sites")
#: Structures that are read at once.
BLOCK = 500
#: Angle between vectors of a cell -> the two vectors, in the order alpha, beta, gamma.
ANGLES = ((1, 2), (0, 2), (0, 1))
#: How far an occupancy may be from one, and a repetition from a whole number.
OCCUPIED, WHOLE = 1e-6, 0.01
#: UUID of a structure -> symbol of its space group, ``None`` for one that has none; nodes never change.
_known: dict[str, str | None] = {}
#: Symbols that are kept, those of a large database twice over.
MOST_KNOWN = 200_000


def space_groups(uuids: Iterable[object]) -> dict[str, str | None]:
    """Return the symbols of the space groups of structures, such as ``Fm-3m``; ``None`` where there is none.

    Large, damaged and amorphous structures have none. Each is looked at once.

    :param uuids: of structures; anything else is left out.
    """
    asked = sorted({str(uuid) for uuid in uuids if is_uuid(uuid)})
    missing = [uuid for uuid in asked if uuid not in _known]
    if len(_known) + len(missing) > MOST_KNOWN:
        _known.clear()
        missing = asked
    for first in range(0, len(missing), BLOCK):
        block = missing[first : first + BLOCK]
        query = orm.QueryBuilder()
        query.append(orm.StructureData, filters={"uuid": {"in": block}}, project=["uuid", *attributes(NAMES)])
        for uuid, cell, kinds, sites in rows(query):
            crystal = _crystal(cell, kinds, sites)
            _known[uuid] = None if crystal is None else space_group(*crystal)
    return {uuid: _known.get(uuid) for uuid in asked}


def _crystal(cell: Any, kinds: Any, sites: Any) -> tuple[Any, Any, list[str]] | None:
    """Return cell (3, 3) and positions (n, 3), angstrom, and what is on each site; ``None`` if it cannot be read."""
    try:
        names = {kind["name"]: f"{'/'.join(kind['symbols'])} {kind.get('weights')}" for kind in kinds}
        read_cell = np.array(cell, dtype=float).reshape(3, 3)
        positions = np.array([site["position"] for site in sites], dtype=float).reshape(-1, 3)
        species = [names[site["kind_name"]] for site in sites]
    except (TypeError, ValueError, LookupError, OverflowError, AttributeError):
        return None
    if not (np.isfinite(read_cell).all() and np.isfinite(positions).all()):
        return None
    return read_cell, positions, species


@dataclass(frozen=True)
class Cell:
    """A stored cell as it is shown.

    :param vectors_A: of the cell, shape (3, 3), angstrom, one in each row.
    :param n_sites: number of sites.
    :param n_partial: number of sites that are partly occupied or shared by several elements.
    :param density_g_cm3: from the stored masses; ``None`` where one is missing.
    :param space_group: such as ``Fm-3m``; ``None`` where none can be given.
    """

    vectors_A: NDArray[np.float64]
    n_sites: int
    n_partial: int
    density_g_cm3: float | None
    space_group: str | None

    @property
    def lengths_angstrom(self) -> tuple[float, float, float]:
        """Return a, b and c, angstrom."""
        a, b, c = np.linalg.norm(self.vectors_A, axis=1)
        return float(a), float(b), float(c)

    @property
    def angles_degree(self) -> tuple[float, float, float]:
        """Return alpha, beta and gamma, degrees."""
        unit = self.vectors_A / np.linalg.norm(self.vectors_A, axis=1)[:, None]
        alpha, beta, gamma = (np.degrees(np.arccos(np.clip(unit[i] @ unit[j], -1.0, 1.0))) for i, j in ANGLES)
        return float(alpha), float(beta), float(gamma)

    @property
    def volume_angstrom3(self) -> float:
        """Return the volume, angstrom^3."""
        return abs(float(np.linalg.det(self.vectors_A)))


def stored_cells(uuids: Iterable[object]) -> dict[str, Cell]:
    """Return the cells of structures by UUID; those that are missing, or cannot be read, are left out.

    :param uuids: of structures; anything else is left out.
    """
    asked = sorted({str(uuid) for uuid in uuids if is_uuid(uuid)})
    if not asked:
        return {}
    groups = space_groups(asked)
    query = orm.QueryBuilder()
    query.append(orm.StructureData, filters={"uuid": {"in": asked}}, project=["uuid", *attributes(NAMES)])
    cells = {}
    for uuid, cell, kinds, sites in rows(query):
        crystal = _crystal(cell, kinds, sites)
        if crystal is None or not len(crystal[1]) or not abs(np.linalg.det(crystal[0])) > 0.0:
            continue
        volume_A3 = abs(float(np.linalg.det(crystal[0])))
        weights = {kind["name"]: _weight(kind) for kind in kinds}
        masses_u = [weights[site["kind_name"]][0] for site in sites]
        known = [mass for mass in masses_u if mass is not None]
        density = G_CM3_PER_U_A3 * sum(known) / volume_A3 if len(known) == len(masses_u) else None
        n_partial = sum(weights[site["kind_name"]][1] for site in sites)
        cells[str(uuid)] = Cell(crystal[0], len(sites), n_partial, density, groups.get(str(uuid)))
    return cells


def _weight(kind: Mapping[str, Any]) -> tuple[float | None, bool]:
    """Return the mass on a site of a kind, u, ``None`` if it is not known, and whether the site is partly occupied.

    The stored mass is that of an occupied site: of vacancies there are as many as the weights lack.
    """
    mass: Any = kind.get("mass")
    weights = kind.get("weights")
    occupied = sum(weights) if isinstance(weights, list) and all(_is_number(one) for one in weights) else 1.0
    is_partial = len(kind["symbols"]) > 1 or occupied < 1.0 - OCCUPIED
    return (float(mass) * occupied if _is_number(mass) and mass > 0 else None), is_partial


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and bool(np.isfinite(value))


def repetitions(cell: Cell, supercell: Cell) -> tuple[int, int, int] | None:
    """Return how often a cell is repeated along each vector in a supercell; ``None`` if it is not of this kind.

    Cells that were strained or turned have no whole numbers.
    """
    along = supercell.vectors_A @ np.linalg.inv(cell.vectors_A)
    whole = np.round(np.diag(along)).astype(int)
    if (whole < 1).any() or not np.allclose(along, np.diag(whole), atol=WHOLE):
        return None
    n_a, n_b, n_c = (int(number) for number in whole)
    return n_a, n_b, n_c
