"""``aiida-ion jumps``: the jump analysis of fitted trajectories."""

from __future__ import annotations

from typing import Any

import click

from aiida_ion.campaigns.structures import NODE
from aiida_ion.cli.common import OneLineErrors, load, profile_option, require_daemon
from aiida_ion.cli.options import TEXT, JsonObject, SettingType
from aiida_ion.cli.request_options import of_request
from aiida_ion.messages import one_line


@click.command("jumps", cls=OneLineErrors)
@click.argument("node", metavar="PK|UUID", type=SettingType(NODE))
@click.option(
    "--structure",
    type=SettingType(TEXT),
    metavar="FILE|PK",
    help="The supercell with the sites  [default: that of the run, if any]",
)
@click.option("--settings", type=JsonObject(), help='Settings of the analysis, such as {"sites": "density"}.')
@of_request("--fit-code", metavar="CODE", also=", such as kinisi@cluster  [default: that of the fit]")
@click.option("--run", "here", is_flag=True, help="Analyse here and now instead of through the daemon.")
@profile_option
def command(
    node: str,
    structure: str | None,
    settings: dict[str, Any] | None,
    fit_code: str | None,
    here: bool,
    profile: str | None,
) -> None:
    """Find sites, jumps and pathways in the trajectories of a fit, or of every fit of a conductivity.

    The node is a conductivity, a fit (its job or its result), or what `aiida-ion import` submitted. Needs GEMDAT in the
    Python of the fit: pip install 'aiida-ion[jumps]'.

    \b
    Example:
      aiida-ion jumps 1234 --run
      aiida-ion jumps 1234 --settings '{"sites": "density", "max_frames": 5000}'
    """
    loaded = load(profile)
    if not here:
        require_daemon(loaded)
    from aiida.common.log import override_log_level
    from aiida.engine import run_get_node, submit

    from aiida_ion.calculations.jumps import JumpsCalculation, inputs_beside_fit
    from aiida_ion.campaigns.structures import structure_node
    from aiida_ion.cli.text.nodes import describe
    from aiida_ion.engines.fits import diffusion_code, fit_options

    given = structure_node(structure, insist=True) if structure else None
    suffix = f" -p {profile}" if profile else ""
    for fit in fits_of(node):
        inputs = inputs_beside_fit(fit, given if given is not None else supercell_of(fit), settings)
        if fit_code is not None:
            inputs["code"] = diffusion_code(fit_code)
        if options := fit_options(inputs["code"]):
            inputs["metadata"] = {"options": options}
        _check(inputs)
        inputs["clean_workdir"] = True
        if not here:
            pk = submit(JumpsCalculation, **inputs).pk
            click.echo(f"Submitted the jump analysis of fit {fit.pk}: {pk}")
            click.echo(f"Next: aiida-ion status {pk}{suffix}; then aiida-ion show {pk}{suffix}")
            continue
        with override_log_level():
            job = run_get_node(JumpsCalculation, **inputs)[1]
        if not job.is_finished_ok:
            raise click.ClickException(f"the job {job.pk} failed: {one_line(job.exit_message or job.process_state)}")
        click.echo(describe(job))


def fits_of(given: str) -> list[Any]:
    """Return the fits (jobs) behind a node: a fit itself, or those of a conductivity.

    :raises click.ClickException: if there are none.
    """
    from aiida import orm
    from aiida.common.exceptions import MultipleObjectsError, NotExistent

    try:
        node: Any = orm.load_node(given)
    except (NotExistent, MultipleObjectsError, ValueError) as error:
        raise click.ClickException(f"there is no node {given}; 'aiida-ion table' lists results") from error
    if isinstance(node, orm.Data):
        node = node.creator
    if isinstance(node, orm.WorkChainNode) and "diffusion" in node.outputs:
        return [fit.creator for fit in node.outputs.diffusion.values()]
    if isinstance(node, orm.CalcJobNode) and node.process_type == "aiida.calculations:ion.diffusion":
        return [node]
    raise click.ClickException(f"{given} is not a fit and has none; 'aiida-ion table' lists fits and conductivities")


def supercell_of(fit: Any) -> Any:
    """Return the supercell of the conductivity that a fit belongs to; ``None`` for other fits."""
    caller = fit.caller
    return caller.outputs.supercell if caller is not None and "supercell" in caller.outputs else None


def _check(inputs: dict[str, Any]) -> None:
    from aiida_ion.aiida_private.builders import set_inputs, validate_builder
    from aiida_ion.calculations.jumps import JumpsCalculation

    builder = JumpsCalculation.get_builder()
    set_inputs(builder, inputs)
    problem = validate_builder(builder)
    if problem is not None:
        raise click.ClickException(one_line(problem))
