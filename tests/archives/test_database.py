"""What a database of an archive may not hold."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from aiida import orm

from aiida_ion.archives import database
from aiida_ion.archives.open import ArchiveError, check_archive, open_archive

Spoil = Callable[..., Path]

VIEW = """ALTER TABLE db_dbnode RENAME TO hidden;
CREATE VIEW db_dbnode AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT hidden.* FROM hidden, n;"""
COMPUTED = "ALTER TABLE db_dbnode ADD COLUMN more TEXT GENERATED ALWAYS AS (hex(zeroblob(1000000))) VIRTUAL"
CIRCLE = """INSERT INTO db_dblink (input_id, output_id, label, type)
SELECT output_id, input_id, 'back', 'create' FROM db_dblink"""
ITSELF = "INSERT INTO db_dblink (input_id, output_id, label, type) SELECT id, id, 'me', 'create' FROM db_dbnode"
NOWHERE = "INSERT INTO db_dblink (input_id, output_id, label, type) VALUES (99999, 1, 'x', 'create')"
UP = json.dumps({"o": {"a": {"o": {"..": {"o": {"x": {"k": "0" * 64}}}}}}})
LACKING = json.dumps({"o": {"x.npy": {"k": "0" * 64}}})
ESCAPED = json.dumps({"o": {"../../x": {"k": "0" * 64}}}).replace("/", "\\u002f")

NO_KEY = """ALTER TABLE db_dbnode RENAME TO hidden;
CREATE TABLE db_dbnode AS SELECT * FROM hidden; DROP TABLE hidden;"""
TWICE = """DROP INDEX IF EXISTS uq_db_dblog_uuid; ALTER TABLE db_dbgroup RENAME TO hidden;
CREATE TABLE db_dbgroup (id INTEGER PRIMARY KEY, uuid, label, type_string, time, description, extras, user_id);
INSERT INTO db_dbgroup (uuid, extras) SELECT uuid, '{}' FROM db_dbnode; DROP TABLE hidden;
INSERT INTO db_dbgroup (uuid, extras) SELECT uuid, '{}' FROM db_dbgroup;"""
UNBOUND = """ALTER TABLE db_dblink RENAME TO hidden;
CREATE TABLE db_dblink (id INTEGER PRIMARY KEY, input_id, output_id, label, type); DROP TABLE hidden;
INSERT INTO db_dblink (input_id, output_id, label, type) VALUES (1, 12345, 'x', 'return');"""

SPOILED = {
    VIEW: "of its own",
    "CREATE TRIGGER t AFTER UPDATE ON db_dbnode BEGIN DELETE FROM db_dbnode; END": "of its own",
    "CREATE VIRTUAL TABLE words USING fts5(text)": "of its own",
    COMPUTED: "computed columns",
    "DROP TABLE db_dblink": "db_dblink is missing",
    "ALTER TABLE db_dbnode DROP COLUMN extras": "db_dbnode is missing or different",
    "UPDATE db_dbnode SET attributes = '[1]'": "other than a JSON object",
    "UPDATE db_dbnode SET extras = '{'": "other than a JSON object",
    "UPDATE db_dbnode SET attributes = x'ff00'": "other than a JSON object",
    "UPDATE db_dbnode SET uuid = '../../' || id": "with an invalid uuid",
    "UPDATE db_dbnode SET ctime = 'yesterday'": "without a time",
    f"UPDATE db_dbnode SET repository_metadata = '{UP}'": "outside its node",
    f"UPDATE db_dbnode SET repository_metadata = '{ESCAPED}'": "outside its node",
    f"UPDATE db_dbnode SET repository_metadata = '{LACKING}'": "lacks the file x.npy",
    "UPDATE db_dbnode SET repository_metadata = '{\"o\": [1]}'": "damaged list",
    NO_KEY: "db_dbnode is missing or different",
    TWICE: "with the same uuid",
    UNBOUND: "refer to missing ones",
    CIRCLE: "cyclic provenance",
    ITSELF: "cyclic provenance",
    NOWHERE: "refer to missing ones",
}


@pytest.mark.parametrize("sql", SPOILED, ids=lambda sql: sql.split("(")[0][:60])
def test_refused(spoil: Spoil, sql: str) -> None:
    path = spoil(sql=sql)
    with pytest.raises(ArchiveError, match=SPOILED[sql]):
        check_archive(path)


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\x00" + b"\x01" * 5000, b"no database at all" * 1000])
def test_no_database(archive: Path, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.aiida"
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(path, "w") as new:
        new.writestr("metadata.json", old.read("metadata.json"))
        new.writestr("db.sqlite3", content)
    with pytest.raises(ArchiveError, match="database"):
        check_archive(path)


def test_pages_that_were_overwritten(spoil: Spoil, archive: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.aiida"
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(path, "w") as new:
        content = bytearray(old.read("db.sqlite3"))
        new.writestr("metadata.json", old.read("metadata.json"))
        for page in range(2 * 4096, len(content), 4096):
            content[page : page + 64] = b"\xee" * 64
        new.writestr("db.sqlite3", bytes(content))
    with pytest.raises(ArchiveError, match="damaged database"):
        check_archive(path)


def test_what_takes_too_long_is_stopped(spoil: Spoil, monkeypatch: pytest.MonkeyPatch) -> None:
    many = "".join(
        f"INSERT INTO db_dbuser (email, first_name, last_name, institution) "
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
        f"SELECT '{part}-' || i, '', '', '' FROM n;"
        for part in range(3)
    )
    path = spoil(sql=many)
    check_archive(path)
    monkeypatch.setattr(database, "MAX_SECONDS", 0.0)
    with pytest.raises(ArchiveError, match="interrupted"):
        check_archive(path)


LABEL = "<script>alert(1)</script><img src=x onerror=alert(1)>"


@pytest.mark.usefixtures("back")
def test_html_in_labels_is_text(spoil: Spoil) -> None:
    open_archive(spoil(sql=f"UPDATE db_dbnode SET label = '{LABEL}', description = '{LABEL}'"))
    assert set(orm.QueryBuilder().append(orm.Node, project="label").all(flat=True)) == {LABEL}


def test_checks_do_not_write(archive: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(archive) as honest:
        file = tmp_path / "db.sqlite3"
        file.write_bytes(honest.read("db.sqlite3"))
    before = file.read_bytes()
    with zipfile.ZipFile(archive) as honest:
        database.check_database(file, archive, honest.infolist())
    assert file.read_bytes() == before
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
    connection.close()
