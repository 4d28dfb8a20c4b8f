"""``aiida-ion potential student``: a fast potential for one crystal, fitted to a slow one."""

from __future__ import annotations

from typing import Any

import click

from aiida_ion.cli.common import OneLineErrors, load, profile_option, require_daemon
from aiida_ion.cli.options import SEED, TEXT, JsonObject, SettingType, setting
from aiida_ion.engines.requests import JobRequest
from aiida_ion.messages import one_line
from aiida_ion.settings.schema import rules_of
from aiida_ion.training.families import POD, STUDENT_FAMILIES
from aiida_ion.workchains.outcome import outcome
from aiida_ion.workchains.student.parameters import StudentParameters

RULES = rules_of(StudentParameters)
#: Options -> parameters of the work chain.
PARAMETERS = {
    "max_temperature_k": "max_temperature_K",
    "target_force_error": "target_force_error_eV_A",
    "acceptance_ps": "acceptance_ps",
    "seeds": "n_seeds",
    "max_loops": "max_loops",
    "max_cpu_hours": "max_cpu_hours",
    "supercell": "supercell",
    "relax": "relax",
    "seed": "seed",
}


@click.command("student", cls=OneLineErrors)
@click.argument("structure", type=SettingType(TEXT), metavar="FILE|PK")
@setting(TEXT, "--teacher", required=True, help="Name of the engine that labels the frames")
@setting(RULES["max_temperature_K"], "--max-temperature-K", default=1000.0, show_default=True)
@setting(
    RULES["target_force_error_eV_A"],
    "--target-force-error",
    help="Mean absolute force error on the teacher's own run that is accepted",
    also="  [default: 0.15 of the mean force there]",
)
@setting(
    TEXT,
    "--also",
    multiple=True,
    metavar="FILE|PK",
    help="Another crystal of the same atoms that the student must run as well, such as another ordering; repeatable",
)
@click.option(
    "--family", type=click.Choice(STUDENT_FAMILIES), default=POD, show_default=True, help="Family of the student."
)
@setting(
    TEXT, "--engine", help="Engine that trains and runs it", also="  [default: that of the family; LAMMPS for pod]"
)
@setting(RULES["acceptance_ps"], "--acceptance-ps", default=StudentParameters.acceptance_ps, show_default=True)
@setting(RULES["n_seeds"], "--seeds", default=StudentParameters.n_seeds, show_default=True)
@setting(RULES["max_loops"], "--max-loops", default=StudentParameters.max_loops, show_default=True)
@setting(RULES["max_cpu_hours"], "--max-cpu-hours", default=StudentParameters.max_cpu_hours, show_default=True)
@setting(RULES["supercell"], "--supercell", also="  [default: at least 9 angstrom wide]")
@click.option("--relax/--no-relax", default=True, help="Have the teacher relax the ions first.")
@click.option("--settings", type=JsonObject(), help='Changes to the family, such as {"rcut_A": 6.0}.')
@click.option("--parameters", type=JsonObject(), help='Other parameters, such as {"n_train_steps": 500}.')
@setting(SEED, "--seed", default=1, show_default=True, help="Seed of all runs")
@click.option("--job-options", type=JsonObject(), help="Job options of the teacher's jobs.")
@setting(TEXT, "--group", help="Put the work chain into this AiiDA group")
@click.option("--wait", is_flag=True, help="Wait until it is done, then print the report.")
@profile_option
def command(structure: str, teacher: str, profile: str | None, group: str | None, wait: bool, **given: Any) -> None:
    """Train a fast student of a slow potential for one crystal, until its own runs survive.

    The teacher runs the crystal for less than a picosecond and labels displaced, strained and pushed copies of it. The
    student is trained, runs from several seeds at 1.1 of the highest temperature, and what goes wrong is labelled and
    trained on again. It is accepted when all runs survive --acceptance-ps with no pair closer than it was trained on.

    \b
    Example:
      aiida-ion potential student Li3N.cif --teacher sevenn --max-temperature-K 900
      aiida-ion potential student Li3N.cif --teacher sevenn --target-force-error 0.05 --acceptance-ps 50 --wait
      aiida-ion potential student 1201 --also 1202 --also 1203 --teacher sevenn
    """
    loaded = load(profile)
    require_daemon(loaded)
    from aiida import orm
    from aiida.engine import submit

    from aiida_ion.campaigns.structures import structure_node
    from aiida_ion.campaigns.training.student import StudentRequest, student_builder

    parameters = {name: given[option] for option, name in PARAMETERS.items() if given[option] is not None}
    request = StudentRequest(
        teacher=teacher,
        family=given["family"],
        engine=given["engine"],
        parameters=parameters | (given["parameters"] or {}),
        settings=given["settings"] or {},
        teacher_jobs=JobRequest(job_options=given["job_options"]),
    )
    others = [structure_node(one) for one in given["also"]]
    chain = submit(student_builder(structure_node(structure), request, others))
    if group:
        orm.Group.collection.get_or_create(group)[0].add_nodes([chain])
    click.echo(f"Submitted the student: {chain.pk}")
    suffix = f" -p {profile}" if profile else ""
    if not wait:
        click.echo(f"Next: aiida-ion status {chain.pk} --watch{suffix}; then aiida-ion show {chain.pk}{suffix}")
        return
    _report(chain, suffix)


def _report(chain: Any, suffix: str) -> None:
    """Wait for a student, and print what became of it."""
    from aiida_ion.cli.text.live import watch
    from aiida_ion.cli.text.students import student_lines

    watch([chain.pk])
    if "report" not in chain.outputs:
        raise click.ClickException(f"no student: {one_line(outcome(chain))}")
    click.echo("\n".join(student_lines(chain.outputs.report)))
    if not chain.is_finished_ok:
        raise click.ClickException(one_line(outcome(chain)))
    click.echo(f"Next: aiida-ion potential register {chain.pk} --name my-student{suffix}")
