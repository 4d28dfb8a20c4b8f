"""``aiida-ion run``: crystals in, conductivity work chains submitted."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from aiida_ion.campaigns.request import RunRequest
from aiida_ion.cli.common import load, profile_option, require_daemon
from aiida_ion.cli.options import TEXT, SettingType
from aiida_ion.cli.request_options import no_relax, of_request
from aiida_ion.cli.sections import SectionedCommand
from aiida_ion.exit_codes import is_usable

SECTIONS = {
    "What to run": (
        "--engine",
        "--protocol",
        "--temperatures",
        "--seeds",
        "--target-temperature-K",
        "--supercell",
        "--min-width-A",
        "--no-relax",
        "--overrides",
    ),
    "How long": (
        "--time-ps",
        "--target-relative-error",
        "--target-quantity",
        "--first-time-ps",
        "--max-time-ps",
        "--max-rounds",
        "--max-total-time-ps",
    ),
    "Molecular dynamics": (
        "--timestep-fs",
        "--sample-every",
        "--equilibration-ps",
        "--ensemble",
        "--thermostat",
        "--keep",
    ),
    "Ions and analysis": ("--mobile-species", "--framework-species", "--charges", "--jumps"),
    "Engine": ("--potential", "--model", "--device", "--kpoints", "--no-watch"),
    "Disordered crystals": ("--orderings", "--ordering-settings"),
    "Comparison of several engines": ("--reference", "--max-force-frames"),
    "Jobs": (
        "--processes",
        "--threads",
        "--walltime-s",
        "--job-options",
        "--max-concurrent",
        "--max-crystals",
        "--fit-code",
        "--clean-workdir",
    ),
    "Submission": (
        "--dry-run",
        "--wait",
        "--group",
        "--skip-bad",
        "--force-structure",
        "--yes",
        "--fresh",
        "--profile",
        "--help",
    ),
}


@click.command("run", cls=SectionedCommand, sections=SECTIONS)
@click.argument("structures", nargs=-1, required=True, metavar="STRUCTURE...", type=SettingType(TEXT))
@click.option(
    "--engine",
    "engines",
    multiple=True,
    type=SettingType(TEXT),
    required=True,
    help="Name of an engine; several for a comparison.",
)
@click.option("--protocol", type=SettingType(TEXT), help="fast, balanced, stringent or obelix  [default: balanced]")
@of_request("--temperatures", "temperatures_K")
@of_request("--seeds")
@of_request("--target-temperature-K")
@of_request("--time-ps")
@of_request("--target-relative-error")
@of_request("--target-quantity")
@of_request("--first-time-ps")
@of_request("--max-time-ps")
@of_request("--max-rounds")
@of_request("--max-total-time-ps")
@of_request("--timestep-fs")
@of_request("--sample-every")
@of_request("--equilibration-ps")
@of_request("--supercell")
@of_request("--min-width-A")
@of_request("--mobile-species")
@of_request("--framework-species")
@of_request("--charges")
@of_request("--keep")
@no_relax
@click.option("--jumps/--no-jumps", default=None, help="Analyse the jumps at each temperature (needs GEMDAT).")
@of_request("--thermostat")
@of_request("--ensemble")
@of_request("--potential")
@of_request("--model")
@of_request("--device")
@of_request("--kpoints")
@of_request("--no-watch")
@of_request("--processes")
@of_request("--threads")
@of_request("--walltime-s")
@of_request("--job-options")
@of_request("--max-concurrent")
@of_request("--max-crystals")
@of_request("--fit-code", metavar="CODE")
@click.option("--overrides", type=SettingType(TEXT), help="YAML file with changes to the protocol.")
@of_request("--orderings")
@of_request("--ordering-settings")
@of_request("--group")
@of_request("--reference", metavar="ENGINE")
@of_request("--max-force-frames")
@click.option("--skip-bad", is_flag=True, help="Run the crystals that can be run, and list the others.")
@of_request("--force-structure")
@click.option("--yes", is_flag=True, help="Also run cells of more than 5,000 atoms.")
@click.option(
    "--clean-workdir/--keep-workdir",
    default=None,
    help="Remove the folders of jobs once their results are in the database; failed ones stay  [default: protocol]",
)
@of_request("--fresh")
@click.option("--dry-run", is_flag=True, help="Check everything and show what would run.")
@click.option("--wait", is_flag=True, help="Wait until everything is done, then print the table.")
@profile_option
def command(
    structures: tuple[str, ...],
    engines: tuple[str, ...],
    profile: str | None,
    dry_run: bool,
    wait: bool,
    skip_bad: bool,
    yes: bool,
    **options: Any,
) -> None:
    """Submit the ionic conductivity of each STRUCTURE with each engine.

    STRUCTURE is a file (CIF, POSCAR, ...), a folder of these, or the pk or uuid of a StructureData. Everything is
    checked before anything is submitted, and all that cannot be run is listed. With several engines everything is one
    comparison: the same cells, temperatures, time steps and starting velocities for each, and existing results
    are not recomputed. A crystal with partly occupied sites is ordered first, and the conductivities of its ordered
    cells become one.

    \b
    Example:
      aiida-ion run Li3N.cif --engine sevenn --protocol fast --wait
      aiida-ion run Li3N.cif --engine sevenn --target-relative-error 0.2 --max-time-ps 300 --dry-run
      aiida-ion run *.cif --engine sevenn --temperatures 800,900,1000 --seeds 1,2 --group trial
      aiida-ion run Li6PS5Cl.cif --engine sevenn --orderings 5 --dry-run
      aiida-ion run Li2O.cif --engine quantumespresso --engine sevenn --engine chgnet --temperatures 1000,1200
    """
    loaded = load(profile)
    from aiida_ion.campaigns.asking import ask_queues
    from aiida_ion.campaigns.batch import large_cells, make_batch, require_all
    from aiida_ion.campaigns.expected_cost import describe, in_all
    from aiida_ion.campaigns.plans import comparison, submit_plans
    from aiida_ion.campaigns.structures import reading_lines
    from aiida_ion.queries import cost

    request = RunRequest.from_options(**options)
    batch = make_batch(structures, engines, request, with_ensembles=True)
    plans = batch.plans
    for node in {plan.crystal: plan.builder.structure for plan in plans}.values():
        click.echo("\n".join(reading_lines(node)))
    require_all(batch, skip_bad, partial(click.echo, err=True))
    several = len(dict.fromkeys(engines)) > 1
    if several:
        comparison(plans, request)  # checked here, made again when it is submitted
    for remark in ask_queues([plan.engine for plan in plans], request):
        click.echo(f"NOTE {remark}", err=True)
    costs = cost()
    for plan in plans:
        click.echo("\n".join(describe(plan, costs)))
        for remark in plan.remarks:
            click.echo(f"  NOTE {plan.title}: {remark}", err=True)
    if len(plans) > 1:
        click.echo(in_all(plans, costs))
    large = large_cells(plans)
    if large is not None:
        click.echo(f"NOTE {large}", err=True)
    if dry_run:
        click.echo("Nothing was submitted (--dry-run).")
        return
    if large is not None and not yes:
        raise click.ClickException(f"{large}: nothing was submitted; --yes runs them")
    require_daemon(loaded)
    submitted = submit_plans(plans, request)
    for title, pk in submitted:
        click.echo(f"Submitted {title}: {pk}")
    suffix = f" -p {profile}" if profile else ""
    pks = [pk for _, pk in submitted]
    if wait:
        _wait(pks, several)
        return
    look = "compare" if several else "show"
    click.echo(f"Next: aiida-ion status --watch{suffix}, aiida-ion {look} {pks[0]}{suffix}, aiida-ion table{suffix}")


def _wait(pks: list[int], compared: bool) -> None:
    import numpy as np

    from aiida_ion.campaigns.queueing import members
    from aiida_ion.cli.services.sources import SourceTables
    from aiida_ion.cli.table import render
    from aiida_ion.cli.text.live import watch
    from aiida_ion.queries import conductivity, diffusion, process_table

    watch(pks)
    ours = set(process_table(pks=pks)["pk"])
    conductivities, fits = conductivity(), diffusion()
    conductivities, fits = conductivities[conductivities["process_pk"].isin(ours)], fits[fits["job_pk"].isin(ours)]
    if len(conductivities) or len(fits):
        click.echo(render([SourceTables(None, {"conductivity": conductivities, "diffusion": fits})], "text"))
    pks = members(pks)
    ended = process_table(pks=pks).query("pk in @pks and exit_status != 0")
    usable = [is_usable(None if np.isnan(status) else int(status)) for status in ended["exit_status"].astype(float)]
    for row in ended[usable].to_dict("records"):
        click.echo(f"WARNING {row['pk']}: {row['exit_message']}", err=True)
    if compared and all(usable):
        _print_comparison(pks)
    if not all(usable):
        raise click.ClickException(f"{usable.count(False)} of {len(pks)} failed; see above")


def _print_comparison(pks: list[int]) -> None:
    from aiida_ion.cli.compare import comparisons, text_of
    from aiida_ion.queries import comparison_records

    try:
        pks_of_comparisons = comparisons([str(pk) for pk in pks])
    except click.ClickException as error:
        click.echo(error.message, err=True)
        return
    click.echo(text_of(comparison_records(pks=pks_of_comparisons), "text"))
