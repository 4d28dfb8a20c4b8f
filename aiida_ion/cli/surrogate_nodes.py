"""Nodes of the surrogate by their pk or uuid: datasets, trainings, models, reports, predictions."""

from __future__ import annotations

from typing import Any

import click
from aiida import orm
from aiida.common.exceptions import MultipleObjectsError, NotExistent

from aiida_ion.calculations.surrogate.arrays import DATASET_ARRAYS, validate_model
from aiida_ion.cli.text import surrogates as reports
from aiida_ion.messages import one_line

TRAIN = "aiida.calculations:ion.surrogate_train"
PREDICT = "aiida.calculations:ion.surrogate_predict"


def any_node(given: str) -> Any:
    """Return a node by its pk or uuid.

    :raises click.ClickException: if there is none.
    """
    try:
        return orm.load_node(given)
    except (NotExistent, MultipleObjectsError, ValueError) as error:
        raise click.ClickException(f"there is no node {given}") from error


def dataset_node(given: str) -> orm.ArrayData:
    """Return a dataset.

    :raises click.ClickException: if the node is not one.
    """
    node = any_node(given)
    if not _is_dataset(node):
        raise click.ClickException(f"{given} is not a dataset; make one with 'aiida-ion surrogate dataset'")
    return node  # type: ignore[no-any-return]


def model_of(given: str) -> orm.SinglefileData:
    """Return a model: the node itself, or that of a training.

    :raises click.ClickException: if there is none.
    """
    node = any_node(given)
    if isinstance(node, orm.CalcJobNode) and node.process_type == TRAIN:
        if "model" not in node.outputs:
            text = one_line(node.exit_message or node.process_state)
            raise click.ClickException(f"the training {given} has no model: {text}")
        node = node.outputs.model
    if not isinstance(node, orm.SinglefileData):
        raise click.ClickException(f"{given} is not a model; give a training or its model")
    problem = validate_model(node)
    if problem is not None:
        raise click.ClickException(problem)
    return node


def describe(node: Any) -> str:
    """Return a node of the surrogate as text.

    :raises click.ClickException: for any other node.
    """
    if isinstance(node, orm.SinglefileData) and node.creator is not None:
        node = node.creator
    if isinstance(node, orm.CalcJobNode) and node.process_type in (TRAIN, PREDICT):
        output = "report" if node.process_type == TRAIN else "predictions"
        if output not in node.outputs:
            text = one_line(node.exit_message or node.process_state)
            raise click.ClickException(f"the job {node.pk} has no {output}: {text}")
        models = f"\nModel: {node.outputs.model.pk}" if "model" in node.outputs else ""
        return describe(node.outputs[output]) + models
    if isinstance(node, orm.ArrayData):
        names = set(node.get_arraynames())
        if _is_dataset(node):
            return "\n".join(reports.describe_dataset(node))
        if "arm_predictions" in names:
            return reports.describe_report(node)
        if "domain_distance" in names:
            return reports.describe_predictions(node)
    raise click.ClickException(f"{node.pk} is not a dataset, training, model or prediction of a surrogate")


def _is_dataset(node: Any) -> bool:
    return isinstance(node, orm.ArrayData) and set(DATASET_ARRAYS) <= set(node.get_arraynames())
