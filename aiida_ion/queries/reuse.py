"""Results that are already in the database, or being computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.common.exceptions import HashingError
from aiida.common.hashing import make_hash

from aiida_ion import __version__
from aiida_ion.aiida_private.caching import HASH
from aiida_ion.former_names import with_present_kinds
from aiida_ion.queries.reading.shared import (
    CONDUCTIVITY_CHAINS,
    CONDUCTIVITY_PROCESS,
    ENSEMBLE_PROCESS,
    of_function,
    rows,
)
from aiida_ion.queries.running.processes import ENDED

SAMPLES_CHAIN = "aiida.workflows:ion.surrogate_samples"
COMPARISON_CHAIN = "aiida.workflows:ion.comparison"
#: Link label of a crystal within a comparison, and labels within the namespace of a run there.
RUNS, STRUCTURE = "runs__", "structure"
#: Inputs that are compared by what decides a result: those of a conductivity and of an ensemble.
SETTINGS = ("parameters", "conductivity__parameters")
#: Input of an ensemble that it fills by itself with the program of this version.
PROGRAM = "ordering__program"
#: Inputs of a conductivity that a batch computed before: what it would have computed, so they do not tell it apart.
PREPARED = "prepared"
FAILED: dict[str, Any] = {
    "and": [
        {"attributes.process_state": {"in": list(ENDED)}},
        {"or": [{"attributes.exit_status": {">": 0}}, {"attributes.process_state": {"in": ["excepted", "killed"]}}]},
    ]
}
#: Exit codes of an ensemble with a result: done, the spread decides the error, a single member.
ENSEMBLE_DONE = (0, 717, 718)


def finished_run(inputs: Mapping[str, Any]) -> int | None:
    """Return the pk of the newest finished work chain with the same inputs: a conductivity or an ensemble of them.

    An ensemble in which a member has no result is not finished: that member is run again, and the others are found.

    :param inputs: of an ``ion.conductivity`` or ``ion.ensemble``, as for :func:`finished_conductivity`.
    """
    if not _is_ensemble(inputs):
        return finished_conductivity(inputs)
    ended = {"attributes.exit_status": {"in": list(ENSEMBLE_DONE)}, "attributes.version.plugin": __version__}
    for pk in sorted(_same(inputs, ENSEMBLE_PROCESS, ended), reverse=True):
        chain: Any = orm.load_node(pk)
        members = chain.outputs.conductivity.base.attributes.get("members")
        if all(entry.get("uuid") for entry in members):
            return pk
    return None


def running_run(inputs: Mapping[str, Any]) -> int | None:
    """Return the pk of a running work chain that computes this conductivity or ensemble, directly or in a comparison.

    :param inputs: as for :func:`finished_run`.
    """
    alive = {"attributes.process_state": {"!in": list(ENDED)}}
    running = _same(inputs, _process_of(inputs), alive) or _same(inputs, COMPARISON_CHAIN, alive)
    return max(running, default=None)


def failed_run(inputs: Mapping[str, Any]) -> int | None:
    """Return the pk of the newest failed work chain with the same inputs; of an ensemble also one that lacks members.

    :param inputs: as for :func:`finished_run`.
    """
    return max(_same(inputs, _process_of(inputs), FAILED), default=None)


def _is_ensemble(inputs: Mapping[str, Any]) -> bool:
    return isinstance(inputs.get("conductivity"), Mapping)


def _process_of(inputs: Mapping[str, Any]) -> str:
    return ENSEMBLE_PROCESS if _is_ensemble(inputs) else CONDUCTIVITY_PROCESS


def finished_conductivity(inputs: Mapping[str, Any]) -> int | None:
    """Return the pk of the newest finished conductivity work chain with the same inputs, or ``None``.

    Inputs are compared by content; the number of parallel runs does not matter. Only results of this version of the
    package count.

    :param inputs: inputs of an ``ion.conductivity``: nested mappings of nodes, stored or not.
    """
    finished = {"attributes.exit_status": 0, "attributes.version.plugin": __version__}
    return max(_same(inputs, CONDUCTIVITY_PROCESS, finished), default=None)


def running_conductivity(inputs: Mapping[str, Any]) -> int | None:
    """Return the pk of a running work chain that computes this conductivity, directly or in a comparison.

    :param inputs: as for :func:`finished_conductivity`.
    """
    return running_run(inputs)


def failed_conductivity(inputs: Mapping[str, Any]) -> int | None:
    """Return the pk of the newest failed conductivity work chain with the same inputs.

    :param inputs: as for :func:`finished_conductivity`.
    """
    return failed_run(inputs)


def finished_samples(inputs: Mapping[str, Any]) -> int | None:
    """Return the pk of the newest finished work chain that sampled a material with the same inputs, or ``None``.

    :param inputs: inputs of an ``ion.surrogate_samples``: nested mappings of nodes, stored or not.
    """
    return max(_same(inputs, SAMPLES_CHAIN, {"attributes.exit_status": 0}), default=None)


def running_samples(inputs: Mapping[str, Any]) -> int | None:
    """Return the pk of a running work chain that samples a material with the same inputs.

    :param inputs: as for :func:`finished_samples`.
    """
    return max(_same(inputs, SAMPLES_CHAIN, {"attributes.process_state": {"!in": list(ENDED)}}), default=None)


def compared_conductivities() -> set[int]:
    """Return the pks of the conductivity work chains whose result was used in a comparison."""
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters=CONDUCTIVITY_CHAINS, project=["id"], tag="chain")
    result = {"label": "conductivity"}
    query.append(orm.ArrayData, with_incoming="chain", edge_filters=result, tag="conductivity")
    query.append(orm.CalcFunctionNode, with_incoming="conductivity", filters=of_function("compare_levels"))
    return {pk for (pk,) in rows(query.distinct())}


def _same(inputs: Mapping[str, Any], process_type: str, filters: Mapping[str, Any]) -> list[int]:
    """Return the pks of processes of a kind with these inputs, or of comparisons with such a run."""
    known_inputs = hashes_of_inputs(inputs)
    query = orm.QueryBuilder()
    same_crystal = {HASH: known_inputs[STRUCTURE]}
    query.append(orm.StructureData, filters=same_crystal, tag=STRUCTURE)
    query.append(
        orm.WorkChainNode,
        with_incoming=STRUCTURE,
        edge_filters={"label": {"like": f"%{STRUCTURE}"}},
        filters={"and": [{"process_type": process_type}, dict(filters)]},
        project=["id"],
        tag="chain",
    )
    columns = [HASH, "attributes"]
    query.append(orm.Data, with_outgoing="chain", project=columns, edge_project=["label"])
    candidates: dict[tuple[int, str], dict[str, Any]] = {}
    for pk, digest, attributes, label in rows(query):
        run, name = _of_run(label)
        if name == PROGRAM or name.startswith(f"{PREPARED}__"):
            continue
        candidates.setdefault((pk, run), {})[name] = physical(attributes or {}) if name in SETTINGS else digest
    return [pk for (pk, _), known in candidates.items() if known == known_inputs]


def _of_run(label: str) -> tuple[str, str]:
    """Return the run that an input belongs to, empty for a conductivity, and its name there."""
    if not label.startswith(RUNS):
        return "", label
    material, engine, name = (*label.removeprefix(RUNS).split("__", 2), "", "")[:3]
    return f"{material} {engine}", name


def hashes_of_inputs(inputs: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return link label -> hash of each node among nested inputs; for `parameters` only of the relevant content."""
    known: dict[str, Any] = {}
    for name, value in inputs.items():
        label = f"{prefix}{name}"
        if label == PREPARED:
            continue
        if isinstance(value, Mapping):
            known |= hashes_of_inputs(value, f"{label}__")
        elif isinstance(value, orm.Node):
            stored: Any = value.base.caching.get_hash() if value.is_stored else None
            known[label] = stored if isinstance(stored, str) else _hash(value)
        if label in SETTINGS:
            known[label] = physical(value.get_dict())
    return known


def _hash(node: orm.Node) -> str:
    """Return the hash of a node's content; a unique one if it cannot be hashed."""
    try:
        return str(make_hash(node.base.caching.get_objects_to_hash()))
    except (ValueError, HashingError):
        return node.uuid


def physical(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that decide a result."""
    known = {key: value for key, value in parameters.items() if key != "max_concurrent"}
    return with_present_kinds(known)
