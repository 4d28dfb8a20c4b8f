"""From a crystal, a teacher and a program that trains to a student: the checked builder of ``ion.student``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiida import orm
from aiida.plugins import WorkflowFactory

from aiida_ion.aiida_private.builders import validate_builder
from aiida_ion.engine_kinds import entry_point_of
from aiida_ion.engines.engine import Engine, load_engine
from aiida_ion.engines.fits import diffusion_code
from aiida_ion.engines.jobs import check_jobs, engine_choices, job_options
from aiida_ion.engines.parents import training_code
from aiida_ion.engines.requests import JobRequest
from aiida_ion.messages import one_line
from aiida_ion.queries import engine_table
from aiida_ion.training.families import FAMILIES, POD, STUDENT_FAMILIES

#: Kind of engine whose program fits and runs POD.
KIND_OF_POD = "lammps"


@dataclass(frozen=True)
class StudentRequest:
    """What is asked of a student.

    :param teacher: name of the engine that labels.
    :param family: of the student.
    :param engine: name of the engine or code whose program trains and runs the student; that of the family if not
        given.
    :param parameters: of :class:`~aiida_ion.workchains.student.parameters.StudentParameters`.
    :param settings: of the family, where they differ from its defaults.
    :param teacher_jobs: what is asked of the teacher's jobs.
    :param student_jobs: what is asked of the jobs that train and run the student.
    """

    teacher: str
    family: str = POD
    engine: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    teacher_jobs: JobRequest = field(default_factory=JobRequest)
    student_jobs: JobRequest = field(default_factory=JobRequest)


def student_builder(
    structure: orm.StructureData, request: StudentRequest, others: Sequence[orm.StructureData] = ()
) -> Any:
    """Return the checked builder of a student.

    :param structure: the crystal.
    :param others: crystals of the same atoms that the student must run as well.
    :raises ValueError: if it cannot be submitted; the message says why.
    """
    teacher = load_engine(request.teacher)
    check_jobs(teacher.job, teacher.code.computer, teacher.jobs, request.teacher_jobs)
    chosen = teacher.md.engine_inputs(structure, None, **engine_choices(teacher))
    chain: Any = WorkflowFactory("ion.student")
    builder = chain.get_builder()
    builder.structure = structure
    if others:
        builder.other_structures = {f"other_{number}": one for number, one in enumerate(others)}
    builder.parameters = orm.Dict(dict(request.parameters))
    builder.teacher.entry_point = orm.Str(teacher.entry_point)
    builder.teacher.engine = {name: value for name, value in chosen.items() if name != "metadata"}
    builder.teacher.options = job_options(teacher.jobs, request.teacher_jobs)
    for name, value in trainer_inputs(request).items():
        setattr(builder.trainer, name, value)
    builder.watch.code = diffusion_code()
    builder.metadata.label = f"{structure.get_formula('hill_compact')}: {teacher.name} by {request.family.upper()}"
    problem = validate_builder(builder)
    if problem is not None:
        raise ValueError(one_line(problem))
    return builder


def trainer_inputs(request: StudentRequest) -> dict[str, Any]:
    """Return the namespace ``trainer`` of a student.

    :raises ValueError: for an unknown family, or if nothing is registered that trains it.
    """
    if request.family not in STUDENT_FAMILIES:
        choices = ", ".join(STUDENT_FAMILIES)
        raise ValueError(f"there is no family {request.family!r} of students; choose from {choices}")
    settings = dict(request.settings)
    if request.family == POD:
        engine = training_engine(request.engine)
        requests, code, job = [engine.jobs, request.student_jobs], engine.code, "ion.lammps_train"
        parameters: dict[str, Any] = {"settings": settings}
    else:
        code = training_code(request.engine or FAMILIES[request.family].environment)
        requests, job = [request.student_jobs], "ion.train"
        parameters = {"family": request.family, "protocol": "student", "settings": settings}
    check_jobs(job, code.computer, *requests)
    return {
        "entry_point": orm.Str(job),
        "code": code,
        "parameters": orm.Dict(parameters),
        "options": job_options(*requests),
    }


def training_engine(name: str | None) -> Engine:
    """Return the engine of LAMMPS that trains and runs a student.

    :param name: of the engine; the only one of its kind if not given.
    :raises ValueError: for an engine of another kind, or none or several of that kind.
    """
    entry_point = entry_point_of(KIND_OF_POD)
    if name is not None:
        engine = load_engine(name)
        if engine.entry_point != entry_point:
            raise ValueError(f"{name} is not an engine of the kind {KIND_OF_POD}, which trains and runs POD")
        return engine
    table = engine_table()
    table = table[table["entry_point"] == entry_point]
    # One with a potential of its own is a student of before, or made for one material.
    names = sorted(set(table["name"][table["potential"].isna()])) or sorted(set(table["name"]))
    if len(names) != 1:
        install = f"run 'aiida-ion engine install {KIND_OF_POD}'"
        choice = f"choose from {', '.join(names)} with --engine" if names else install
        raise ValueError(f"POD is trained and run by an engine of the kind {KIND_OF_POD}: {choice}")
    return load_engine(names[0])
