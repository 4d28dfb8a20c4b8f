"""The database of an archive, checked with plain SQLite before AiiDA queries it.

A database can run its own code: views, triggers, virtual tables and computed columns are refused, so that every later
query only reads rows. The content of the rows is checked as far as it could hang or mislead the program.
"""

from __future__ import annotations

import sqlite3
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from aiida_ion.archives.errors import ArchiveError, shown
from aiida_ion.archives.files import check_files

#: Checking a million nodes takes seconds; longer checks indicate an attack.
MAX_SECONDS = 600.0
HEX = "[0-9a-fA-F]"
UUID = "-".join(HEX * n for n in (8, 4, 4, 4, 12))
WITH_UUID = ("db_dbnode", "db_dbgroup", "db_dbcomputer", "db_dblog", "db_dbcomment")
JSON_COLUMNS = {
    "db_dbnode": ("attributes", "extras", "repository_metadata"),
    "db_dbgroup": ("extras",),
    "db_dbcomputer": ("metadata",),
}
#: Links that AiiDA follows to ancestors, and those from caller to called: neither may be cyclic.
ONE_WAY = (("create", "input_calc"), ("call_calc", "call_work"))


def check_database(database: Path, path: Path, members: Sequence[zipfile.ZipInfo]) -> None:
    """Refuse a database that is damaged, is not AiiDA's, or would do more than hold rows.

    :param database: the database, unpacked.
    :param path: the archive.
    :param members: the members of the archive.
    :raises ArchiveError: with the problem.
    """
    try:
        with _connection(database) as connection:
            _check_schema(connection, path)
            _check_pages(connection, path)
            _check_rows(connection, path)
            check_links(connection, path)
            check_files(connection, path, members)
    except (sqlite3.Error, sqlite3.Warning, OverflowError, UnicodeDecodeError) as error:
        raise ArchiveError(f"{path} has a damaged database: {shown(error)}; get the file again") from error


@contextmanager
def _connection(database: Path) -> Iterator[sqlite3.Connection]:
    end = time.monotonic() + MAX_SECONDS
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        connection.set_progress_handler(lambda: int(time.monotonic() > end), 100_000)
        for pragma in ("trusted_schema=OFF", "cell_size_check=ON", "query_only=ON"):
            connection.execute(f"PRAGMA {pragma}")
        yield connection


def _check_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Allow only tables and indexes without computed columns, and require all that AiiDA needs."""
    from aiida.storage.sqlite_zip.models import SqliteBase

    present: dict[str, set[str]] = {}
    for kind, name, sql in connection.execute("SELECT type, name, sql FROM sqlite_schema"):
        text = " ".join(str(sql or "").split()).upper()
        if kind not in ("table", "index") or text.startswith("CREATE VIRTUAL"):
            raise ArchiveError(f"{path} has a database with a {shown(kind)} of its own, {shown(name)}: not opened")
        if kind == "table":
            columns = connection.execute("SELECT name, hidden, type, pk FROM pragma_table_xinfo(?)", (name,)).fetchall()
            if any(hidden for _, hidden, _, _ in columns):
                raise ArchiveError(f"{path} has a database with computed columns in {shown(name)}: not opened")
            keys = [(column, kind) for column, _, kind, key in columns if key]
            # Only then is `id` certain to be an integer and unique.
            present[name] = {column for column, _, _, _ in columns} if keys == [("id", "INTEGER")] else set()
    for table in SqliteBase.metadata.tables.values():
        if not {column.name for column in table.columns} <= present.get(table.name, set()):
            raise ArchiveError(f"{path} has no AiiDA database: its table {table.name} is missing or different")


def _check_pages(connection: sqlite3.Connection, path: Path) -> None:
    verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise ArchiveError(f"{path} has a damaged database: {shown(verdict)}; get the file again")


def _check_rows(connection: sqlite3.Connection, path: Path) -> None:
    for table in WITH_UUID:
        if _any(connection, f"SELECT 1 FROM {table} WHERE uuid IS NULL OR uuid NOT GLOB '{UUID}'"):
            raise ArchiveError(f"{path} has entries in {table} with an invalid uuid")
        if _any(connection, f"SELECT 1 FROM {table} GROUP BY uuid HAVING count(*) > 1"):
            raise ArchiveError(f"{path} has two entries in {table} with the same uuid")
    for table, columns in JSON_COLUMNS.items():
        for column in columns:
            no_object = f"NOT json_valid({column}) OR json_type({column}) <> 'object'"
            if _any(connection, f"SELECT 1 FROM {table} WHERE {column} IS NOT NULL AND ({no_object})"):
                raise ArchiveError(
                    f"{path} has a damaged database: {table}.{column} holds something other than a JSON object"
                )
    if _any(connection, "SELECT 1 FROM db_dbnode WHERE strftime('%s', ctime) IS NULL OR strftime('%s', mtime) IS NULL"):
        raise ArchiveError(f"{path} has a damaged database: nodes without a time")


def check_links(connection: sqlite3.Connection, path: Path | str) -> None:
    """Check that every link ends at a node and that there are no cycles: AiiDA's search for ancestors would not end.

    :raises ArchiveError: with the problem of the archive, or of the archives, called `path`.
    """
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    nowhere = "".join(
        f" OR {end} IS NULL OR {end} NOT IN (SELECT id FROM db_dbnode)" for end in ("input_id", "output_id")
    )
    lost = _any(connection, f"SELECT 1 FROM db_dblink WHERE false{nowhere}")
    if lost or _any(connection, "SELECT 1 FROM pragma_foreign_key_check"):
        raise ArchiveError(f"{path}: a damaged database, whose entries refer to missing ones")
    for kinds in ONE_WAY:
        query = f"SELECT input_id, output_id FROM db_dblink WHERE type IN ({','.join('?' * len(kinds))})"
        pairs = np.array(connection.execute(query, kinds).fetchall(), dtype=np.int64).reshape(-1, 2)
        nodes, ends = np.unique(pairs, return_inverse=True)
        sources, targets = ends.reshape(-1, 2).T
        ones = np.ones(len(pairs), dtype=np.int8)
        graph = coo_array((ones, (sources, targets)), shape=(len(nodes), len(nodes)))
        n_groups = connected_components(graph, connection="strong")[0] if len(nodes) else 0
        if n_groups < len(nodes) or np.any(sources == targets):
            raise ArchiveError(f"{path}: cyclic provenance, which is not opened")


def _any(connection: sqlite3.Connection, query: str) -> bool:
    return connection.execute(f"{query} LIMIT 1").fetchone() is not None
