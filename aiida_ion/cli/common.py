"""Shared by all commands: the profile option, and errors of one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from aiida_ion.cli.options import TEXT, SettingType
from aiida_ion.messages import one_line

Command = TypeVar("Command", bound=Callable[..., Any])

#: Environment variable that shows the traceback of an error.
ENV_TRACEBACK = "AIIDA_ION_TRACEBACK"


class OneLineErrors(click.Command):
    """A command whose expected failures are one line and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; turn errors that a user can fix into one line."""
        try:
            with _unreadable_told():
                return super().invoke(ctx)
        except click.exceptions.Exit:
            raise
        except click.ClickException:
            raise
        except Exception as error:
            if os.environ.get(ENV_TRACEBACK) or not is_expected(error):
                raise
            raise click.ClickException(one_line(error)) from error


@contextmanager
def _unreadable_told() -> Iterator[None]:
    """Report at the end which stored values the tables of a command left empty."""
    from aiida_ion.unreadable import counting_unreadable, is_counting, unreadable_words

    if is_counting():  # a command within a group of them
        yield
        return
    with counting_unreadable() as counts:
        yield
    if words := unreadable_words(counts):
        click.echo(f"Note: {words}", err=True)


def is_expected(error: Exception) -> bool:
    """Whether an error is caused by the input, and not by this package."""
    kinds: list[type[Exception]] = [ValueError, OSError]
    # Looked up only if they are loaded: importing them here would slow down every --help.
    for module, name in (("aiida.common.exceptions", "AiidaException"), ("sqlalchemy.exc", "SQLAlchemyError")):
        if module in sys.modules:
            kinds.append(getattr(sys.modules[module], name))
    return isinstance(error, tuple(kinds))


def profile_option(command: Command) -> Command:
    """Add ``-p/--profile`` to a command."""
    option = click.option(
        "-p",
        "--profile",
        metavar="NAME",
        type=SettingType(TEXT),
        help="AiiDA profile  [default: AiiDA's default profile]",
    )
    return option(command)


def load(profile: str | None) -> Any:
    """Load a profile, AiiDA's default by default.

    :returns: the loaded profile.
    :raises click.ClickException: if there is no such profile, or its database cannot be used.
    """
    from aiida import load_profile
    from aiida.common import exceptions
    from aiida.manage import get_manager

    current = get_manager().get_profile()
    if current is not None and profile in (None, current.name):
        return current
    try:
        loaded = load_profile(profile, allow_switch=True)
        get_manager().get_profile_storage()
    except exceptions.ProfileConfigurationError as error:
        problem = f"there is no profile {profile!r}" if profile else "there is no default profile"
        make = f"aiida-ion setup --profile-name {profile}" if profile else "aiida-ion setup"
        raise click.ClickException(f"{problem}; make it with '{make}', or name one with -p") from error
    except exceptions.IncompatibleStorageSchema as error:
        raise click.ClickException(_other_schema(profile, error)) from error
    except (exceptions.ConfigurationError, exceptions.StorageMigrationError) as error:
        raise click.ClickException(one_line(error)) from error
    return loaded


def _other_schema(profile: str | None, error: Exception) -> str:
    """Return what to do with a profile whose database belongs to an older or a newer AiiDA."""
    import re

    from aiida import get_version

    name = f"-p {profile} " if profile else ""
    has, needed = (*re.findall(r"main_(\d+)", str(error)), "", "")[:2]
    if not (has and needed):
        return one_line(error)
    which = f"the database of this profile has schema main_{has}, and aiida-core {get_version()} needs main_{needed}"
    if int(has) > int(needed):
        return f"{which}: a newer aiida-core wrote it, so install that or a newer one (pip install -U aiida-core)"
    return f"{which}: back it up, then migrate it with 'verdi {name}storage migrate'"


def require_group(label: str | None) -> None:
    """Fail if a group does not exist.

    :raises click.ClickException: with the command that lists all.
    """
    from aiida import orm

    if label is not None and not orm.QueryBuilder().append(orm.Group, filters={"label": label}).count():
        raise click.ClickException(f"there is no group {label!r}; 'verdi group list -A' shows all")


def require_daemon(profile: Any) -> None:
    """Fail unless the daemon of a profile runs: nothing can be submitted without it.

    :raises click.ClickException: with the command that starts it.
    """
    from aiida_ion.cli.services.daemon import ask

    if profile.process_control_backend is None:
        raise click.ClickException(f"profile {profile.name!r} has no broker and can only run in the foreground")
    if trouble := ask(profile).trouble(profile.name):
        raise click.ClickException(f"{trouble}, then repeat this command")


def size(n_bytes: float) -> str:
    """Return a number of bytes in a readable unit."""
    from aiida_ion.units import BYTES_PER_KB

    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < BYTES_PER_KB:
            return f"{n_bytes:.3g} {unit}"
        n_bytes /= BYTES_PER_KB
    return f"{n_bytes:.3g} TB"


class OneLineGroup(OneLineErrors, click.Group):
    """A group whose failures are one line."""
