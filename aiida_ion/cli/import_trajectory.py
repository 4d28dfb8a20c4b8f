"""``aiida-ion import``: trajectories that were run elsewhere, analysed like our own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aiida_ion.cli.common import OneLineErrors, load, one_line, profile_option, require_daemon
from aiida_ion.cli.options import TEXT, SettingType, setting
from aiida_ion.cli.overrides import of_protocol
from aiida_ion.workchains.protocol_rules import rule_at


@click.command("import", cls=OneLineErrors)
@click.argument("trajectories", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="TRAJECTORY...")
@click.option(
    "--structure",
    type=SettingType(TEXT),
    metavar="FILE|PK",
    help="The simulated cell; needed where the file names no elements.",
)
@of_protocol("--timestep-fs", also="  [default: as a DFT output says]")
@of_protocol("--sample-every", also="  [default: 1 for a DFT output]")
@setting(
    rule_at(("target_temperature_K",)),
    "--temperature-K",
    "temperature_K",
    help="Temperature of the run",
    also="  [default: likewise]",
)
@click.option(
    "--level-of-theory", type=SettingType(TEXT), help="What made the forces, such as PBE  [default: likewise]"
)
@of_protocol("--equilibration-ps", default=0.0, show_default=True)
@of_protocol("--mobile-species", also="  [default: guessed]")
@of_protocol("--charges", also=", such as Li=1,N=-3  [default: guessed]")
@click.option(
    "--format",
    "file_format",
    type=SettingType(TEXT),
    help="xdatcar, vasprun, pw-out, extxyz, traj or lammps-dump  [default: recognised]",
)
@click.option("--run", "here", is_flag=True, help="Fit here and now instead of by the daemon.")
@profile_option
def command(trajectories: tuple[Path, ...], profile: str | None, here: bool, **given: Any) -> None:
    """Store a trajectory that was run elsewhere, and fit its diffusion.

    XDATCAR, vasprun.xml, outputs of pw.x, extxyz, ASE .traj and LAMMPS dumps are read, the text ones also as .gz; of a
    DFT run the folder will do. Several are consecutive segments of one run. Wrapped positions are unwrapped.

    \b
    Example:
      aiida-ion import XDATCAR.gz --timestep-fs 2 --sample-every 10 --temperature-K 800 --level-of-theory PBE
      aiida-ion import vasp_run_1 vasp_run_2 --equilibration-ps 2
    """
    loaded = load(profile)
    if not here:
        require_daemon(loaded)
    from aiida_ion.calculations.import_trajectory import import_run
    from aiida_ion.cli.structures import structure_node

    structure = structure_node(given["structure"]) if given["structure"] else None
    run = import_run(
        trajectories, given | {"target_temperature_K": given["temperature_K"]}, structure, given["file_format"]
    )
    builder = _builder(run, given)
    for node in run.thermo:
        node.store()
    for segment in run.segments:
        segment.store()
        shape = segment.get_shape("positions")
        click.echo(f"Stored {segment.label}: trajectory {segment.pk}, {shape[0]} frames of {shape[1]} atoms")
    for remark in run.remarks:
        click.echo(remark, err=remark.startswith("WARNING"))
    _fit(builder, here, f" -p {profile}" if profile else "")


def _builder(run: Any, given: dict[str, Any]) -> Any:
    """Return the inputs of the fit, checked."""
    from aiida import orm
    from aiida.plugins import CalculationFactory

    from aiida_ion.calculations.diffusion import segment_key
    from aiida_ion.calculations.sample import describe_sample
    from aiida_ion.engines.codes import diffusion_code
    from aiida_ion.units import FS_PER_PS
    from aiida_ion.workchains.protocols import protocol_inputs

    facts = run.facts
    sample = describe_sample(run.structure, given["mobile_species"], given["charges"])
    job: Any = CalculationFactory("ion.diffusion")
    builder = job.get_builder()
    builder.code = diffusion_code()
    builder.trajectories = {segment_key(0, index): node for index, node in enumerate(run.segments)}
    builder.thermo = {segment_key(0, index): node for index, node in enumerate(run.thermo)}
    said = {
        "mobile_species": sample.mobile_species,
        "charges": sample.charges,
        "formula": sample.formula,
        "target_temperature_K": facts.target_temperature_K,
        "level_of_theory": facts.level_of_theory,
        "equilibration_fs": given["equilibration_ps"] * FS_PER_PS,
    }
    builder.parameters = orm.Dict(protocol_inputs("conductivity")["diffusion"] | said)
    builder.metadata.label = f"{sample.formula} {facts.level_of_theory} {facts.target_temperature_K:g} K"
    problem = builder._process_spec.inputs.validate(builder._inputs(prune=True))
    if problem is not None:
        raise ValueError(one_line(problem.message))
    return builder


def _fit(builder: Any, here: bool, suffix: str) -> None:
    from aiida.common.log import override_log_level
    from aiida.engine import run_get_node, submit

    if not here:
        pk = submit(builder).pk
        click.echo(f"Submitted the fit: {pk}")
        click.echo(f"Next: aiida-ion status {pk}{suffix}; then aiida-ion show {pk}{suffix}")
        return
    with override_log_level():
        node = run_get_node(builder)[1]
    if not node.is_finished_ok:
        raise click.ClickException(f"the fit {node.pk} failed: {one_line(node.exit_message or node.process_state)}")
    from aiida_ion.cli.describe import describe

    click.echo(describe(node))
