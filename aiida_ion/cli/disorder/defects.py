"""``aiida-ion defects``: cells of an ordered crystal with vacancies, interstitials, pairs or dopants."""

from __future__ import annotations

from typing import Any

import click

from aiida_ion.analysis.defects.settings import DefectSettings
from aiida_ion.cli.common import OneLineErrors, load, profile_option, require_daemon
from aiida_ion.cli.options import TEXT, JsonObject, SettingType, setting
from aiida_ion.cli.request_options import of_request
from aiida_ion.engines.requests import JobRequest
from aiida_ion.messages import one_line
from aiida_ion.settings.elements import Element
from aiida_ion.settings.lists import Many
from aiida_ion.settings.rules import Number
from aiida_ion.settings.schema import rules_of

RULES = rules_of(DefectSettings)
ELEMENTS = Many(item=Element(), distinct=True)
CONCENTRATIONS = Many(item=Number(above=0.0, most=0.5), distinct=True, help="Carriers for each site of the mobile ion")
#: Options that say how cells are relaxed.
OF_ENGINES = ("relaxation", "threads", "walltime_s", "job_options")
#: Option -> setting of the same meaning.
SETTINGS = {"n_members": "n_members", "max_atoms": "max_atoms"}


@click.command("defects", cls=OneLineErrors)
@click.argument("crystal", type=SettingType(TEXT), metavar="FILE|PK|UUID")
@setting(ELEMENTS, "--vacancy", help="Ions taken away without compensation, such as Li")
@setting(ELEMENTS, "--interstitial", help="Ions added without compensation, such as Li")
@setting(ELEMENTS, "--frenkel", help="Pairs of a vacancy and an interstitial, such as Li")
@click.option("--schottky", multiple=True, metavar="FORMULA", help="Vacancies of a neutral formula, such as LiCl.")
@click.option(
    "--dopant", multiple=True, metavar="HOST:DOPANT", help="Such as Ti:Al, with the carriers that balance its charge."
)
@setting(CONCENTRATIONS, "--concentration", also=f", such as 0.02,0.05  [default: {DefectSettings().concentration:g}]")
@setting(RULES["n_members"], "--n", "n_members", also=f"  [default: {DefectSettings().n_members}]")
@setting(RULES["max_atoms"], "--max-atoms", also=f"  [default: {DefectSettings().max_atoms}]")
@click.option("--mobile-species", type=SettingType(Element()), help="Mobile ion of dopants.  [default: guessed]")
@click.option("--settings", type=JsonObject(), help='Other settings, such as {"oxidation_states": {"V": 3}}.')
@click.option("--engine", type=SettingType(TEXT), help="Engine whose potential relaxes the cells, for their energies.")
@click.option("--relaxation", type=JsonObject(), help='Of the cells, such as {"max_steps": 500}.')
@of_request("--threads", also="  [default: the engine's]")
@of_request("--walltime-s", also=" that relaxes; another one continues")
@of_request("--job-options", also=" of the relaxation")
@of_request("--fit-code", metavar="CODE", also=", such as kinisi@cluster; its Python makes the cells")
@of_request("--force-structure")
@click.option("--dry-run", is_flag=True, help="Print the plan and submit nothing.")
@click.option("--run", "here", is_flag=True, help="Make the cells here and now instead of through the daemon.")
@profile_option
def command(crystal: str, profile: str | None, dry_run: bool, here: bool, **given: Any) -> None:
    """Make cells of an ordered crystal that hold defects, at one or more concentrations.

    Prints for each kind of defect and concentration the cell, how far the concentration in it is from the one asked
    for, what makes the cell neutral, and the inequivalent sites. Each becomes an ensemble of several cells. With an
    engine the cells and the perfect crystal are relaxed in one job, and a Frenkel pair or a Schottky defect of whole
    formula units gets its formation energy.

    \b
    Example:
      aiida-ion defects Li3N.cif --vacancy Li --frenkel Li --concentration 0.02,0.05 --dry-run
      aiida-ion defects Li3N.cif --frenkel Li --max-atoms 80 --engine sevenn
      aiida-ion defects LiTi2P3O12.cif --dopant Ti:Al --concentration 0.1 --run
    """
    loaded = load(profile)
    from aiida_ion.calculations.defects.make import planned_defects
    from aiida_ion.campaigns.defects import DefectRequest, default_mobile_species, plan_lines, settings_of
    from aiida_ion.campaigns.structures import reading_lines, structure_node

    useless = [f"--{name.replace('_', '-')}" for name in OF_ENGINES if given[name] is not None]
    if useless and given["engine"] is None:
        raise click.UsageError(f"{', '.join(useless)} is about the relaxation: give an --engine")
    node = structure_node(crystal, bool(given["force_structure"]))
    chosen = {name: given[option] for option, name in SETTINGS.items() if given[option] is not None}
    request = DefectRequest(
        vacancies=given["vacancy"] or (),
        interstitials=given["interstitial"] or (),
        frenkel=given["frenkel"] or (),
        schottky=given["schottky"],
        dopants=given["dopant"],
        concentrations=given["concentration"] or (),
        settings={**(given["settings"] or {}), **chosen},
    )
    needs_mobile = bool(request.dopants or request.schottky)
    mobile = given["mobile_species"] or (default_mobile_species(node, request) if needs_mobile else "Li")
    kinds = settings_of(request, mobile)
    for line in reading_lines(node):
        click.echo(line)
    # All of them are planned before the first is submitted.
    for settings in kinds:
        click.echo("\n".join(plan_lines(planned_defects(node, settings.to_dict()))))
    builders = [_builder(node, settings, given) for settings in kinds]
    if dry_run:
        click.echo("Nothing was submitted (--dry-run).")
        return
    if not here:
        require_daemon(loaded)
    _start(builders, here, f" -p {profile}" if profile else "")


def _builder(node: Any, settings: DefectSettings, given: dict[str, Any]) -> Any:
    """Return the job that makes the cells, or with an engine the work chain that also relaxes them."""
    from aiida_ion.campaigns.defects import energies_builder, making_builder

    if given["engine"] is None:
        return making_builder(node, settings, given["fit_code"])
    jobs = JobRequest(**{name: given[name] for name in ("threads", "walltime_s", "job_options")})
    return energies_builder(node, settings, given["engine"], given["relaxation"] or {}, given["fit_code"], jobs)


def _start(builders: list[Any], here: bool, suffix: str) -> None:
    from aiida.common.log import override_log_level
    from aiida.engine import run_get_node, submit

    from aiida_ion.cli.disorder.defect_lines import defect_lines
    from aiida_ion.exit_codes import is_usable

    for builder in builders:
        label = builder.metadata.label
        if not here:
            pk = submit(builder).pk
            click.echo(f"Submitted {label}: {pk}")
            click.echo(f"Next: aiida-ion status {pk}{suffix}; then aiida-ion show {pk}{suffix}")
            continue
        with override_log_level():
            process = run_get_node(builder)[1]
        if not is_usable(process.exit_status):
            message = one_line(process.exit_message or process.process_state)
            raise click.ClickException(f"{label}: the process {process.pk} failed: {message}")
        click.echo(label)
        click.echo("\n".join(defect_lines(process)))
