"""The teacher of a student: its ports, the runs that it makes, and the frames that it labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm

from aiida_ion.engine_kinds import engine_class
from aiida_ion.workchains.student.cells import MAIN, link_label
from aiida_ion.workchains.student.parameters import StudentParameters

#: The teacher's runs, and what their frames are for.
ROLES = ("train", "validation", "test")


def define_teacher(spec: Any) -> None:
    """Declare the teacher's ports and exit codes."""
    spec.input(
        "teacher.entry_point", valid_type=orm.Str, help="The engine: the entry point of an `ion.md.*` work chain."
    )
    spec.input_namespace("teacher.engine", dynamic=True, help="The engine's own inputs: `code`, `potential`, ...")
    spec.input(
        "teacher.options",
        valid_type=dict,
        non_db=True,
        required=False,
        help="`metadata.options` of the teacher's jobs.",
    )
    spec.exit_code(520, "ERROR_TEACHER_FAILED", message="The teacher cannot run or label this crystal: {detail}")


def teacher_engine(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the engine namespace of the teacher's runs."""
    engine = dict(inputs["teacher"]["engine"])
    options = inputs["teacher"].get("options")
    return engine | ({"metadata": {"options": dict(options)}} if options else {})


def relaxation_builder(inputs: Mapping[str, Any], structure: orm.StructureData) -> Any:
    """Return the builder of the relaxation of the ions of a crystal by the teacher."""
    return engine_class(inputs["teacher"]["entry_point"].value).relax_builder(structure, teacher_engine(inputs))


def teacher_run(
    inputs: Mapping[str, Any],
    parameters: StudentParameters,
    role: str,
    cell: orm.StructureData,
    name: str = MAIN,
    number: int = 0,
) -> dict[str, Any]:
    """Return the inputs of one of the teacher's runs: hot, and with forces at every frame.

    :param role: one of :data:`ROLES`; each has velocities of its own.
    :param cell: that is simulated.
    :param name: of its crystal.
    :param number: of its crystal, from 0 on.
    """
    settings = {
        "temperature_K": parameters.teacher_temperature_K,
        "timestep_fs": parameters.timestep_fs,
        "n_steps": getattr(parameters, f"n_{role}_steps"),
        "sample_every": parameters.sample_every,
        "seed": parameters.seed_of(0, ROLES.index(role) + len(ROLES) * number),
        "keep": ["forces"],
    }
    return {
        "structure": cell,
        "parameters": orm.Dict(settings),
        "engine": teacher_engine(inputs),
        "metadata": {"call_link_label": link_label(f"teacher_{role}", name)},
    }


def label_inputs(
    inputs: Mapping[str, Any], cell: orm.StructureData, frames: Mapping[str, orm.TrajectoryData]
) -> dict[str, Any]:
    """Return the inputs of the work chain that labels frames by the teacher: every frame is labelled."""
    options = inputs["teacher"].get("options")
    return {
        "structure": cell,
        "trajectories": dict(frames),
        "entry_point": inputs["teacher"]["entry_point"],
        "engine": dict(inputs["teacher"]["engine"]),
        **({"options": dict(options)} if options else {}),
    }


def validate_teacher(inputs: Mapping[str, Any]) -> str | None:
    """Return why an engine cannot teach; ``None`` if it can."""
    teacher = inputs.get("teacher") or {}
    if teacher.get("entry_point") is None:
        return None
    try:
        engine = engine_class(teacher["entry_point"].value)
    except ValueError as error:
        return f"teacher: {error}"
    if engine.forces_class is None and engine.single_points is None:
        return (
            f"teacher: {teacher['entry_point'].value} evaluates no stored frames; take a potential, or make a dataset "
            "of its runs with 'aiida-ion potential dataset' and train on that"
        )
    parameters = StudentParameters.from_dict(inputs["parameters"].get_dict())
    run = teacher_run(inputs, parameters, "train", inputs["structure"])
    problem = engine.spec().inputs.validate({key: value for key, value in run.items() if key != "metadata"})
    return None if problem is None else f"teacher: {problem.message} ({problem.port})"
