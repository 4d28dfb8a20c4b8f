"""Within `read_only` nothing can be written, in a profile on either database and in an archive."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from aiida import orm
from aiida.manage import get_manager
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from aiida_ion.queries import end_reading, newest_change, read_only


def session() -> Any:
    storage: Any = get_manager().get_profile_storage()
    return storage.get_session()


def test_a_profile_cannot_be_written(profile: Any) -> None:
    node = orm.Int(1).store()
    computers = orm.QueryBuilder().append(orm.Computer).count()
    with read_only():
        assert orm.QueryBuilder().append(orm.Int, project="attributes.value").all(flat=True) == [1]
        for write in (
            lambda: orm.Int(2).store(),
            lambda: node.base.extras.set("seen", True),
            lambda: orm.Group("mine").store(),
            lambda: orm.Computer("c", "localhost", "", "core.local", "core.direct").store(),
            lambda: session().execute(text("DELETE FROM db_dbnode")),
            lambda: session().execute(text("DROP TABLE db_dbnode")),
        ):
            with pytest.raises(Exception, match="read-?only|Integrity error"):  # AiiDA's guess for every computer
                write()
            session().rollback()
    assert orm.QueryBuilder().append(orm.Node).count() == 1
    assert orm.QueryBuilder().append(orm.Computer).count() == computers
    assert "seen" not in orm.load_node(node.pk).base.extras.all
    orm.Int(3).store()  # and afterwards again


def test_new_threads_cannot_write_either(profile: Any) -> None:
    sentences: list[str] = []

    def write() -> None:
        try:
            session().execute(text("DELETE FROM db_dbnode"))
            session().commit()
        except DatabaseError as error:
            sentences.append(str(error))
            session().rollback()

    orm.Int(1).store()
    with read_only():
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    assert "read" in sentences[0]
    assert orm.QueryBuilder().append(orm.Node).count() == 1


def test_an_archive_cannot_be_written(campaign: Path) -> None:
    before = campaign.read_bytes()
    node = orm.QueryBuilder().append(orm.Dict).first(flat=True)
    with read_only():
        n_nodes = orm.QueryBuilder().append(orm.Node).count()
        for write in (
            lambda: orm.Int(2).store(),  # an archive has no user of its own
            lambda: node.base.extras.set("seen", True),
            lambda: session().execute(text("DELETE FROM db_dbnode")),
        ):
            with pytest.raises(Exception, match="(?i)read-?only|the user cannot be None"):
                write()
            session().rollback()
        assert orm.QueryBuilder().append(orm.Node).count() == n_nodes > 0
    assert campaign.read_bytes() == before


def test_what_is_new_is_seen(profile: Any) -> None:
    empty = newest_change()
    node = orm.Int(1).store()
    stored = newest_change()
    assert stored != empty
    end_reading()
    assert newest_change() == stored
    node.base.extras.set("seen", True)
    assert newest_change() != stored
