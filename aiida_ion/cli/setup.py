"""``aiida-ion setup``: everything between an empty machine and the first run."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import Any

import click

from aiida_ion.cli.common import OneLineErrors, load, one_line

SQLITE_WORKERS = 2
CACHED = "aiida.calculations:ion.*"
EMAIL = "aiida@localhost"


@click.command("setup", cls=OneLineErrors)
@click.option("-p", "--profile-name", default="ion", show_default=True, help="Name of the AiiDA profile.")
@click.option("--workers", type=click.IntRange(min=1), help="Daemon workers  [default: the cores, at most 2 on SQLite]")
@click.option("--no-daemon", is_flag=True, help="Do not start the daemon.")
@click.option("--postgres", is_flag=True, help="PostgreSQL instead of SQLite: for more than two workers or one person.")
@click.option("--postgres-host", default="localhost", show_default=True)
@click.option("--postgres-port", default=5432, show_default=True)
@click.option("--postgres-database", default="aiida_ion", show_default=True, help="An empty database that exists.")
@click.option("--postgres-user", default="aiida", show_default=True)
@click.option("--postgres-password", envvar="AIIDA_ION_POSTGRES_PASSWORD", default="", show_envvar=True)
def command(profile_name: str, workers: int | None, no_daemon: bool, postgres: bool, **server: Any) -> None:
    """Make the profile, the computer localhost, the codes, and start the daemon.

    Without --postgres nothing else must be installed: the database is SQLite, the broker comes with AiiDA. Run it
    again at any time: what is there stays, what is missing is made.

    \b
    Example:
      aiida-ion setup
      aiida-ion setup --profile-name team --postgres --postgres-database aiida --workers 4
    """
    profile = _profile(profile_name, server if postgres else None)
    _computer(profile)
    _codes()
    if not no_daemon:
        _daemon(profile, workers)
    click.echo(f"Next: aiida-ion engine list -p {profile.name}")


def _profile(name: str, server: dict[str, Any] | None) -> Any:
    from aiida.manage.configuration import create_profile, get_config
    from aiida.plugins import BrokerFactory

    config = get_config(create=True)
    if name in config.profile_names:
        click.echo(f"Profile {name}: there already")
        return load(name)
    default_before = config.default_profile_name
    backend, storage = ("core.sqlite_dos", {}) if server is None else ("core.psql_dos", _psql(config, name, server))
    try:
        profile = create_profile(
            config,
            name=name,
            email=EMAIL,
            storage_backend=backend,
            storage_config=storage,
            broker_backend="core.zeromq",
            broker_config=BrokerFactory("core.zeromq").get_default_config(),
        )
    except Exception as error:  # the database driver raises its own kinds
        raise click.ClickException(f"no profile could be made: {one_line(error)}") from error
    config.set_option("runner.poll.interval", 1, scope=name)
    config.set_option("caching.enabled_for", [CACHED], scope=name)
    config.set_default_profile(default_before or name, overwrite=True)
    config.store()
    database = "SQLite" if server is None else f"PostgreSQL ({storage['database_name']})"
    click.echo(f"Profile {name}: made, {database}, ZeroMQ broker, caching on for our jobs")
    if default_before:
        click.echo(f"The default profile stays {default_before}; 'verdi profile set-default {name}' makes it this one")
    return load(profile.name)


def _psql(config: Any, name: str, server: dict[str, Any]) -> dict[str, Any]:
    """Return the storage configuration of a PostgreSQL profile."""
    return {
        "database_engine": "postgresql_psycopg",
        "database_hostname": server["postgres_host"],
        "database_port": server["postgres_port"],
        "database_name": server["postgres_database"],
        "database_username": server["postgres_user"],
        "database_password": server["postgres_password"],
        "repository_uri": (Path(config.dirpath) / "repository" / f"{name}-{secrets.token_hex(4)}").as_uri(),
    }


def _computer(profile: Any) -> None:
    from aiida import orm
    from aiida.common.exceptions import NotExistent
    from aiida.manage.configuration import get_config

    try:
        orm.load_computer("localhost")
        click.echo("Computer localhost: there already")
        return
    except NotExistent:
        pass
    computer = orm.Computer(
        label="localhost",
        hostname="localhost",
        description="This machine",
        transport_type="core.local",
        scheduler_type="core.direct",
        workdir=str(Path(get_config().dirpath) / "scratch" / profile.name),
    ).store()
    computer.configure(safe_interval=0)
    computer.set_minimum_job_poll_interval(1)
    computer.set_default_mpiprocs_per_machine(1)
    click.echo("Computer localhost: made")


def _codes() -> None:
    from aiida_ion.engines.codes import register_diffusion_code, register_found
    from aiida_ion.engines.environments import engines_folder

    code, new = register_diffusion_code()
    click.echo(f"Code {code.full_label}: {'registered' if new else 'there already'} ({sys.executable})")
    found = register_found()
    for engine, is_new in found:
        click.echo(f"Engine {engine.code.full_label}: {'registered' if is_new else 'there already'}")
    if not found:
        click.echo(f"No engine in {engines_folder()}: make one with 'aiida-ion engine install sevenn'")


def _daemon(profile: Any, workers: int | None) -> None:
    """Start the daemon; SQLite allows two workers, because more would wait for each other until one gives up."""
    from aiida.engine.daemon.client import DaemonException, get_daemon_client

    on_sqlite = profile.storage_backend == "core.sqlite_dos"
    wanted = workers or min(os.cpu_count() or 1, SQLITE_WORKERS)
    if on_sqlite and wanted > SQLITE_WORKERS:
        click.echo(f"SQLite bears {SQLITE_WORKERS} daemon workers; for more take --postgres")
        wanted = SQLITE_WORKERS
    client = get_daemon_client(profile.name)
    if client.is_daemon_running:
        click.echo("Daemon: runs already")
        return
    try:
        client.start_daemon(number_workers=wanted)
    except (DaemonException, RuntimeError) as error:
        raise click.ClickException(f"the daemon did not start: {one_line(error)}") from error
    click.echo(f"Daemon: started with {wanted} worker{'s' if wanted > 1 else ''}")
