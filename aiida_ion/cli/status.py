"""``aiida-ion status``: running processes with their progress, and failed ones with the reason."""

from __future__ import annotations

import click

from aiida_ion.cli.common import OneLineErrors, load, profile_option
from aiida_ion.cli.options import PK, SettingType


@click.command("status", cls=OneLineErrors)
@click.argument("pks", nargs=-1, type=SettingType(PK), metavar="[PK]...")
@click.option("--watch", "watching", is_flag=True, help="Repeat every two seconds until everything has ended.")
@click.option("--all", "everything", is_flag=True, help="Include processes that ended more than a day ago.")
@profile_option
def command(pks: tuple[int, ...], watching: bool, everything: bool, profile: str | None) -> None:
    """Show running processes, their progress and remaining time, and what failed and why.

    \b
    Example:
      aiida-ion status --watch
      aiida-ion status 1234
    """
    loaded = load(profile)
    from aiida_ion.cli.text.live import current, render, watch

    _refuse_others(pks)
    if not watching:
        click.echo(render(current(pks, everything), loaded))
        return
    try:
        watch(pks, everything, loaded)
    except KeyboardInterrupt:
        click.echo()


def _refuse_others(pks: tuple[int, ...]) -> None:
    """Refuse numbers that are not processes."""
    if not pks:  # which is not a filter of AiiDA
        return
    from aiida.orm import ProcessNode, QueryBuilder

    existing = QueryBuilder().append(ProcessNode, filters={"id": {"in": list(pks)}}, project="id").all(flat=True)
    unknown = [str(pk) for pk in pks if pk not in existing]
    if unknown:
        raise click.ClickException(f"there is no process {', '.join(unknown)}; 'aiida-ion status --all' lists all")
