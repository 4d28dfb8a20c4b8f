"""Outputs and exit codes of ``ion.student``, and what its report is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiida import orm

from aiida_ion.workchains.outcome import outcome
from aiida_ion.workchains.student.engines import level_of_theory, test_errors
from aiida_ion.workchains.student.parameters import StudentParameters
from aiida_ion.workchains.student.runs import n_labels, steps_per_cpu_s, trajectories_of


def define_outputs(spec: Any) -> None:
    """Declare outputs and exit codes."""
    spec.output(
        "supercell", valid_type=orm.StructureData, required=False, help="The cell that was simulated, angstrom."
    )
    spec.output("dataset", valid_type=orm.ArrayData, required=False, help="Labelled frames of the last training.")
    spec.output_namespace(
        "potential", valid_type=orm.SinglefileData, dynamic=True, help="The files of the last student."
    )
    spec.output("training", valid_type=orm.ArrayData, required=False, help="The report of the last training.")
    spec.output(
        "report",
        valid_type=orm.ArrayData,
        required=False,
        help="Each loop: training frames, force error (eV/angstrom), how long its runs survived (ps); displacement "
        "and g(r) beside the teacher's; CPU time (s).",
    )
    spec.exit_code(521, "ERROR_TRAINING_FAILED", message="The student cannot be trained: {detail}")
    spec.exit_code(522, "ERROR_STUDENT_RUN_FAILED", message="A run of the student failed: {detail}")
    spec.exit_code(
        715,
        "WARNING_NOT_ACCEPTED",
        message="No student passed; the last one is in the outputs, and must not be used unseen: {detail}",
    )


def loop_record(job: Any, dataset: orm.ArrayData, parameters: StudentParameters, **about: Any) -> dict[str, Any]:
    """Return what is kept of a loop.

    :param job: the training.
    :param dataset: its frames.
    :param about: ``stage``, ``training`` (its number) and ``runs``.
    """
    errors = test_errors(job.outputs.report, dataset)
    return {
        **about,
        "training_pk": job.pk,
        "n_train": int(dataset.base.attributes.get("n_train")),
        "force_mae_eV_A": errors.mae_eV_A,
        "slope": errors.slope,
        "target_eV_A": errors.target_eV_A(parameters),
    }


def report_parameters(
    job: Any,
    teacher: Any,
    checks: Sequence[Any],
    runs: Sequence[Any],
    sources: Sequence[Mapping[str, Any]],
    parameters: StudentParameters,
) -> dict[str, Any]:
    """Return what the report of a student says beside its loops.

    :param job: the last training.
    :param teacher: the teacher's run of the test.
    :param checks: the student's runs that are compared with it.
    :param runs: its runs of the last loop.
    :param sources: what was trained on.
    """
    # Of a run of a few hundred steps most is spent on loading a network: the long ones say how fast the student is.
    timed = [node for node in [*checks, *runs] if node.is_finished_ok]
    return {
        "level_of_theory": level_of_theory(job),
        "max_temperature_K": parameters.max_temperature_K,
        "temperature_K": parameters.teacher_temperature_K,
        "steps_per_cpu_s": {"teacher": steps_per_cpu_s([teacher]), "student": steps_per_cpu_s(timed)},
        "n_labels": sum(n_labels(orm.load_node(pk)) for pk in {source["trajectory"] for source in sources}),
        "failed_checks": [outcome(node) for node in checks if not node.is_finished_ok],
    }


def compared_runs(teacher: Any, checks: Sequence[Any]) -> dict[str, orm.TrajectoryData]:
    """Return the segments of the teacher's run of the test, and of the student's own, as its report names them.

    :param checks: the student's runs; those that failed are left out.
    """
    runs = {f"teacher_{i}": node for i, node in enumerate(trajectories_of(teacher).values())}
    segments = [segment for node in checks if node.is_finished_ok for segment in trajectories_of(node).values()]
    return runs | {f"student_{i}": segment for i, segment in enumerate(segments)}
