"""``aiida-ion order``: ordered cells of a disordered crystal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from aiida_ion.analysis.disorder.settings import OrderingSettings
from aiida_ion.cli.common import OneLineErrors, load, profile_option, require_daemon
from aiida_ion.cli.options import TEXT, JsonObject, SettingType
from aiida_ion.cli.request_options import of_request
from aiida_ion.engines.requests import JobRequest
from aiida_ion.messages import one_line

#: Options that say how cells are relaxed.
OF_ENGINES = ("relaxation", "ranking", "threads", "walltime_s", "job_options")


@click.command("order", cls=OneLineErrors)
@click.argument("crystal", metavar="FILE|PK|UUID")
@click.option("--n", "n_orderings", type=int, help=f"Cells to draw  [default: {OrderingSettings().n_orderings}]")
@click.option("--max-atoms", type=int, help=f"Most atoms of a cell  [default: {OrderingSettings().max_atoms}]")
@click.option("--mobile-species", help=f"Mobile ion  [default: {OrderingSettings().mobile_species}]")
@click.option("--settings", type=JsonObject(), help='Other settings, such as {"oxidation_states": {"V": 3.25}}.')
@click.option("--dry-run", is_flag=True, help="Print the plan and submit nothing.")
@click.option("--engine", type=SettingType(TEXT), help="Engine whose potential relaxes and ranks the cells.")
@click.option("--relaxation", type=JsonObject(), help='Of the cells, such as {"cell": "isotropic", "max_steps": 500}.')
@click.option("--ranking", type=JsonObject(), help='Such as {"temperature_K": 300}, of Boltzmann weights.')
@of_request("--threads", also="  [default: the engine's]")
@of_request("--walltime-s", also=" that relaxes; another one continues")
@of_request("--job-options", also=" of the relaxation")
@of_request("--fit-code", metavar="CODE", also=", such as kinisi@cluster; its Python draws the cells")
@click.option("--run", "here", is_flag=True, help="Draw here and now instead of through the daemon.")
@profile_option
def command(
    crystal: str,
    n_orderings: int | None,
    max_atoms: int | None,
    mobile_species: str | None,
    settings: dict[str, Any] | None,
    dry_run: bool,
    engine: str | None,
    here: bool,
    profile: str | None,
    **options: Any,
) -> None:
    """Draw ordered, neutral cells of a crystal with partly occupied sites.

    Prints what is disordered, the cell, and how far its composition is from the stated one. Cells are drawn by Monte
    Carlo with the electrostatic energies of point charges, at the temperature where the arrangement froze. With an
    engine all cells are relaxed in one job and ranked by their energies; their weights stay those of the draws.

    \b
    Example:
      aiida-ion order Li6PS5Cl.cif --dry-run
      aiida-ion order Li6PS5Cl.cif --n 8 --max-atoms 300 --run
      aiida-ion order Li6PS5Cl.cif --engine sevenn --relaxation '{"cell": "isotropic"}'
    """
    from aiida_ion.campaigns.orderings import crystal_of_file, plan_lines, read_file

    path = Path(crystal)
    file = read_file(path) if path.suffix or path.is_file() else None
    given = {"n_orderings": n_orderings, "max_atoms": max_atoms, "mobile_species": mobile_species}
    chosen = dict(settings or {}) | {name: value for name, value in given.items() if value is not None}
    parameters = OrderingSettings.from_dict(chosen)
    if file is not None and dry_run:
        from aiida_ion.analysis.disorder.plan import plan_ordering

        return click.echo("\n".join(plan_lines(plan_ordering(crystal_of_file(file), parameters))))
    loaded = load(profile)
    if not (here or dry_run):
        require_daemon(loaded)
    node = _node(crystal, path, file)
    from aiida_ion.calculations.disorder.order import planned

    click.echo("\n".join(plan_lines(planned(node, parameters.to_dict()))))
    builder = _builder(node, parameters, engine, options)
    if dry_run:
        return None
    return _start(builder, here, f" -p {profile}" if profile else "")


def _node(name: str, path: Path, file: Any) -> Any:
    from aiida_ion.campaigns.orderings import node_of
    from aiida_ion.campaigns.structures import structure_node

    return node_of(file, path) if file is not None else structure_node(name)


def _builder(node: Any, settings: OrderingSettings, engine: str | None, options: Mapping[str, Any]) -> Any:
    """Return the job that draws, or with an engine the work chain that also relaxes and ranks."""
    from aiida_ion.aiida_private.builders import set_inputs
    from aiida_ion.calculations.disorder.order import OrderStructureCalculation
    from aiida_ion.campaigns.orderings import order_inputs, ordering_builder

    if engine is not None:
        request = JobRequest(**{name: options[name] for name in ("threads", "walltime_s", "job_options")})
        relaxation, ranking = options["relaxation"] or {}, options["ranking"] or {}
        return ordering_builder(node, settings, engine, relaxation, ranking, options["fit_code"], request)
    useless = [f"--{name.replace('_', '-')}" for name in OF_ENGINES if options[name] is not None]
    if useless:
        raise click.UsageError(f"{', '.join(useless)} is about the relaxation: give an --engine")
    builder: Any = OrderStructureCalculation.get_builder()
    inputs = order_inputs(settings, options["fit_code"])
    chosen = {"metadata": {"options": inputs.pop("options")}} if "options" in inputs else {}
    set_inputs(builder, {**inputs, **chosen, "structure": node, "clean_workdir": True})
    return builder


def _start(builder: Any, here: bool, suffix: str) -> None:
    from aiida.common.log import override_log_level
    from aiida.engine import run_get_node, submit

    from aiida_ion.exit_codes import is_usable

    if not here:
        pk = submit(builder).pk
        click.echo(f"Submitted the ordering: {pk}")
        return click.echo(f"Next: aiida-ion status {pk}{suffix}; then aiida-ion show {pk}{suffix}")
    with override_log_level():
        process = run_get_node(builder)[1]
    if not is_usable(process.exit_status):
        message = one_line(process.exit_message or process.process_state)
        raise click.ClickException(f"the process {process.pk} failed: {message}")
    return click.echo("\n".join(drawn_lines(process)))


def drawn_lines(process: Any) -> list[str]:
    """Return the ordered cells of a job or work chain, a line each, with their remarks."""
    from aiida_ion.cli.disorder.text import ensemble_lines

    pks = [process.outputs.orderings[label].pk for label in sorted(process.outputs.orderings)]
    return ensemble_lines(process.outputs.ensemble.get_dict(), pks)
