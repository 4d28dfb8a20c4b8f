"""``aiida-ion screen pes``: percolation of one ion in the frozen framework, by one or several potentials."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from aiida_ion.cli.common import OneLineErrors, load, profile_option, require_daemon
from aiida_ion.cli.options import TEXT, SettingType, setting
from aiida_ion.cli.request_options import of_request
from aiida_ion.cli.screen.maps import KEEP_MAP_HELP, map_lines
from aiida_ion.messages import one_line
from aiida_ion.settings.pes import OTHERS, PesSettings
from aiida_ion.settings.schema import rules_of

if TYPE_CHECKING:
    from aiida_ion.campaigns.screening.pes import PesPlan

_RULES = rules_of(PesSettings)
FORMATS = ("text", "csv", "json")
#: Exit status of a job that was stopped; the crystals that it got to have results.
USABLE = (0, 710)
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
@click.option("--keep-map", "keep_map", is_flag=True, default=None, help=f"{KEEP_MAP_HELP} Not with --others vacancy.")
@of_request("--threads")
@of_request("--job-options")
@click.option("--run", "here", is_flag=True, help="Compute here and now instead of through the daemon.")
@click.option("--dry-run", is_flag=True, help="Check everything and show what would run.")
@click.option("--format", "style", type=click.Choice(FORMATS), default="text", show_default=True, help="Of the table.")
@profile_option
def command(
    structures: tuple[str, ...],
    engines: tuple[str, ...],
    others: tuple[str, ...],
    here: bool,
    dry_run: bool,
    style: str,
    profile: str | None,
    **given: Any,
) -> None:
    """Move one ion through the frozen rest of each crystal: at which energy pathways reach through it.

    STRUCTURE is a crystal file, a folder of them, the pk or uuid of a StructureData, or the label of a group. Barriers
    are in 1, 2 and 3 dimensions above the lowest point of the map, with the error of its grid. With several engines or
    choices of the other ions the last line of each crystal is the interval that all results span. Relax crystals with
    the same potential first: a site that is not a minimum is reported. Results that are in the database are shown and
    not computed again: the same command later shows those of the jobs that it submitted.

    \b
    Example:
      aiida-ion screen pes Li3N.cif Li2O.cif --engine sevenn --run
      aiida-ion screen pes crystals/ --engine sevenn --engine chgnet
      aiida-ion screen pes Li3N.cif --engine sevenn --others removed --others kept --min-width 8 --run
    """
    if not structures or not engines:
        raise click.UsageError("give at least one STRUCTURE and one --engine")
    loaded = load(profile)
    if not (here or dry_run):
        require_daemon(loaded)
    from aiida_ion.campaigns.screening.bvse import mobile_species_of
    from aiida_ion.campaigns.screening.materials import find_materials
    from aiida_ion.campaigns.screening.pes import plan_pes
    from aiida_ion.engines.requests import JobRequest

    request = JobRequest(threads=given.pop("threads"), job_options=given.pop("job_options"))
    settings = {name: value for name, value in given.items() if value is not None}
    PesSettings.from_dict(settings)
    materials = find_materials(structures)
    for name, reason in list(materials.refused.items())[:REFUSED_SHOWN]:
        click.echo(f"REFUSED {name}: {reason}", err=True)
    if "mobile_species" not in settings:
        with suppress(ValueError):  # crystals with different ions: each is guessed by itself
            settings["mobile_species"] = mobile_species_of(materials)
    plan = plan_pes(materials, engines, others or ("removed",), settings, request)
    if dry_run:
        left = sum(len(job.digests) for job in plan.jobs)
        click.echo(f"{plan.n_known} results are known; {left} surfaces in {len(plan.jobs)} jobs are left.")
        click.echo("Nothing was submitted (--dry-run).")
        return
    if here:
        _run(plan)
    else:
        _submit(plan, profile)
    if plan.n_known:
        from aiida_ion.cli.text.screenings.surfaces import render

        plan.combine()
        click.echo(render([one for one in plan.surfaces.values() if one.results], style))
        if settings.get("keep_map") and style == "text":
            kept = {f"{one.name}, {key}": node for one in plan.surfaces.values() for key, node in one.results.items()}
            click.echo("\n".join(map_lines(kept)))


def _run(plan: PesPlan) -> None:
    """Compute here what is not known.

    :raises click.ClickException: for a job that left no result.
    """
    from aiida.common.log import override_log_level
    from aiida.engine import run_get_node

    for job in plan.jobs:
        with override_log_level():
            node = run_get_node(job.builder)[1]
        plan.take(job, node)
        if node.exit_status not in USABLE:
            raise click.ClickException(f"the job {node.pk} failed: {one_line(node.exit_message or 'it was ended')}")


def _submit(plan: PesPlan, profile: str | None) -> None:
    """Submit what is not known."""
    from aiida.engine import submit

    suffix = f" -p {profile}" if profile else ""
    for job in plan.jobs:
        pk = submit(job.builder).pk
        click.echo(f"Submitted {job.builder.metadata.label}: {pk}")
        click.echo(f"Next: aiida-ion status {pk} --watch{suffix}; then this command again")
