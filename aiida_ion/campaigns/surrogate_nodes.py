"""Nodes of the surrogate by their pk or uuid: datasets, trainings, models, reports, predictions."""

from __future__ import annotations

from typing import Any

from aiida import orm
from aiida.common.exceptions import MultipleObjectsError, NotExistent

from aiida_ion.calculations.surrogate.arrays import DATASET_ARRAYS, validate_model
from aiida_ion.messages import one_line

TRAIN = "aiida.calculations:ion.surrogate_train"
PREDICT = "aiida.calculations:ion.surrogate_predict"


def any_node(given: str) -> Any:
    """Return a node by its pk or uuid.

    :raises ValueError: if there is none.
    """
    try:
        return orm.load_node(given)
    except (NotExistent, MultipleObjectsError, ValueError) as error:
        raise ValueError(f"there is no node {given}") from error


def dataset_node(given: str) -> orm.ArrayData:
    """Return a dataset.

    :raises ValueError: if the node is not one.
    """
    node = any_node(given)
    if not is_dataset(node):
        raise ValueError(f"{given} is not a dataset; make one with 'aiida-ion surrogate dataset'")
    return node  # type: ignore[no-any-return]


def model_of(given: str) -> orm.SinglefileData:
    """Return a model: the node itself, or that of a training.

    :raises ValueError: if there is none.
    """
    node = any_node(given)
    if isinstance(node, orm.CalcJobNode) and node.process_type == TRAIN:
        if "model" not in node.outputs:
            text = one_line(node.exit_message or node.process_state)
            raise ValueError(f"the training {given} has no model: {text}")
        node = node.outputs.model
    if not isinstance(node, orm.SinglefileData):
        raise ValueError(f"{given} is not a model; give a training or its model")
    problem = validate_model(node)
    if problem is not None:
        raise ValueError(problem)
    return node


def is_dataset(node: Any) -> bool:
    """Whether a node has the arrays of a dataset."""
    return isinstance(node, orm.ArrayData) and set(DATASET_ARRAYS) <= set(node.get_arraynames())
