"""``aiida-ion potential train``: from a dataset to potentials."""

from __future__ import annotations

from typing import Any

import click

from aiida_ion.campaigns.structures import NODE
from aiida_ion.cli.common import OneLineErrors, load, profile_option, require_daemon
from aiida_ion.cli.options import NAME, SEED, TEXT, JsonObject, SettingType, setting
from aiida_ion.cli.request_options import of_request
from aiida_ion.engines.requests import COUNT, WALLTIME_S
from aiida_ion.messages import one_line
from aiida_ion.settings.md import DEVICE
from aiida_ion.settings.rules import Number
from aiida_ion.training.families import FAMILIES, PROTOCOLS

MEMBERS = Number(least=1, most=20, whole=True)


@click.command("train", cls=OneLineErrors)
@click.argument("dataset", metavar="DATASET", type=SettingType(NODE))
@click.option("--family", type=click.Choice(list(FAMILIES)), required=True, help="Family of potentials.")
@click.option(
    "--protocol",
    type=click.Choice(PROTOCOLS),
    help="finetune continues a parent; scratch starts from random weights; student does so with a small, fast model; "
    "test only shows that it works  [default: finetune with --from, else scratch].",
)
@setting(TEXT, "--from", "parent", metavar="ENGINE|PK|FILE", help="Parent: an engine, a training, a file of weights")
@setting(MEMBERS, "--committee", default=1, show_default=True, help="Number of potentials, which differ by seed")
@setting(SEED, "--seed", default=1, show_default=True, help="Seed of the first; the others have the next ones")
@click.option("--settings", type=JsonObject(), help='Changes to the protocol, such as {"n_epochs": 50}.')
@setting(TEXT, "--engine", help="Engine whose Python trains", also="  [default: that of the family]")
@setting(DEVICE, "--device", default="cpu", show_default=True, help="Device of the training")
@click.option("--dtype", type=click.Choice(["float32", "float64"]), help="Precision  [default: the family's own].")
@setting(NAME, "--name", help="With --wait: register engines of this name, NAME-2, ...")
@setting(COUNT, "--threads", default=1, show_default=True, help="Threads of each training")
@setting(WALLTIME_S, "--walltime-s", help="Wall time of each training; near its end the best epoch is kept")
@of_request("--job-options")
@setting(TEXT, "--group", help="Put the training into this AiiDA group")
@click.option("--dry-run", is_flag=True, help="Check everything and show what would run.")
@click.option("--wait", is_flag=True, help="Wait until it is done, then print the report.")
@profile_option
def command(
    dataset: str, profile: str | None, name: str | None, group: str | None, dry_run: bool, wait: bool, **given: Any
) -> None:
    """Train a potential on a dataset, or a committee of them, and judge it on frames that it was not trained on.

    Energies are trained relative to one constant for each element, which the finished potential has again, so that
    the zero of energy of DFT and parent may differ. The finished file is evaluated as molecular dynamics does.

    \b
    Example:
      aiida-ion potential train 1234 --family sevenn --from sevenn --committee 3 --name li2o --wait
      aiida-ion potential train 1234 --family allegro --protocol student --name li2o-fast --wait
    """
    if name is not None and not wait:
        raise click.UsageError("--name registers when the training is done: add --wait, or register it later")
    loaded = load(profile)
    from aiida import orm
    from aiida.engine import submit

    from aiida_ion.cli.potential.training import training_builder

    given["protocol"] = given["protocol"] or ("finetune" if given["parent"] else "scratch")
    builder = training_builder(dataset, given)
    for line in plan_lines(builder):
        click.echo(line)
    if dry_run:
        click.echo("Nothing was submitted (--dry-run).")
        return
    require_daemon(loaded)
    node = submit(builder)
    if group:
        orm.Group.collection.get_or_create(group)[0].add_nodes([node])
    suffix = f" -p {profile}" if profile else ""
    click.echo(f"Submitted the training: {node.pk}")
    if not wait:
        click.echo(f"Next: aiida-ion status {node.pk} --watch{suffix}")
        click.echo(f"Then: aiida-ion potential register {node.pk} --name NAME{suffix}")
        return
    _conclude(node, name)


def _conclude(node: Any, name: str | None) -> None:
    from aiida_ion.cli.potential.register import register_engines
    from aiida_ion.cli.text.live import watch
    from aiida_ion.cli.text.training import report_lines

    watch([node.pk])
    if "report" in node.outputs:
        click.echo("\n".join(report_lines(node.outputs.report)))
    if not node.is_finished_ok:
        click.echo(one_line(node.exit_message or node.process_state), err=True)
    if "potentials" not in node.outputs:
        raise click.ClickException(f"the training {node.pk} left no potential")
    if name is not None:
        register_engines(node, name)


def plan_lines(builder: Any) -> list[str]:
    """Return what will be trained, in a few lines."""
    about, parameters = builder.dataset.base.attributes.all, builder.parameters.get_dict()
    counts = ", ".join(f"{about.get(f'n_{split}', 0)} for {split}" for split in ("train", "validation", "test"))
    lines = [
        f"{FAMILIES[parameters['family']].label}, protocol {parameters['protocol']}, {builder.n_members.value} "
        f"potential(s) by {builder.code.full_label}",
        f"frames of {about.get('level_of_theory')}: {counts}",
    ]
    if len(about.get("compositions") or []) == 1:
        lines.append("one composition: the potential will refuse every other, whose zero of energy it does not know")
    if not about.get("has_stress"):
        lines.append("no stress among the labels: pressure and changes of the cell are untrained")
    return lines
