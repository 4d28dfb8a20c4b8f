"""Errors that a user can fix are one line; a bug in this package keeps its traceback."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from aiida_ion.cli.common import ENV_TRACEBACK, OneLineErrors
from aiida_ion.messages import one_line
from tests.cli.conftest import Shell


def failing(error: Exception) -> click.Command:
    @click.command(cls=OneLineErrors)
    def command() -> None:
        raise error

    return command


def test_a_mistake_of_the_user_is_one_line() -> None:
    result = CliRunner().invoke(failing(ValueError("two\n  lines")), [])
    assert (result.exit_code, result.stderr) == (1, "Error: two lines\n")


def test_a_locked_database_is_one_line() -> None:
    from sqlalchemy.exc import OperationalError

    error = OperationalError("select 1", {}, Exception("database is locked"))
    result = CliRunner().invoke(failing(error), [])
    assert result.exit_code == 1
    assert "database is locked" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(CliRunner().invoke(failing(KeyError("x")), []).exception, KeyError)
    monkeypatch.setenv(ENV_TRACEBACK, "1")
    assert isinstance(CliRunner().invoke(failing(ValueError("x")), []).exception, ValueError)


def test_a_message_is_never_empty() -> None:
    assert one_line(ValueError()) == "ValueError"
    assert one_line("invalid attribute value x must be\ny") == "x must be y"


@pytest.mark.parametrize(
    ("has", "words"), [("main_9999", "a newer aiida-core wrote it"), ("main_0000", "'verdi -p ion storage migrate'")]
)
def test_a_profile_of_another_schema_says_what_to_do(shell: Shell, tmp_path: Path, has: str, words: str) -> None:
    shell("setup", "--no-daemon")
    (database,) = tmp_path.glob(".aiida/repository/*/database.sqlite")
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (has,))
    connection.close()
    output = shell("table", "-p", "ion", code=1)
    assert f"has schema {has}" in output
    assert words in output
    assert len(output.strip().splitlines()) == 1
