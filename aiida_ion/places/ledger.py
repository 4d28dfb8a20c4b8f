"""The ledger of places: a small SQLite file beside the profile, which all of its processes share.

Only numbers stand in it that can be lost: which jobs are on a computer is in AiiDA's database, too.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiida_ion.places.demand import Demand

#: A writer waits this long for the others, s; each holds the file for milliseconds.
TIMEOUT_S = 60.0
VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS job (
    uuid TEXT PRIMARY KEY, pk INTEGER NOT NULL, computer TEXT NOT NULL, engine TEXT NOT NULL, cores INTEGER NOT NULL,
    memory_GiB REAL, since REAL NOT NULL, holds INTEGER NOT NULL, owner TEXT NOT NULL, seen REAL NOT NULL
)
"""
COLUMNS = "uuid, pk, computer, engine, cores, memory_GiB, since, holds, owner, seen"


@dataclass(frozen=True)
class Entry:
    """A job in the ledger.

    :param demand: what it asks for.
    :param since: when it came, seconds since 1970; a job that was there before keeps its time.
    :param holds: whether it has its place; else it waits.
    :param owner: the program that follows it, see :mod:`aiida_ion.places.owner`.
    :param seen: when that program last looked after it, seconds since 1970.
    """

    demand: Demand
    since: float
    holds: bool
    owner: str
    seen: float


class Ledger:
    """The file, opened anew for each access, so that it may be used by any process and thread."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def is_new(self) -> bool:
        """Whether nobody has used the file: it is not there, or was lost."""
        with self._connection() as connection:
            return bool(connection.execute("PRAGMA user_version").fetchone()[0] != VERSION)

    def create(self, holders: Iterable[tuple[Demand, str]] = ()) -> None:
        """Make the file.

        :param holders: jobs that are on their computers already, and their owners.
        """
        with self.changing() as connection:
            connection.execute(SCHEMA)
            for demand, owner in holders:
                _insert(connection, demand, owner, holds=True)
            connection.execute(f"PRAGMA user_version = {VERSION}")

    def remove(self) -> None:
        """Remove the file, which cannot be read."""
        self.path.unlink(missing_ok=True)

    def entries(self, computer: str | None = None) -> list[Entry]:
        """Return the jobs of a computer, or of all, the first to come first."""
        with self._connection() as connection:
            return read(connection, computer)

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """Give a connection on which reading and writing is one act: nobody else writes meanwhile."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        # The plain rollback journal: the folder may be on a network, where SQLite's other journals do not work.
        with closing(sqlite3.connect(self.path, timeout=TIMEOUT_S, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = NORMAL")
            yield connection


def read(connection: sqlite3.Connection, computer: str | None = None) -> list[Entry]:
    """Return the jobs of a computer, or of all, the first to come first."""
    where, values = ("", ()) if computer is None else ("WHERE computer = ?", (computer,))
    rows = connection.execute(f"SELECT {COLUMNS} FROM job {where} ORDER BY since, pk", values).fetchall()
    return [Entry(Demand(*row[:6]), row[6], bool(row[7]), row[8], row[9]) for row in rows]


def queue(connection: sqlite3.Connection, demand: Demand, owner: str) -> bool:
    """Put a job at the end of the queue unless it is there, and return whether it holds a place already."""
    _insert(connection, demand, owner, holds=False)
    connection.execute("UPDATE job SET owner = ?, seen = ? WHERE uuid = ?", (owner, time.time(), demand.uuid))
    row = connection.execute("SELECT holds FROM job WHERE uuid = ?", (demand.uuid,)).fetchone()
    return bool(row[0])


def hold(connection: sqlite3.Connection, demand: Demand, owner: str) -> None:
    """Give a job its place, whether there is room or not."""
    _insert(connection, demand, owner, holds=True)
    values = (owner, time.time(), demand.uuid)
    connection.execute("UPDATE job SET holds = 1, owner = ?, seen = ? WHERE uuid = ?", values)


def touch(connection: sqlite3.Connection, uuids: Iterable[str]) -> None:
    """Note that somebody still waits for these jobs."""
    now = time.time()
    connection.executemany("UPDATE job SET seen = ? WHERE uuid = ?", [(now, uuid) for uuid in uuids])


def drop(connection: sqlite3.Connection, uuids: Iterable[str]) -> None:
    """Take jobs out of the ledger."""
    connection.executemany("DELETE FROM job WHERE uuid = ?", [(uuid,) for uuid in uuids])


def _insert(connection: sqlite3.Connection, demand: Demand, owner: str, holds: bool) -> None:
    now = time.time()
    values = (
        demand.uuid,
        demand.pk,
        demand.computer,
        demand.engine,
        demand.cores,
        demand.memory_GiB,
        now,
        holds,
        owner,
        now,
    )
    connection.execute(f"INSERT OR IGNORE INTO job ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
