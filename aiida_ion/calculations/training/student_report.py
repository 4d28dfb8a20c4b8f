"""``ion.student_report``: how a student was made, how its runs ended, and whether it moves as its teacher."""

from __future__ import annotations

from typing import Any

import numpy as np
from aiida import orm
from aiida.engine import calcfunction

from aiida_ion.calculations.training.model_error import FIT_OF_STUDENT, FIT_OF_TEACHER, model_error
from aiida_ion.training.acceptance import Motion, compare_displacements, compare_distributions

STUDENT, TEACHER = "student", "teacher"


@calcfunction
def student_report(parameters: orm.Dict, dataset: orm.ArrayData, training: orm.ArrayData, **runs: Any) -> orm.ArrayData:
    """Return the record of a student.

    :param parameters: ``history`` (of each loop its stage, number of training frames, force errors and runs),
        ``outcome``, and what it cost.
    :param dataset: the training frames of the last loop.
    :param training: report of the last training.
    :param runs: trajectories ``teacher_0``, ... and ``student_0``, ... at one temperature and of one frame spacing;
        ``diffusion_teacher`` and ``diffusion_student``, the fits of both, where there are any.
    :returns: arrays ``train_frames``, ``force_mae_eV_A``, ``survived_ps`` of each loop; the comparison with the teacher
        as attributes.
    """
    about = parameters.get_dict()
    history = about["history"]
    node = orm.ArrayData()
    node.set_array("train_frames", np.array([loop["n_train"] for loop in history]))
    node.set_array("force_mae_eV_A", np.array([loop["force_mae_eV_A"] for loop in history], dtype=float))
    node.set_array(
        "survived_ps", np.array([min((run["survived_ps"] for run in loop["runs"]), default=0.0) for loop in history])
    )
    node.base.attributes.set_many(
        about
        | {
            "dataset_uuid": dataset.uuid,
            "dataset_sha256": dataset.base.attributes.get("sha256"),
            "training_uuid": training.uuid,
            "errors": training.base.attributes.get("errors"),
            "level_of_theory": about.get("level_of_theory"),
            "units": {"force_mae_eV_A": "eV/angstrom", "survived_ps": "ps, shortest run of the loop"},
        }
        | _comparison(runs)
        | {"model_error": model_error(runs.get(FIT_OF_STUDENT), runs.get(FIT_OF_TEACHER))}
    )
    return node


def _comparison(runs: dict[str, Any]) -> dict[str, Any]:
    """Return the comparison of the runs of both; nothing where one of them has none."""
    sides = {side: [runs[name] for name in sorted(runs) if name.startswith(side)] for side in (STUDENT, TEACHER)}
    if not all(sides.values()):
        return {"displacement": None, "radial_distribution": None}
    symbols = sides[TEACHER][0].base.attributes.get("symbols")
    motions = {side: [motion_of(node) for node in nodes] for side, nodes in sides.items()}
    displacement: dict[str, Any] = {"displacement": None}
    try:
        displacement["displacement"] = compare_displacements(motions[STUDENT], motions[TEACHER], symbols)
    except ValueError as error:
        displacement["displacement_reason"] = str(error)
    return displacement | {
        "radial_distribution": compare_distributions(motions[STUDENT], motions[TEACHER], symbols),
    }


def motion_of(trajectory: orm.TrajectoryData) -> Motion:
    """Return the frames of a trajectory.

    :raises ValueError: for fewer than two frames, or frames that are not at equal times.
    """
    times_ps = np.asarray(trajectory.get_array("times"), dtype=float)
    spacing = np.diff(times_ps)
    if len(times_ps) < 2 or not np.allclose(spacing, spacing[0], rtol=1e-6):
        raise ValueError(f"trajectory {trajectory.pk} has fewer than two frames, or not at equal times")
    return Motion(
        np.asarray(trajectory.get_array("positions"), dtype=float),
        np.asarray(trajectory.get_array("cells"), dtype=float),
        float(spacing[0]),
    )
