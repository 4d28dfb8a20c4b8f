"""``aiida-ion export --format h5md`` and ``h5md-nomad``: runs in a format of other programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from aiida_ion.cli.common import size


def write_h5md(
    names: Sequence[str],
    output: Path,
    dialect: str,
    max_frames: int | None,
    trajectory_only: bool,
    overwrite: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Write one file for each run that was fitted."""
    from aiida_ion.archives.h5md_nodes import export_runs, file_names, runs, runs_size

    chosen = runs(names)
    there = [path for path in file_names(chosen, output) if path.exists()]
    if there and not overwrite:
        raise ValueError(f"{there[0]} exists: name another file, or give --overwrite")
    click.echo(f"{len(chosen)} runs, a file each: {size(runs_size(chosen))} before compression")
    if dry_run:
        return
    if not yes:
        click.confirm(f"Write {output if len(chosen) == 1 else f'{len(chosen)} files beside {output}'}?", abort=True)
    for path in export_runs(chosen, output, max_frames, trajectory_only, dialect):
        click.echo(f"Written: {path} ({size(path.stat().st_size)})")
