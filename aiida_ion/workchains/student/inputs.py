"""What the children of ``ion.student`` get, and what is refused before anything is submitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.plugins import CalculationFactory

from aiida_ion.settings.values import SettingsError
from aiida_ion.training.families import FAMILIES
from aiida_ion.training.plan import TrainingPlan
from aiida_ion.workchains.student.cells import validate_structures
from aiida_ion.workchains.student.parameters import StudentParameters
from aiida_ion.workchains.student.teacher import validate_teacher


def define_students(spec: Any) -> None:
    """Declare structure, parameters, and what trains and watches."""
    spec.input(
        "structure",
        valid_type=orm.StructureData,
        help="The crystal, angstrom; `supercell` of it is simulated: 50 to 100 atoms are enough.",
    )
    spec.input_namespace(
        "other_structures",
        valid_type=orm.StructureData,
        dynamic=True,
        required=False,
        help="Other crystals of the same atoms that the student must run as well, such as other orderings, angstrom: "
        "the teacher runs each of them, and the runs that must survive take turns.",
    )
    spec.input("parameters", valid_type=orm.Dict, validator=validate_parameters, help="Fields of `StudentParameters`.")
    spec.input("trainer.entry_point", valid_type=orm.Str, help="The job that trains: `ion.lammps_train`, `ion.train`.")
    spec.input("trainer.code", valid_type=orm.AbstractCode, help="Its code, which runs the student, too.")
    spec.input(
        "trainer.parameters", valid_type=orm.Dict, default=lambda: orm.Dict({}), help="Its parameters, but for `seed`."
    )
    spec.input("trainer.options", valid_type=dict, non_db=True, required=False, help="`metadata.options` of its jobs.")
    spec.input("watch.code", valid_type=orm.AbstractCode, help="The Python that has ASE: the one of the fits.")
    spec.input("watch.options", valid_type=dict, non_db=True, required=False, help="`metadata.options` of these jobs.")


def training_inputs(inputs: Mapping[str, Any], dataset: orm.ArrayData, number: int) -> dict[str, Any]:
    """Return the inputs of a training.

    :param number: of the training, from 1 on.
    """
    trainer = inputs["trainer"]
    metadata: dict[str, Any] = {"call_link_label": f"training_{number}"}
    if trainer.get("options"):
        metadata["options"] = dict(trainer["options"])
    return {
        "code": trainer["code"],
        "dataset": dataset,
        "parameters": trainer["parameters"],
        "metadata": metadata,
    }


def watch_inputs(
    inputs: Mapping[str, Any], node: Any, dataset: orm.ArrayData, margin_A: float | None
) -> dict[str, Any]:
    """Return the inputs of the job that watches a run of a student."""
    metadata: dict[str, Any] = {"call_link_label": f"watch_{node.pk}"}
    if inputs["watch"].get("options"):
        metadata["options"] = dict(inputs["watch"]["options"])
    return {
        "code": inputs["watch"]["code"],
        "trajectories": dict(node.outputs.trajectories),
        "dataset": dataset,
        "parameters": orm.Dict({} if margin_A is None else {"pair_margin_A": margin_A}),
        "metadata": metadata,
    }


def validate_parameters(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with the parameters; ``None`` if nothing is."""
    try:
        StudentParameters.from_dict(value.get_dict() if value is not None else {})
    except SettingsError as error:
        return str(error)
    return None


def validate_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return what a child would refuse; ``None`` if nothing, and the work chain can be submitted."""
    parameters, trainer = inputs.get("parameters"), inputs.get("trainer") or {}
    if parameters is None or validate_parameters(parameters, None) is not None or inputs.get("structure") is None:
        return None
    if (wrong := validate_structures(inputs)) is not None:
        return wrong
    if trainer.get("entry_point") is None:
        return None
    try:
        job: Any = CalculationFactory(trainer["entry_point"].value)
    except Exception as error:
        return f"trainer: {error}"
    missing = {"dataset", "parameters"} - set(job.spec().inputs)
    if missing or "report" not in job.spec().outputs:
        return f"trainer: {trainer['entry_point'].value} trains no potential: use ion.lammps_train or ion.train"
    given = trainer.get("parameters")  # a builder leaves out what has a default
    problem = job.spec().inputs["parameters"].validate(given) if given is not None else None
    reason = problem.message if problem is not None else _validate_settings(given)
    return f"trainer.parameters: {reason}" if reason else validate_teacher(inputs)


def _validate_settings(parameters: orm.Dict | None) -> str | None:
    """Return what is wrong with the settings of a family that a Python trains; a student has no parent."""
    given = parameters.get_dict() if parameters is not None else {}
    if given.get("family") not in FAMILIES:
        return None
    try:
        TrainingPlan.from_dict(given).family_settings(has_parent=False)
    except SettingsError as error:
        return str(error)
    return None
