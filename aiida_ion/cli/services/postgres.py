"""A PostgreSQL database for a profile: found or created, and checked before AiiDA writes to it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import click

from aiida_ion.messages import one_line

ENV_PASSWORD = "AIIDA_ION_POSTGRES_PASSWORD"
CONNECT_TIMEOUT_S = 10
#: Databases that every server has; a missing one is created from there.
MAINTENANCE = ("postgres", "template1")
#: Tables of an AiiDA profile, of this version or of one before 1.0.
AIIDA_TABLES = ("db_dbnode", "db_dbsetting", "alembic_version", "django_migrations")


@dataclass(frozen=True)
class Server:
    """Address, database and user; an empty host is the local socket."""

    host: str
    port: int
    database: str
    user: str
    password: str | None = None

    @property
    def address(self) -> str:
        """Return the server in words."""
        return f"{self.host or 'the local socket'}, port {self.port}"

    def storage_config(self, repository_uri: str) -> dict[str, Any]:
        """Return the configuration for AiiDA; without a password the driver reads ``~/.pgpass`` each time."""
        return {
            "database_engine": "postgresql_psycopg",
            "database_hostname": self.host,
            "database_port": self.port,
            "database_name": self.database,
            "database_username": self.user,
            "database_password": self.password or "",
            "repository_uri": repository_uri,
        }


def server(options: dict[str, Any]) -> Server:
    """Return the server of the options of ``setup``, with the password of the environment, if any."""
    password = os.environ.get(ENV_PASSWORD) or os.environ.get("PGPASSWORD")
    return Server(**{name.removeprefix("postgres_"): value for name, value in options.items()}, password=password)


def prepared(target: Server) -> tuple[Server, bool]:
    """Return the server with the password that it accepts, and whether the database had to be made.

    :raises click.ClickException: if the server does not answer or refuses us, or if the database cannot be made, is
        not encoded in UTF-8, holds another profile, or allows us no tables.
    """
    answered = _with_password(target)
    made = not _exists(answered)
    if made:
        _make(answered)
    with _connection(answered) as connection:
        _check(connection, answered)
    return answered, made


@contextmanager
def _connection(target: Server, database: str | None = None) -> Iterator[Any]:
    import psycopg

    with psycopg.connect(
        host=target.host or None,
        port=target.port,
        user=target.user,
        password=target.password,
        dbname=database or target.database,
        connect_timeout=CONNECT_TIMEOUT_S,
        autocommit=True,
    ) as connection:
        yield connection


def _reached(target: Server, only_maintenance: bool = False) -> str:
    """Return a database of the server that accepts the user, the requested one if it does.

    :raises psycopg.OperationalError: the first refusal, if all refuse.
    """
    import psycopg

    names = MAINTENANCE if only_maintenance else (target.database, *MAINTENANCE)
    refusals = []
    for database in names:
        try:
            with _connection(target, database):
                return database
        except psycopg.OperationalError as error:
            refusals.append(error)
    raise refusals[0]


def _with_password(target: Server) -> Server:
    """Return the server with a password that it accepts; ask for one on a terminal."""
    import psycopg

    try:
        _reached(target)
        return target
    except psycopg.OperationalError as error:
        if not _needs_password(error):
            raise click.ClickException(_refusal(target, error)) from error
        if not sys.stdin.isatty():
            raise click.ClickException(
                f"PostgreSQL at {target.address} asks for the password of {target.user!r}: set {ENV_PASSWORD}, or "
                "write it into ~/.pgpass"
            ) from error
    asked = replace(target, password=click.prompt(f"Password of {target.user} at {target.address}", hide_input=True))
    try:
        _reached(asked)
    except psycopg.OperationalError as error:
        raise click.ClickException(_refusal(asked, error)) from error
    return asked


def _needs_password(error: Any) -> bool:
    return error.pgconn is not None and bool(error.pgconn.needs_password)


def _refusal(target: Server, error: Any) -> str:
    """Return one sentence on why the server refuses the user; its own message if that is more specific."""
    if error.pgconn is not None and error.pgconn.used_password:
        return (
            f"PostgreSQL at {target.address} refuses {target.user!r}: the password is wrong or there is no such user; "
            f"correct {ENV_PASSWORD}, PGPASSWORD or ~/.pgpass, or make the user with 'sudo -u postgres createuser "
            f"--pwprompt {target.user}'"
        )
    text = one_line(error)
    if "FATAL" in text:  # the server answered
        return f"PostgreSQL at {target.address} refuses {target.user!r}: {text}"
    return (
        f"no PostgreSQL server answers at {target.address}: start it, or name another with --postgres-host and "
        f"--postgres-port ({text})"
    )


def _exists(target: Server) -> bool:
    with _connection(target, _reached(target)) as connection:
        question = "select 1 from pg_database where datname = %s"
        return connection.execute(question, (target.database,)).fetchone() is not None


def _make(target: Server) -> None:
    """Create the database with UTF-8 and the locale C, which every machine has."""
    import psycopg
    from psycopg import sql

    statement = sql.SQL(
        "create database {name} owner {user} encoding 'UTF8' lc_collate 'C' lc_ctype 'C' template template0"
    ).format(name=sql.Identifier(target.database), user=sql.Identifier(target.user))
    try:
        with _connection(target, _reached(target, only_maintenance=True)) as connection:
            connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege as error:
        raise click.ClickException(
            f"there is no database {target.database!r} and {target.user!r} may not make one: run 'sudo -u postgres "
            f"createdb --owner {target.user} --encoding UTF8 --locale C --template template0 {target.database}', then "
            "repeat this command"
        ) from error


def _check(connection: Any, target: Server) -> None:
    """Fail unless the database is empty, encoded in UTF-8, and the user may create tables in it."""
    encoding = connection.execute("show server_encoding").fetchone()[0]
    if encoding != "UTF8":
        raise click.ClickException(
            f"database {target.database!r} is encoded in {encoding} and AiiDA needs UTF8: name another with "
            f"--postgres-database, it is made if {target.user!r} may"
        )
    question = "select table_name from information_schema.tables where table_name = any(%s)"
    if connection.execute(question, (list(AIIDA_TABLES),)).fetchone() is not None:
        raise click.ClickException(
            f"database {target.database!r} holds an AiiDA profile already: name an empty one with --postgres-database"
        )
    (allowed,) = connection.execute("select has_schema_privilege(current_user, 'public', 'create')").fetchone()
    if not allowed:  # since PostgreSQL 15 this is the owner's right only
        raise click.ClickException(
            f"{target.user!r} may make no tables in database {target.database!r}: run 'sudo -u postgres psql -c "
            f'"alter database {target.database} owner to {target.user}"\', then repeat this command'
        )
