"""From a crystal, a teacher and a program that trains to a student: the checked builder of ``ion.student``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiida import orm
from aiida.plugins import WorkflowFactory

from aiida_ion.aiida_private.builders import validate_builder
from aiida_ion.engine_kinds import entry_point_of
from aiida_ion.engines.engine import Engine, load_engine
from aiida_ion.engines.fits import diffusion_code
from aiida_ion.engines.jobs import check_jobs, engine_choices, job_options
from aiida_ion.engines.requests import JobRequest
from aiida_ion.messages import one_line
from aiida_ion.queries import engine_table

#: The family of students that LAMMPS trains and runs by itself.
POD = "pod"
TRAINERS = {POD: "ion.lammps_train"}
#: Kind of engine that runs the students of each family.
KINDS = {POD: "lammps"}


@dataclass(frozen=True)
class StudentRequest:
    """What is asked of a student.

    :param teacher: name of the engine that labels.
    :param family: of the student.
    :param engine: name of the engine whose program trains and runs the student; the one of its kind if not given.
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


def student_builder(structure: orm.StructureData, request: StudentRequest) -> Any:
    """Return the checked builder of a student.

    :param structure: the crystal.
    :raises ValueError: if it cannot be submitted; the message says why.
    """
    teacher, trainer = load_engine(request.teacher), training_engine(request.family, request.engine)
    for engine, jobs in ((teacher, request.teacher_jobs), (trainer, request.student_jobs)):
        check_jobs(engine.job, engine.code.computer, engine.jobs, jobs)
    chosen = teacher.md.engine_inputs(structure, None, **engine_choices(teacher))
    chain: Any = WorkflowFactory("ion.student")
    builder = chain.get_builder()
    builder.structure = structure
    builder.parameters = orm.Dict(dict(request.parameters))
    builder.teacher.entry_point = orm.Str(teacher.entry_point)
    builder.teacher.engine = {name: value for name, value in chosen.items() if name != "metadata"}
    builder.teacher.options = job_options(teacher.jobs, request.teacher_jobs)
    builder.trainer.entry_point = orm.Str(TRAINERS[request.family])
    builder.trainer.code = trainer.code
    if request.settings:
        builder.trainer.parameters = orm.Dict({"settings": dict(request.settings)})
    builder.trainer.options = job_options(trainer.jobs, request.student_jobs)
    builder.watch.code = diffusion_code()
    builder.metadata.label = f"{structure.get_formula('hill_compact')}: {teacher.name} by {request.family.upper()}"
    problem = validate_builder(builder)
    if problem is not None:
        raise ValueError(one_line(problem))
    return builder


def training_engine(family: str, name: str | None) -> Engine:
    """Return the engine whose program trains and runs a family.

    :param name: of the engine; the only one of its kind if not given.
    :raises ValueError: for an unknown family, an engine of another kind, or none or several of that kind.
    """
    if family not in TRAINERS:
        raise ValueError(f"there is no family {family!r} of students; choose from {', '.join(TRAINERS)}")
    kind = KINDS[family]
    entry_point = entry_point_of(kind)
    if name is not None:
        engine = load_engine(name)
        if engine.entry_point != entry_point:
            raise ValueError(f"{name} is not an engine of the kind {kind}, which trains and runs {family.upper()}")
        return engine
    table = engine_table()
    table = table[table["entry_point"] == entry_point]
    # One with a potential of its own is a student of before, or made for one material.
    names = sorted(set(table["name"][table["potential"].isna()])) or sorted(set(table["name"]))
    if len(names) != 1:
        choice = f"choose from {', '.join(names)} with --engine" if names else f"run 'aiida-ion engine install {kind}'"
        raise ValueError(f"{family.upper()} is trained and run by an engine of the kind {kind}: {choice}")
    return load_engine(names[0])
