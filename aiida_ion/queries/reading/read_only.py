"""Read-only access to databases, and release of connections."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiida import orm
from aiida.manage import get_manager
from sqlalchemy import event
from sqlalchemy.engine import Engine

from aiida_ion.aiida_private.storage import database_session


@contextmanager
def read_only() -> Iterator[None]:
    """Prevent this process from writing to any database while the block runs.

    Every new connection is set to read-only, and open ones are closed first: SQLite refuses with
    ``attempt to write a readonly database``, PostgreSQL with ``cannot execute ... in a read-only transaction``.
    Call it before reading threads are started: their connections are not closed.
    """
    event.listen(Engine, "connect", _forbid_writes)
    try:
        _close_connections()
        yield
    finally:
        event.remove(Engine, "connect", _forbid_writes)
        _close_connections()


def end_reading() -> None:
    """Release the connection of this thread; the next query opens one and sees new data."""
    if get_manager().get_profile() is not None:
        database_session().rollback()


def newest_change() -> tuple[str, str, int]:
    """Return a tuple that changes whenever a node is stored or changed: profile, newest modification, newest pk.

    Deletions are noticed only for the newest nodes: counting a million would take too long.
    """
    profile = get_manager().get_profile()
    newest = [_last("mtime"), _last("id")]
    return (profile.uuid if profile else "", str(newest[0]), newest[1] or 0)


def _last(name: str) -> Any:
    """Return the largest value of an indexed column of all nodes."""
    query = orm.QueryBuilder().append(orm.Node, project=[name], tag="node").order_by({"node": {name: "desc"}})
    return query.limit(1).first(flat=True)


def _forbid_writes(connection: Any, record: Any) -> None:  # noqa: ARG001
    """Set a new connection to read-only."""
    statement = "PRAGMA query_only=ON"
    if not type(connection).__module__.startswith("sqlite3"):
        statement = "SET default_transaction_read_only = on"
    cursor = connection.cursor()
    cursor.execute(statement)
    cursor.close()
    connection.commit()


def _close_connections() -> None:
    """Close the connections of the loaded profile, so that the next one is new."""
    if get_manager().get_profile() is None:
        return
    session = database_session()
    engine = session.get_bind()
    session.rollback()
    engine.dispose()
