"""Rows of nodes and links, inserted in bulk into the loaded profile."""

from __future__ import annotations

import io
import uuid
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from aiida import orm
from aiida.manage import get_manager
from aiida.orm.entities import EntityTypes

KINDS: dict[str, Any] = {
    "array": orm.ArrayData,
    "calcfunction": orm.CalcFunctionNode,
    "calcjob": orm.CalcJobNode,
    "dict": orm.Dict,
    "structure": orm.StructureData,
    "trajectory": orm.TrajectoryData,
    "workchain": orm.WorkChainNode,
}
#: A node is named by where it stands in its graph; one that was stored before by the negative of its pk.
Ref = int


class Graph:
    """A graph that grows: nodes are later than those before them.

    :param start: time of the first node.
    """

    def __init__(self, start: datetime) -> None:
        self.backend: Any = get_manager().get_profile_storage()
        self.repository = self.backend.get_repository()
        self.user_pk = orm.User.collection.get_default().pk
        self.time = start
        self.n_results = 0
        self.chains: list[Ref] = []
        self._pks: list[int] = []
        self._nodes: list[dict[str, Any]] = []
        self._links: list[tuple[Ref, Ref, str, str]] = []

    def node(self, kind: str, attributes: dict[str, Any], **columns: Any) -> Ref:
        """Add a node.

        :param kind: a key of ``KINDS``.
        :param columns: any of ``process_type``, ``label``, ``extras``, ``dbcomputer_id``, ``repository_metadata``.
        """
        self.time += timedelta(milliseconds=20)
        self._nodes.append(
            {
                "uuid": str(uuid.uuid4()),
                "node_type": KINDS[kind].class_node_type,
                "process_type": None,
                "label": "",
                "description": "",
                "ctime": self.time,
                "mtime": self.time,
                "attributes": attributes,
                "extras": {},
                "repository_metadata": {},
                "dbcomputer_id": None,
                "user_id": self.user_pk,
            }
            | columns
        )
        return len(self._pks) + len(self._nodes) - 1

    def data(self, kind: str, attributes: dict[str, Any], label: str = "") -> Ref:
        """Add a node that nothing made."""
        return self.node(kind, attributes, label=label)

    def process(
        self,
        kind: str,
        process_type: str,
        label: str,
        inputs: dict[Ref, str],
        caller: Ref | None = None,
        call_label: str = "CALL",
        attributes: dict[str, Any] | None = None,
        computer: int | None = None,
        cached_from: str | None = None,
    ) -> Ref:
        """Add a process: finished with exit status 0 unless the attributes say otherwise.

        :param inputs: node -> link label.
        """
        values = {"process_label": label, "process_state": "finished", "sealed": True} | (attributes or {})
        values["version"] = {"core": "2.9.0", "plugin": "0.1"}
        if values["process_state"] == "finished":
            values = {"exit_status": 0} | values
        extras = {"_aiida_hash": uuid.uuid4().hex} | ({"_aiida_cached_from": cached_from} if cached_from else {})
        process = self.node(kind, values, process_type=process_type, extras=extras, dbcomputer_id=computer)
        link = "input_work" if kind == "workchain" else "input_calc"
        for node, name in inputs.items():
            self.link(node, process, link, name)
        if caller is not None:
            self.link(caller, process, "call_work" if kind == "workchain" else "call_calc", call_label)
        return process

    def output(
        self,
        process: Ref,
        kind: str,
        attributes: dict[str, Any],
        label: str,
        *,
        result: bool = False,
        node_label: str = "",
        arrays: dict[str, Any] | None = None,
    ) -> Ref:
        """Add a node that a calculation made, its arrays as files.

        :param result: whether it counts as one.
        """
        self.n_results += result
        objects = {f"{name}.npy": {"k": self._store(array)} for name, array in (arrays or {}).items()}
        shapes = {f"array|{name}": list(np.shape(array)) for name, array in (arrays or {}).items()}
        columns: dict[str, Any] = {"label": node_label} | ({"repository_metadata": {"o": objects}} if objects else {})
        node = self.node(kind, attributes | shapes, **columns)
        self.link(process, node, "create", label)
        return node

    def link(self, source: Ref, target: Ref, kind: str, label: str) -> None:
        """Add a link."""
        self._links.append((source, target, kind, label))

    def uuid_of(self, node: Ref) -> str:
        """Return the uuid of a node that is not inserted yet."""
        return str(self._nodes[node - len(self._pks)]["uuid"])

    def pk_of(self, node: Ref) -> int:
        """Return the pk of an inserted node."""
        return self._pks[node] if node >= 0 else -node

    def flush(self, at_least: int = 0) -> None:
        """Insert what there is, once it is so much."""
        if len(self._nodes) < at_least or not self._nodes:
            return
        pks = [0] * len(self._nodes)
        with self.backend.transaction():
            # Rows are inserted together only where the same columns are empty.
            for places in self._alike():
                inserted = self.backend.bulk_insert(EntityTypes.NODE, [self._nodes[place] for place in places])
                for place, pk in zip(places, inserted, strict=True):
                    pks[place] = pk
            self._pks += pks
            rows = [
                {"input_id": self.pk_of(source), "output_id": self.pk_of(target), "type": kind, "label": label}
                for source, target, kind, label in self._links
            ]
            self.backend.bulk_insert(EntityTypes.LINK, rows)
        self._nodes, self._links = [], []

    def _alike(self) -> list[list[int]]:
        """Return where nodes of one kind stand: work chains and functions, jobs, data; callers before the called."""
        kinds: list[list[int]] = [[], [], []]
        for place, row in enumerate(self._nodes):
            kinds[2 if row["process_type"] is None else 0 if row["dbcomputer_id"] is None else 1].append(place)
        return [kind for kind in kinds if kind]

    def _store(self, array: Any) -> str:
        stream = io.BytesIO()
        np.save(stream, array, allow_pickle=False)
        stream.seek(0)
        return str(self.repository.put_object_from_filelike(stream))
