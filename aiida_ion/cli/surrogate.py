"""``aiida-ion surrogate``: learn diffusivities from few forces, and predict them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aiida_ion.campaigns.request import RunRequest
from aiida_ion.campaigns.structures import NODE
from aiida_ion.cli.common import OneLineErrors, load, profile_option, require_daemon, require_group
from aiida_ion.cli.options import SEED, TEXT, JsonObject, SettingType, setting
from aiida_ion.cli.request_options import no_relax, of_request
from aiida_ion.cli.table import GRADES
from aiida_ion.engines.requests import COUNT, WALLTIME_S
from aiida_ion.messages import one_line
from aiida_ion.settings.elements import Element
from aiida_ion.settings.lists import Many
from aiida_ion.settings.md import DEVICE
from aiida_ion.settings.rules import Number, Word
from aiida_ion.workchains.protocols.rules import rule_at

if TYPE_CHECKING:
    from aiida_ion.queries import Selection

KINDS = ("displaced", "trajectory", "short_md")
PROTOCOLS = ("baseline", "restricted", "trajectory", "best")
SPLITS = ("material", "chemical_system", "prototype")
MIXABLE = ("level_of_theory", "temperature", "mobile_species")
CODE = "surrogate@localhost"
FOLDS = Number(least=2, most=1000, whole=True)


class OneLineGroup(OneLineErrors, click.Group):
    """A group whose failures are one line."""


@click.group("surrogate", cls=OneLineGroup)
def command() -> None:
    """Train a surrogate on the forces of few configurations, and predict diffusivities with it.

    \b
    Example:
      aiida-ion engine install surrogate
      aiida-ion surrogate dataset --temperature-K 1000 --group learning
      aiida-ion surrogate train 1234 --protocol best --wait
      aiida-ion surrogate predict 1300 Li3N.cif --engine sevenn
    """


@command.command("dataset", cls=OneLineErrors)
@setting(
    rule_at(("target_temperature_K",)),
    "--temperature-K",
    "temperature_K",
    default=1000.0,
    show_default=True,
    help="Temperature of the labels",
)
@setting(Element(), "--element", "elements", multiple=True, help="Only with this element; several: with all of them")
@setting(TEXT, "--material", help="Only this reduced formula, such as Li3N")
@setting(TEXT, "--level-of-theory", help="Only this level of theory, such as 'SevenNet 7net-0'")
@click.option("--grade", "grades", multiple=True, type=click.Choice(GRADES), help="Only this grade; several: any.")
@setting(TEXT, "--from-group", help="Only what this AiiDA group holds: results, work chains or structures")
@setting(COUNT, "--max-materials", help="Maximum number (oldest first)")
@setting(Many(item=Word(choices=MIXABLE), distinct=True), "--allow-mixed", help="Properties that may differ")
@setting(
    Many(item=Word(choices=KINDS), distinct=True),
    "--kinds",
    default="displaced,trajectory,short_md",
    show_default=True,
    help="Kinds of samples",
)
@click.option("--sampling", type=JsonObject(), help='Changes to the samples, such as {"short_md_fs": 2000.0}.')
@setting(SEED, "--seed", default=1, show_default=True, help="Seed of the samples")
@setting(COUNT, "--max-concurrent", help="Maximum number of materials in parallel", also="  [default: the cores here]")
@setting(TEXT, "--group", help="Put work chains and dataset into this AiiDA group")
@click.option(
    "--output", type=click.Path(file_okay=False, path_type=Path), help="Also write the arrays into this folder."
)
@click.option("--dry-run", is_flag=True, help="Show the available materials and the cost of sampling them.")
@profile_option
def dataset_command(
    profile: str | None,
    output: Path | None,
    dry_run: bool,
    **chosen: Any,
) -> None:
    """Sample every simulated material, and put samples and labels into one dataset.

    The labels are diffusion results of the database; the forces come from the potential of the same run. Existing
    samples are reused, so the command can be stopped and repeated.

    \b
    Example:
      aiida-ion surrogate dataset --dry-run
      aiida-ion surrogate dataset --level-of-theory 'SevenNet 7net-0' --element Li --group learning
    """
    loaded = load(profile)
    from aiida import orm

    from aiida_ion.campaigns.queueing import ending_of
    from aiida_ion.campaigns.surrogate_candidates import find_candidates
    from aiida_ion.campaigns.surrogate_sampling import check, gather, sample, sampled_before
    from aiida_ion.cli.text import surrogates as reports

    sampling = {"kinds": chosen["kinds"], "seed": chosen["seed"]} | (chosen["sampling"] or {})
    candidates = find_candidates(_selection(chosen), sampling, chosen["max_materials"])
    if not candidates.candidates:
        reasons = "\n".join(reports.refusals(candidates.refused))
        raise click.ClickException(
            f"no result can be used for training; 'aiida-ion table diffusion' lists all\n{reasons}"
        )
    check(candidates.candidates)
    click.echo("\n".join(reports.describe_candidates(candidates, len(sampled_before(candidates.candidates)))))
    if dry_run:
        for candidate in candidates.candidates:
            click.echo(f"  {candidate.title}")
        click.echo("Nothing was submitted (--dry-run).")
        return
    require_daemon(loaded)
    holder = orm.Group.collection.get_or_create(chosen["group"])[0] if chosen["group"] else None
    chains = sample(candidates.candidates, chosen["max_concurrent"] or os.cpu_count() or 1, click.echo, holder)
    for candidate, chain in zip(candidates.candidates, chains, strict=True):
        if chain is None or not chain.is_finished_ok:
            click.echo(f"  NOTE {candidate.title}: {ending_of(chain)}", err=True)
    node = gather(candidates.candidates, chains, chosen["allow_mixed"] or (), sampling)
    if holder is not None:
        holder.add_nodes([node])
    click.echo("\n".join(reports.describe_dataset(node)))
    if output is not None:
        click.echo("\n".join(f"Written: {path}" for path in reports.write_arrays(node, output)))
    click.echo(f"Next: aiida-ion surrogate train {node.pk}{f' -p {profile}' if profile else ''}")


def _selection(chosen: Mapping[str, Any]) -> Selection:
    """Return the selection of the options.

    :raises click.ClickException: for a group that does not exist.
    """
    from aiida_ion.campaigns.surrogate_candidates import temperatures
    from aiida_ion.queries import Selection

    group = chosen["from_group"]
    require_group(group)
    return Selection(
        elements=chosen["elements"],
        formula=chosen["material"],
        level_of_theory=chosen["level_of_theory"],
        temperature_K=temperatures(chosen["temperature_K"]),
        grades=chosen["grades"],
        group=group,
    )


@command.command("train", cls=OneLineErrors)
@click.argument("dataset", metavar="DATASET", type=SettingType(NODE))
@click.option("--protocol", type=click.Choice(PROTOCOLS), default="best", show_default=True, help="Kind of model.")
@click.option("--settings", type=JsonObject(), help='Changes to the protocol, such as {"n_epochs": 50}.')
@click.option(
    "--split",
    type=click.Choice(SPLITS),
    default="material",
    show_default=True,
    help="What is never on both sides of a split.",
)
@setting(FOLDS, "--folds", default=5, show_default=True, help="Parts of a cross-validation")
@setting(COUNT, "--repeats", default=1, show_default=True, help="Cross-validations")
@click.option("--controls/--no-controls", default=True, help="Also train controls and baselines.")
@click.option("--ablations", is_flag=True, help="Also train the model without each of its parts.")
@setting(SEED, "--seed", default=1, show_default=True, help="Seed of folds and weights")
@setting(DEVICE, "--device", default="cpu", show_default=True, help="Device of the training")
@setting(TEXT, "--code", default=CODE, show_default=True, help="Code that 'aiida-ion engine install' made")
@setting(COUNT, "--threads", default=1, show_default=True, help="Threads of the job")
@setting(WALLTIME_S, "--walltime-s", help="Wall time of the job")
@of_request("--job-options")
@setting(NODE, "--restart-from", metavar="PK|UUID", help="Continue a training that stopped early")
@setting(TEXT, "--group", help="Put the training into this AiiDA group")
@click.option("--wait", is_flag=True, help="Wait until it is done, then print the report.")
@profile_option
def train_command(dataset: str, profile: str | None, group: str | None, wait: bool, **given: Any) -> None:
    """Train a surrogate on a dataset, and judge it by cross-validation against its controls.

    \b
    Example:
      aiida-ion surrogate train 1234 --protocol best --split prototype --wait
      aiida-ion surrogate train 1234 --restart-from 1250 --walltime-s 7200
    """
    loaded = load(profile)
    require_daemon(loaded)
    from aiida import orm
    from aiida.engine import submit

    from aiida_ion.campaigns.surrogate_nodes import dataset_node
    from aiida_ion.cli.surrogate_jobs import train_builder

    job = submit(train_builder(dataset_node(dataset), given))
    if group:
        orm.Group.collection.get_or_create(group)[0].add_nodes([job])
    click.echo(f"Submitted the training: {job.pk}")
    suffix = f" -p {profile}" if profile else ""
    if not wait:
        click.echo(f"Next: aiida-ion status {job.pk} --watch{suffix}; then aiida-ion surrogate show {job.pk}{suffix}")
        return
    _watch(job)
    _show(job)


@command.command("show", cls=OneLineErrors)
@click.argument("node", metavar="MODEL|TRAINING|DATASET|PREDICTIONS", type=SettingType(NODE))
@profile_option
def show_command(node: str, profile: str | None) -> None:
    """Print the report of a training, or what a dataset holds, or predictions.

    \b
    Example:
      aiida-ion surrogate show 1300
    """
    load(profile)
    from aiida_ion.campaigns.surrogate_nodes import any_node

    _show(any_node(node))


@command.command("predict", cls=OneLineErrors)
@click.argument("model", metavar="MODEL", type=SettingType(NODE))
@click.argument("structures", nargs=-1, metavar="[STRUCTURE]...", type=SettingType(TEXT))
@setting(NODE, "--dataset", metavar="PK|UUID", help="Predict the materials of this dataset instead of structures")
@setting(TEXT, "--engine", help="Name of an engine: the potential that computes the forces")
@click.option("--protocol", type=SettingType(TEXT), help="fast, balanced, stringent or obelix  [default: balanced]")
@of_request("--potential")
@setting(TEXT, "--model-of-engine", help="ASE engines: another model than the engine's own")
@of_request("--device")
@of_request("--min-width-A")
@no_relax
@click.option("--skip-bad", is_flag=True, help="Predict the crystals that can be sampled, and list the others.")
@of_request("--mobile-species")
@of_request("--charges")
@setting(TEXT, "--code", default=CODE, show_default=True, help="Code that 'aiida-ion engine install' made")
@setting(COUNT, "--threads", help="Threads of each job", also="  [default: the engine's]")
@of_request("--job-options")
@setting(COUNT, "--max-concurrent", help="Maximum number of materials in parallel", also="  [default: the cores here]")
@of_request("--group")
@profile_option
def predict_command(
    model: str,
    structures: tuple[str, ...],
    dataset: str | None,
    engine: str | None,
    model_of_engine: str | None,
    skip_bad: bool,
    code: str,
    max_concurrent: int | None,
    profile: str | None,
    **options: Any,
) -> None:
    """Predict the diffusivity of each STRUCTURE with a trained MODEL, from the forces of few configurations.

    STRUCTURE is a file (CIF, POSCAR, ...) or the pk or uuid of a StructureData. Ions are relaxed and the cell repeated
    as for a conductivity; the potential should be the one that the model has learnt from.

    \b
    Example:
      aiida-ion surrogate predict 1300 Li3N.cif Li2O.cif --engine sevenn
      aiida-ion surrogate predict 1300 --dataset 1234
    """
    if bool(structures) == bool(dataset):
        raise click.UsageError("give either structures or --dataset")
    if structures and not engine:
        raise click.UsageError("structures need --engine, the potential that computes the forces")
    loaded = load(profile)
    require_daemon(loaded)
    from aiida.engine import submit

    from aiida_ion.campaigns.surrogate_nodes import dataset_node, model_of
    from aiida_ion.campaigns.surrogate_structures import sample_structures
    from aiida_ion.cli.surrogate_jobs import predict_builder

    trained = model_of(model)
    request = RunRequest.from_options(**options, model=model_of_engine)
    if engine and structures:
        n_parallel = max_concurrent or os.cpu_count() or 1
        node = sample_structures(trained, structures, engine, request, n_parallel, click.echo, skip_bad)
    else:
        node = dataset_node(str(dataset))
    job = submit(predict_builder(trained, node, code, request.jobs, request.engine.device))
    click.echo(f"Submitted the prediction: {job.pk}")
    _watch(job)
    _show(job)


def _watch(job: Any) -> None:
    from aiida_ion.cli.text.live import watch

    watch([job.pk])
    if not job.is_finished_ok:
        raise click.ClickException(f"the job {job.pk} failed: {one_line(job.exit_message or job.process_state)}")


def _show(node: Any) -> None:
    from aiida_ion.cli.surrogate_nodes import describe

    click.echo(describe(node))
