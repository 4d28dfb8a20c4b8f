"""Crystals as they are stored, and their space groups for lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from aiida import orm

from aiida_ion.analysis.crystals.space_group import space_group
from aiida_ion.queries.reading.shared import attributes, rows

#: Names of the attributes of a structure that are read.
NAMES = ("cell", "kinds", "sites")
#: Structures that are read at once.
BLOCK = 500
#: UUID of a structure -> symbol of its space group, ``None`` for one that has none; nodes never change.
_known: dict[str, str | None] = {}
#: Symbols that are kept, those of a large database twice over.
MOST_KNOWN = 200_000


def space_groups(uuids: Iterable[object]) -> dict[str, str | None]:
    """Return the symbols of the space groups of structures, such as ``Fm-3m``; ``None`` where there is none.

    Large, damaged and amorphous structures have none. Each is looked at once.

    :param uuids: of structures; anything else is left out.
    """
    asked = sorted({uuid for uuid in uuids if isinstance(uuid, str)})
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
