"""Engines of potentials that LAMMPS fitted and runs: of a fit, or of a student that was accepted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aiida import orm

from aiida_ion.calculations.lammps.fitted import COEFF, fitted_potential
from aiida_ion.calculations.training.bounds import run_watch
from aiida_ion.engine_kinds import entry_point_of
from aiida_ion.engines.engine import Engine
from aiida_ion.engines.registration import register
from aiida_ion.engines.trained import FIRST, origin, watch_choices

FIT = "aiida.calculations:ion.lammps_train"
STUDENT = "aiida.workflows:ion.student"
ACCEPTED = "accepted"


def is_fitted(process: orm.ProcessNode) -> bool:
    """Return whether a process left a potential that LAMMPS runs."""
    return process.process_type in (FIT, STUDENT)


def register_fitted(process: Any, name: str, replaces: bool = False, unaccepted: bool = False) -> Engine:
    """Register the engine of a fit or of a student, on the computer that fitted it.

    :param process: an ``ion.lammps_train`` or ``ion.student`` that has ended.
    :param replaces: hide a code of that name that runs another program.
    :param unaccepted: register a student, too, whose runs did not survive.
    :raises ValueError: if it left no potential, was not accepted, or the name is taken.
    """
    if not process.is_terminated:
        raise ValueError(f"{process.pk} has not ended: wait for it")
    job = process if process.process_type == FIT else last_training(process)
    if job is None or "files" not in job.outputs:
        raise ValueError(f"{process.pk} left no potential: {process.exit_message or process.process_state}")
    if process.process_type == STUDENT:
        check_accepted(process, unaccepted)
    potential, files = fitted_potential(dict(job.outputs.files.items()))
    code = job.inputs.code
    engine, _ = register(
        name,
        str(code.filepath_executable),
        entry_point_of("lammps"),
        code.computer.label,
        potential=potential,
        files=files,
        choices=watch_choices(run_watch(job.inputs.dataset, below_A=rcut_A(job))),
        prepend=code.prepend_text,
        replaces=replaces,
    )
    engine = replace(engine, trained=origin(job, FIRST, process))
    engine.save()
    return engine


def rcut_A(job: Any) -> float:  # noqa: N802
    """Return the cut-off of a fit, angstrom: LAMMPS watches no pair beyond it."""
    return float(job.outputs.files[COEFF].base.attributes.get("settings")["rcut_A"])


def last_training(student: orm.ProcessNode) -> Any:
    """Return the last training of a student; ``None`` without one."""
    links = student.base.links.get_outgoing(node_class=orm.CalcJobNode).all()
    trainings = {link.link_label: link.node for link in links if link.node.process_type == FIT}
    return trainings[max(trainings, key=lambda label: int(label.rpartition("_")[2]))] if trainings else None


def check_accepted(student: Any, unaccepted: bool) -> None:
    """Refuse a student whose runs did not survive.

    :param unaccepted: whether the user wants it nevertheless.
    :raises ValueError: saying how it ended.
    """
    report = student.outputs.report if "report" in student.outputs else None
    outcome = report.base.attributes.get("outcome") if report is not None else "without a report"
    if outcome != ACCEPTED and not unaccepted:
        raise ValueError(
            f"the student {student.pk} was not accepted ({str(outcome).replace('_', ' ')}): its runs may fail or be "
            "wrong; give it more loops with a new 'aiida-ion potential student', or register it with --unaccepted"
        )
