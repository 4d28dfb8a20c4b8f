"""Sizes of the files of an archive, from the repository's records, without reading files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aiida import orm
from aiida.repository import Repository

from aiida_ion.aiida_private.storage import object_sizes
from aiida_ion.archives.selection import Choice


@dataclass(frozen=True)
class Sizes:
    """Bytes before compression, each file counted once; ``kept`` is the size in the archive."""

    n_files: int
    trajectories: int
    retrieved: int
    potentials: int
    kept: int


def weigh(choice: Choice, left_out: frozenset[int] = frozenset()) -> Sizes:
    """Return the sizes of the files of a choice.

    A file that is also in a node with files is kept.

    :param left_out: nodes whose files are left out.
    """
    keys = _keys(choice.pks)
    sizes = object_sizes(set().union(*keys.values()) if keys else set())

    def total(pks: Iterable[int]) -> int:
        return sum(sizes.get(key, 0) for key in set().union(*(keys[pk] for pk in pks if pk in keys)))

    kept = set().union(*(keys[pk] for pk in choice.pks - left_out if pk in keys))
    return Sizes(
        n_files=len(kept),
        trajectories=total(choice.trajectories),
        retrieved=total(choice.retrieved),
        potentials=total(choice.potentials),
        kept=sum(sizes.get(key, 0) for key in kept),
    )


def files_size(pks: frozenset[int]) -> int:
    """Return the bytes of the files of some nodes, each counted once."""
    keys = _keys(pks).values()
    return sum(object_sizes(set().union(*keys)).values())


def _keys(pks: frozenset[int]) -> Mapping[int, set[str]]:
    """Return the keys of the files of each node."""
    keys: dict[int, set[str]] = defaultdict(set)
    query = orm.QueryBuilder().append(orm.Node, filters={"id": {"in": pks}}, project=["id", "repository_metadata"])
    for pk, files in query.iterall():
        keys[pk] |= {key for key in Repository.flatten(files).values() if key is not None}
    return keys
