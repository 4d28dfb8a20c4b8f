"""``aiida-ion potential label``: energies and forces of displaced copies of a crystal, or of frames of runs."""

from __future__ import annotations

from typing import Any

import click

from aiida_ion.campaigns.structures import is_node_name
from aiida_ion.cli.common import OneLineErrors, load, profile_option, require_daemon
from aiida_ion.cli.options import TEXT, SettingType, setting
from aiida_ion.cli.request_options import of_request
from aiida_ion.engines.requests import COUNT, JobRequest
from aiida_ion.messages import one_line
from aiida_ion.settings.schema import rules_of
from aiida_ion.training.generated import GenerateSettings
from aiida_ion.training.picking import PickSettings
from aiida_ion.workchains.md.requests import EngineRequest
from aiida_ion.workchains.outcome import outcome

GENERATE, PICK = rules_of(GenerateSettings), rules_of(PickSettings)
#: Options -> settings: of displaced copies of a crystal, and of frames of runs.
OF_CRYSTAL = {
    "displaced": "n_rattled",
    "strained": "n_strained",
    "smallest_a": "smallest_A",
    "largest_a": "largest_A",
    "strain": "strain",
    "seed": "seed",
}
OF_RUNS = {"spread": "spread", "last": "last"}


@click.command("label", cls=OneLineErrors)
@click.argument("source", type=SettingType(TEXT), metavar="FILE|PK")
@setting(TEXT, "--engine", required=True, help="Name of the engine that labels")
@setting(GENERATE["n_rattled"], "--displaced", also="  [default: 12]")
@setting(GENERATE["n_strained"], "--strained", also="  [default: 12]")
@setting(GENERATE["smallest_A"], "--smallest-A", also="  [default: 0.05]")
@setting(GENERATE["largest_A"], "--largest-A", also="  [default: 0.15]")
@setting(GENERATE["strain"], "--strain", also="  [default: 0.015]")
@setting(GENERATE["seed"], "--seed", help="Seed of the displacements", also="  [default: 1]")
@setting(PICK["spread"], "--spread", help="Frames of each run, evenly spread")
@setting(PICK["last"], "--last", help="Last frames of each run, such as those before an explosion")
@click.option("--protocol", type=SettingType(TEXT), help="Of electrons: fast, balanced, stringent  [default: balanced]")
@of_request("--kpoints")
@setting(COUNT, "--max-concurrent", default=1, show_default=True, help="Single points at a time, of a DFT engine")
@of_request("--job-options")
@setting(TEXT, "--group", help="Put the labels into this AiiDA group")
@click.option("--wait", is_flag=True, help="Wait until it is done.")
@profile_option
def command(source: str, engine: str, profile: str | None, group: str | None, wait: bool, **given: Any) -> None:
    """Label frames with an engine: energies and forces, by DFT as single points.

    A crystal, a FILE or the pk of a structure, is copied with atoms displaced at random and in strained cells; copies
    have its atoms, so give the cell that is to be labelled. Of a conductivity, a run or a trajectory frames are picked.
    The labels are a source of 'aiida-ion potential dataset'.

    \b
    Example:
      aiida-ion potential label Li2O.cif --engine dft --displaced 12 --strained 12 --group dft
      aiida-ion potential label 812 --engine dft --spread 10 --last 4 --group dft
    """
    loaded = load(profile)
    from aiida import orm
    from aiida.engine import submit

    from aiida_ion.campaigns.training.label import LabelRequest, label_engine, labels_builder

    request = LabelRequest(
        engine=engine,
        protocol=given["protocol"],
        changes=EngineRequest(kpoints=given["kpoints"]),
        jobs=JobRequest(job_options=given["job_options"]),
        max_concurrent=given["max_concurrent"],
    )
    crystal, make_frames = _frames(source, given)
    inputs = label_engine(crystal, request)
    require_daemon(loaded)
    frames = make_frames()
    chain = submit(labels_builder(crystal, frames, inputs, f"{frames.get_shape('positions')[0]} labels by {engine}"))
    if group:
        orm.Group.collection.get_or_create(group)[0].add_nodes([chain])
    click.echo(f"Submitted {frames.get_shape('positions')[0]} labels by {engine}: {chain.pk}")
    suffix = f" -p {profile}" if profile else ""
    if not wait:
        click.echo(f"Next: aiida-ion status {chain.pk} --watch{suffix}")
    else:
        _wait(chain)
    click.echo(f"Then: aiida-ion potential dataset {chain.pk} ...{suffix}")


def _frames(source: str, given: dict[str, Any]) -> tuple[Any, Any]:
    """Return the crystal, and a function that stores the frames to label.

    :raises click.UsageError: for options of the other kind of source, or runs of which nothing is picked.
    """
    from aiida import orm

    from aiida_ion.campaigns.structures import structure_node
    from aiida_ion.campaigns.surrogate_nodes import any_node
    from aiida_ion.campaigns.training.label import displaced_frames, picked_frames, runs_of

    node = any_node(source) if is_node_name(source) else None
    if node is None or isinstance(node, orm.StructureData):
        _refuse(given, OF_RUNS, "a run, and this is a crystal")
        crystal, settings = structure_node(source), _settings(given, OF_CRYSTAL)
        GenerateSettings.from_dict(settings)
        return crystal, lambda: displaced_frames(crystal, settings)
    _refuse(given, OF_CRYSTAL, "a crystal, and this is a run")
    settings = _settings(given, OF_RUNS)
    if not any(settings.values()):
        raise click.UsageError("say which frames of the run are labelled: --spread, --last")
    trajectories, crystal = runs_of(node)
    return crystal, lambda: picked_frames(trajectories, settings)


def _settings(given: dict[str, Any], options: dict[str, str]) -> dict[str, Any]:
    return {name: given[option] for option, name in options.items() if given[option] is not None}


def _refuse(given: dict[str, Any], options: dict[str, str], why: str) -> None:
    foreign = [option for option in options if given[option] is not None]
    if foreign:
        raise click.UsageError(f"--{foreign[0].replace('_a', '-A')} is for {why}")


def _wait(chain: Any) -> None:
    """Wait for labels, and say how many there are."""
    from aiida_ion.cli.text.live import watch

    watch([chain.pk])
    if "labels" not in chain.outputs:
        raise click.ClickException(f"no labels: {one_line(outcome(chain))}")
    counts = {node.uuid: node.base.attributes.get("n_frames") for node in chain.outputs.labels.values()}
    click.echo(f"{sum(counts.values())} frames labelled")
    if not chain.is_finished_ok:
        click.echo(one_line(outcome(chain)), err=True)
