"""Processes of screenings: what is running now, and what was spent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import pandas as pd
from aiida import orm

from aiida_ion.queries.reading.kinds import read_number
from aiida_ion.queries.reading.shared import attributes, frame, rows, whole
from aiida_ion.queries.running.processes import ENDED
from aiida_ion.queries.screening.decisions import DECIDE

STATE = ("process_state", "exit_status", "exit_message")
JOB_COLUMNS = (
    *("stage", "job_type", "n_materials", "active", *STATE, "core_s"),
    *("time", "mtime", "pk", "uuid", "process_pk", "link"),
)
#: Start of the links of crystals to a job of many materials.
STRUCTURES = "structures__"
#: Length of a chain of callers below which costs are looked for.
DEPTH = 4


def jobs_of(process_pk: int, stages: Sequence[str]) -> pd.DataFrame:
    """Return one row for each process that a screening submitted, oldest first: `JOB_COLUMNS`.

    ``core_s`` is what it and all that it called have spent, as far as their ledgers say.

    :param stages: names of the stages of the screening.
    """
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters={"id": int(process_pk)}, tag="chain")
    query.append(
        orm.ProcessNode,
        with_incoming="chain",
        filters={"process_type": {"!==": DECIDE}},
        edge_project=["label"],
        project=["id", "uuid", "ctime", "mtime", "process_type", *attributes(STATE)],
    )
    table = frame(query, ["pk", "uuid", "time", "mtime", "job_type", *STATE, "link"]).sort_values("pk")
    table = table.drop_duplicates("pk", ignore_index=True)
    table["stage"] = [_stage_of(str(link), stages) for link in table["link"]]
    table["job_type"] = [str(kind).rpartition(":")[2] for kind in table["job_type"]]
    table["active"] = ~table["process_state"].isin(ENDED)
    pks = [int(pk) for pk in table["pk"]]
    numbers, costs = _numbers_of_materials(pks), core_seconds(pks)
    table["n_materials"] = [numbers.get(pk, 1) for pk in pks]
    table["core_s"] = pd.Series([costs.get(pk) for pk in pks], dtype=float)
    table["process_pk"] = int(process_pk)
    return whole(table, ["pk", "process_pk", "n_materials"])[list(JOB_COLUMNS)]


def _stage_of(link: str, stages: Sequence[str]) -> str | None:
    """Return the stage whose name a link begins with; of `pes` and `pes_large` the longer one."""
    fitting = [stage for stage in stages if link.startswith(f"{stage}_")]
    return max(fitting, key=len, default=None)


def _numbers_of_materials(pks: Collection[int]) -> dict[int, int]:
    """Return how many crystals each job of many materials has."""
    query = orm.QueryBuilder().append(orm.ProcessNode, filters={"id": {"in": [*pks, -1]}}, project=["id"], tag="job")
    query.append(orm.StructureData, with_outgoing="job", edge_filters={"label": {"like": f"{STRUCTURES}%"}})
    counts: dict[int, int] = {}
    for (pk,) in rows(query):
        counts[int(pk)] = counts.get(int(pk), 0) + 1
    return counts


def core_seconds(pks: Collection[int]) -> dict[int, float]:
    """Return the core seconds of processes and of all that they called, by pk; those without any ledger are missing."""
    origins = {pk: pk for pk in pks}
    total: dict[int, float] = {}
    for _ in range(DEPTH):
        if not origins:
            break
        costs = _ledgers(origins)
        for pk, seconds in costs.items():
            total[origins[pk]] = total.get(origins[pk], 0.0) + seconds
        origins = _called_by({pk: origin for pk, origin in origins.items() if pk not in costs})
    return total


def _ledgers(pks: Collection[int]) -> dict[int, float]:
    query = orm.QueryBuilder().append(orm.ProcessNode, filters={"id": {"in": list(pks)}}, project=["id"], tag="job")
    query.append(
        orm.Dict,
        with_incoming="job",
        edge_filters={"label": "cost"},
        project=["attributes.cpu_time_s", "attributes.wall_time_s"],
    )
    known: dict[int, float] = {}
    for pk, cpu, wall in rows(query):
        seconds = read_number(cpu) or read_number(wall)
        if seconds is not None and seconds >= 0:
            known[int(pk)] = float(seconds)
    return known


def _called_by(origins: dict[int, int]) -> dict[int, int]:
    """Return the processes called by these -> the origin of their caller."""
    if not origins:
        return {}
    query = orm.QueryBuilder().append(orm.WorkflowNode, filters={"id": {"in": list(origins)}}, project=["id"], tag="of")
    query.append(orm.ProcessNode, with_incoming="of", project=["id"])
    called: list[tuple[Any, ...]] = rows(query)
    return {int(pk): origins[int(caller)] for caller, pk in called}
