"""``aiida-ion table``: every result with its interval."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aiida_ion.cli.common import OneLineErrors, load, profile_option

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("text", "csv", "json", "markdown")


@click.command("table", cls=OneLineErrors)
@click.option("--format", "style", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@click.option("--material", help="Only this reduced formula, such as Li3N.")
@click.option("--level-of-theory", help="Only this level of theory, such as 'SevenNet 7net-0'.")
@profile_option
def command(
    style: str, output: Path | None, material: str | None, level_of_theory: str | None, profile: str | None
) -> None:
    """Print the table of results, with 95 % intervals, or upper bounds where nothing moved.

    csv and json hold every column with its unit in the name.

    \b
    Example:
      aiida-ion table
      aiida-ion table --format csv --output results.csv
    """
    load(profile)
    from aiida_ion.queries import Selection, conductivity, diffusion

    chosen = Selection(formula=material, level_of_theory=level_of_theory)
    content = render(conductivity(chosen), diffusion(chosen), style)
    if output is None:
        click.echo(content)
        return
    output.write_text(content + "\n")
    click.echo(f"Written: {output}")


def render(conductivities: pd.DataFrame, fits: pd.DataFrame, style: str) -> str:
    """Return both tables in one of the four formats."""
    from aiida_ion.cli import tables

    if style == "csv":
        return _csv(conductivities, fits)
    if style == "json":
        return tables.json_text({"conductivity": conductivities, "diffusion": fits})
    layout = "github" if style == "markdown" else "simple"
    heading = "## {}" if style == "markdown" else "{}"
    if conductivities.empty and fits.empty:
        return "No results yet. Start with 'aiida-ion run' or 'aiida-ion import'."
    parts = []
    if not conductivities.empty:
        parts.append(heading.format("Ionic conductivity, extrapolated"))
        parts.append(tables.text_table(tables.conductivity_rows(conductivities), layout))
    if not fits.empty:
        parts.append(heading.format("Diffusion at each temperature"))
        parts.append(tables.text_table(tables.diffusion_rows(fits), layout))
    return "\n\n".join(parts)


def _csv(conductivities: pd.DataFrame, fits: pd.DataFrame) -> str:
    """Return both in one table; the first column says what a row is."""
    import pandas as pd

    from aiida_ion.cli.tables import csv_text

    parts = [conductivities.assign(quantity="conductivity"), fits.assign(quantity="diffusion")]
    both = pd.concat([part.astype(object) for part in parts], ignore_index=True)
    both.insert(0, "quantity", both.pop("quantity"))
    return csv_text(both)
