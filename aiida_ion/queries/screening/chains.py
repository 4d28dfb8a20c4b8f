"""Screenings: their materials, stages and state."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from aiida import orm

from aiida_ion.queries.reading.kinds import Attributes, read_attributes
from aiida_ion.queries.reading.shared import attributes, frame
from aiida_ion.queries.running.processes import ENDED
from aiida_ion.queries.screening.decisions import SCREENING

STATE = ("process_state", "exit_status", "exit_message", "paused")
CHAIN_COLUMNS = ("pk", "uuid", "label", "time", "mtime", *STATE, "materials", "stages", "summary", "summary_uuid")


@dataclass(frozen=True)
class StageFacts:
    """A stage of a screening, as far as its input says.

    :param entry: its name, method, engine, protocol, cut and budget.
    """

    name: str
    method: str | None
    entry: Attributes

    def of_cut(self, name: str) -> Any:
        """Return a setting of the cut, such as ``maximum``."""
        return _mapping(self.entry["cut"]).get(name)

    def of_budget(self, name: str) -> Any:
        """Return a setting of the budget, such as ``max_materials``."""
        return _mapping(self.entry["budget"]).get(name)


def chains(pks: Collection[int] | None = None) -> pd.DataFrame:
    """Return one row for each screening: `CHAIN_COLUMNS`, oldest first.

    ``materials`` and ``stages`` are lists of mappings, ``summary`` is a mapping; each is empty if there is none.
    """
    filters: dict[str, Any] = {"process_type": SCREENING}
    if pks is not None:
        filters["id"] = {"in": [*map(int, pks), -1]}
    query = orm.QueryBuilder()
    query.append(
        orm.WorkChainNode, filters=filters, project=["id", "uuid", "label", "ctime", "mtime", *attributes(STATE)]
    )
    table = frame(query, ["pk", "uuid", "label", "time", "mtime", *STATE])
    lists = orm.QueryBuilder().append(orm.WorkChainNode, filters=filters, project=["id"], tag="chain")
    labels = {"label": {"in": ["materials", "stages"]}}
    lists.append(
        orm.List, with_outgoing="chain", edge_filters=labels, edge_project=["label"], project=["attributes.list"]
    )
    inputs = frame(lists, ["pk", "entries", "link"], {"entries": "list"})
    given = {(row["pk"], row["link"]): row["entries"] for row in inputs.to_dict("records")}
    for name in ("materials", "stages"):
        table[name] = pd.Series(
            [_mappings(given.get((pk, name))) for pk in table["pk"]], index=table.index, dtype=object
        )
    ends = orm.QueryBuilder().append(orm.WorkChainNode, filters=filters, project=["id"], tag="chain")
    ends.append(
        orm.Dict, with_incoming="chain", edge_filters={"label": "summary"}, project=["uuid", "attributes.stages"]
    )
    table = table.merge(frame(ends, ["pk", "summary_uuid", "summary"], {"summary": "list"}), how="left", on="pk")
    table["summary"] = pd.Series([_mappings(one) for one in table["summary"]], index=table.index, dtype=object)
    return table.sort_values("pk", ignore_index=True)[list(CHAIN_COLUMNS)]


def stages_of(row: Mapping[Any, Any]) -> list[StageFacts]:
    """Return the stages of a screening, in order; those without a name are left out."""
    made = []
    for entry in row["stages"]:
        read = read_attributes(entry)
        if isinstance(read["name"], str):
            made.append(StageFacts(read["name"], read["method"] if isinstance(read["method"], str) else None, read))
    return made


def is_active(row: Mapping[Any, Any]) -> bool:
    """Whether a screening has not ended."""
    return row["process_state"] not in ENDED


def _mappings(entries: Any) -> list[dict[str, Any]]:
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else Attributes()
