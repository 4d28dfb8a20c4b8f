"""The diffusivity of a student beside its teacher's: the fits of both, over runs of one length and temperature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiida import orm

from aiida_ion.calculations.diffusion import segment_key
from aiida_ion.calculations.training.model_error import FIT_OF_STUDENT, FIT_OF_TEACHER, mobile_ion
from aiida_ion.workchains.student.engines import level_of_theory
from aiida_ion.workchains.student.parameters import StudentParameters
from aiida_ion.workchains.student.runs import trajectories_of

#: The collective fit costs more, and the comparison does not need it.
FIT_SETTINGS = {"collective": False, "green_kubo": False}


def check_fits(
    inputs: Mapping[str, Any], parameters: StudentParameters, job: Any, teacher: Any, students: Sequence[Any]
) -> dict[str, dict[str, Any]]:
    """Return the inputs of the ``ion.diffusion`` of each side, by the names that ``ion.student_report`` knows.

    :param inputs: of ``ion.student``.
    :param job: the last training.
    :param teacher: the teacher's run for the test.
    :param students: runs of the student, of the same length and temperature.
    """
    ion = mobile_ion(inputs["structure"], parameters.mobile_species)
    sides = {FIT_OF_TEACHER: [teacher], FIT_OF_STUDENT: [node for node in students if node.is_finished_ok]}
    if ion is None or not all(sides.values()):
        return {}
    mobile, charges = ion
    shared = {
        "mobile_species": mobile,
        "charges": charges,
        "target_temperature_K": parameters.teacher_temperature_K,
        "formula": inputs["structure"].get_formula("hill_compact"),
        **FIT_SETTINGS,
    }
    ours = level_of_theory(job)
    levels = {FIT_OF_STUDENT: ours, FIT_OF_TEACHER: str(ours).rpartition(" by ")[0]}
    return {
        name: _fit(inputs["watch"], name, runs, shared | {"level_of_theory": levels[name]})
        for name, runs in sides.items()
    }


def _fit(watch: Mapping[str, Any], name: str, runs: Sequence[Any], parameters: dict[str, Any]) -> dict[str, Any]:
    segments = {
        segment_key(index, number): (run, key)
        for index, run in enumerate(runs)
        for number, key in enumerate(sorted(trajectories_of(run)))
    }
    metadata: dict[str, Any] = {"call_link_label": name}
    if watch.get("options"):
        metadata["options"] = dict(watch["options"])
    return {
        "code": watch["code"],
        "trajectories": {key: run.outputs.trajectories[label] for key, (run, label) in segments.items()},
        "thermo": {key: run.outputs.thermo[label] for key, (run, label) in segments.items()},
        "parameters": orm.Dict(parameters),
        "metadata": metadata,
    }
