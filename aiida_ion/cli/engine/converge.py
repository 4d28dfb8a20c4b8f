"""``aiida-ion engine converge``: which cut-offs and k-points a crystal needs."""

from __future__ import annotations

import re
from typing import Any

import click

from aiida_ion.cli.common import OneLineErrors, load, profile_option
from aiida_ion.cli.options import SEED, TEXT, JsonObject, SettingType, setting
from aiida_ion.engines.requests import COUNT, JobRequest
from aiida_ion.messages import one_line
from aiida_ion.settings.lists import Many
from aiida_ion.settings.rules import Number

DISPLACEMENT_A = Number(above=0.0, below=1.0, unit="angstrom")
FRAMES = Number(least=0, most=100, whole=True)
MULTIPLES = Many(item=Number(least=0.2, most=5.0), distinct=True, most=20)
SPACINGS = Many(item=Number(least=0.05, most=5.0, unit="1/angstrom"), distinct=True, most=20)
PLACES = Many(item=Number(least=0, most=10**9, whole=True), distinct=True, most=20)
PERCENT = Number(above=0.0, most=100.0, unit="per cent")
_CUTOFFS = re.compile(r"\d+(?:\.\d+)?(?:/\d+(?:\.\d+)?)?")


class CutoffList(click.ParamType):
    """Settings of cut-offs, such as ``30/240,60/480`` or ``400,520``."""

    name = "LIST"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a list of lists of numbers."""
        if isinstance(value, list):
            return value
        words = [word.strip() for word in str(value).split(",")]
        wrong = next((word for word in words if not _CUTOFFS.fullmatch(word)), None)
        if wrong is not None:
            self.fail(f"{wrong!r} is not of the form 60/480 (pw.x, Ry) or 520 (VASP, eV)", param, ctx)
        return [[float(part) for part in word.split("/")] for word in words]


@click.command("converge", cls=OneLineErrors)
@click.argument("name", type=SettingType(TEXT))
@click.argument("structure", type=SettingType(TEXT), metavar="FILE|PK")
@click.option("--cutoffs", type=CutoffList(), help="Cut-offs, such as 30/240,60/480 (Ry; VASP: 400,520, eV).")
@setting(
    MULTIPLES,
    "--multiples",
    help="Multiples of the cut-offs that the pseudopotentials suggest, without --cutoffs",
    also="  [default: 0.5,0.75,1,1.25,1.5]",
)
@setting(SPACINGS, "--k-spacings", help="Spacings of k-points", also="  [default: 1,0.7,0.5,0.35]")
@setting(
    DISPLACEMENT_A, "--displacement-A", default=0.08, show_default=True, help="Random displacement of each component"
)
@setting(FRAMES, "--displaced", default=1, show_default=True, help="Displaced configurations")
@setting(SEED, "--seed", default=1, show_default=True, help="Seed of the displacements")
@setting(TEXT, "--trajectory", metavar="PK|UUID", help="Stored run of the same atoms")
@setting(PLACES, "--frames", help="Frames of it that are configurations, too, counted from 0")
@setting(PERCENT, "--max-force-error", default=2.0, show_default=True, help="Largest difference of forces")
@setting(COUNT, "--max-concurrent", default=1, show_default=True, help="Single points at a time")
@click.option("--job-options", type=JsonObject(), help="Job options of the single points.")
@profile_option
def converge_command(name: str, structure: str, profile: str | None, **given: Any) -> None:
    """Find the cut-offs and the k-points at which forces are converged, by single points of a displaced crystal.

    STRUCTURE is the cell that will be simulated. Cut-offs are scanned on the mesh of the engine, k-points at the
    cut-offs that the pseudopotentials suggest. Forces, energy and pressure are compared with those of the highest
    setting of each scan; the lowest from which on forces stay within --max-force-error per cent is recommended.

    Single points that the database has are not computed again, so an interrupted scan continues with the same command.

    \b
    Example:
      aiida-ion engine converge quantumespresso Li2O.cif
      aiida-ion engine converge quantumespresso Li2O.cif --cutoffs 30/240,60/480,80/640 --k-spacings 1.4,0.7,0.5
    """
    load(profile)
    from aiida_ion.campaigns.structures import structure_node
    from aiida_ion.cli.text.converged import convergence_table
    from aiida_ion.engines.converging import run_scan
    from aiida_ion.engines.engine import load_engine
    from aiida_ion.workchains.convergence.parameters import MULTIPLES as DEFAULT_MULTIPLES
    from aiida_ion.workchains.convergence.parameters import SPACINGS_1_A, Scan

    engine = load_engine(name)
    crystal = structure_node(structure)
    scan = Scan(
        cutoffs=given["cutoffs"] or (),
        multiples=given["multiples"] or DEFAULT_MULTIPLES,
        spacings_1_A=given["k_spacings"] or SPACINGS_1_A,
        displacement_A=given["displacement_a"],
        n_displaced=given["displaced"],
        frames=given["frames"] or (),
        seed=given["seed"],
        max_force_error_percent=given["max_force_error"],
        max_concurrent=given["max_concurrent"],
    )
    click.echo(f"{engine.code.full_label}: single points ...")
    node = run_scan(engine, crystal, scan, given["trajectory"], JobRequest(job_options=given["job_options"]))
    if "convergence" not in node.outputs:
        raise click.ClickException(f"no convergence (work chain {node.pk}): {one_line(node.exit_message)}")
    for line in convergence_table(node.outputs.convergence.get_dict()):
        click.echo(line)
    options = recommended_options(engine.md.single_points, node.outputs.convergence.get_dict())
    if options:
        click.echo(f"Next: aiida-ion engine add {name} ... {options}")
    click.echo(f"Stored: node {node.outputs.convergence.pk}, 'aiida-ion show {node.outputs.convergence.pk}'")


def recommended_options(points: Any, table: dict[str, Any]) -> str:
    """Return the options of `engine add` that give what a table recommends; empty where it recommends nothing."""
    cutoffs, mesh = table.get("recommended_cutoffs"), table.get("recommended_kpoints")
    parts = [points.options(cutoffs)] if cutoffs else []
    parts += [f"--kpoints {','.join(map(str, mesh))}"] if mesh else []
    parts += ["--shift-kpoints"] if mesh and any(table.get("kpoints_shift") or []) else []
    return " ".join(parts)
