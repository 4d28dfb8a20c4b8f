"""``aiida-ion potential``: its commands, each loaded only when it is used."""

from __future__ import annotations

from importlib import import_module

import click

from aiida_ion.cli.common import OneLineErrors

#: Command -> module, and its line in the help, in the order of their use.
COMMANDS: dict[str, tuple[str, str]] = {
    "label": ("label", "Label displaced copies of a crystal, or frames of runs, with an engine."),
    "dataset": ("dataset", "Gather labelled frames for training, validation and test."),
    "train": ("train", "Train a potential, or a committee of them, on a dataset."),
    "student": ("student", "Fit a fast potential for one crystal to a slow one, until its runs survive."),
    "register": ("register", "Make engines of the potentials of a training or a student."),
}


class LazyCommands(OneLineErrors, click.Group):
    """A group that imports a command's module when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the commands in the order of their use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return a command."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"aiida_ion.cli.potential.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the commands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group("potential", cls=LazyCommands)
def command() -> None:
    """Train potentials on energies and forces of stored frames.

    \b
    Example:
      aiida-ion potential dataset --from-group dft
      aiida-ion potential train 1234 --family sevenn --from sevenn --name li2o --wait
      aiida-ion potential student Li3N.cif --teacher sevenn --max-temperature-K 900
    """
