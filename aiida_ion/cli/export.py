"""``aiida-ion export``: chosen results in one file, to send."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aiida_ion.cli.common import OneLineErrors, load, profile_option, size
from aiida_ion.cli.options import TEXT, SettingType, setting
from aiida_ion.settings.rules import Number

if TYPE_CHECKING:
    from aiida_ion.archives.export import ExportPlan

FORMATS = ("aiida", "h5md", "h5md-nomad")
FRAMES = Number(least=2, most=10**9, whole=True)
OUTPUT = click.Path(dir_okay=False, path_type=Path)


@click.command("export", cls=OneLineErrors)
@click.argument("names", nargs=-1, required=True, metavar="GROUP|PK|UUID...", type=SettingType(TEXT))
@click.option("-o", "--output", type=OUTPUT, required=True, help="The file to write.")
@click.option("--format", "style", type=click.Choice(FORMATS), default="aiida", show_default=True)
@click.option("--no-trajectories", is_flag=True, help="Leave out the frames; their nodes stay, without files.")
@click.option(
    "--no-retrieved", is_flag=True, help="Leave out the retrieved files of jobs; their nodes stay, without files."
)
@click.option(
    "--no-potentials",
    is_flag=True,
    help="Leave out the files of trained potentials and of checkpoints; their nodes stay, without files.",
)
@setting(TEXT, "--licence", help="The licence of the data, such as CC-BY-4.0, for the README")
@setting(FRAMES, "--max-frames", help="h5md: thin each run to this many frames")
@click.option("--trajectory-only", is_flag=True, help="h5md: positions and cells only.")
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and its size.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@profile_option
def command(
    names: tuple[str, ...],
    output: Path,
    style: str,
    no_trajectories: bool,
    no_retrieved: bool,
    no_potentials: bool,
    licence: str | None,
    max_frames: int | None,
    trajectory_only: bool,
    overwrite: bool,
    dry_run: bool,
    yes: bool,
    profile: str | None,
) -> None:
    """Write selected results, with their provenance, to a file that AiiDA alone can read.

    A README with the results, versions, papers to cite and licences is written beside it and into it.
    `--format h5md` writes each run that was fitted as H5MD, for MDAnalysis and others; `h5md-nomad` as NOMAD reads
    it, with radial distributions, MSD and diffusivities.

    \b
    Example:
      aiida-ion export campaign -o campaign.aiida --dry-run
      aiida-ion export 1234 1240 -o two-results.aiida --no-retrieved --licence CC-BY-4.0
      aiida-ion export 1234 -o li3n.h5 --format h5md
    """
    if output.exists() and not overwrite:
        raise click.ClickException(f"{output} exists: name another file, or give --overwrite")
    if style == "aiida" and (max_frames or trajectory_only):
        raise click.UsageError("--max-frames and --trajectory-only are for --format h5md and h5md-nomad")
    if style != "aiida" and (no_trajectories or no_retrieved or no_potentials or licence):
        raise click.UsageError(
            "--no-trajectories, --no-retrieved, --no-potentials and --licence are for --format aiida"
        )
    load(profile)
    if style != "aiida":
        from aiida_ion.cli.export_h5md import write_h5md

        write_h5md(names, output, style, max_frames, trajectory_only, overwrite, dry_run, yes)
        return
    from aiida_ion.archives.export import export, plan

    planned = plan(names, not no_trajectories, not no_retrieved, not no_potentials)
    click.echo(size_text(planned))
    if dry_run:
        return
    if not yes:
        click.confirm(f"Write {output}?", default=True, abort=True)
    beside = export(planned, output, licence, overwrite)
    click.echo(f"Written: {output} ({size(output.stat().st_size)}), and {beside.name} beside it")


def size_text(planned: ExportPlan) -> str:
    """Return the content and the size of an export."""
    sizes, choice = planned.sizes, planned.choice
    lines = [f"{len(choice.pks)} nodes with {sizes.n_files} files: {size(sizes.kept)} before compression"]
    for what, weight, pks, option in (
        ("trajectories", sizes.trajectories, choice.trajectories, "--no-trajectories"),
        ("files that jobs left", sizes.retrieved, choice.retrieved, "--no-retrieved"),
        ("files of potentials", sizes.potentials, choice.potentials, "--no-potentials"),
    ):
        if pks and pks <= planned.left_out:
            lines.append(f"  left out: {what}, {size(weight)}")
        elif weight:
            lines.append(f"  of that {what}: {size(weight)} ({option} leaves them out)")
    return "\n".join(lines)
