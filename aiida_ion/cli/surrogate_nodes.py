"""A node of the surrogate in words."""

from __future__ import annotations

from typing import Any

import click
from aiida import orm

from aiida_ion.campaigns.surrogate_nodes import PREDICT, TRAIN, is_dataset
from aiida_ion.cli.text import surrogates as reports
from aiida_ion.messages import one_line


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
        if is_dataset(node):
            return "\n".join(reports.describe_dataset(node))
        if "arm_predictions" in names:
            return reports.describe_report(node)
        if "domain_distance" in names:
            return reports.describe_predictions(node)
    raise click.ClickException(f"{node.pk} is not a dataset, training, model or prediction of a surrogate")
