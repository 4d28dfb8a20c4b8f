"""``aiida-ion screen run``: materials through stages, from cheap to dear."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from aiida_ion.campaigns.screening.request import ScreenRequest, plan_of
from aiida_ion.cli.common import OneLineErrors, load, profile_option, require_daemon
from aiida_ion.cli.options import TEXT, Command, SettingType, setting
from aiida_ion.settings.schema import rules_of

if TYPE_CHECKING:
    from aiida_ion.campaigns.screening.materials import Materials
    from aiida_ion.campaigns.screening.processes import StagePlan

_RULES = rules_of(ScreenRequest)
#: Field -> end of its help.
_ALSO = {
    "protocol": "  [default: li-conductors]",
    "mobile_species": "  [default: that of the protocol]",
    "stages": ", such as gate,bvse",
    "engine": ", such as sevenn; without it they are left out",
    "dft": ", such as quantumespresso; without it they are left out",
}
REFUSED_SHOWN = 10


def _of_request(field: str) -> Callable[[Command], Command]:
    option = "--mobile" if field == "mobile_species" else f"--{field.replace('_', '-')}"

    def decorate(command: Command) -> Command:
        return setting(_RULES[field], option, field, also=_ALSO.get(field, ""))(command)

    return decorate


@click.command("run", cls=OneLineErrors)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...", type=SettingType(TEXT))
@_of_request("protocol")
@_of_request("engine")
@_of_request("dft")
@_of_request("mobile_species")
@_of_request("stages")
@_of_request("max_materials")
@_of_request("max_concurrent")
@_of_request("batch_size")
@_of_request("overrides")
@_of_request("label")
@click.option("--dry-run", is_flag=True, help="Check everything and show what would run.")
@click.option("--wait", is_flag=True, help="Wait until everything is done.")
@profile_option
def command(sources: tuple[str, ...], profile: str | None, dry_run: bool, wait: bool, **options: Any) -> None:
    """Screen materials stage by stage; each stage decides which go on to the next.

    SOURCE is a crystal file, a folder of them, the pk or uuid of a StructureData, the label of a group, or
    'optimade:URL?filter' for crystals of an OPTIMADE server. What was computed for a crystal before is not computed
    again: the same command continues a screening that was stopped, and with another cut it decides anew from the
    results that exist.

    \b
    Example:
      aiida-ion screen run crystals/ --protocol quick
      aiida-ion screen run crystals/ --engine sevenn --stages gate,bvse,pes --dry-run
      aiida-ion screen run candidates --protocol my-stages.yaml --engine sevenn --dft quantumespresso
    """
    loaded = load(profile)
    from aiida_ion.campaigns.screening.materials import find_materials
    from aiida_ion.campaigns.screening.processes import stage_plans
    from aiida_ion.campaigns.screening.submit import check_materials, screening_builder, submit_screening

    request = ScreenRequest(**{name: value for name, value in options.items() if value is not None})
    plans, left_out = stage_plans(plan_of(request), request)
    materials = find_materials(sources, request.max_materials)
    _echo_materials(materials)
    _echo_stages(plans)
    for sentence in left_out:
        click.echo(f"NOTE {sentence}", err=True)
    check_materials(materials)
    if dry_run:
        click.echo("Nothing was submitted (--dry-run).")
        return
    require_daemon(loaded)
    pk = submit_screening(screening_builder(materials, plans, request))
    click.echo(f"Submitted the screening: {pk}")
    suffix = f" -p {profile}" if profile else ""
    if wait:
        from aiida_ion.cli.text.live import watch

        watch([pk])
    click.echo(f"Next: aiida-ion screen status {pk}{suffix}")


def _echo_materials(materials: Materials) -> None:
    repeated = f", {materials.n_repeated} repeated" if materials.n_repeated else ""
    click.echo(f"{len(materials.crystals)} materials, {len(materials.refused)} refused{repeated}")
    for name, reason in list(materials.refused.items())[:REFUSED_SHOWN]:
        click.echo(f"  REFUSED {name}: {reason}", err=True)
    if len(materials.refused) > REFUSED_SHOWN:
        click.echo(f"  ... and {len(materials.refused) - REFUSED_SHOWN} more", err=True)


def _echo_stages(plans: list[StagePlan]) -> None:
    for number, plan in enumerate(plans, start=1):
        stage, cut = plan.stage, plan.stage.cut
        limits = [f"at least {cut.minimum:g}"] if cut.minimum is not None else []
        limits += [f"at most {cut.maximum:g}"] if cut.maximum is not None else []
        judged = f", {cut.quantity} {' and '.join(limits)}" if limits else ""
        engine = f" by {plan.engine.name}" if plan.engine is not None else ""
        most = f", at most {stage.budget.max_materials} materials" if stage.budget.max_materials else ""
        click.echo(f"  {number}. {stage.name}: {stage.method}{engine}{judged}{most}")
