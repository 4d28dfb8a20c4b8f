"""What every command shares: the profile option, errors of one line, and numbers from the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

#: Set to anything, this shows where an error came from.
ENV_TRACEBACK = "AIIDA_ION_TRACEBACK"


class OneLineErrors(click.Command):
    """A command whose expected failures are one line and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; turn errors that a user can mend into one line."""
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
    """Say at the end which stored values the tables of a command have left empty."""
    from aiida_ion.unreadable import counting_unreadable, is_counting, unreadable_words

    if is_counting():  # a command within a group of them
        yield
        return
    with counting_unreadable() as counts:
        yield
    if words := unreadable_words(counts):
        click.echo(f"Note: {words}", err=True)


def is_expected(error: Exception) -> bool:
    """Whether an error is about what the user gave, and not about our code."""
    kinds: list[type[Exception]] = [ValueError, OSError]
    # Named only where they are loaded: importing them here would slow every --help.
    for module, name in (("aiida.common.exceptions", "AiidaException"), ("sqlalchemy.exc", "SQLAlchemyError")):
        if module in sys.modules:
            kinds.append(getattr(sys.modules[module], name))
    return isinstance(error, tuple(kinds))


def one_line(error: object) -> str:
    """Return the message of an error without its line breaks."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text.removeprefix("invalid attribute value ")  # AiiDA's words around ours


def profile_option(command: Command) -> Command:
    """Add ``-p/--profile`` to a command."""
    option = click.option("-p", "--profile", metavar="NAME", help="AiiDA profile  [default: AiiDA's default profile]")
    return option(command)


def load(profile: str | None) -> Any:
    """Load a profile, AiiDA's default where none is named.

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
        wanted = f"there is no profile {profile!r}" if profile else "there is no default profile"
        make = f"aiida-ion setup --profile-name {profile}" if profile else "aiida-ion setup"
        raise click.ClickException(f"{wanted}; make it with '{make}', or name one with -p") from error
    except exceptions.IncompatibleStorageSchema as error:
        raise click.ClickException(_other_schema(profile, error)) from error
    except (exceptions.ConfigurationError, exceptions.StorageMigrationError) as error:
        raise click.ClickException(one_line(error)) from error
    return loaded


def _other_schema(profile: str | None, error: Exception) -> str:
    """Return what to do with a profile whose database an older or a newer AiiDA wrote."""
    import re

    from aiida import get_version

    name = f"-p {profile} " if profile else ""
    has, wanted = (*re.findall(r"main_(\d+)", str(error)), "", "")[:2]
    if not (has and wanted):
        return one_line(error)
    which = f"the database of this profile has schema main_{has}, and aiida-core {get_version()} needs main_{wanted}"
    if int(has) > int(wanted):
        return f"{which}: a newer aiida-core wrote it, so install that or a newer one (pip install -U aiida-core)"
    return f"{which}: back it up, then bring it up to date with 'verdi {name}storage migrate'"


def require_daemon(profile: Any) -> None:
    """Fail unless the daemon of a profile runs: nothing can be submitted without it.

    :raises click.ClickException: with the command that starts it.
    """
    from aiida_ion.cli.daemon import ask

    if profile.process_control_backend is None:
        raise click.ClickException(f"profile {profile.name!r} has no broker and can only run in the foreground")
    if trouble := ask(profile).trouble(profile.name):
        raise click.ClickException(f"{trouble}, then repeat this command")


class NumberList(click.ParamType):
    """Numbers separated by commas, such as ``800,900,1000``."""

    name = "LIST"

    def __init__(self, kind: Callable[[str], float | int], length: int | None = None) -> None:
        self.kind, self.length = kind, length

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a list of numbers."""
        if isinstance(value, list):
            return value
        try:
            numbers = [self.kind(part) for part in str(value).split(",")]
        except ValueError:
            self.fail(f"{value!r} is not a list of numbers separated by commas", param, ctx)
        if self.length is not None and len(numbers) != self.length:
            self.fail(f"{value!r} must be {self.length} numbers separated by commas", param, ctx)
        return numbers


class ChargeMap(click.ParamType):
    """Charges of elements, such as ``Li=1,N=-3``."""

    name = "CHARGES"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a mapping of element to charge, e."""
        if isinstance(value, dict):
            return value
        try:
            pairs = [part.split("=") for part in str(value).split(",")]
            return {element.strip(): float(charge) for element, charge in pairs}
        except ValueError:
            self.fail(f"{value!r} is not of the form Li=1,N=-3", param, ctx)


class Words(click.ParamType):
    """Words of a known few, separated by commas."""

    name = "LIST"

    def __init__(self, known: Sequence[str]) -> None:
        self.known = known

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a list of words."""
        words = value if isinstance(value, list) else [word.strip() for word in str(value).split(",")]
        unknown = [word for word in words if word not in self.known]
        if unknown:
            self.fail(f"{', '.join(unknown)} is none of {', '.join(self.known)}", param, ctx)
        return words


class WordMap(click.ParamType):
    """Words for words, such as ``Li=Li_sv,O=O``."""

    name = "MAP"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the mapping."""
        if isinstance(value, dict):
            return value
        pairs = [part.split("=") for part in str(value).split(",")]
        if any(len(pair) != 2 or not all(word.strip() for word in pair) for pair in pairs):
            self.fail(f"{value!r} is not of the form Li=Li_sv,O=O", param, ctx)
        return {key.strip(): word.strip() for key, word in pairs}


class JsonObject(click.ParamType):
    """A JSON object."""

    name = "JSON"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the mapping."""
        import json

        if isinstance(value, dict):
            return value
        try:
            content = json.loads(value)
        except ValueError as error:
            self.fail(f"not JSON: {error}", param, ctx)
        if not isinstance(content, dict):
            self.fail('must be an object such as {"enable_flash": true}', param, ctx)
        return content


def size(n_bytes: float) -> str:
    """Return a number of bytes as people say it."""
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 1000:
            return f"{n_bytes:.3g} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.3g} TB"
