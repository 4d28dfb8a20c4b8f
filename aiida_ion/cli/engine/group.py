"""``aiida-ion engine``: environments of potentials, and the AiiDA codes that run them."""

from __future__ import annotations

import click

from aiida_ion.cli.common import OneLineErrors, OneLineGroup, load, profile_option
from aiida_ion.cli.engine.add import add_command
from aiida_ion.cli.engine.converge import converge_command
from aiida_ion.cli.engine.testing import test_command
from aiida_ion.cli.places.engine_codes import limit_command
from aiida_ion.engines.environments import RECIPES, engines_folder, install


@click.group("engine", cls=OneLineGroup)
def command() -> None:
    """Install, add, list and test engines, the programs that compute forces.

    \b
    Example:
      aiida-ion engine install sevenn lammps
      aiida-ion engine test sevenn
    """


@command.command("install", cls=OneLineErrors)
@click.argument("names", nargs=-1, required=True, type=click.Choice(sorted(RECIPES)), metavar="NAME...")
@click.option("--no-register", is_flag=True, help="Only create the environment; needs no profile.")
@profile_option
def install_command(names: tuple[str, ...], no_register: bool, profile: str | None) -> None:
    """Create the environment of an engine on this machine, and register it.

    NAME is one of chgnet, lammps, mace, sevenn, nequip, which trains potentials of its own, and surrogate, which learns
    from the others. Environments go to $AIIDA_ION_ENGINES, else to ~/.local/share/aiida-ion/engines. Environments that
    exist and work are left alone.

    \b
    Example:
      aiida-ion engine install sevenn
    """
    if not no_register:
        load(profile)
    for name in names:
        done = install(name, click.echo)
        click.echo(f"{name}: {'installed' if done else 'already installed'} in {engines_folder() / name}")
        if not no_register:
            from aiida_ion.engines.registration import NEXT_COMMANDS, register_installed

            code, new = register_installed(name)
            click.echo(f"{name}: {'registered' if new else 'already registered'} as {code.full_label}")
            click.echo(f"Next: {NEXT_COMMANDS.get(name, f'aiida-ion engine test {name}')}")


@command.command("list", cls=OneLineErrors)
@profile_option
def list_command(profile: str | None) -> None:
    """List the registered engines.

    \b
    Example:
      aiida-ion engine list
    """
    load(profile)
    from aiida_ion.cli.text.tables import engine_rows, text_table
    from aiida_ion.queries import engine_table

    table = engine_table()
    if table.empty:
        click.echo("No engine is registered. Make one with 'aiida-ion engine install sevenn'.")
        return
    click.echo(text_table(engine_rows(table)))


for one in (add_command, converge_command, limit_command, test_command):
    command.add_command(one)
