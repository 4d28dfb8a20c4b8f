"""Databases of archives joined into one, with plain SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiida_ion.archives.database import check_links
from aiida_ion.archives.errors import ArchiveError, shown

NODES, LINKS = "db_dbnode", "db_dblink"
#: Table -> column by which the same row of two databases is known, in an order in which no row refers to a later one.
SHARED = {
    "db_dbuser": "email",
    "db_dbcomputer": "uuid",
    NODES: "uuid",
    "db_dbgroup": "uuid",
    "db_dbcomment": "uuid",
    "db_dblog": "uuid",
}
#: Tables whose rows say only which rows of others belong together. Connections to computers are left out.
PAIRS = (LINKS, "db_dbgroup_dbnodes")
#: Table -> columns that name another row of the same table together with its label, which no two rows share.
LABELLED: dict[str, tuple[str, ...]] = {"db_dbcomputer": (), "db_dbgroup": ("type_string",)}
#: What makes up a node, and never changes once it is stored; labels and extras may.
CONTENT = ("node_type", "process_type", "attributes", "repository_metadata")


@dataclass(frozen=True)
class Joined:
    """What became of the nodes of one database.

    :param last_pk: largest pk of all nodes so far.
    :param n_repeated: nodes that were there already.
    :param n_different: of these, those with another content.
    """

    last_pk: int
    n_repeated: int
    n_different: int


class JoinedDatabase:
    """A database to which others are added."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, database: Path, name: str) -> Joined:
        """Add the rows of a checked database that are not there yet.

        :param name: of its archive, for labels that are used already.
        :raises ArchiveError: if SQLite refuses a row.
        """
        run = self._connection.execute
        run("ATTACH DATABASE ? AS given", (f"{database.as_uri()}?mode=ro&immutable=1",))
        try:
            run("BEGIN")
            for table, key in SHARED.items():
                self._add_shared(table, key, name)
            n_repeated, n_different = self._repeated()
            for table in PAIRS:
                self._add_pairs(table)
            run("COMMIT")
        except (sqlite3.Error, sqlite3.Warning, OverflowError) as error:
            raise ArchiveError(f"{name} cannot be read together with the others: {shown(error)}") from error
        run("DETACH DATABASE given")
        last_pk = run(f"SELECT coalesce(max(id), 0) FROM {NODES}").fetchone()[0]
        return Joined(int(last_pk), n_repeated, n_different)

    def check(self, names: str) -> None:
        """Refuse what is wrong only together: provenance that is a circle across archives.

        :raises ArchiveError: with the problem.
        """
        check_links(self._connection, names)

    def _add_shared(self, table: str, key: str, name: str) -> None:
        """Add the rows of a table, and note the new id of each old one in a temporary table of the same name."""
        run, (columns, references), ids = self._connection.execute, _columns(table), f"ids_{table}"
        run(f"DROP TABLE IF EXISTS temp.{ids}")
        run(f"CREATE TEMP TABLE {ids} (old INTEGER PRIMARY KEY, new INTEGER NOT NULL, is_new INTEGER NOT NULL)")
        run(
            f"INSERT INTO temp.{ids} SELECT g.id, m.id, 0 FROM given.{table} g JOIN main.{table} m ON m.{key} = g.{key}"
        )
        run(
            f"INSERT INTO temp.{ids} SELECT g.id, row_number() OVER (ORDER BY g.id) + "
            f"(SELECT coalesce(max(id), 0) FROM main.{table}), 1 FROM given.{table} g "
            f"WHERE g.id NOT IN (SELECT old FROM temp.{ids})"
        )
        values = {column: f"g.{column}" for column in columns} | {"id": "i.new"}
        values |= {column: f"(SELECT new FROM temp.ids_{other} WHERE old = g.{column})" for column, other in references}
        if table in LABELLED:
            same = " AND ".join(f"m.{column} = g.{column}" for column in ("label", *LABELLED[table]))
            taken = f"EXISTS (SELECT 1 FROM main.{table} m WHERE {same})"
            values["label"] = f"CASE WHEN {taken} THEN g.label || ' (' || :name || ')' ELSE g.label END"
        run(
            f"INSERT INTO main.{table} ({', '.join(values)}) SELECT {', '.join(values.values())} "
            f"FROM given.{table} g JOIN temp.{ids} i ON i.old = g.id WHERE i.is_new ORDER BY i.new",
            {"name": name},
        )

    def _add_pairs(self, table: str) -> None:
        """Add the rows that say which others belong together, unless they are there already."""
        columns, references = _columns(table)
        ends = dict(references)
        values = {column: f"g.{column}" for column in columns if column != "id"}
        values |= {column: f"{column}_ids.new" for column in ends}
        joins = " ".join(f"JOIN temp.ids_{other} {name}_ids ON {name}_ids.old = g.{name}" for name, other in references)
        same = " AND ".join(f"m.{column} IS {value}" for column, value in values.items())
        # Only where all ends were there before can the row be, too.
        old = " OR ".join(f"{column}_ids.is_new" for column in ends)
        self._connection.execute(
            f"INSERT INTO main.{table} ({', '.join(values)}) SELECT {', '.join(values.values())} "
            f"FROM given.{table} g {joins} WHERE {old} OR NOT EXISTS (SELECT 1 FROM main.{table} m WHERE {same})"
        )

    def _repeated(self) -> tuple[int, int]:
        """Return the number of nodes that were there already, and of those with another content."""
        run = self._connection.execute
        n_repeated = run(f"SELECT count(*) FROM temp.ids_{NODES} WHERE NOT is_new").fetchone()[0]
        pairs = ", ".join(f"{side}.{column}" for column in CONTENT for side in "gm")
        unlike = " OR ".join(f"g.{column} IS NOT m.{column}" for column in CONTENT)
        suspects = run(
            f"SELECT {pairs} FROM temp.ids_{NODES} i JOIN given.{NODES} g ON g.id = i.old "
            f"JOIN main.{NODES} m ON m.id = i.new WHERE NOT i.is_new AND ({unlike})"
        )
        return int(n_repeated), sum(_differ(row) for row in suspects)


def _columns(table: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the columns of a table of AiiDA, and those that refer to another table."""
    from aiida.storage.sqlite_zip.models import SqliteBase

    made = SqliteBase.metadata.tables[table]
    references = [(str(key.parent.name), str(key.column.table.name)) for key in made.foreign_keys]
    return [str(column.name) for column in made.columns], sorted(references)


def _differ(row: Sequence[Any]) -> bool:
    """Whether the same node of two databases differs: JSON may list the same things in another order.

    :param row: each column of `CONTENT`, of one and of the other.
    """
    for name, ours, theirs in zip(CONTENT, row[::2], row[1::2], strict=True):
        if name.endswith("type"):
            if ours != theirs:
                return True
        elif json.loads(ours or "{}") != json.loads(theirs or "{}"):
            return True
    return False


@contextmanager
def joined_database(path: Path) -> Iterator[JoinedDatabase]:
    """Make an empty database of AiiDA, to which others are added while the block runs.

    :param path: where it is made.
    """
    from aiida.storage.sqlite_zip.models import SqliteBase
    from aiida.storage.sqlite_zip.utils import create_sqla_engine

    engine = create_sqla_engine(path)
    SqliteBase.metadata.create_all(engine)
    engine.dispose()
    with closing(sqlite3.connect(path.as_uri(), uri=True, isolation_level=None)) as connection:
        # It is made anew for each process: nothing is lost with it.
        for pragma in ("trusted_schema=OFF", "cell_size_check=ON", "journal_mode=OFF", "synchronous=OFF"):
            connection.execute(f"PRAGMA {pragma}")
        yield JoinedDatabase(connection)
