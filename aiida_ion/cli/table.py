"""``aiida-ion table``: every result with its interval and its origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aiida_ion.cli.common import OneLineErrors, load, profile_option, require_group
from aiida_ion.cli.options import TEXT, setting
from aiida_ion.cli.services.sources import ARCHIVE, SourceTables, joined, read_archives
from aiida_ion.settings.elements import Element
from aiida_ion.settings.rules import Number

if TYPE_CHECKING:
    import pandas as pd

    from aiida_ion.queries import Selection

#: Temperatures of results; imported runs may be hotter than those of this package.
KELVIN = Number(least=0.0, most=1e6, unit="K")
FORMATS = ("text", "csv", "json", "markdown")
#: Functions of `aiida_ion.queries`.
TABLES = (
    *("materials", "runs", "diffusion", "conductivity", "comparison", "cost", "potentials", "trainings"),
    *("screenings", "decisions", "percolation"),
)
DEFAULT = ("conductivity", "diffusion")
GRADES = ("A", "B", "C", "D", "bound")
HEADINGS = {
    "materials": "Materials",
    "runs": "Runs",
    "diffusion": "Diffusion at each temperature",
    "conductivity": "Ionic conductivity, extrapolated",
    "comparison": "Levels of theory against their reference",
    "cost": "Cost of molecular dynamics",
    "potentials": "Potentials and programs",
    "trainings": "Trained potentials",
    "screenings": "Screenings",
    "decisions": "Decisions of screenings",
    "percolation": "Percolation barriers",
}


@click.command("table", cls=OneLineErrors)
@click.argument("names", nargs=-1, type=click.Choice(TABLES), metavar="[TABLE]...")
@click.option("--format", "style", type=click.Choice([*FORMATS, "parquet"]), default="text", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@setting(Element(), "--element", "elements", multiple=True, help="Only with this element; several: with all of them")
@setting(TEXT, "--material", help="Only this reduced formula, such as Li3N")
@setting(TEXT, "--level-of-theory", help="Only this level of theory, such as 'SevenNet 7net-0', or its hash")
@setting(KELVIN, "--min-temperature-K", "min_temperature_K", help="Only this target temperature or above")
@setting(KELVIN, "--max-temperature-K", "max_temperature_K", help="Only this target temperature or below")
@click.option("--grade", "grades", multiple=True, type=click.Choice(GRADES), help="Only this grade; several: any.")
@setting(TEXT, "--group", help="Only what this AiiDA group holds: results, work chains or structures")
@click.option("--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), help="Not older, such as 2026-11-21.")
@click.option(
    "--archive",
    "archives",
    multiple=True,
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="Read this .aiida file, not a profile; several: all of them.",
)
@profile_option
def command(
    names: tuple[str, ...],
    style: str,
    output: Path | None,
    archives: tuple[Path, ...],
    profile: str | None,
    **chosen: Any,
) -> None:
    """Print tables of results, with 95 % intervals, or upper bounds where no diffusion was detected.

    TABLE is any of materials, runs, diffusion, conductivity, comparison, cost, potentials, trainings, screenings,
    decisions and percolation; conductivity and diffusion where none is named. csv, json and parquet hold every column
    with its unit in the name, and the uuids of the nodes behind a row; text and markdown the most important ones.

    \b
    Example:
      aiida-ion table
      aiida-ion table materials --element Li --element O --grade A --grade B
      aiida-ion table diffusion --format csv --output fits.csv --min-temperature-K 600
      aiida-ion table conductivity --archive from-a-colleague.aiida
      aiida-ion table --archive 2025.aiida --archive 2026.aiida
    """
    requested = tuple(dict.fromkeys(names)) or DEFAULT
    if style == "parquet" and (len(requested) > 1 or output is None):
        raise click.ClickException("a parquet file holds one table: name one, and give --output")
    if archives and profile is not None:
        raise click.UsageError("--archive and --profile exclude each other: an archive needs no profile")
    sources = (
        read_archives(archives, requested, lambda: _selection(chosen))
        if archives
        else [_of(profile, requested, chosen)]
    )
    if style == "parquet":
        assert output is not None
        _write_parquet(joined(sources)[requested[0]], output)
    else:
        content = render(sources, style)
        if output is None:
            click.echo(content)
            return
        output.write_text(content + "\n", encoding="utf-8")
    click.echo(f"Written: {output}")


def _of(profile: str | None, names: Sequence[str], chosen: Mapping[str, Any]) -> SourceTables:
    """Return the tables of a profile."""
    load(profile)
    from aiida_ion import queries

    selection = _selection(chosen)
    return SourceTables(None, {name: getattr(queries, name)(selection) for name in names})


def _selection(chosen: Mapping[str, Any]) -> Selection:
    """Return the selection of the options.

    :raises click.ClickException: for a group that does not exist.
    """
    from aiida_ion.queries import Selection

    group, since = chosen["group"], chosen["since"]
    require_group(group)
    low, high = chosen["min_temperature_K"], chosen["max_temperature_K"]
    if low is not None and high is not None and low > high:
        raise ValueError(f"--min-temperature-K {low:g} is above --max-temperature-K {high:g}: nothing lies between")
    bounded = low is not None or high is not None
    return Selection(
        elements=chosen["elements"],
        formula=chosen["material"],
        level_of_theory=chosen["level_of_theory"],
        temperature_K=(0.0 if low is None else low, 1e9 if high is None else high) if bounded else None,
        grades=chosen["grades"],
        group=group,
        since=since.astimezone() if isinstance(since, datetime) else None,
    )


def render(sources: Sequence[SourceTables], style: str) -> str:
    """Return the tables of a profile, or of archives, in one of the four text formats."""
    from aiida_ion.cli.text import tables
    from aiida_ion.cli.text.pooled import hidden_members

    if style == "csv":
        return _csv(joined(sources))
    if style == "json":
        return tables.json_text(joined(sources))
    layout, heading = ("github", "## {}") if style == "markdown" else ("simple", "{}")
    parts = []
    for name in sources[0].tables:
        filled = [(source.name, source.tables[name]) for source in sources if not source.tables[name].empty]
        if filled:
            rows = [_named(archive, row) for archive, table in filled for row in tables.rows_of(name, table)]
            parts += [heading.format(HEADINGS[name]), tables.text_table(rows, layout)]
            parts += [words for _, table in filled for words in hidden_members(name, table)]
    return "\n\n".join(parts) or "No results here. Start with 'aiida-ion run' or 'aiida-ion import'."


def _named(archive: str | None, row: Mapping[str, str]) -> dict[str, str]:
    """Return a row with its archive in front, where there are several."""
    return dict(row) if archive is None else {ARCHIVE: archive, **row}


def _csv(tables: Mapping[str, pd.DataFrame]) -> str:
    """Return one table as it is; several one below the other, with their names in the first column."""
    import pandas as pd

    from aiida_ion.cli.text.tables import csv_text

    if len(tables) == 1:
        return csv_text(next(iter(tables.values())))
    parts = [table.astype(object).assign(table=name) for name, table in tables.items()]
    together = pd.concat(parts, ignore_index=True)
    return csv_text(together[["table", *(name for name in together.columns if name != "table")]])


def _write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Write a table as parquet.

    :raises click.ClickException: if pyarrow is not installed.
    """
    plain = table.copy()
    for name in plain.columns:
        if plain[name].dtype == object:
            plain[name] = plain[name].astype(object).where(plain[name].notna(), None)
    try:
        plain.to_parquet(path, index=False)
    except ImportError as error:
        raise click.ClickException("parquet needs pyarrow: pip install 'aiida-ion[export]'") from error
