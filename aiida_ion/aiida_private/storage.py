"""The database and the file repository behind the loaded profile or archive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from aiida import orm
from aiida.manage import get_manager


def database_session() -> Any:
    """Return the SQLAlchemy session of this thread; an archive has one for all threads."""
    storage: Any = get_manager().get_profile_storage()
    return storage.get_session()


def file_repository() -> Any:
    """Return the repository backend, which reads many files in one pass."""
    storage: Any = get_manager().get_profile_storage()
    return storage.get_repository()


@contextmanager
def query_statement(query: orm.QueryBuilder) -> Iterator[tuple[Any, Any]]:
    """Give the session and the SQLAlchemy statement of a query, inside a transaction."""
    built: Any = query._impl
    storage: Any = get_manager().get_profile_storage()
    session = storage.get_session()
    transaction = nullcontext() if session.in_nested_transaction() else storage.transaction()
    with built.query_session(query.as_dict()) as result, transaction:
        yield session, result.query.statement
