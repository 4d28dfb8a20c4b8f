"""``aiida-ion run``: crystals in, conductivity work chains submitted."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from aiida_ion.cli.common import load, profile_option, require_daemon
from aiida_ion.cli.options import COUNT, MESH, TEXT, WALLTIME_S, JsonObject, SettingType, setting
from aiida_ion.cli.protocol_options import of_protocol
from aiida_ion.cli.sections import SectionedCommand
from aiida_ion.settings.md import DEVICE

#: Exit codes from here on left something that can be used.
USABLE = 700
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
    "Engine": ("--potential", "--model", "--device", "--kpoints"),
    "Comparison of several engines": ("--reference", "--max-force-frames"),
    "Jobs": (
        "--processes",
        "--threads",
        "--walltime-s",
        "--job-options",
        "--max-concurrent",
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
@of_protocol("--temperatures", also=", such as 800,900,1000")
@of_protocol("--seeds", also=", such as 1,2,3")
@of_protocol("--target-temperature-K")
@of_protocol("--time-ps")
@of_protocol("--target-relative-error", also=", such as 0.2: extend runs until it is reached")
@of_protocol("--target-quantity", also="  [default: tracer_diffusivity]")
@of_protocol("--first-time-ps")
@of_protocol("--max-time-ps")
@of_protocol("--max-rounds")
@of_protocol("--max-total-time-ps")
@of_protocol("--timestep-fs")
@of_protocol("--sample-every")
@of_protocol("--equilibration-ps")
@of_protocol("--supercell", also=", such as 2,2,2")
@of_protocol("--min-width-A")
@of_protocol("--mobile-species", also="  [default: guessed]")
@of_protocol("--framework-species", also=", such as P,S  [default: all other elements]")
@of_protocol("--charges", also=", such as Li=1,N=-3  [default: guessed]")
@of_protocol("--keep", also=", such as velocities,forces")
@click.option("--no-relax", is_flag=True, help="Do not relax the ions.")
@click.option("--jumps/--no-jumps", default=None, help="Analyse the jumps at each temperature (needs GEMDAT).")
@of_protocol("--thermostat")
@of_protocol("--ensemble")
@setting(TEXT, "--potential", help="LAMMPS: name of a published potential, or a YAML file with commands")
@setting(TEXT, "--model", help="ASE engines: another model than the engine's own")
@setting(DEVICE, "--device")
@setting(MESH, "--kpoints", help="pw.x, VASP: mesh of the supercell", also=", such as 2,2,2  [default: the engine's]")
@setting(COUNT, "--processes", help="MPI processes of each job", also="  [default: the engine's]")
@setting(COUNT, "--threads", help="Threads of each process", also="  [default: the engine's]")
@setting(WALLTIME_S, "--walltime-s", help="Wall time of each job", also="; the next job continues")
@click.option("--job-options", type=JsonObject(), help='Further job options, such as {"queue_name": "gpu"}.')
@of_protocol("--max-concurrent", also="  [default: the cores here]")
@click.option("--overrides", "overrides_file", type=SettingType(TEXT), help="YAML file with changes to the protocol.")
@setting(TEXT, "--group", help="Put everything into this AiiDA group")
@setting(
    TEXT,
    "--reference",
    metavar="ENGINE",
    help="Engine that the others are compared with",
    also="  [default: the first with DFT]",
)
@setting(COUNT, "--max-force-frames", help="Frames for the force errors", also="  [default: 100]")
@click.option("--skip-bad", is_flag=True, help="Run the crystals that can be run, and list the others.")
@click.option(
    "--force-structure", is_flag=True, help="Accept a file that contradicts itself or does not look like a crystal."
)
@click.option("--yes", is_flag=True, help="Also run cells of more than 5,000 atoms.")
@click.option(
    "--clean-workdir/--keep-workdir",
    default=None,
    help="Remove the folders of jobs once their results are in the database; failed ones stay  [default: protocol]",
)
@click.option("--fresh", is_flag=True, help="Recompute existing results.")
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
    **given: Any,
) -> None:
    """Submit the ionic conductivity of each STRUCTURE with each engine.

    STRUCTURE is a file (CIF, POSCAR, ...), a folder of these, or the pk or uuid of a StructureData. Everything is
    checked before anything is submitted, and all that cannot be run is listed. With several engines everything is one
    comparison: the same cells, temperatures, time steps and starting velocities for each, and existing results
    are not recomputed.

    \b
    Example:
      aiida-ion run Li3N.cif --engine sevenn --protocol fast --wait
      aiida-ion run Li3N.cif --engine sevenn --target-relative-error 0.2 --max-time-ps 300 --dry-run
      aiida-ion run *.cif --engine sevenn --temperatures 800,900,1000 --seeds 1,2 --group trial
      aiida-ion run Li2O.cif --engine quantumespresso --engine sevenn --engine chgnet --temperatures 1000,1200
    """
    loaded = load(profile)
    from aiida_ion.campaigns.batch import large_cells, make_batch, require_all
    from aiida_ion.campaigns.expected_cost import describe, in_all
    from aiida_ion.campaigns.plans import comparison, submit_plans
    from aiida_ion.campaigns.structures import reading_lines
    from aiida_ion.queries import cost

    batch = make_batch(structures, engines, given)
    plans = batch.plans
    for node in {plan.crystal: plan.builder.structure for plan in plans}.values():
        click.echo("\n".join(reading_lines(node)))
    require_all(batch, skip_bad, partial(click.echo, err=True))
    several = len(dict.fromkeys(engines)) > 1
    if several:
        comparison(plans, given)  # checked here, made again when it is submitted
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
    submitted = submit_plans(plans, given)
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
    from aiida_ion.cli.table import render
    from aiida_ion.cli.text.live import watch
    from aiida_ion.queries import conductivity, diffusion, process_table

    watch(pks)
    ours = set(process_table(pks=pks)["pk"])
    conductivities, fits = conductivity(), diffusion()
    conductivities, fits = conductivities[conductivities["process_pk"].isin(ours)], fits[fits["job_pk"].isin(ours)]
    if len(conductivities) or len(fits):
        click.echo(render({"conductivity": conductivities, "diffusion": fits}, "text"))
    failed = process_table(pks=pks).query("pk in @pks and exit_status != 0")
    if compared and not (failed["exit_status"] < USABLE).any():
        _print_comparison(pks)
    if len(failed):
        raise click.ClickException(f"{len(failed)} of {len(pks)} failed; see above")


def _print_comparison(pks: list[int]) -> None:
    from aiida_ion.cli.compare import comparisons, text_of
    from aiida_ion.queries import comparison_records

    try:
        pks_of_comparisons = comparisons([str(pk) for pk in pks])
    except click.ClickException as error:
        click.echo(error.message, err=True)
        return
    click.echo(text_of(comparison_records(pks=pks_of_comparisons), "text"))
