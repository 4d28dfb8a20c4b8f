"""``aiida-ion potential dataset``: labelled frames of runs and files as one dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from aiida_ion.campaigns.structures import is_node_name
from aiida_ion.cli.common import OneLineErrors, load, profile_option, require_group
from aiida_ion.cli.options import TEXT, SettingType, setting
from aiida_ion.cli.request_options import of_request
from aiida_ion.settings.schema import rules_of
from aiida_ion.training.frames import SPLITS
from aiida_ion.training.settings import ALLOWED, BY_BLOCK, BY_RUN, GIVEN, INTERPOLATED, DatasetSettings
from aiida_ion.workchains.protocols.rules import rule_at

RULES = rules_of(DatasetSettings)
TRAIN, VALIDATION, TEST = SPLITS
#: Options that are settings of the dataset.
SETTINGS = ("stride_fs", "split", "test_temperature_K", "max_frames", "max_force_eV_A", "max_net_force_eV_A", "seed")


@click.command("dataset", cls=OneLineErrors)
@click.argument("sources", nargs=-1, metavar="[PK|UUID|FILE]...")
@click.option("--from-group", "groups", multiple=True, type=SettingType(TEXT), help="All that this AiiDA group holds.")
@setting(RULES["stride_fs"], "--stride-fs")
@click.option(
    "--split",
    type=click.Choice([BY_RUN, BY_BLOCK, INTERPOLATED]),
    help="Whole runs apart, blocks of each run with gaps between, or frames at random, whose errors are those of "
    "frames nearly seen  [default: by_run with three runs or more, else by_block].",
)
@click.option(
    "--validation",
    multiple=True,
    type=SettingType(TEXT),
    metavar="PK|UUID",
    help="What validates, instead of --split; may be repeated. All that --validation and --test leave trains.",
)
@click.option(
    "--test", "tested", multiple=True, type=SettingType(TEXT), metavar="PK|UUID", help="What tests; likewise."
)
@setting(RULES["test_temperature_K"], "--test-temperature-K", "--test-temperature", "test_temperature_K")
@setting(RULES["max_frames"], "--max-frames")
@setting(RULES["max_force_eV_A"], "--max-force-eV-A", "--max-force", "max_force_eV_A")
@setting(RULES["max_net_force_eV_A"], "--max-net-force-eV-A", "max_net_force_eV_A")
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice(ALLOWED),
    help="Accept what is refused: gamma_only (one k-point in a narrow cell), low_cutoffs (below those that "
    "pseudopotentials suggest), k_spacing (runs that differ by more than 20 %), work (energies that are not those "
    "of the forces), energy_zero (runs whose energies have different zeros).",
)
@setting(RULES["seed"], "--seed")
@of_request("--timestep-fs", also=": of FILE  [default: as the file says]")
@of_request("--sample-every", also=": of FILE  [default: likewise]")
@setting(
    rule_at(("target_temperature_K",)),
    "--temperature-K",
    "temperature_K",
    help="Temperature of FILE",
    also="  [default: likewise]",
)
@click.option(
    "--level-of-theory", type=SettingType(TEXT), help="What made the forces of FILE, and of nodes that do not say it."
)
@click.option(
    "--format",
    "file_format",
    type=SettingType(TEXT),
    help="Of FILE: vasprun, pw-out, extxyz or traj  [default: recognised]",
)
@click.option("--independent", is_flag=True, help="Frames of FILE do not follow each other in time (extxyz).")
@setting(TEXT, "--group", help="Put the dataset into this AiiDA group")
@profile_option
def command(
    sources: tuple[str, ...], groups: tuple[str, ...], profile: str | None, group: str | None, **given: Any
) -> None:
    """Choose labelled frames of stored runs, or of files, for training, validation and test.

    A source is a conductivity, a run, a job, a trajectory, labels of ion.forces or another dataset (pk or uuid), or a
    file with energies and forces: extended XYZ, a vasprun.xml, an output of pw.x; also as .gz or .xz. Each file is a
    run of its own and is stored once. Frames are thinned until their forces no longer remember each other; what is
    wrong or twice is left out and counted, and runs that do not belong together are refused.

    \b
    Example:
      aiida-ion potential dataset --from-group dft --test-temperature-K 900
      aiida-ion potential dataset 1234 1240 --stride-fs 100 --max-frames 200
      aiida-ion potential dataset 600K.extxyz.xz --timestep-fs 2 --sample-every 10 --temperature-K 600
        --level-of-theory 'VASP PBE'
    """
    if not sources and not groups:
        raise click.UsageError("name runs or files, or --from-group")
    if (given["validation"] or given["tested"]) and (given["split"] or given["test_temperature_K"]):
        raise click.UsageError("--validation and --test name the splits: leave out --split and --test-temperature-K")
    load(profile)
    from aiida import orm

    from aiida_ion.campaigns.training.make import make_dataset
    from aiida_ion.campaigns.training.stored import gather_sources
    from aiida_ion.cli.text.datasets import dataset_lines

    nodes: list[Any] = []
    for label in groups:
        require_group(label)
        nodes += list(orm.Group.collection.get(label=label).nodes)
        if not nodes:
            raise click.ClickException(f"the group {label!r} is empty")
    gathered = gather_sources(nodes + [_node(name) for name in sources if _is_node(name)])
    for name in sources:
        if not _is_node(name):
            stored = _stored(Path(name), given)
            click.echo("\n".join(stored.lines))
            gathered.add(stored.sources)
    for sentence in gathered.left_out:
        click.echo(f"  left out: {sentence}")
    if not gathered.sources:
        raise click.ClickException("no source has energies and forces")
    settings = {name: given[name] for name in SETTINGS if given[name] is not None}
    settings |= _given_splits(gathered.sources, {VALIDATION: given["validation"], TEST: given["tested"]})
    dataset = make_dataset(gathered.sources, settings | {"allow": list(given["allow"])}, given["level_of_theory"])
    if group:
        orm.Group.collection.get_or_create(group)[0].add_nodes([dataset])
    click.echo("\n".join([f"Dataset {dataset.pk}", *dataset_lines(dataset)]))
    click.echo(f"Next: aiida-ion show {dataset.pk}{f' -p {profile}' if profile else ''}")


def _given_splits(sources: Sequence[Any], named: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the settings that put the sources behind nodes into a split, and all others into training.

    :param named: nodes of each split; without any, the rule of the dataset decides.
    :raises click.ClickException: for a node whose sources are not among those of the dataset.
    """
    from aiida_ion.calculations.training.sources import trajectory_key
    from aiida_ion.campaigns.training.stored import gather_sources

    if not any(named.values()):
        return {}
    numbers = {source.key: number for number, source in enumerate(sources)}
    splits = dict.fromkeys(map(trajectory_key, numbers.values()), TRAIN)
    for split, names in named.items():
        for name in names:
            keys = [source.key for source in gather_sources([_node(name)]).sources]
            if not keys or any(key not in numbers for key in keys):
                raise click.ClickException(f"{name} is for {split}, and is not among the sources")
            taken = [key for key in keys if splits[trajectory_key(numbers[key])] != TRAIN]
            if taken:
                raise click.ClickException(f"{name} is named twice among --validation and --test")
            splits |= {trajectory_key(numbers[key]): split for key in keys}
    return {"split": GIVEN, "splits": splits}


def _is_node(name: str) -> bool:
    return is_node_name(name) and not Path(name).exists()


def _node(name: str) -> Any:
    """Return a node.

    :raises click.ClickException: if there is none.
    """
    from aiida import orm
    from aiida.common.exceptions import MultipleObjectsError, NotExistent

    try:
        return orm.load_node(name)
    except (NotExistent, MultipleObjectsError, ValueError) as error:
        raise click.ClickException(f"there is no node {name}; 'aiida-ion table' lists results") from error


def _stored(path: Path, given: dict[str, Any]) -> Any:
    from aiida_ion.campaigns.training.files import store_file

    if not path.exists():
        raise click.ClickException(f"{path}: neither a file nor the pk or uuid of a node")
    facts = given | {"target_temperature_K": given["temperature_K"]}
    return store_file(path, facts, independent=given["independent"], file_format=given["file_format"])
