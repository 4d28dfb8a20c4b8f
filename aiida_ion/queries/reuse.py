"""Results that are in the database already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm

from aiida_ion import __version__
from aiida_ion.queries.shared import CONDUCTIVITY_PROCESS


def finished_conductivity(inputs: Mapping[str, Any]) -> int | None:
    """Return the pk of a finished conductivity work chain with the same inputs, the newest; ``None`` without one.

    Inputs are the same when their content is; how many runs went side by side does not matter. Only results of this
    version of the package count.

    :param inputs: inputs of an ``ion.conductivity``: nested mappings of stored nodes.
    """
    wanted = _inputs_known(inputs)
    query = orm.QueryBuilder()
    same_crystal = {"extras._aiida_hash": wanted["structure"]}
    query.append(orm.StructureData, filters=same_crystal, tag="structure")
    finished = {
        "process_type": CONDUCTIVITY_PROCESS,
        "attributes.exit_status": 0,
        "attributes.version.plugin": __version__,
    }
    query.append(
        orm.WorkChainNode,
        with_incoming="structure",
        edge_filters={"label": "structure"},
        filters=finished,
        project=["id"],
        tag="chain",
    )
    said = ["extras._aiida_hash", "attributes"]
    query.append(orm.Data, with_outgoing="chain", project=said, edge_project=["label"])
    found: dict[int, dict[str, Any]] = {}
    for pk, digest, attributes, label in query.all():
        found.setdefault(pk, {})[label] = _physical(attributes) if label == "parameters" else digest
    return max((pk for pk, known in found.items() if known == wanted), default=None)


def _inputs_known(inputs: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return link label -> hash of each node among nested inputs; of `parameters` the content that matters."""
    known: dict[str, Any] = {}
    for name, value in inputs.items():
        label = f"{prefix}{name}"
        if isinstance(value, Mapping):
            known |= _inputs_known(value, f"{label}__")
        elif isinstance(value, orm.Node):
            known[label] = value.base.extras.get("_aiida_hash", None)
        if label == "parameters":
            known[label] = _physical(value.get_dict())
    return known


def _physical(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in parameters.items() if key != "max_concurrent"}
