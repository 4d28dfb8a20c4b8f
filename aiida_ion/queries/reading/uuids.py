"""UUIDs that come from addresses and attributes: PostgreSQL refuses a whole query with one that is none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

#: A UUID without a node: an empty list is not a valid filter.
NO_UUID = "00000000-0000-0000-0000-000000000000"


def known_uuid(value: Any) -> str:
    """Return a UUID, or that of no node for anything else."""
    return str(value) if is_uuid(value) else NO_UUID


def known_uuids(values: Iterable[Any]) -> list[str]:
    """Return the UUIDs among values, each once and in their order; that of no node where there is none."""
    return [value for value in dict.fromkeys(values) if is_uuid(value)] or [NO_UUID]


def is_uuid(value: Any) -> bool:
    """Whether a value is a UUID as AiiDA writes it."""
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False
