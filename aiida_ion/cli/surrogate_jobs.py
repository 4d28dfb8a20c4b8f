"""From options to the jobs that train a surrogate and predict with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.common.exceptions import NotExistent
from aiida.plugins import CalculationFactory

from aiida_ion.aiida_private.builders import validate_builder
from aiida_ion.cli.surrogate_nodes import any_node
from aiida_ion.engines.options import check_device, check_job_options, check_resources
from aiida_ion.messages import one_line

#: Option -> setting of the training.
SETTINGS = {"protocol": "protocol", "split": "split", "folds": "n_folds", "repeats": "n_repeats"}
SETTINGS |= {name: name for name in ("controls", "ablations", "seed", "device")}


def train_builder(dataset: orm.ArrayData, given: Mapping[str, Any]) -> Any:
    """Return the checked builder of a training.

    :raises ValueError: if it cannot be submitted; the message says why.
    """
    builder = _builder("ion.surrogate_train", given)
    builder.dataset = dataset
    chosen = {setting: given[option] for option, setting in SETTINGS.items()}
    builder.parameters = orm.Dict(chosen | {"settings": given.get("settings") or {}})
    if given.get("restart_from"):
        builder.restart_from = _state(given["restart_from"])
    builder.metadata.label = f"surrogate {given['protocol']}, split by {given['split']}"
    return _checked(builder)


def predict_builder(model: orm.SinglefileData, dataset: orm.ArrayData, given: Mapping[str, Any]) -> Any:
    """Return the checked builder of a prediction.

    :raises ValueError: if it cannot be submitted; the message says why.
    """
    builder = _builder("ion.surrogate_predict", given)
    builder.model, builder.dataset = model, dataset
    builder.metadata.label = f"prediction of {dataset.base.attributes.get('n_materials')} materials"
    return _checked(builder)


def _builder(job: str, given: Mapping[str, Any]) -> Any:
    calculation: Any = CalculationFactory(job)
    builder = calculation.get_builder()
    try:
        builder.code = orm.load_code(given["code"])
    except NotExistent as error:
        raise ValueError(
            f"there is no code {given['code']}; make it with 'aiida-ion engine install surrogate'"
        ) from error
    resources = {"num_machines": 1, "num_mpiprocs_per_machine": 1, "num_cores_per_mpiproc": given.get("threads") or 1}
    own = given.get("job_options") or {}
    check_job_options(own, job, builder.code.computer)
    check_device(given.get("device"), builder.code.computer)
    options: dict[str, Any] = {"resources": resources} | own
    check_resources(options["resources"], builder.code.computer)
    if given.get("walltime_s"):
        options["max_wallclock_seconds"] = given["walltime_s"]
    builder.metadata.options = options
    builder.clean_workdir = True
    return builder


def _state(given: str) -> orm.FolderData:
    node = any_node(given)
    if isinstance(node, orm.CalcJobNode):
        if "state" not in node.outputs:
            raise ValueError(f"the training {given} left no state to continue from: {one_line(node.exit_message)}")
        return node.outputs.state  # type: ignore[no-any-return]
    if not isinstance(node, orm.FolderData):
        raise ValueError(f"{given} is not a state of a training")
    return node


def _checked(builder: Any) -> Any:
    problem = validate_builder(builder)
    if problem is not None:
        raise ValueError(one_line(problem))
    return builder
