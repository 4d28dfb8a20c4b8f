"""``aiida-ion import-archive``: results from other people."""

from __future__ import annotations

from pathlib import Path

import click

from aiida_ion.cli.common import OneLineErrors, load, profile_option
from aiida_ion.cli.options import TEXT, setting


@click.command("import-archive", cls=OneLineErrors)
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@setting(
    TEXT, "--group", metavar="LABEL", help="Put its nodes into this group", also="  [default: one that AiiDA names]"
)
@click.option("--dry-run", is_flag=True, help="Check everything and write nothing.")
@profile_option
def command(archive: Path, group: str | None, dry_run: bool, profile: str | None) -> None:
    """Import an archive, after checking that it is whole, readable here and harmless.

    To look at one without importing: aiida-ion dashboard --archive FILE.

    \b
    Example:
      aiida-ion import-archive campaign.aiida --group from-a-colleague
    """
    load(profile)
    from aiida_ion.archives.importing import import_archive

    imported = import_archive(archive, group, dry_run)
    if dry_run:
        click.echo(f"{archive} can be imported")
    elif imported is None:
        click.echo(f"{archive} holds no nodes")
    else:
        click.echo(f"Imported: {imported.count()} nodes, in the group {imported.label!r}")
