"""Provenance of a result in the graph, back to structure, potential and raw files; bounded at every step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from aiida import orm

from aiida_ion.queries.details import node_of
from aiida_ion.queries.reading.kinds import read_attributes
from aiida_ion.queries.reading.shared import frame, rows

#: Maximum nodes of a path, steps back, and inputs of one process, since a hostile graph may have any size.
MAX_NODES = 400
MAX_STEPS = 60
NODE_COLUMNS = (
    "pk",
    "uuid",
    "node_type",
    "process_type",
    "label",
    "ctime",
    "process_state",
    "exit_status",
    "formula",
    "name",
)
_PROJECTED = (
    "id",
    "uuid",
    "node_type",
    "process_type",
    "label",
    "ctime",
    "attributes.process_state",
    "attributes.exit_status",
    "attributes.formula",
    "attributes.name",
)
BACKWARDS = ("create", "input_calc")


@dataclass(frozen=True)
class Provenance:
    """The nodes upstream of one.

    :param nodes: one row each, with `NODE_COLUMNS`, ``kind`` (see `kind_of`), ``role`` (the label of the first link to
        it) and ``step``: how many links back it is, 0 for the node itself.
    :param edges: ``source`` and ``target`` (pks) and ``label``, in the direction of the data flow.
    :param is_whole: whether the path is complete, rather than cut at the limits.
    """

    nodes: pd.DataFrame
    edges: pd.DataFrame
    is_whole: bool


def path_of(uuid: str, max_nodes: int = MAX_NODES) -> Provenance:
    """Return the ancestors of a node, back to those without a creator, and the raw files of each job on the way.

    For a work chain these are its inputs.

    :param max_nodes: maximum number, not counting raw files.
    :raises ValueError: if there is no such node.
    """
    first = _rows(orm.QueryBuilder().append(orm.Node, filters={"uuid": str(uuid)}, project=list(_PROJECTED)))
    if first.empty:
        raise ValueError(f"there is no node with the UUID {str(uuid)[:40]!r} here")
    pk = int(first["pk"].iloc[0])
    types = (*BACKWARDS, "input_work") if first["node_type"].iloc[0].startswith("process.workflow") else BACKWARDS
    steps, roles, edges, is_whole = _walk(pk, types, max_nodes)
    edges += (raw := _raw_files(list(steps)[:max_nodes]))
    for source, target, label in raw:
        steps.setdefault(target, steps[source])
        roles.setdefault(target, label)
    table = _rows(orm.QueryBuilder().append(orm.Node, filters={"id": {"in": list(steps)}}, project=list(_PROJECTED)))
    table["step"] = table["pk"].map(steps)
    table["role"] = table["pk"].map(roles).fillna("")
    table["kind"] = [kind_of(*row) for row in zip(table["node_type"], table["role"], strict=True)]
    links = pd.DataFrame(sorted(set(edges)), columns=["source", "target", "label"])
    return Provenance(table.sort_values(["step", "pk"], ignore_index=True), links, is_whole)


def _walk(
    first: int, types: tuple[str, ...], max_nodes: int
) -> tuple[dict[int, int], dict[int, str], list[tuple[int, int, str]], bool]:
    """Follow links back; return steps and roles by pk, the links, and whether the end was reached."""
    steps, roles = {first: 0}, {first: ""}
    edges: list[tuple[int, int, str]] = []
    frontier = [first]
    for step in range(1, MAX_STEPS + 1):
        query = orm.QueryBuilder(limit=4 * max_nodes)
        query.append(orm.Node, filters={"id": {"in": frontier}}, project=["id"], tag="made")
        follow = {"type": {"in": list(types)}}
        query.append(orm.Node, with_outgoing="made", edge_filters=follow, edge_project=["label"], project=["id"])
        query.order_by({"made": "id"})
        met = rows(query)
        new: list[int] = []
        for target, source, label in met:
            if source not in steps:
                if len(steps) >= max_nodes:
                    return steps, roles, edges, False
                steps[source], roles[source] = step, str(label)
                new.append(source)
            edges.append((source, target, str(label)))
        if not new:
            return steps, roles, edges, len(met) < 4 * max_nodes
        frontier = new
    return steps, roles, edges, False


def _raw_files(pks: list[int]) -> list[tuple[int, int, str]]:
    """Return the links from jobs to their retrieved files."""
    query = orm.QueryBuilder()
    query.append(orm.CalcJobNode, filters={"id": {"in": pks}}, project=["id"], tag="job")
    edge = {"label": "retrieved", "type": "create"}
    query.append(orm.FolderData, with_incoming="job", edge_filters=edge, edge_project=["label"], project=["id"])
    return [(job, folder, str(label)) for job, folder, label in rows(query)]


def _rows(query: orm.QueryBuilder) -> pd.DataFrame:
    return frame(query, list(NODE_COLUMNS))


def kind_of(node_type: str, role: str) -> str:
    """Return the scientific kind of a node: ``structure``, ``potential``, ``trajectory``, ``job``, ``fit``, ..."""
    if node_type.startswith("process."):
        kinds = {"calcjob": "job", "calcfunction": "function", "workfunction": "function", "workchain": "work chain"}
        return next((kind for word, kind in kinds.items() if f".{word}." in node_type), "process")
    name = role.rpartition("__")[2]
    if "potential" in name or "pseudo" in name or name == "checkpoint":
        return "potential"
    for word, kind in _DATA_KINDS.items():
        if f".{word}." in node_type:
            return "files" if role == "retrieved" else kind
    return "data"


_DATA_KINDS = {
    "structure": "structure",
    "trajectory": "trajectory",
    "code": "code",
    "folder": "files",
    "singlefile": "file",
    "dict": "settings",
    "array": "result",
    "upf": "potential",
}


@dataclass(frozen=True)
class Neighbour:
    """A neighbour of a node: ``kind`` as in `kind_of`, ``label`` that of the link."""

    uuid: str
    pk: int
    kind: str
    label: str
    link_type: str
    node_label: str


def neighbours(uuid: str, limit: int = 200) -> tuple[list[Neighbour], list[Neighbour]]:
    """Return the direct inputs and outputs of a node, including callers and calls.

    :param limit: maximum number on each side.
    """
    sides = []
    for relation in ("with_outgoing", "with_incoming"):
        query = orm.QueryBuilder(limit=limit)
        query.append(orm.Node, filters={"uuid": str(uuid)}, tag="node")
        fields = ["uuid", "id", "node_type", "label"]
        side: dict[str, Any] = {relation: "node"}
        query.append(orm.Node, project=fields, edge_project=["label", "type"], **side)
        records = sorted(rows(query), key=lambda row: (str(row[4]), row[1]))
        sides.append(
            [Neighbour(u, pk, kind_of(kind, label), label, link, name) for u, pk, kind, name, label, link in records]
        )
    return sides[0], sides[1]


def facts_of(uuid: str) -> dict[str, Any]:
    """Return facts on a node: type, label, times, computer, and its attributes that are not internal.

    :raises ValueError: if there is no such node.
    """
    node = node_of(uuid)
    stored_attributes = read_attributes(node.base.attributes.all)
    attributes = {key: value for key, value in stored_attributes.items() if key not in _INTERNAL}
    return {
        "pk": node.pk,
        "uuid": node.uuid,
        "node_type": node.node_type,
        "process_type": node.process_type,
        "label": node.label,
        "description": node.description,
        "ctime": node.ctime,
        "computer": node.computer.label if node.computer is not None else None,
        "attributes": attributes,
    }


_INTERNAL = {"checkpoints", "sealed", "scheduler_state", "scheduler_lastchecktime", "detailed_job_info"}
