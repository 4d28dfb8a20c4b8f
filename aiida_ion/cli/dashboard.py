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
    from aiida_ion.queries.reading.archives import Archives


PORT = Number(least=0, most=65_535, whole=True)


@click.command("dashboard", cls=OneLineErrors)
@click.option(
    "--archive",
    "archives",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Show this archive instead of a profile; several: all of them together. Nothing is imported.",
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
def command(
    archives: tuple[Path, ...], profile: str | None, host: str, port: int, token: str | None, opens: bool
) -> None:
    """Show every material, result, run and its provenance in a browser; read-only.

    It listens on this machine only and runs until Ctrl-C.

    \b
    Example:
      aiida-ion dashboard
      aiida-ion dashboard --archive lithium-nitride.aiida --port 8051
      aiida-ion dashboard --archive 2025.aiida --archive 2026.aiida
    """
    if archives and profile is not None:
        raise click.UsageError("--archive and --profile exclude each other: an archive needs no profile")
    require_dash()
    from aiida_ion.dashboards import security, server

    source = _source(archives, profile)
    if token is None and not security.is_loopback(host):
        token = security.new_token()
    if not security.is_loopback(host):
        words = "other machines reach this dashboard, unencrypted; whoever has the address below reads everything."
        click.echo(f"Warning: {words}", err=True)
    made = server.make(source, host, port, token)
    address, outside = server.address(made, token), server.outside_address(made, token)

    def ready() -> None:
        click.echo(f"{source.kind.capitalize()} {source.name}, read-only: {address}")
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


def _source(archives: tuple[Path, ...], profile: str | None) -> Source:
    """Load the profile or the archives."""
    from aiida_ion.dashboards.app import Source
    from aiida_ion.dashboards.server import archive_source, archives_source

    if not archives:
        return Source(load(profile).name)
    if len({path.resolve() for path in archives}) == 1:
        from aiida_ion.archives.open import open_archive

        open_archive(archives[0])
        return archive_source(archives[0].name)
    from aiida_ion.archives.several import open_archives

    together = open_archives(archives)
    _tell_of_repeated(together)
    return archives_source(together)


def _tell_of_repeated(together: Archives) -> None:
    """Say how many nodes several archives have, and warn of those that differ."""
    if together.n_repeated:
        nodes = "1 node is" if together.n_repeated == 1 else f"{together.n_repeated:,} nodes are"
        click.echo(f"Note: {nodes} in an earlier archive, too, and shown once", err=True)
    if together.n_different:
        nodes = "1 of them has" if together.n_different == 1 else f"{together.n_different:,} of them have"
        words = f"{nodes} another content there; what the archive named first holds is shown"
        click.echo(f"Warning: {words}: one of the files was changed after it was exported", err=True)
