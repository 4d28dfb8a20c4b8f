"""``aiida-ion import``: trajectories that were run elsewhere, analysed like runs of this package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aiida_ion.cli.common import OneLineErrors, load, profile_option, require_daemon
from aiida_ion.cli.options import TEXT, SettingType, setting
from aiida_ion.cli.request_options import of_request
from aiida_ion.messages import one_line
from aiida_ion.workchains.protocols.rules import rule_at

#: Frames that a fit needs.
FEWEST_FRAMES = 10


@click.command("import", cls=OneLineErrors)
@click.argument("trajectories", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="TRAJECTORY...")
@click.option(
    "--structure",
    type=SettingType(TEXT),
    metavar="FILE|PK",
    help="The simulated cell; needed where the file names no elements.",
)
@of_request("--timestep-fs", also="  [default: as the file says]")
@of_request("--sample-every", also="  [default: likewise]")
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
@of_request("--equilibration-ps", default=0.0, show_default=True)
@of_request("--mobile-species")
@of_request("--framework-species")
@of_request("--charges")
@click.option(
    "--format",
    "file_format",
    type=SettingType(TEXT),
    help="xdatcar, vasprun, pw-out, extxyz, traj or lammps-dump  [default: recognised]",
)
@click.option(
    "--override-file",
    is_flag=True,
    help="Where options and files disagree, use the options, and the frames as they are  [default: the files]",
)
@of_request("--fit-code", metavar="CODE", also=", such as kinisi@cluster  [default: kinisi@localhost]")
@click.option("--dry-run", is_flag=True, help="Only print what is read; store nothing.")
@click.option("--run", "here", is_flag=True, help="Fit here and now instead of through the daemon.")
@profile_option
def command(trajectories: tuple[Path, ...], profile: str | None, here: bool, dry_run: bool, **given: Any) -> None:
    """Store a trajectory that was run elsewhere, and fit its diffusion.

    XDATCAR, vasprun.xml, outputs of pw.x, extxyz, ASE .traj and LAMMPS dumps are read, the text ones also as .gz or
    .xz; for a DFT run its folder is enough. Several are consecutive segments of one run. Wrapped positions are
    unwrapped. What was read is printed first; where a file and an option disagree, the file wins, with a warning.

    \b
    Example:
      aiida-ion import XDATCAR.gz --timestep-fs 2 --sample-every 10 --temperature-K 800 --level-of-theory PBE
      aiida-ion import vasp_run_1 vasp_run_2 --equilibration-ps 2
    """
    loaded = load(profile)
    if not here and not dry_run:
        require_daemon(loaded)
    from aiida_ion.calculations.import_trajectory import import_run
    from aiida_ion.campaigns.structures import structure_node

    structure = structure_node(given["structure"], insist=True) if given["structure"] else None
    run = import_run(
        trajectories,
        given | {"target_temperature_K": given["temperature_K"]},
        structure,
        given["file_format"],
        override_file=given["override_file"],
    )
    _print(run)
    if dry_run:
        _check_equilibration(run, given["equilibration_ps"])
        return
    builder = _builder(run, given)
    run.store()
    for segment in run.segments:
        click.echo(f"Stored {segment.label}: trajectory {segment.pk}")
    _fit(builder, here, f" -p {profile}" if profile else "")


def _print(run: Any) -> None:
    """Print what was read, before anything is stored."""
    for report in run.reports:
        click.echo("\n".join(report.lines()))
    for remark in run.remarks:
        click.echo(remark, err=remark.startswith("WARNING"))


def _check_equilibration(run: Any, equilibration_ps: float) -> None:
    """Refuse an equilibration that leaves too little of the run.

    :raises ValueError: naming both.
    """
    from aiida_ion.units import FS_PER_PS

    span_ps = sum(report.n_frames for report in run.reports) * run.facts.interval_fs / FS_PER_PS
    if not 0 <= equilibration_ps < span_ps:
        raise ValueError(
            f"--equilibration-ps must be between 0 and the {span_ps:g} ps of the run, not {equilibration_ps:g}"
        )
    left = int((span_ps - equilibration_ps) * FS_PER_PS / run.facts.interval_fs + 1e-6)
    if left < FEWEST_FRAMES:
        raise ValueError(
            f"{left} frames are left after {equilibration_ps:g} ps of equilibration; {FEWEST_FRAMES} are needed"
        )


def _builder(run: Any, given: dict[str, Any]) -> Any:
    """Return the inputs of the fit, checked."""
    from aiida import orm
    from aiida.plugins import CalculationFactory

    from aiida_ion.aiida_private.builders import validate_builder
    from aiida_ion.calculations.diffusion import segment_key
    from aiida_ion.calculations.sample import describe_sample
    from aiida_ion.engines.fits import diffusion_code, fit_options
    from aiida_ion.units import FS_PER_PS
    from aiida_ion.workchains.protocols import protocol_inputs

    facts = run.facts
    _check_equilibration(run, given["equilibration_ps"])
    sample = describe_sample(run.structure, given["mobile_species"], given["charges"], given["framework_species"])
    job: Any = CalculationFactory("ion.diffusion")
    builder = job.get_builder()
    builder.code = diffusion_code(given["fit_code"])
    if options := fit_options(builder.code):
        builder.metadata.options = options
    builder.trajectories = {segment_key(0, index): node for index, node in enumerate(run.segments)}
    builder.thermo = {segment_key(0, index): node for index, node in enumerate(run.thermo)}
    parameters = {
        "mobile_species": sample.mobile_species,
        "charges": sample.charges,
        "formula": sample.formula,
        "target_temperature_K": facts.target_temperature_K,
        "level_of_theory": facts.level_of_theory,
        "equilibration_fs": given["equilibration_ps"] * FS_PER_PS,
        "remarks": run.remarks,
    }
    if given["framework_species"]:
        parameters["framework_species"] = given["framework_species"]
    builder.parameters = orm.Dict(protocol_inputs("conductivity")["diffusion"] | parameters)
    builder.clean_workdir = True
    builder.metadata.label = f"{sample.formula} {facts.level_of_theory} {facts.target_temperature_K:g} K"
    problem = validate_builder(builder)
    if problem is not None:
        raise ValueError(one_line(problem))
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
    from aiida_ion.cli.text.nodes import describe

    click.echo(describe(node))
