"""Groups of commands whose modules are imported when they are used, so that help imports none."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import click

from aiida_ion.cli.common import OneLineErrors


def lazy_group(package: str, commands: Mapping[str, tuple[str, str]]) -> type[click.Group]:
    """Return the class of a group.

    :param package: the modules are in it.
    :param commands: command -> module within the package, which has it as ``command``, and its line in the help; in
        the order of their use.
    """

    class LazyGroup(OneLineErrors, click.Group):
        def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
            return list(commands)

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
            if cmd_name not in commands:
                return None
            command: click.Command = import_module(f"{package}.{commands[cmd_name][0]}").command
            return command

        def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
            with formatter.section("Commands"):
                formatter.write_dl([(name, text) for name, (_, text) in commands.items()])

    return LazyGroup
