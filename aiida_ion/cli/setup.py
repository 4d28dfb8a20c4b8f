"""``aiida-ion setup``: everything between an empty machine and the first run."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import Any

import click

from aiida_ion.cli.common import OneLineErrors, load
from aiida_ion.cli.options import NAME, TEXT, setting
from aiida_ion.cli.services import daemon
from aiida_ion.cli.services import postgres as database
from aiida_ion.messages import one_line
from aiida_ion.settings.rules import Number

WORKERS = Number(least=1, most=256, whole=True)
PORT = Number(least=1, most=65_535, whole=True)
CACHED = "aiida.calculations:ion.*"
EMAIL = "aiida@localhost"


@click.command("setup", cls=OneLineErrors)
@setting(NAME, "-p", "--profile-name", default="ion", show_default=True, help="Name of the AiiDA profile")
@setting(WORKERS, "--workers", help="Daemon workers", also="  [default: the cores, at most 2 on SQLite]")
@click.option("--no-daemon", is_flag=True, help="Do not start the daemon.")
@click.option("--postgres", is_flag=True, help="PostgreSQL instead of SQLite: for more than two workers or one person.")
@click.option("--postgres-host", default="localhost", show_default=True, help="Empty for the local socket.")
@setting(PORT, "--postgres-port", default=5432, show_default=True, help="Its port")
@setting(TEXT, "--postgres-database", default="aiida_ion", show_default=True, help="Created if it is missing")
@setting(TEXT, "--postgres-user", default="aiida", show_default=True, help="Its user")
@click.option("--rabbitmq", metavar="URL", help="RabbitMQ as broker: amqp://USER@HOST:PORT/VIRTUAL_HOST.")
def command(
    profile_name: str, workers: int | None, no_daemon: bool, postgres: bool, rabbitmq: str | None, **server: Any
) -> None:
    """Create the profile, the computer localhost and the codes, and start the daemon.

    Without --postgres nothing else must be installed: the database is SQLite, the broker comes with AiiDA. Run it
    again at any time: existing parts are kept, missing ones are created. Passwords are asked for, or read from
    AIIDA_ION_POSTGRES_PASSWORD, PGPASSWORD or ~/.pgpass, and from AIIDA_ION_RABBITMQ_PASSWORD.

    \b
    Example:
      aiida-ion setup
      aiida-ion setup --profile-name team --postgres --postgres-database aiida --workers 4
    """
    profile = _profile(profile_name, database.server(server) if postgres else None, rabbitmq)
    _computer(profile)
    _codes()
    n_workers = _n_workers(profile, workers)
    daemon.set_options(profile, n_workers)
    if not no_daemon:
        daemon.start(profile, n_workers)
    click.echo(f"Next: aiida-ion engine list -p {profile.name}")


def _profile(name: str, server: database.Server | None, rabbitmq: str | None) -> Any:
    from aiida.manage.configuration import create_profile, get_config

    config = get_config(create=True)
    if name in config.profile_names:
        _refuse_another(config.get_profile(name), server, rabbitmq)
        click.echo(f"Profile {name}: there already")
        return load(name)
    default_before = config.default_profile_name
    backend, storage = ("core.sqlite_dos", {}) if server is None else _postgres(config, name, server)
    broker, broker_settings = _broker(rabbitmq)
    try:
        profile = create_profile(
            config,
            name=name,
            email=EMAIL,
            storage_backend=backend,
            storage_config=storage,
            broker_backend=broker,
            broker_config=broker_settings,
        )
    except Exception as error:  # the database driver raises its own kinds
        raise click.ClickException(f"no profile could be made: {one_line(error)}") from error
    config.set_option("runner.poll.interval", 1, scope=name)
    config.set_option("caching.enabled_for", [CACHED], scope=name)
    config.set_default_profile(default_before or name, overwrite=True)
    config.store()
    where = "SQLite" if server is None else f"PostgreSQL ({server.database} at {server.address})"
    broker_name = "ZeroMQ" if rabbitmq is None else "RabbitMQ"
    click.echo(f"Profile {name}: made, {where}, {broker_name} broker, caching on for our jobs")
    if rabbitmq is not None:
        click.echo(
            "RabbitMQ takes a job from its worker after consumer_timeout, 30 minutes unless set: set a year of ms"
        )
    if default_before:
        click.echo(f"The default profile stays {default_before}; 'verdi profile set-default {name}' makes it this one")
    return load(profile.name)


def _refuse_another(profile: Any, server: database.Server | None, rabbitmq: str | None) -> None:
    """Fail if a profile of this name has another kind of database or broker than requested."""
    other_database = server is not None and profile.storage_backend != "core.psql_dos"
    other_broker = rabbitmq is not None and profile.process_control_backend != "core.rabbitmq"
    if other_database or other_broker:
        has = f"{profile.storage_backend} and {profile.process_control_backend}"
        raise click.ClickException(
            f"profile {profile.name!r} is there already, with {has}: give the new one another name with --profile-name"
        )


def _postgres(config: Any, name: str, server: database.Server) -> tuple[str, dict[str, Any]]:
    """Return the storage of a PostgreSQL profile, after its database was created or checked."""
    answered, made = database.prepared(server)
    if made:
        click.echo(f"Database {answered.database}: made, UTF-8, owned by {answered.user}")
    repository = Path(config.dirpath) / "repository" / f"{name}-{secrets.token_hex(4)}"
    return "core.psql_dos", answered.storage_config(repository.as_uri())


def _broker(rabbitmq: str | None) -> tuple[str, dict[str, Any]]:
    if rabbitmq is not None:
        from aiida_ion.cli.services.rabbitmq import broker_config

        return "core.rabbitmq", broker_config(rabbitmq)
    from aiida.plugins import BrokerFactory

    return "core.zeromq", BrokerFactory("core.zeromq").get_default_config()


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
    from aiida_ion.engines.environments import engines_folder
    from aiida_ion.engines.fits import register_diffusion_code
    from aiida_ion.engines.registration import register_found

    code, new = register_diffusion_code()
    click.echo(f"Code {code.full_label}: {'registered' if new else 'there already'} ({sys.executable})")
    registered = register_found()
    for engine, is_new in registered:
        click.echo(f"Engine {engine.full_label}: {'registered' if is_new else 'there already'}")
    if not registered:
        click.echo(f"No engine in {engines_folder()}: make one with 'aiida-ion engine install sevenn'")


def _n_workers(profile: Any, workers: int | None) -> int:
    """Return the number of daemon workers; more than two on SQLite block each other until one times out."""
    on_sqlite = profile.storage_backend == "core.sqlite_dos"
    cores = os.cpu_count() or 1
    n_workers = workers or (min(cores, daemon.SQLITE_WORKERS) if on_sqlite else cores)
    if on_sqlite and n_workers > daemon.SQLITE_WORKERS:
        click.echo(f"SQLite supports {daemon.SQLITE_WORKERS} daemon workers; for more use --postgres")
        n_workers = daemon.SQLITE_WORKERS
    return n_workers
