"""From the options of ``aiida-ion potential train`` to the work chain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.plugins import WorkflowFactory

from aiida_ion.aiida_private.builders import validate_builder
from aiida_ion.campaigns.surrogate_nodes import any_node
from aiida_ion.engines.jobs import check_jobs, job_options
from aiida_ion.engines.options import check_device
from aiida_ion.engines.parents import parent_inputs, training_code
from aiida_ion.engines.requests import JobRequest
from aiida_ion.messages import one_line
from aiida_ion.training.families import FAMILIES


def training_builder(dataset: str, given: Mapping[str, Any]) -> Any:
    """Return the checked builder of a training.

    :param dataset: pk or uuid of a dataset.
    :param given: options of the command.
    :raises ValueError: if it cannot be submitted; the message says why.
    """
    family = FAMILIES[given["family"]]
    chain: Any = WorkflowFactory("ion.training")
    builder = chain.get_builder()
    builder.code = training_code(given["engine"] or family.environment)
    builder.dataset = dataset_node(dataset)
    builder.parameters = orm.Dict(
        {
            "family": family.name,
            "protocol": given["protocol"],
            "seed": given["seed"],
            "settings": given["settings"] or {},
            "device": given["device"],
            **({"dtype": given["dtype"]} if given["dtype"] else {}),
        }
    )
    builder.n_members = orm.Int(given["committee"])
    for name, node in _parent(given, family.potential, builder.code.computer).items():
        setattr(builder, name, node)
    jobs = JobRequest(threads=given["threads"], walltime_s=given["walltime_s"], job_options=given["job_options"])
    check_jobs("ion.train", builder.code.computer, jobs)
    check_device(given["device"], builder.code.computer)
    builder.options = job_options(jobs)
    builder.metadata.label = f"{family.label} on {builder.dataset.label}"[:255]
    problem = validate_builder(builder)
    if problem is not None:
        raise ValueError(one_line(problem))
    return builder


def _parent(given: Mapping[str, Any], potential: str, computer: orm.Computer) -> dict[str, Any]:
    if given["parent"] is None:
        return {}
    return parent_inputs(given["parent"], potential, computer)


def dataset_node(given: str) -> orm.ArrayData:
    """Return a dataset of labelled frames.

    :raises ValueError: if the node is not one.
    """
    node = any_node(given)
    if not isinstance(node, orm.ArrayData) or "sources" not in node.base.attributes.all:
        raise ValueError(f"{given} is not a dataset; make one with 'aiida-ion potential dataset'")
    return node
