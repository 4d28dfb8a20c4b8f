"""``aiida-ion dashboard``: everything in the database, or in an archive, in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aiida_ion.cli.common import OneLineErrors, load, profile_option
from aiida_ion.cli.options import TEXT, setting
from aiida_ion.settings.rules import Number

if TYPE_CHECKING:
    from aiida_ion.dashboards.app import Source


PORT = Number(least=0, most=65_535, whole=True)


@click.command("dashboard", cls=OneLineErrors)
@click.option(
    "--archive",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Show this archive instead of a profile; nothing is imported.",
)
@profile_option
@setting(TEXT, "--host", default="127.0.0.1", show_default=True, help="Address to listen on; any other needs a token")
@setting(PORT, "--port", default=8050, show_default=True, help="0 chooses a free one")
@click.option(
    "--token",
    envvar="AIIDA_ION_TOKEN",
    help="Token that readers need, also from AIIDA_ION_TOKEN  [default: none on this machine, else a new one]",
)
@click.option("--open/--no-open", "opens", default=False, show_default=True, help="Open it in a browser.")
def command(archive: Path | None, profile: str | None, host: str, port: int, token: str | None, opens: bool) -> None:
    """Show every material, result, run and its provenance in a browser; read-only.

    It listens on this machine only and runs until Ctrl-C.

    \b
    Example:
      aiida-ion dashboard
      aiida-ion dashboard --archive lithium-nitride.aiida --port 8051
    """
    if archive is not None and profile is not None:
        raise click.UsageError("--archive and --profile exclude each other: an archive needs no profile")
    require_dash()
    from aiida_ion.dashboards import security, server

    source = _source(archive, profile)
    if token is None and not security.is_loopback(host):
        token = security.new_token()
    if not security.is_loopback(host):
        words = "other machines reach this dashboard, unencrypted; whoever has the address below reads everything."
        click.echo(f"Warning: {words}", err=True)
    made = server.make(source, host, port, token)
    address, outside = server.address(made, token), server.outside_address(made, token)

    def ready() -> None:
        click.echo(f"{'Archive' if source.is_archive else 'Profile'} {source.name}, read-only: {address}")
        if outside is not None:
            click.echo(f"From other machines: {outside}")
        click.echo("Ctrl-C ends it.")
        if opens:
            click.launch(address)

    server.serve(made, ready)


def require_dash() -> None:
    """Fail if the packages of the dashboard are missing.

    :raises click.ClickException: with the command that installs them.
    """
    try:
        import dash
        import dash_ag_grid
        import plotly
    except ImportError as error:
        raise click.ClickException(f"{error.name} is missing: pip install 'aiida-ion[dashboard]'") from error
    del dash, dash_ag_grid, plotly


def _source(archive: Path | None, profile: str | None) -> Source:
    """Load the profile or the archive."""
    from aiida_ion.dashboards.app import Source
    from aiida_ion.dashboards.server import archive_source

    if archive is None:
        return Source(load(profile).name)
    from aiida_ion.archives.open import open_archive

    open_archive(archive)
    return archive_source(archive.name)
