"""From options to the jobs of a surrogate: its training and its predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.common.exceptions import NotExistent
from aiida.plugins import CalculationFactory

from aiida_ion.aiida_private.builders import validate_builder
from aiida_ion.campaigns.surrogate_nodes import any_node
from aiida_ion.engines.options import check_device, check_job_options, check_resources
from aiida_ion.engines.requests import JobRequest
from aiida_ion.messages import one_line

#: Option -> setting of the training.
SETTINGS = {"protocol": "protocol", "split": "split", "folds": "n_folds", "repeats": "n_repeats"}
SETTINGS |= {name: name for name in ("controls", "ablations", "seed", "device")}


def train_builder(dataset: orm.ArrayData, given: Mapping[str, Any]) -> Any:
    """Return the checked builder of a training.

    :param given: options of the command.
    :raises ValueError: if it cannot be submitted; the message says why.
    """
    jobs = JobRequest(threads=given["threads"], walltime_s=given["walltime_s"], job_options=given["job_options"])
    builder = _builder("ion.surrogate_train", given["code"], jobs, given["device"])
    builder.dataset = dataset
    chosen = {setting: given[option] for option, setting in SETTINGS.items()}
    builder.parameters = orm.Dict(chosen | {"settings": given.get("settings") or {}})
    if given.get("restart_from"):
        builder.restart_from = _state(given["restart_from"])
    builder.metadata.label = f"surrogate {given['protocol']}, split by {given['split']}"
    return _checked(builder)


def predict_builder(
    model: orm.SinglefileData, dataset: orm.ArrayData, code: str, jobs: JobRequest, device: str | None = None
) -> Any:
    """Return the checked builder of a prediction.

    :param code: label of the code that runs it.
    :param device: of the potential, which is on the same machine.
    :raises ValueError: if it cannot be submitted; the message says why.
    """
    builder = _builder("ion.surrogate_predict", code, jobs, device)
    builder.model, builder.dataset = model, dataset
    builder.metadata.label = f"prediction of {dataset.base.attributes.get('n_materials')} materials"
    return _checked(builder)


def _builder(job: str, code: str, jobs: JobRequest, device: str | None) -> Any:
    calculation: Any = CalculationFactory(job)
    builder = calculation.get_builder()
    try:
        builder.code = orm.load_code(code)
    except NotExistent as error:
        raise ValueError(f"there is no code {code}; make it with 'aiida-ion engine install surrogate'") from error
    resources = {"num_machines": 1, "num_mpiprocs_per_machine": 1, "num_cores_per_mpiproc": jobs.threads or 1}
    own = jobs.job_options or {}
    check_job_options(own, job, builder.code.computer)
    check_device(device, builder.code.computer)
    options: dict[str, Any] = {"resources": resources, **own}
    check_resources(options["resources"], builder.code.computer)
    if jobs.walltime_s is not None:
        options["max_wallclock_seconds"] = jobs.walltime_s
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
