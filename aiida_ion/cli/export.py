"""``aiida-ion export``: chosen results in one file, to send."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aiida_ion.cli.common import OneLineErrors, load, profile_option

if TYPE_CHECKING:
    from aiida_ion.archives.export import Plan

OUTPUT = click.Path(dir_okay=False, path_type=Path)


@click.command("export", cls=OneLineErrors)
@click.argument("names", nargs=-1, required=True, metavar="GROUP|PK|UUID...")
@click.option("-o", "--output", type=OUTPUT, required=True, help="The file to write.")
@click.option("--no-trajectories", is_flag=True, help="Leave out the frames; their nodes stay, without files.")
@click.option(
    "--no-retrieved", is_flag=True, help="Leave out the files that jobs left; their nodes stay, without files."
)
@click.option("--licence", help="The licence of the data, such as CC-BY-4.0, for the README.")
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and how much.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@profile_option
def command(
    names: tuple[str, ...],
    output: Path,
    no_trajectories: bool,
    no_retrieved: bool,
    licence: str | None,
    overwrite: bool,
    dry_run: bool,
    yes: bool,
    profile: str | None,
) -> None:
    """Write chosen results, with what they came from, to a file that AiiDA alone can read.

    Beside it comes a README with the results, versions, papers to cite and licences, which is also inside.

    \b
    Example:
      aiida-ion export campaign -o campaign.aiida --dry-run
      aiida-ion export 1234 1240 -o two-results.aiida --no-retrieved --licence CC-BY-4.0
    """
    if output.exists() and not overwrite:
        raise click.ClickException(f"{output} exists: name another file, or give --overwrite")
    load(profile)
    from aiida_ion.archives.export import export, plan

    planned = plan(names, trajectories=not no_trajectories, retrieved=not no_retrieved)
    click.echo(said(planned))
    if dry_run:
        return
    if not yes:
        click.confirm(f"Write {output}?", default=True, abort=True)
    beside = export(planned, output, licence, overwrite)
    click.echo(f"Written: {output} ({size(output.stat().st_size)}), and {beside.name} beside it")


def said(planned: Plan) -> str:
    """Return what an export holds and weighs."""
    sizes, choice = planned.sizes, planned.choice
    lines = [f"{len(choice.pks)} nodes with {sizes.n_files} files: {size(sizes.kept)} before compression"]
    for what, weight, pks, option in (
        ("trajectories", sizes.trajectories, choice.trajectories, "--no-trajectories"),
        ("files that jobs left", sizes.retrieved, choice.retrieved, "--no-retrieved"),
    ):
        if pks and pks <= planned.left_out:
            lines.append(f"  left out: {what}, {size(weight)}")
        elif weight:
            lines.append(f"  of that {what}: {size(weight)} ({option} leaves them out)")
    return "\n".join(lines)


def size(n_bytes: float) -> str:
    """Return a number of bytes as people say it."""
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 1000:
            return f"{n_bytes:.3g} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.3g} TB"
