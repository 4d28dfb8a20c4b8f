"""How a stage of a screening is computed: what is submitted for materials, and the result of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiida import orm

from aiida_ion.aiida_private.builders import builder_inputs
from aiida_ion.exit_codes import STOPPED_EARLY
from aiida_ion.queries.reuse import finished_conductivity
from aiida_ion.queries.screening.existing import existing_results
from aiida_ion.screening.quantities import METHODS
from aiida_ion.workchains.outcome import outcome
from aiida_ion.workchains.queue.plans import decode, process_class
from aiida_ion.workchains.screening.inputs import PROCESS

#: Output of a work chain of one material that a stage judges.
RESULT_OUTPUTS = {"conductivity": "conductivity", "barrier": "network", "surrogate": "prediction"}
#: Exit codes of jobs of many materials that may get further when they are submitted again.
STOPPED = (*STOPPED_EARLY, 710)
Materials = Sequence[Mapping[str, Any]]


class NoInputsError(ValueError):
    """A material that a stage cannot compute; the message says why."""


def known_results(stage: Mapping[str, Any], materials: Materials) -> dict[str, str]:
    """Return the results that are in the database already: label of the material -> uuid.

    :param stage: an entry of the input `stages`.
    """
    if not METHODS[stage["method"]].computes:
        return {material["label"]: material["uuid"] for material in materials}
    if not METHODS[stage["method"]].many_at_once:
        return {}  # a work chain finds what it has computed when it is about to be submitted
    process = process_class(stage[PROCESS]["entry_point"])
    inputs = _shared_inputs(stage)
    inputs.setdefault("program", process.spec().inputs["program"].default())
    hashes = [material["structure_hash"] for material in materials if material["structure_hash"]]
    kind = f"aiida.calculations:{stage[PROCESS]['entry_point']}"
    known = existing_results(kind, inputs, hashes)
    return {m["label"]: known[m["structure_hash"]] for m in materials if m["structure_hash"] in known}


def batches(stage: Mapping[str, Any], materials: Materials, batch_size: int) -> list[list[str]]:
    """Return labels of the materials of each process of a stage."""
    size = batch_size if METHODS[stage["method"]].many_at_once else 1
    labels = [material["label"] for material in materials]
    return [labels[first : first + size] for first in range(0, len(labels), size)]


def submission(stage: Mapping[str, Any], materials: Materials) -> tuple[Any, dict[str, Any]]:
    """Return the process of some materials, and its inputs.

    :raises NoInputsError: for a single material that the process does not accept.
    """
    process = process_class(stage[PROCESS]["entry_point"])
    if METHODS[stage["method"]].many_at_once:
        structures = {material["label"]: orm.load_node(uuid=material["uuid"]) for material in materials}
        return process, decode(stage[PROCESS]["inputs"]) | {"structures": structures}
    try:
        choices = decode(stage[PROCESS]["inputs"])
        builder = process.get_builder_from_protocol(orm.load_node(uuid=materials[0]["uuid"]), **choices)
    except ValueError as error:
        raise NoInputsError(" ".join(str(error).split())) from error
    return process, builder_inputs(builder)


def finished_before(stage: Mapping[str, Any], inputs: Mapping[str, Any]) -> int | None:
    """Return the pk of a finished work chain with the same inputs."""
    return finished_conductivity(inputs) if stage["method"] == "conductivity" else None


def results_of(stage: Mapping[str, Any], labels: Sequence[str], node: Any) -> tuple[dict[str, str], dict[str, str]]:
    """Return the result of each material of an ended process, by uuid, and why others have none.

    :param labels: of the materials of the process.
    """
    outputs = node.outputs
    if METHODS[stage["method"]].many_at_once:
        results = outputs.results if "results" in outputs else {}
        uuids = {label: results[label].uuid for label in labels if label in results}
    else:
        port = RESULT_OUTPUTS[stage["method"]]
        uuids = {labels[0]: outputs[port].uuid} if port in outputs else {}
    return uuids, {label: outcome(node) for label in labels if label not in uuids}


def repeats(stage: Mapping[str, Any], labels: Sequence[str], missing: Sequence[str], node: Any) -> list[list[str]]:
    """Return the materials of each job that is to be submitted again after one that was stopped.

    What a job did not get to is repeated. Where it got to nothing, one material may be to blame: the rest is halved
    until that one is alone.

    :param labels: materials of the job.
    :param missing: those of them without a result.
    """
    if not METHODS[stage["method"]].many_at_once or node.exit_status not in STOPPED:
        return []
    if len(missing) < len(labels):
        return [list(missing)]
    half = len(missing) // 2
    return [list(part) for part in (missing[:half], missing[half:])] if half else []


def _shared_inputs(stage: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs of a job of many materials that decide its numbers."""
    inputs: dict[str, Any] = decode(stage[PROCESS]["inputs"])
    return {name: value for name, value in inputs.items() if isinstance(value, orm.Node)}
