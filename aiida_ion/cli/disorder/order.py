"""``aiida-ion order``: ordered cells of a disordered crystal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aiida_ion.analysis.disorder.settings import OrderingSettings
from aiida_ion.cli.common import OneLineErrors, load, profile_option, require_daemon
from aiida_ion.cli.options import JsonObject
from aiida_ion.cli.request_options import of_request
from aiida_ion.messages import one_line


@click.command("order", cls=OneLineErrors)
@click.argument("crystal", metavar="FILE|PK|UUID")
@click.option("--n", "n_orderings", type=int, help=f"Cells to draw  [default: {OrderingSettings().n_orderings}]")
@click.option("--max-atoms", type=int, help=f"Most atoms of a cell  [default: {OrderingSettings().max_atoms}]")
@click.option("--mobile-species", help=f"Mobile ion  [default: {OrderingSettings().mobile_species}]")
@click.option("--settings", type=JsonObject(), help='Other settings, such as {"oxidation_states": {"V": 3.25}}.')
@click.option("--dry-run", is_flag=True, help="Print the plan and submit nothing.")
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
    fit_code: str | None,
    here: bool,
    profile: str | None,
) -> None:
    """Draw ordered, neutral cells of a crystal with partly occupied sites.

    Prints what is disordered, the cell, and how far its composition is from the stated one. Cells are drawn by Monte
    Carlo with the electrostatic energies of point charges, at the temperature where the arrangement froze.

    \b
    Example:
      aiida-ion order Li6PS5Cl.cif --dry-run
      aiida-ion order Li6PS5Cl.cif --n 8 --max-atoms 300 --run
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
    if dry_run:
        return None
    return _start(node, parameters, fit_code, here, f" -p {profile}" if profile else "")


def _node(name: str, path: Path, file: Any) -> Any:
    from aiida_ion.campaigns.orderings import node_of
    from aiida_ion.campaigns.structures import structure_node

    return node_of(file, path) if file is not None else structure_node(name)


def _start(node: Any, settings: OrderingSettings, fit_code: str | None, here: bool, suffix: str) -> None:
    from aiida import orm
    from aiida.common.log import override_log_level
    from aiida.engine import run_get_node, submit

    from aiida_ion.calculations.disorder.order import OrderStructureCalculation
    from aiida_ion.engines.fits import diffusion_code, fit_options

    code = diffusion_code(fit_code)
    inputs = {"code": code, "structure": node, "parameters": orm.Dict(settings.to_dict()), "clean_workdir": True}
    if options := fit_options(code):
        inputs["metadata"] = {"options": options}
    if not here:
        pk = submit(OrderStructureCalculation, **inputs).pk
        click.echo(f"Submitted the ordering: {pk}")
        return click.echo(f"Next: aiida-ion status {pk}{suffix}; then aiida-ion show {pk}{suffix}")
    with override_log_level():
        job = run_get_node(OrderStructureCalculation, **inputs)[1]
    if not job.is_finished_ok:
        raise click.ClickException(f"the job {job.pk} failed: {one_line(job.exit_message or job.process_state)}")
    return click.echo("\n".join(drawn_lines(job)))


def drawn_lines(job: Any) -> list[str]:
    """Return the ordered cells of a job, a line each, with their remarks."""
    ensemble = job.outputs.ensemble.get_dict()
    lines = [
        f"{ensemble['n_draws']} draws gave {ensemble['n_orderings']} cells ({ensemble['n_frameworks']} frameworks):"
    ]
    for number, member in enumerate(ensemble["members"]):
        closest = member["closest_mobile_A"]
        distance = "" if closest is None else f", closest {ensemble['mobile_species']} {closest:.2f} angstrom"
        lines.append(
            f"  {job.outputs.orderings[f'o{number:03d}'].pk}: weight {member['weight']:.3f}, "
            f"{member['ewald_energy_eV']:.2f} eV of point charges{distance}"
        )
    return lines + [f"  {remark}" for remark in ensemble["draw_remarks"]]
