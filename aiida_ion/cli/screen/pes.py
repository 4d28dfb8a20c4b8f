"""``aiida-ion screen pes``: percolation of one ion in the frozen framework, by one or several potentials."""

from __future__ import annotations

from typing import Any

import click

from aiida_ion.cli.common import OneLineErrors, load, profile_option, require_daemon
from aiida_ion.cli.options import PK, TEXT, SettingType, setting
from aiida_ion.cli.request_options import of_request
from aiida_ion.settings.pes import OTHERS, PesSettings
from aiida_ion.settings.schema import rules_of

_RULES = rules_of(PesSettings)
FORMATS = ("text", "csv", "json")
REFUSED_SHOWN = 10


@click.command("pes", cls=OneLineErrors)
@click.argument("structures", nargs=-1, metavar="STRUCTURE...", type=SettingType(TEXT))
@click.option(
    "--engine", "engines", multiple=True, type=SettingType(TEXT), help="Engine with a potential; several to compare."
)
@click.option(
    "--others",
    multiple=True,
    type=click.Choice(OTHERS),
    help="What becomes of the other mobile ions; several for an interval  [default: removed]",
)
@setting(_RULES["mobile_species"], "--mobile", "mobile_species", also="  [default: guessed]")
@setting(_RULES["step_A"], "--step", "step_A", also="  [default: 0.25]")
@setting(_RULES["min_width_A"], "--min-width", "min_width_A", also="  [default: the primitive cell]")
@setting(_RULES["exclusion_A"], "--exclusion", "exclusion_A", also="  [default: 1.2]")
@of_request("--threads")
@of_request("--job-options")
@click.option("--run", "here", is_flag=True, help="Compute here and now instead of through the daemon.")
@click.option("--show", multiple=True, type=SettingType(PK), metavar="PK", help="Show the results of these jobs.")
@click.option("--format", "style", type=click.Choice(FORMATS), default="text", show_default=True, help="Of the table.")
@profile_option
def command(
    structures: tuple[str, ...],
    engines: tuple[str, ...],
    others: tuple[str, ...],
    here: bool,
    show: tuple[int, ...],
    style: str,
    profile: str | None,
    **given: Any,
) -> None:
    """Move one ion through the frozen rest of each crystal: at which energy pathways reach through it.

    STRUCTURE is a crystal file, a folder of them, the pk or uuid of a StructureData, or the label of a group. Barriers
    are in 1, 2 and 3 dimensions above the lowest point of the map, with the error of its grid. With several engines or
    choices of the other ions the last line of each crystal is the interval that all results span. Relax crystals with
    the same potential first: a site that is not a minimum is reported.

    \b
    Example:
      aiida-ion screen pes Li3N.cif Li2O.cif --engine sevenn --run
      aiida-ion screen pes crystals/ --engine sevenn --engine chgnet --others removed --others kept
      aiida-ion screen pes --show 812 --show 815
    """
    loaded = load(profile)
    if show:
        if structures or engines:
            raise click.UsageError("--show is for jobs that were submitted before: leave out STRUCTURE and --engine")
        click.echo(_table(_jobs(show), {}, style))
        return
    if not structures or not engines:
        raise click.UsageError("give at least one STRUCTURE and one --engine, or --show PK")
    if not here:
        require_daemon(loaded)
    from aiida.engine import run_get_node, submit

    from aiida_ion.campaigns.screening.materials import find_materials
    from aiida_ion.campaigns.screening.pes import pes_builders
    from aiida_ion.engines.requests import JobRequest

    request = JobRequest(threads=given.pop("threads"), job_options=given.pop("job_options"))
    settings = {name: value for name, value in given.items() if value is not None}
    PesSettings.from_dict(settings)
    materials = find_materials(structures)
    for name, reason in list(materials.refused.items())[:REFUSED_SHOWN]:
        click.echo(f"REFUSED {name}: {reason}", err=True)
    builders = pes_builders(materials, engines, others or ("removed",), settings, request)
    if here:
        names = {node.uuid: name for name, node, _ in materials.crystals}
        click.echo(_table([run_get_node(builder)[1] for builder in builders], names, style))
        return
    pks = [int(submit(builder).pk or 0) for builder in builders]
    suffix = f" -p {profile}" if profile else ""
    for builder, pk in zip(builders, pks, strict=True):
        click.echo(f"Submitted {builder.metadata.label}: {pk}")
    click.echo(f"Next: aiida-ion status {pks[0]} --watch{suffix}")
    click.echo(f"Then: aiida-ion screen pes {' '.join(f'--show {pk}' for pk in pks)}{suffix}")


def _jobs(pks: tuple[int, ...]) -> list[Any]:
    """Return jobs by their pks.

    :raises click.ClickException: for one that is not such a job, or has not ended.
    """
    from aiida import orm

    jobs = []
    for pk in pks:
        node: Any = orm.load_node(pk)
        if getattr(node, "process_type", "") != "aiida.calculations:ion.pes":
            raise click.ClickException(f"{pk} is not a job of ion.pes")
        if not node.is_terminated:
            raise click.ClickException(f"job {pk} has not ended: aiida-ion status {pk}")
        jobs.append(node)
    return jobs


def _table(jobs: list[Any], names: dict[str, str], style: str) -> str:
    """Return the results of jobs as a table; what several of them say together is stored."""
    from aiida_ion.campaigns.screening.pes import combine, surfaces_of
    from aiida_ion.cli.text.surfaces import render
    from aiida_ion.messages import one_line

    for job in jobs:
        if not job.is_finished_ok:
            click.echo(f"job {job.pk}: {one_line(job.exit_message or 'it was ended')}", err=True)
    surfaces = surfaces_of(jobs, names)
    if not surfaces:
        raise click.ClickException("there is no result")
    combine(surfaces)
    return render(surfaces, style)
