"""Running and ended processes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd
from aiida import orm

from aiida_ion.queries.reading.shared import JOBS, attributes, frame, md_processes, rows

OURS = (f"{JOBS}%", "aiida.workflows:ion.%")
PROCESS_FIELDS = (
    "process_type",
    "label",
    "attributes.process_state",
    "attributes.process_status",
    "attributes.exit_status",
    "attributes.exit_message",
    "attributes.exception",
    "attributes.state",
    "attributes.paused",
    "attributes.remote_workdir",
    "attributes.scheduler_lastchecktime",
    "attributes.scheduler_state",
    "attributes.last_job_info.annotation",
)
#: AiiDA's states of ended processes.
ENDED = ("finished", "excepted", "killed")


def process_table(since: datetime | None = None, pks: Sequence[int] | None = None) -> pd.DataFrame:
    """Return one row for each of our processes, oldest first, with the process that called it and the topmost one.

    :param since: leave out processes that ended before this time; running ones are always included.
    :param pks: only these processes and their direct callees.
    """
    query = orm.QueryBuilder()
    filters = ours()
    if since is not None:
        alive = {"attributes.process_state": {"!in": list(ENDED)}}
        filters = {"and": [filters, {"or": [alive, {"mtime": {">": since}}]}]}
    query.append(orm.ProcessNode, filters=filters, project=["id", "uuid", "ctime", "mtime", *PROCESS_FIELDS])
    names = [field.rpartition(".")[2] for field in PROCESS_FIELDS]
    table = frame(query, ["pk", "uuid", "ctime", "mtime", *names])
    table = table.merge(_callers(), how="left", on="pk").sort_values("pk", ignore_index=True)
    table["root_pk"] = _roots(table)
    if pks is not None:
        table = table[table["pk"].isin(_descendants(table, set(pks)))].reset_index(drop=True)
    table["active"] = ~table["process_state"].isin(ENDED)
    return table


def ours() -> dict[str, Any]:
    """Return the filter for our jobs and work chains, and for the jobs of engines of other packages.

    Calculation functions end at once, and are not among them.
    """
    kinds = [{"process_type": {"like": kind}} for kind in OURS] + [{"process_type": {"in": md_processes()}}]
    return {"and": [{"or": kinds}, {"node_type": {"!like": "process.calculation.calcfunction.%"}}]}


def last_decisions(pks: Sequence[int]) -> dict[int, str]:
    """Return the last decision of each work chain that extends runs, as a sentence by pk."""
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters={"id": {"in": list(pks)}}, project=["id"], tag="chain")
    decision = {"attributes.function_name": "decide_extensions"}
    query.append(orm.CalcFunctionNode, with_incoming="chain", filters=decision, tag="decision")
    query.append(orm.Dict, with_incoming="decision", project=attributes(["round", "summary"]))
    table = frame(query, ["pk", "round", "summary"]).dropna().sort_values("round")
    return dict(zip(table["pk"].astype(int), table["summary"], strict=True))


def _callers() -> pd.DataFrame:
    """Return the caller and link label of each called process."""
    query = orm.QueryBuilder()
    query.append(orm.WorkflowNode, project=["id"], tag="caller")
    query.append(orm.ProcessNode, with_incoming="caller", edge_project=["label"], project=["id"])
    calls = [(called, caller, label) for caller, called, label in rows(query)]
    return pd.DataFrame(calls, columns=["pk", "caller_pk", "link_label"]).astype({"caller_pk": "Int64"})


def _roots(table: pd.DataFrame) -> list[int]:
    """Return the topmost known process above each; a caller is older than its callees."""
    roots: dict[int, int] = {}
    for pk, caller in zip(table["pk"], table["caller_pk"], strict=True):
        roots[pk] = int(pk) if pd.isna(caller) else roots.get(int(caller), int(caller))
    return list(roots.values())


def _descendants(table: pd.DataFrame, pks: set[int]) -> set[int]:
    """Return the processes and all their descendants."""
    pending = set(pks)
    for pk, caller in zip(table["pk"], table["caller_pk"], strict=True):
        # A caller is older than its callees, so one pass in order of pk is enough.
        if not pd.isna(caller) and int(caller) in pending:
            pending.add(int(pk))
    return pending
