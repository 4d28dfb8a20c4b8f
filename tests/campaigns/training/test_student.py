from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import pytest
from aiida import orm

from aiida_ion.campaigns.training.student import StudentRequest, student_builder, training_engine
from aiida_ion.engines.engine import Engine
from tests.workchains.student.test_workchain import alloy

REQUEST = StudentRequest(teacher="teacher", parameters={"max_temperature_K": 500.0})


@pytest.fixture
def engines(
    aiida_profile_clean: Any, aiida_code_installed: Any, python_code: Any, lammps_code: orm.InstalledCode
) -> None:
    """Register a teacher, the engine of LAMMPS, and the code of the fits."""
    for name, plugin in (("teacher", "ion.mlip_md"), ("kinisi", "ion.diffusion")):
        code = python_code(plugin)
        own = aiida_code_installed(
            label=name, default_calc_job_plugin=plugin, filepath_executable=str(code.filepath_executable)
        )
        if name == "teacher":
            Engine(own, "ion.md.mlip", potential={"name": "emt"}).save()
    Engine(lammps_code, "ion.md.lammps").save()


@pytest.mark.usefixtures("engines")
def test_a_student_is_trained_and_run_by_the_engine_of_lammps() -> None:
    builder = student_builder(alloy(), replace(REQUEST, settings={"rcut_A": 5.0}))
    assert builder.trainer.code.label == "lammps"
    assert builder.trainer.entry_point.value == "ion.lammps_train"
    assert builder.trainer.parameters.get_dict() == {"settings": {"rcut_A": 5.0}}
    assert builder.teacher.entry_point.value == "ion.md.mlip"
    assert builder.watch.code.label == "kinisi"
    assert builder.metadata.label.endswith("teacher by POD")


@pytest.mark.usefixtures("engines")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"teacher": "nobody"}, "there is no engine 'nobody'"),
        ({"family": "snap"}, "there is no family 'snap' of students; choose from pod, "),
        ({"engine": "teacher"}, "is not an engine of the kind lammps"),
        ({"parameters": {"max_temperature_K": -1.0}}, "max_temperature_K"),
        ({"settings": {"rcut": 5.0}}, "did you mean rcut_A"),
    ],
)
def test_what_cannot_be_made_is_refused_before_it_is_submitted(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        student_builder(alloy(), replace(REQUEST, **changes))


@pytest.mark.usefixtures("engines")
def test_engines_with_a_potential_of_their_own_are_not_taken_for_the_trainer(aiida_code_installed: Any) -> None:
    program = str(training_engine(None).code.filepath_executable)
    others = [
        aiida_code_installed(label=name, default_calc_job_plugin="ion.lammps_md", filepath_executable=program)
        for name in ("student-of-before", "second")
    ]
    Engine(others[0], "ion.md.lammps", potential={"name": "POD"}).save()
    assert training_engine(None).name == "lammps"
    Engine(others[1], "ion.md.lammps").save()
    with pytest.raises(ValueError, match="choose from lammps, second with --engine"):
        training_engine(None)


@pytest.mark.usefixtures("engines")
def test_other_families_are_trained_by_the_python_of_their_environment(aiida_code_installed: Any) -> None:
    with pytest.raises(ValueError, match="there is no engine nequip"):
        student_builder(alloy(), replace(REQUEST, family="allegro"))
    aiida_code_installed(label="nequip", default_calc_job_plugin="ion.train", filepath_executable=sys.executable)
    builder = student_builder(alloy(), replace(REQUEST, family="allegro", settings={"n_epochs": 7}))
    parameters = {"family": "allegro", "protocol": "student", "settings": {"n_epochs": 7}}
    assert builder.trainer.parameters.get_dict() == parameters
    assert builder.trainer.entry_point.value == "ion.train"
    assert builder.trainer.code.label == "nequip"
    with pytest.raises(ValueError, match="did you mean n_epochs"):
        student_builder(alloy(), replace(REQUEST, family="allegro", settings={"epochs": 7}))
