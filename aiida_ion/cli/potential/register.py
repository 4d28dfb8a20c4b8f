"""``aiida-ion potential register``: engines of the potentials of a training."""

from __future__ import annotations

from typing import Any

import click

from aiida_ion.campaigns.structures import NODE
from aiida_ion.cli.common import OneLineErrors, load, profile_option
from aiida_ion.cli.options import NAME, SettingType, setting


@click.command("register", cls=OneLineErrors)
@click.argument("training", metavar="TRAINING", type=SettingType(NODE))
@setting(NAME, "--name", required=True, help="Of the first engine; the others of a committee are NAME-2, NAME-3, ...")
@click.option("--replace", is_flag=True, help="Replace engines of these names.")
@click.option("--unaccepted", is_flag=True, help="Register a student, too, whose runs did not survive.")
@profile_option
def command(training: str, name: str, replace: bool, unaccepted: bool, profile: str | None) -> None:
    """Register the potentials of a training or of a student as engines, on the computer that trained them.

    \b
    Example:
      aiida-ion potential register 1300 --name li2o
    """
    load(profile)
    from aiida import orm

    from aiida_ion.campaigns.surrogate_nodes import any_node

    node = any_node(training)
    if isinstance(node, orm.SinglefileData) and node.creator is not None:
        node = node.creator
    if not isinstance(node, orm.ProcessNode):
        raise click.ClickException(f"{training} is not a training")
    register_engines(node, name, replace, unaccepted)


def register_engines(node: Any, name: str, replaces: bool = False, unaccepted: bool = False) -> None:
    """Register the potentials of a training, and say so."""
    from aiida_ion.engines.fitted import is_fitted, register_fitted
    from aiida_ion.engines.trained import register_trained

    fitted = [register_fitted(node, name, replaces, unaccepted)] if is_fitted(node) else []
    for engine in fitted or register_trained(node, name, replaces):
        split, mae = engine.trained["held_out_split"], engine.trained["held_out_force_mae_eV_A"]
        error = f", force MAE {mae:.3f} eV/angstrom on frames for {split}" if mae is not None else ""
        click.echo(f"Registered: {engine.code.full_label}{error}")
        if engine.potential.get("trusted_sha256"):
            where = engine.code.computer.label
            click.echo(f"  its file runs code when it is loaded; trusted, as made by a job of this profile on {where}")
    click.echo(f"Next: aiida-ion engine test {name}")
