"""Decisions of screenings, as rows; a stored value that is not what it should be costs its cell alone."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pandas as pd
from aiida import orm

from aiida_ion.queries.reading.kinds import read_column
from aiida_ion.queries.reading.shared import attributes, frame, whole

SCREENING = "aiida.workflows:ion.screening"
DECIDE = "aiida.calculations:ion.decide_stage"
#: What a decision says of a material -> the column, and its kind.
FIELDS = {
    "label": ("label", "text"),
    "name": ("name", "text"),
    "uuid": ("structure_uuid", "text"),
    "structure_hash": ("structure_hash", "text"),
    "result_uuid": ("result_uuid", "text"),
    "verdict": ("verdict", "text"),
    "goes_on": ("goes_on", "flag"),
    "value": ("value", "number"),
    "low": ("value_low", "number"),
    "high": ("value_high", "number"),
    "reason": ("reason", "text"),
    "core_s": ("core_s", "number"),
}
#: What the node of the decisions says of all of them -> the column, and its kind.
SHARED = {
    "stage": ("stage", "text"),
    "method": ("method", "text"),
    "quantity": ("quantity", "text"),
    "maximum": ("cut_maximum", "number"),
    "minimum": ("cut_minimum", "number"),
}
COLUMNS = (
    *(column for column, _ in SHARED.values()),
    *(column for column, _ in FIELDS.values()),
    *("process_pk", "process_uuid", "pk", "uuid", "time"),
)
NUMBERS = ("cut_maximum", "cut_minimum", "value", "value_low", "value_high", "core_s")
#: Verdicts in the order of a funnel; a material that the budget did not reach has no decision.
VERDICTS = ("pass", "unsure", "fail", "error")
NOT_REACHED = "not_reached"


def stored_decisions(pks: Collection[int] | None = None) -> pd.DataFrame:
    """Return one row for each decision on a material, in the order in which they were made.

    :param pks: of the screenings; all by default.
    :returns: columns `COLUMNS`; ``pk`` and ``uuid`` are those of the node that holds the decision.
    """
    nodes = _nodes(pks)
    given = [entries if isinstance(entries, list) else [] for entries in nodes["decisions"]]
    places = [place for place, entries in enumerate(given) for _ in entries]
    entries = [entry if isinstance(entry, dict) else {} for listed in given for entry in listed]
    columns: dict[str, Any] = {
        column: read_column(column, [entry.get(name) for entry in entries], kind)
        for name, (column, kind) in FIELDS.items()
    }
    table = nodes.drop(columns="decisions").iloc[places].reset_index(drop=True)
    table = table.assign(**{name: pd.Series(cells, dtype=object) for name, cells in columns.items()})
    table = table.assign(**{name: pd.to_numeric(table[name], errors="coerce").astype(float) for name in NUMBERS})
    table["goes_on"] = table["goes_on"].eq(True)
    return whole(table, ["process_pk", "pk"])[list(COLUMNS)]


def _nodes(pks: Collection[int] | None) -> pd.DataFrame:
    """Return the nodes that hold decisions, in the order in which they were made."""
    filters: dict[str, Any] = {"process_type": SCREENING}
    if pks is not None:
        filters["id"] = {"in": [*map(int, pks), -1]}  # an empty list is not a filter
    query = orm.QueryBuilder().append(orm.WorkChainNode, filters=filters, project=["id", "uuid"], tag="chain")
    query.append(orm.CalcFunctionNode, with_incoming="chain", filters={"process_type": DECIDE}, tag="function")
    projected = ["id", "uuid", "ctime", *attributes(list(SHARED)), "attributes.decisions"]
    query.append(orm.Dict, with_incoming="function", project=projected)
    names = ["process_pk", "process_uuid", "pk", "uuid", "time", *(column for column, _ in SHARED.values())]
    kinds = dict(SHARED.values()) | {"decisions": "list"}
    return frame(query, [*names, "decisions"], kinds).sort_values("pk", ignore_index=True)
