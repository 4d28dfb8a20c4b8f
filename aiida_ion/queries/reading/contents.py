"""Contents of several nodes, read at once and without loading the nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiida import orm

from aiida_ion.queries.reading.kinds import read_attributes
from aiida_ion.queries.reading.shared import rows
from aiida_ion.queries.reading.uuids import known_uuids


@dataclass(frozen=True)
class Content:
    """Content of a node.

    :param pk: its number.
    :param attributes: all attributes, as read by `read_attributes`.
    :param files: path -> key of each file at its top in the repository.
    """

    pk: int
    attributes: dict[str, Any]
    files: dict[str, str]


def contents(uuids: Sequence[str], kind: Any = orm.ArrayData) -> dict[str, Content]:
    """Return the contents of nodes by UUID, in the given order; missing nodes are left out.

    :param kind: class of the nodes.
    """
    chosen = list(dict.fromkeys(map(str, uuids)))
    if not chosen:
        return {}
    query = orm.QueryBuilder()
    names = ["uuid", "id", "attributes", "repository_metadata"]
    query.append(kind, filters={"uuid": {"in": known_uuids(chosen)}}, project=names)
    by_uuid = {
        uuid: Content(pk, read_attributes(attributes), _files(stored)) for uuid, pk, attributes, stored in rows(query)
    }
    return {uuid: by_uuid[uuid] for uuid in chosen if uuid in by_uuid}


def _files(stored: Any) -> dict[str, str]:
    """Return path -> key of the files at the top of a node's serialised repository."""
    objects = stored.get("o") if isinstance(stored, dict) else None
    if not isinstance(objects, dict):
        return {}
    return {path: entry["k"] for path, entry in objects.items() if isinstance(entry, dict) and "k" in entry}
