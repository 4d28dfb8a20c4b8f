"""The run that a trajectory or state is of, whether its job made it alone or with others in a batch.

A job of a batch has the inputs of all its replicas, and outputs by their keys; what reads one run reads it here.
"""

from __future__ import annotations

from typing import Any

from aiida import orm
from aiida.common.links import LinkType

#: Process type of the job with many replicas.
BATCH_JOB = "aiida.calculations:ion.batch_md"
#: Outputs of a batch, by key -> those of a single run.
OUTPUTS = {"trajectories": "trajectory", "thermo": "thermo", "states": "state", "costs": "cost"}
#: Inputs of a batch by key of the replica, and the one that names its structure.
BY_KEY, REPLICAS, STRUCTURE = ("restart_from", "initial_velocities"), "replicas", "structure"


def replica_of(node: orm.Data) -> tuple[orm.CalculationNode | None, str | None]:
    """Return the calculation that made a node, and the key of the replica there; ``None`` for what they are not.

    :param node: an output of a run, such as a trajectory.
    """
    link = node.base.links.get_incoming(link_type=LinkType.CREATE).first()
    if link is None:
        return None, None
    job: Any = link.node
    key = str(link.link_label).partition("__")[2] if job.process_type == BATCH_JOB else ""
    return job, key or None


def inputs_of_run(node: orm.Data) -> dict[str, Any]:
    """Return the inputs of the run that a node is of, namespaces as mappings; none where nothing made it.

    Those of a replica are what ``ion.mlip_md`` would have had alone; its MD settings are a node that is not stored.
    """
    job, key = replica_of(node)
    if job is None:
        return {}
    nested: dict[str, Any] = job.base.links.get_incoming(link_type=LinkType.INPUT_CALC).nested()
    return nested if key is None else _inputs_of_replica(nested, key)


def _inputs_of_replica(inputs: dict[str, Any], key: str) -> dict[str, Any]:
    own = dict(inputs[REPLICAS].get_dict()[key])
    name = own.pop(STRUCTURE)
    several = (*BY_KEY, REPLICAS, "structures", "charges")
    alone = {port: value for port, value in inputs.items() if port not in several}
    shared = inputs["parameters"].get_dict() if "parameters" in inputs else {}
    alone |= {STRUCTURE: inputs["structures"][name], "parameters": orm.Dict(shared | own)}
    if name in (inputs.get("charges") or {}):
        alone["charges"] = inputs["charges"][name]
    return alone | {port: inputs[port][key] for port in BY_KEY if key in (inputs.get(port) or {})}


def outputs_of_run(node: orm.Data) -> dict[str, Any]:
    """Return the outputs of the run that a node is of, as ``ion.mlip_md`` names them; none where nothing made it."""
    job, key = replica_of(node)
    if job is None:
        return {}
    made = job.base.links.get_outgoing(link_type=LinkType.CREATE).all()
    if key is None:
        return {str(link.link_label): link.node for link in made}
    found = {str(link.link_label).partition("__"): link.node for link in made}
    outputs = {OUTPUTS[port]: one for (port, _, of), one in found.items() if of == key and port in OUTPUTS}
    return outputs | {port: one for (port, _, of), one in found.items() if not of and port == "versions"}
