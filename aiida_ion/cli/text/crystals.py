"""Which crystal a line of a table is about: its space group and the first letters of its key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiida_ion.queries.structures import space_groups

#: Letters of a crystal's key that are printed; the column ``crystal`` of csv and json has all of it.
ID_LETTERS = 8


def crystal_words(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return space group and id of each row, such as ``Fm-3m 1f2e3d4c``; ``-`` without a crystal.

    :param rows: with ``crystal`` and ``structure_uuid``, if they are there.
    """
    groups = space_groups(row.get("structure_uuid") for row in rows)
    return [_words(row.get("crystal"), groups.get(str(row.get("structure_uuid")))) for row in rows]


def _words(crystal: Any, group: str | None) -> str:
    key = crystal[:ID_LETTERS] if isinstance(crystal, str) else ""
    return " ".join(filter(None, (group, key))) or "-"
