"""``aiida-ion screen bvse``: percolation barriers of the bond valence site energy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from aiida_ion.analysis.energy_maps.bvse_settings import BvseSettings
from aiida_ion.cli.common import OneLineErrors, load, profile_option, require_daemon
from aiida_ion.cli.options import TEXT, Command, JsonObject, SettingType, setting
from aiida_ion.cli.request_options import of_request
from aiida_ion.cli.screen.maps import KEEP_MAP_HELP, map_lines
from aiida_ion.messages import one_line
from aiida_ion.settings.rules import Number
from aiida_ion.settings.schema import rules_of

if TYPE_CHECKING:
    from aiida_ion.campaigns.screening.bvse import BvsePlan

_RULES = rules_of(BvseSettings)
BATCH_SIZE = Number(least=1, most=500, whole=True, help="Crystals in one job")
#: Exit status of a job that was stopped; the crystals that it got to have results.
USABLE = (0, 710)


def _of_settings(option: str, name: str, also: str) -> Callable[[Command], Command]:
    return setting(_RULES[name], option, name, also=also)


@click.command("bvse", cls=OneLineErrors)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...", type=SettingType(TEXT))
@_of_settings("--mobile", "mobile_species", "  [default: the usual mobile ion of the crystals]")
@_of_settings("--charges", "charges", "  [default: from distances, else the composition]")
@_of_settings("--resolution-A", "resolution_A", "  [default: 0.2]")
@click.option("--keep-map", "keep_map", is_flag=True, default=None, help=KEEP_MAP_HELP)
@click.option("--settings", type=JsonObject(), help='Other settings, such as {"radii": "softbv", "bvlain": true}.')
@setting(BATCH_SIZE, "--batch-size", default=200, show_default=True)
@of_request("--fit-code", metavar="CODE", also=", such as kinisi@cluster  [default: that on this machine]")
@click.option("--run", "here", is_flag=True, help="Compute here and now instead of through the daemon.")
@click.option("--dry-run", is_flag=True, help="Check everything and show what would run.")
@profile_option
def command(
    sources: tuple[str, ...],
    settings: dict[str, Any] | None,
    batch_size: int,
    fit_code: str | None,
    here: bool,
    dry_run: bool,
    profile: str | None,
    **options: Any,
) -> None:
    """Compute how easily one ion moves through the rigid framework, from tabulated bond valences.

    SOURCE is a crystal file, a folder of them, the pk or uuid of a StructureData, or the label of a group. The barrier
    of a dimension is the lowest energy at which pathways reach through the whole crystal in as many dimensions. Results
    that are in the database are shown and not computed again: the same command later shows those of the jobs that it
    submitted.

    \b
    Example:
      aiida-ion screen bvse Li3N.cif --run
      aiida-ion screen bvse crystals/ --mobile Na --resolution-A 0.3
      aiida-ion screen bvse Li3N.cif --keep-map --run
      aiida-ion screen bvse LiMn2O4.cif --charges Li=1,O=-2 --run
    """
    loaded = load(profile)
    if not (here or dry_run):
        require_daemon(loaded)
    from aiida_ion.campaigns.screening.bvse import mobile_species_of, plan_bvse
    from aiida_ion.campaigns.screening.materials import find_materials

    given = {name: value for name, value in options.items() if value is not None} | (settings or {})
    BvseSettings.from_dict({"mobile_species": "Li"} | given)
    materials = find_materials(sources)
    for name, reason in materials.refused.items():
        click.echo(f"REFUSED {name}: {reason}", err=True)
    if not materials.crystals:
        raise click.ClickException("there is no crystal to compute")
    if "mobile_species" not in given:
        given["mobile_species"] = mobile_species_of(materials)
    plan = plan_bvse(materials, given, batch_size, fit_code)
    n_left = sum(map(len, plan.names))
    if dry_run:
        click.echo(f"{len(plan.known)} results are known; {n_left} crystals in {len(plan.builders)} jobs are left.")
        click.echo("Nothing was submitted (--dry-run).")
        return
    if here:
        _echo_results(plan.known | _run(plan), given["mobile_species"], bool(given.get("keep_map")))
        return
    _submit(plan, profile)
    if plan.known:
        _echo_results(plan.known, given["mobile_species"], bool(given.get("keep_map")))


def _run(plan: BvsePlan) -> dict[str, Any]:
    """Compute here; return the results by the names of the materials."""
    from aiida.common.log import override_log_level
    from aiida.engine import run_get_node

    results: dict[str, Any] = {}
    for builder, names in zip(plan.builders, plan.names, strict=True):
        with override_log_level():
            job = run_get_node(builder)[1]
        if "results" in job.outputs:
            results |= {names[label]: job.outputs.results[label] for label in job.outputs.results}
        if job.exit_status not in USABLE:
            raise click.ClickException(f"the job {job.pk} failed: {one_line(job.exit_message or job.process_state)}")
    return results


def _submit(plan: BvsePlan, profile: str | None) -> None:
    from aiida.engine import submit

    suffix = f" -p {profile}" if profile else ""
    for builder, names in zip(plan.builders, plan.names, strict=True):
        pk = submit(builder).pk
        click.echo(f"Submitted a job of {len(names)} crystals: {pk}")
        click.echo(f"Next: aiida-ion status {pk}{suffix}; then this command again")


def _echo_results(results: Mapping[str, Any], mobile_species: str, keeps_map: bool) -> None:
    from aiida_ion.cli.text.screenings.bvse import bvse_rows
    from aiida_ion.cli.text.tables import text_table

    click.echo(f"Bond valence site energy of {mobile_species}: percolation barriers in 1, 2 and 3 dimensions, eV")
    click.echo(text_table(bvse_rows({name: node.get_dict() for name, node in results.items()})))
    for line in map_lines(results) if keeps_map else ():
        click.echo(line)
