"""``aiida-ion show``: the content of a node and its origin."""

from __future__ import annotations

import click

from aiida_ion.campaigns.structures import NODE
from aiida_ion.cli.common import OneLineErrors, load, profile_option
from aiida_ion.cli.options import SettingType


@click.command("show", cls=OneLineErrors)
@click.argument("node", metavar="PK|UUID", type=SettingType(NODE))
@profile_option
def command(node: str, profile: str | None) -> None:
    """Show a process or a result: values, checks, reasons, origin.

    \b
    Example:
      aiida-ion show 1234
    """
    load(profile)
    from aiida import orm
    from aiida.common.exceptions import MultipleObjectsError, NotExistent

    from aiida_ion.cli.text.nodes import describe

    try:
        shown = orm.load_node(node)
    except (NotExistent, MultipleObjectsError, ValueError) as error:
        text = f"there is no node {node}; 'aiida-ion table' lists results, 'aiida-ion status' processes"
        raise click.ClickException(text) from error
    click.echo(describe(shown))
