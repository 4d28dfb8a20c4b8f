"""Activity: running and failed processes, and the number of jobs. Fast in a database of any size."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
from aiida import orm

from aiida_ion.queries.reading.shared import (
    CONDUCTIVITY_PROCESS,
    ENSEMBLE_PROCESS,
    attributes,
    frame,
    md_processes,
    rows,
)
from aiida_ion.queries.running.processes import ENDED, PROCESS_FIELDS, ours

#: Work chains started by users; other processes are shown if they are below these, or recent.
ROOTS = (CONDUCTIVITY_PROCESS, ENSEMBLE_PROCESS, "aiida.workflows:ion.comparison")
LATELY = timedelta(days=7)
COLUMNS = ("pk", "uuid", "ctime", "mtime", *(field.rpartition(".")[2] for field in PROCESS_FIELDS))
#: Maximum length of a chain of callers.
DEPTH = 5
_FAILED: dict[str, Any] = {
    "or": [{"attributes.exit_status": {">": 0}}, {"attributes.process_state": {"in": ["excepted", "killed"]}}]
}
_ALIVE: dict[str, Any] = {"attributes.process_state": {"!in": list(ENDED)}}


def n_jobs() -> int:
    """Return the number of molecular-dynamics jobs."""
    return _n_of(*md_processes())


def _n_of(*process_types: str) -> int:
    """Return the number of jobs of these types."""
    # Any node: a process type belongs to one class, and a filter on the class would read all of them.
    return orm.QueryBuilder().append(orm.Node, filters={"process_type": {"in": list(process_types)}}).count()


def running() -> pd.DataFrame:
    """Return running processes: `COLUMNS`, the caller's pk, and the pk of the topmost process.

    Processes not called by a conductivity or comparison are included only if they changed in the last seven days.
    """
    level = _processes({"and": [{"process_type": {"in": list(ROOTS)}}, _ALIVE]}).assign(caller_pk=None)
    parts, seen = [level], set(level["pk"])
    for _ in range(DEPTH):
        level = _alive_below(list(level["pk"])) if len(level) else level
        level = level[~level["pk"].isin(seen)]
        seen |= set(level["pk"])
        parts.append(level)
    others = _processes({"and": [{"mtime": {">": datetime.now(UTC) - LATELY}}, ours(), _ALIVE]})
    parts.append(others[~others["pk"].isin(seen)].assign(caller_pk=None))
    filled = [part.astype(object) for part in parts if len(part)] or [parts[0].astype(object)]
    table = pd.concat(filled, ignore_index=True)
    tops: dict[int, int] = {}
    for pk, caller in zip(table["pk"], table["caller_pk"], strict=True):
        tops[pk] = pk if pd.isna(caller) else tops.get(caller, caller)
    return table.assign(root_pk=table["pk"].map(tops))


def failures(limit: int = 20) -> pd.DataFrame:
    """Return the latest failures: `COLUMNS`, newest first; of a process and its callees only the topmost.

    A molecular-dynamics job counts as failed only if its work chain failed: most jobs that stop are continued.

    :param limit: maximum number of rows.
    """
    md = md_processes()  # exact values use the index; a pattern would read every process
    others = _processes({"and": [ours(), {"process_type": {"!in": md}}, _FAILED]}, newest=5 * limit)
    jobs = _processes({"and": [{"process_type": {"in": md}}, _FAILED]}, newest=limit)
    if others.empty and jobs.empty:  # an empty list is not a valid filter
        return others
    query = orm.QueryBuilder()
    query.append(orm.WorkflowNode, project=attributes(["exit_status", "process_state"]), tag="caller")
    pks = [*others["pk"], *jobs["pk"]]
    query.append(orm.ProcessNode, with_incoming="caller", filters={"id": {"in": pks}}, project=["id"])
    callers = frame(query, ["exit_status", "process_state", "pk"])
    failed = (callers["exit_status"].astype(float) > 0) | callers["process_state"].isin(["excepted", "killed"])
    failed_above = callers.loc[failed, "pk"]
    parts = [others[~others["pk"].isin(failed_above)], jobs[~jobs["pk"].isin(callers["pk"])]]
    table = pd.concat([part for part in parts if len(part)] or [others])
    return table.sort_values("mtime", ascending=False, ignore_index=True).head(limit)


def about(pks: Sequence[int]) -> pd.DataFrame:
    """Describe processes, indexed by pk: label or formula of the structure, label of the engine's code."""
    filters = {"id": {"in": list(pks)}}
    projected = ["label", "attributes.sites"]
    structures = orm.QueryBuilder().append(orm.StructureData, project=projected, tag="structure")
    structures.append(orm.ProcessNode, with_incoming="structure", filters=filters, project=["id"])
    codes = orm.QueryBuilder().append(orm.AbstractCode, project=["label"], tag="code")
    engine = {"or": [{"label": {"like": "%engine__code"}}, {"label": "code"}]}
    codes.append(orm.ProcessNode, with_incoming="code", edge_filters=engine, filters=filters, project=["id"])
    crystals = {pk: label or _formula(sites) for label, sites, pk in rows(structures)} if len(pks) else {}
    engines = {pk: label for label, pk in rows(codes)} if len(pks) else {}
    columns = {"structure": pd.Series(crystals, dtype=object), "engine": pd.Series(engines, dtype=object)}
    return pd.DataFrame(columns, index=list(pks))


def _formula(sites: Any) -> str:
    """Return the composition of sites, such as ``CaF2``."""
    listed = sites if isinstance(sites, list) else []
    counts = Counter(str(site.get("kind_name")) for site in listed if isinstance(site, dict))
    divisor = math.gcd(*counts.values())
    return "".join(f"{name}{n // divisor if n > divisor else ''}" for name, n in counts.items())


def _processes(filters: dict[str, Any], newest: int | None = None) -> pd.DataFrame:
    query = orm.QueryBuilder()
    projection = ["id", "uuid", "ctime", "mtime", *PROCESS_FIELDS]
    query.append(orm.ProcessNode, filters=filters, project=projection, tag="process")
    if newest is not None:
        query.order_by({"process": {"mtime": "desc"}}).limit(newest)
    return frame(query, list(COLUMNS))


def _alive_below(pks: list[int]) -> pd.DataFrame:
    """Return the running processes called by these."""
    query = orm.QueryBuilder()
    query.append(orm.WorkflowNode, filters={"id": {"in": pks}}, project=["id"], tag="caller")
    projection = ["id", "uuid", "ctime", "mtime", *PROCESS_FIELDS]
    query.append(orm.ProcessNode, with_incoming="caller", filters=_ALIVE, project=projection)
    return frame(query, ["caller_pk", *COLUMNS])
