"""``aiida-ion carriers``: the conductivity against the concentration of carriers, from runs of cells with defects."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from aiida_ion.analysis.defects.carrier_settings import CarrierSettings
from aiida_ion.cli.common import OneLineErrors, load, profile_option
from aiida_ion.cli.options import TEXT, JsonObject, SettingType, setting
from aiida_ion.settings.schema import rules_of

RULES = rules_of(CarrierSettings)
DEFAULTS = CarrierSettings()
#: Option -> setting.
SETTINGS = {
    "temperature": "target_temperature_K",
    "formation_energy": "formation_energy_eV",
    "formation_energy_error": "formation_energy_error_eV",
    "concentrations": "concentrations",
}


@click.command("carriers", cls=OneLineErrors)
@click.argument("cells", nargs=-1, required=True, metavar="CELLS[:RUN,RUN...]...")
@click.option(
    "--perfect",
    type=SettingType(TEXT),
    metavar="RUN",
    help="Run of the perfect crystal  [default: that of the perfect cell of CELLS, where it was run]",
)
@setting(
    TEXT, "--level", metavar="LEVEL", help="Level of theory of the runs that are looked up", also="  [default: any]"
)
@click.option(
    "--formation", type=SettingType(TEXT), metavar="PK", help="Work chain of `aiida-ion defects --frenkel --engine`."
)
@setting(RULES["formation_energy_eV"], "--formation-energy")
@setting(RULES["formation_energy_error_eV"], "--formation-energy-error")
@setting(RULES["target_temperature_K"], "--temperature", also=f"  [default: {DEFAULTS.target_temperature_K:g}]")
@setting(RULES["concentrations"], "--concentrations", also=", such as 1e-4,1e-3  [default: 1e-4]")
@click.option("--settings", type=JsonObject(), help='Other settings, such as {"migration_energy_eV": 0.3}.')
@click.option("--figure", type=click.Path(path_type=Path), metavar="FILE", help="Draw the conductivities (.html).")
@profile_option
def command(
    cells: tuple[str, ...], profile: str | None, perfect: str | None, figure: Path | None, **given: Any
) -> None:
    """Fit the conductivity against the concentration of carriers, and state conductivities.

    Each argument names the job or work chain that made cells at one concentration. Their runs are looked up, the newest
    of each cell, or named in the order of the cells; or the one run of all of them. At each temperature the power of
    the concentration is fitted that the conductivity grows with, 1 for carriers that do not see each other, and the
    line through the perfect crystal's value, which gives the mobility of a carrier; conductivities are stated for given
    concentrations, for carriers that heat makes, and for both.

    \b
    Example:
      aiida-ion carriers 1201 1202 1203 --figure conductivity.html
      aiida-ion carriers 1201:1310,1311 1202:1320 --perfect 1300 --temperature 300
      aiida-ion carriers 1201:1310,1311 --perfect 1300 --formation 1250 --concentrations 1e-4,1e-3
    """
    check_figure(figure)
    load(profile)
    from aiida_ion.calculations.defects.conductivity import defect_conductivity
    from aiida_ion.campaigns.carriers import carrier_inputs, process_of
    from aiida_ion.cli.disorder.carrier_text import carrier_lines

    chosen = {name: given[option] for option, name in SETTINGS.items() if given[option] is not None}
    if given["formation"] is not None and given["formation_energy"] is not None:
        raise click.UsageError("--formation and --formation-energy both say the formation energy: give one")
    ensembles = dict(_runs_of_cells(text, given["level"]) for text in cells)
    inputs = carrier_inputs(
        perfect=process_of(perfect) if perfect is not None else _perfect_run(list(ensembles), given["level"]),
        ensembles=ensembles,
        settings={**(given["settings"] or {}), **chosen},
        formation=process_of(given["formation"]).outputs.ensemble if given["formation"] is not None else None,
    )
    result = defect_conductivity(**inputs)
    click.echo("\n".join(carrier_lines(result.get_dict())))
    if figure is not None:
        draw(result.get_dict(), figure)
    click.echo(f"Stored as {result.pk}; its origin: aiida-ion show {result.pk}{f' -p {profile}' if profile else ''}")


def _runs_of_cells(text: str, level: str | None) -> tuple[Any, list[Any]]:
    """Return what made cells, and their runs: those that are named, else those of the database."""
    from aiida_ion.campaigns.carriers import process_of, stored_runs

    made, colon, runs = text.partition(":")
    if not made or (colon and not runs):
        raise ValueError(f"{text!r} is not of the form CELLS or CELLS:RUN,RUN, such as 1201:1310,1311")
    cells = process_of(made)
    if colon:
        return cells, [process_of(run) for run in runs.split(",")]
    if "members" not in cells.outputs:
        raise ValueError(f"{cells.pk} made no cells with defects: give the pk of 'aiida-ion defects'")
    return cells, stored_runs(cells, level)


def _perfect_run(made: list[Any], level: str | None) -> Any:
    """Return the run of a perfect cell of what made cells; ``None`` where none was run."""
    from aiida_ion.campaigns.carriers import newest_run

    return newest_run([job.outputs.perfect for job in made if "perfect" in job.outputs], level)


def check_figure(figure: Path | None) -> None:
    """Refuse a figure that cannot be drawn, before anything is fitted.

    :raises ValueError: for another kind of file, a folder that is not there, or without plotly.
    """
    if figure is None:
        return
    if figure.suffix != ".html":
        raise ValueError(f"{figure}: a figure is written as .html")
    if not figure.absolute().parent.is_dir():
        raise ValueError(f"{figure}: there is no folder {figure.absolute().parent}")
    if find_spec("plotly") is None:
        raise ValueError("a figure needs plotly: pip install 'aiida-ion[dashboard]'")


def draw(content: dict[str, Any], figure: Path) -> None:
    """Write the figure of a result."""
    from aiida_ion.dashboards.figures.defects.carriers import carriers_figure
    from aiida_ion.dashboards.figures.theme import LIGHT

    carriers_figure(content, theme=LIGHT).write_html(figure, include_plotlyjs=True)
    click.echo(f"Figure: {figure}")
