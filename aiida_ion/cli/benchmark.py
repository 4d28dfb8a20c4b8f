"""``aiida-ion benchmark``: computed compared with measured conductivities, for many crystals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aiida_ion.campaigns.request import RunRequest
from aiida_ion.cli.common import OneLineErrors, OneLineGroup, load, profile_option, require_daemon, require_group
from aiida_ion.cli.disorder.obelix import ordering_of_plans, plan_options, print_plans
from aiida_ion.cli.options import TEXT, SettingType, setting
from aiida_ion.cli.request_options import of_request
from aiida_ion.cli.table import FORMATS

source_option = click.option(
    "--source", type=click.Path(path_type=Path), help="Folder or zip of OBELiX  [default: obelix-data downloads it]"
)


@click.group("benchmark", cls=OneLineGroup)
def command() -> None:
    """Compute crystals with measured conductivities, and score the results.

    \b
    Example:
      aiida-ion benchmark obelix --select paper --engine sevenn --dry-run
      aiida-ion benchmark score
    """


@command.command("obelix", cls=OneLineErrors)
@click.option(
    "--select",
    "selected",
    multiple=True,
    default=("paper",),
    metavar="paper|ordered|disordered|all|ID",
    show_default=True,
    help="The 21 of the benchmark paper, all without or with partly occupied sites, both, or ids, also as gvd,fft.",
)
@source_option
@click.option(
    "--engine",
    "engines",
    multiple=True,
    type=SettingType(TEXT),
    help="Name of an engine; several for a comparison. With --dry-run and none, how each crystal is treated.",
)
@plan_options
@click.option(
    "--protocol",
    type=SettingType(TEXT),
    default="obelix",
    show_default=True,
    help="fast, balanced, stringent or obelix.",
)
@of_request("--temperatures", "temperatures_K")
@of_request("--seeds")
@of_request("--time-ps")
@of_request("--equilibration-ps")
@of_request("--timestep-fs")
@of_request("--sample-every")
@of_request("--min-width-A")
@of_request("--target-relative-error")
@of_request("--max-time-ps")
@of_request("--potential")
@of_request("--model")
@of_request("--device")
@of_request("--kpoints")
@of_request("--processes")
@of_request("--threads")
@of_request("--walltime-s")
@of_request("--job-options")
@of_request("--fit-code", metavar="CODE")
@click.option("--overrides", type=SettingType(TEXT), help="YAML file with changes to the protocol.")
@of_request("--group")
@of_request("--reference", metavar="ENGINE")
@of_request("--fresh")
@click.option("--dry-run", is_flag=True, help="Check everything and show what would run.")
@click.option("--wait", is_flag=True, help="Wait until everything is done, then print the scores.")
@profile_option
def obelix_command(
    selected: tuple[str, ...],
    source: Path | None,
    engines: tuple[str, ...],
    profile: str | None,
    dry_run: bool,
    wait: bool,
    plans: dict[str, Any],
    **options: Any,
) -> None:
    """Compute crystals of OBELiX, each linked to its measurement.

    Repeat the command to continue: existing and running results are left alone; what is missing or failed is
    submitted. The public structure files carry noise on purpose, so the ions are always relaxed first. Crystals with
    partly occupied sites are ordered first, and their result is pooled over at most --orderings ordered cells; one
    where mobile ions alone are disordered. With --dry-run and no engine a table says what becomes of each crystal: the
    cell, its deviations from the stated composition, or why it is refused.

    \b
    Example:
      aiida-ion benchmark obelix --select all --dry-run --format csv
      aiida-ion benchmark obelix --select paper --engine sevenn --engine mace --dry-run
      aiida-ion benchmark obelix --select gvd,mdp --engine sevenn --protocol fast --group trial
    """
    if not engines:
        if not dry_run:
            raise click.UsageError("give at least one --engine; --dry-run alone shows how each crystal is treated")
        return print_plans(source, selected, **plans)
    loaded = load(profile)
    from aiida_ion.campaigns.expected_cost import in_all
    from aiida_ion.campaigns.obelix.materials import materials_of
    from aiida_ion.campaigns.obelix.tasks import (
        DONE,
        default_folder,
        open_tasks,
        store_and_link,
        tasks_of,
    )
    from aiida_ion.campaigns.plans import submit_plans
    from aiida_ion.cli.text.benchmark.tasks import note_lines, task_rows
    from aiida_ion.cli.text.tables import text_table
    from aiida_ion.datasets.obelix import read_obelix
    from aiida_ion.datasets.obelix_crystals import select
    from aiida_ion.datasets.obelix_download import download
    from aiida_ion.queries import cost

    entries = read_obelix(source or download(default_folder()))
    words = [word.strip() for part in selected for word in part.split(",")]
    settings = ordering_of_plans(plans)
    materials, refused = materials_of(select(entries, words), settings)
    for line in refused:
        click.echo(f"REFUSED {line}", err=True)
    if not materials:
        raise click.ClickException("none of these entries can be simulated; see above")
    unfit: list[str] = []
    ordering = {"max_atoms": settings.max_atoms}
    request = RunRequest.from_options(**options, as_comparison=True, ordering_settings=ordering)
    tasks, costs = tasks_of(materials, engines, request, unfit), cost()
    for line in unfit:
        click.echo(f"REFUSED {line}", err=True)
    materials = list({task.material.name: task.material for task in tasks}.values())
    todo = open_tasks(tasks)
    click.echo(text_table(task_rows(tasks, costs)))
    for line in note_lines(tasks):
        click.echo(f"NOTE {line}", err=True)
    missing = [task.plan for task in todo if task.state != DONE]
    if missing:
        click.echo(in_all(missing, costs))
    if dry_run:
        click.echo("Nothing was submitted (--dry-run).")
        return None
    if todo:
        require_daemon(loaded)
    click.echo(f"{len(materials)} crystals, {store_and_link(materials)} new links to measurements")
    suffix = f" -p {profile}" if profile else ""
    if not todo:
        click.echo(
            f"Nothing to submit: everything is in the database or running. Next: aiida-ion benchmark score{suffix}"
        )
        return None
    ((title, pk),) = submit_plans([task.plan for task in todo], request)
    click.echo(f"Submitted {title}: {pk}")
    if wait:
        _wait(pk)
        return None
    return click.echo(f"Next: aiida-ion status --watch{suffix}, then aiida-ion benchmark score{suffix}")


def _wait(pk: int) -> None:
    from aiida_ion.campaigns.obelix.scores import scored
    from aiida_ion.cli.text.benchmark.scores import render
    from aiida_ion.cli.text.live import watch

    watch([pk])
    click.echo(render(scored(), "text"))


@command.command("link", cls=OneLineErrors)
@click.argument("entry_id", metavar="ID")
@click.argument("structure", metavar="PK|UUID")
@source_option
@profile_option
def link_command(entry_id: str, structure: str, source: Path | None, profile: str | None) -> None:
    """Link a structure of the database to the entry ID of OBELiX, for example a cell that you ordered.

    Its composition must be that of the entry, within 2 % of the atoms. Results computed from it are then scored.

    \b
    Example:
      aiida-ion benchmark link gvd 1234
    """
    load(profile)
    from aiida_ion.campaigns.obelix.tasks import default_folder, link
    from aiida_ion.campaigns.structures import structure_node
    from aiida_ion.datasets.obelix import read_obelix
    from aiida_ion.datasets.obelix_crystals import select
    from aiida_ion.datasets.obelix_download import download
    from aiida_ion.queries.experiments import experiments

    if Path(structure).is_file():
        raise click.ClickException(f"{structure}: link the node that was computed, by its pk or uuid")
    node = structure_node(structure)
    (entry,) = select(read_obelix(source or download(default_folder())), [entry_id])
    links = experiments().set_index(["structure_uuid", "entry_id"])["uuid"].to_dict()
    is_new = link(node, entry, links.get((node.uuid, entry_id)), from_dataset=False)
    click.echo(f"Structure {node.pk} is {'now' if is_new else 'already'} linked to OBELiX {entry_id}, {entry.formula}")


@command.command("score", cls=OneLineErrors)
@click.option("--format", "style", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@setting(TEXT, "--level-of-theory", "levels", multiple=True, help="Only this level of theory; several for more")
@setting(TEXT, "--group", help="Only crystals and results of this AiiDA group")
@source_option
@profile_option
def score_command(
    style: str,
    output: Path | None,
    levels: tuple[str, ...],
    group: str | None,
    source: Path | None,
    profile: str | None,
) -> None:
    """Print how far computed conductivities are from measured ones, compared with trivial predictors.

    First as the benchmark paper scores: each level of theory on what it has, a bound as its number, all materials and
    those that passed its check. Then as it should be done: on the materials that all levels have, bounds as bounds,
    with the coverage of the intervals and rank correlations. With --source a random forest learns from all the other
    compositions of OBELiX.

    \b
    Example:
      aiida-ion benchmark score
      aiida-ion benchmark score --format markdown --output score.md
    """
    load(profile)
    from aiida_ion.campaigns.obelix.scores import scored
    from aiida_ion.cli.text.benchmark.scores import render
    from aiida_ion.datasets.obelix import read_obelix

    require_group(group)
    content = render(scored(levels, group, read_obelix(source) if source else None), style)
    if output is None:
        click.echo(content)
        return
    output.write_text(content + "\n")
    click.echo(f"Written: {output}")
