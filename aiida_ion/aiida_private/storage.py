"""The database and the file repository behind the loaded profile or archive."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from aiida import orm
from aiida.manage import get_manager

CHUNK = 1024**2


def database_session() -> Any:
    """Return the SQLAlchemy session of this thread; an archive has one for all threads."""
    storage: Any = get_manager().get_profile_storage()
    return storage.get_session()


def file_repository() -> Any:
    """Return the repository backend, which reads many files in one pass."""
    storage: Any = get_manager().get_profile_storage()
    return storage.get_repository()


def object_sizes(keys: Collection[str]) -> dict[str, int]:
    """Return the size of each object of the file repository, bytes.

    AiiDA's repository cannot be asked for sizes, but the container in which a profile keeps its files can. The files of
    an archive are read.
    """
    repository = file_repository()
    container = getattr(repository, "_container", None)
    if container is not None:
        with container:
            return {key: int(meta["size"]) for key, meta in container.get_objects_meta(list(keys))}
    return {key: _length(stream) for key, stream in repository.iter_object_streams(keys)}


def _length(stream: Any) -> int:
    return sum(len(part) for part in iter(lambda: stream.read(CHUNK), b""))


@contextmanager
def query_statement(query: orm.QueryBuilder) -> Iterator[tuple[Any, Any]]:
    """Give the session and the SQLAlchemy statement of a query, inside a transaction."""
    built: Any = query._impl
    storage: Any = get_manager().get_profile_storage()
    session = storage.get_session()
    transaction = nullcontext() if session.in_nested_transaction() else storage.transaction()
    with built.query_session(query.as_dict()) as result, transaction:
        yield session, result.query.statement
