"""What several nodes hold, asked for at once and without loading any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiida import orm

from aiida_ion.queries.reading.kinds import read_attributes
from aiida_ion.queries.reading.shared import rows


@dataclass(frozen=True)
class Content:
    """What a node holds.

    :param pk: its number.
    :param attributes: every number, sentence and check, as `read_attributes` reads them.
    :param files: path -> key of each file at its top in the repository.
    """

    pk: int
    attributes: dict[str, Any]
    files: dict[str, str]


def contents(uuids: Sequence[str], kind: Any = orm.ArrayData) -> dict[str, Content]:
    """Return what nodes hold, by UUID, in the order that they were asked for; those that are not here are left out.

    :param kind: class of the nodes.
    """
    chosen = list(dict.fromkeys(map(str, uuids)))
    if not chosen:
        return {}
    query = orm.QueryBuilder()
    query.append(kind, filters={"uuid": {"in": chosen}}, project=["uuid", "id", "attributes", "repository_metadata"])
    by_uuid = {
        uuid: Content(pk, read_attributes(attributes), _files(stored)) for uuid, pk, attributes, stored in rows(query)
    }
    return {uuid: by_uuid[uuid] for uuid in chosen if uuid in by_uuid}


def _files(stored: Any) -> dict[str, str]:
    """Return path -> key of the files at the top of a node's serialised repository."""
    objects = stored.get("o") if isinstance(stored, dict) else None
    if not isinstance(objects, dict):
        return {}
    return {path: one["k"] for path, one in objects.items() if isinstance(one, dict) and "k" in one}
