"""``aiida-ion computer``: how many jobs run on a computer at a time."""

from __future__ import annotations

from typing import Any

import click

from aiida_ion.cli.common import OneLineErrors, load, profile_option
from aiida_ion.cli.options import TEXT, SettingType, setting
from aiida_ion.engines.requests import COUNT
from aiida_ion.settings.rules import Number

#: At most a day.
POLL_INTERVAL_S = Number(above=0.0, most=86_400.0, unit="s")
MEMORY_GIB = Number(above=0.0, most=1e6, unit="GiB")
#: Option -> limit of a computer.
LIMITS = {"cores": "cores", "memory_GiB": "memory_GiB", "max_jobs": "jobs"}


@click.command("computer", cls=OneLineErrors)
@click.argument("label", required=False, type=SettingType(TEXT))
@setting(COUNT, "--cores", help="Cores that our jobs may use at a time")
@setting(MEMORY_GIB, "--memory-GiB", "memory_GiB", help="Memory of all jobs that state theirs")
@setting(COUNT, "--max-jobs", help="Jobs at a time")
@setting(POLL_INTERVAL_S, "--poll-interval-s", help="Time between two looks at its queue")
@click.option("--unlimited", is_flag=True, help="Drop all limits, also the defaults.")
@click.option("--default", "defaults", is_flag=True, help="Go back to the defaults.")
@profile_option
def command(
    label: str | None,
    poll_interval_s: float | None,
    unlimited: bool,
    defaults: bool,
    profile: str | None,
    **given: Any,
) -> None:
    """Show the limits of computers and the jobs that run and wait there, or set limits of one.

    Jobs of all work chains, commands and daemon workers share the limits; one that finds no place waits before it is
    uploaded. A computer without a queue of its own (localhost) runs as many jobs as it has cores by default; on one
    with a queue there is no limit. Jobs that state no memory (--job-options '{"max_memory_kb": ...}') use none.

    \b
    Example:
      aiida-ion computer
      aiida-ion computer localhost --cores 4
      aiida-ion computer cluster --max-jobs 50 --poll-interval-s 60
    """
    load(profile)
    from aiida_ion.cli.text.computers import computer_text, place_text
    from aiida_ion.queries.computers import computer_table, place_table

    chosen = {LIMITS[name]: value for name, value in given.items() if value is not None}
    if label is None:
        if chosen or unlimited or defaults or poll_interval_s is not None:
            raise click.UsageError("name the computer whose limits these are")
        click.echo(computer_text(computer_table()))
        return
    _change(label, chosen, unlimited, defaults, poll_interval_s)
    table, places = computer_table(), place_table()
    click.echo(computer_text(table[table["computer"] == label]))
    if words := place_text(places[places["computer"] == label]):
        click.echo(words)


def _change(label: str, chosen: dict[str, Any], unlimited: bool, defaults: bool, poll_interval_s: float | None) -> None:
    """Set limits of a computer as they were given, and how often its queue is asked."""
    from aiida import orm
    from aiida.common.exceptions import NotExistent

    from aiida_ion.places.limits import forget_limits, set_limits

    try:
        computer = orm.load_computer(label)
    except NotExistent as error:
        raise click.ClickException(f"there is no computer {label!r}; 'aiida-ion computer' lists them") from error
    if sum((bool(chosen), unlimited, defaults)) > 1:
        raise click.UsageError("give either limits, --unlimited or --default")
    if poll_interval_s is not None:
        computer.set_minimum_job_poll_interval(poll_interval_s)
    if unlimited:
        set_limits(computer, dict.fromkeys(LIMITS.values()))
    elif defaults:
        forget_limits(computer)
    elif chosen:
        set_limits(computer, chosen)
