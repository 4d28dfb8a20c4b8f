"""The replicas of batches, each as a run of its own beside the jobs of single runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from aiida import orm

from aiida_ion.batch_runs import BATCH_JOB, REPLICAS, STRUCTURE
from aiida_ion.exit_codes import EXPLODED, FINISHED, LEFT_TRAINING, OUT_OF_WALLTIME
from aiida_ion.queries.reading.kinds import read_column
from aiida_ion.queries.reading.shared import frame, rows

#: Status of a replica -> the exit status that a job of its own would have.
EXIT_STATUSES = {
    "finished": FINISHED,
    "exploded": EXPLODED,
    "left_training": LEFT_TRAINING,
    **dict.fromkeys(("walltime", "terminated", "stopped"), OUT_OF_WALLTIME),
}


def replicas_of_batches(names: Sequence[str], pks: Sequence[int] | None = None) -> pd.DataFrame:
    """Return one row for each replica of each batch: ``pk`` of the job, ``replica``, and these MD settings.

    ``replica_exit_status`` and ``replica_exit_message`` say how it ended, as the job of a single run would; missing
    where the batch did not say. ``batch_structure_pk`` and ``batch_structure_uuid`` are of its cell.

    :param names: of MD settings.
    :param pks: of jobs; all by default.
    """
    inputs: dict[int, dict[str, Any]] = {}
    query = _batches(pks)
    links = {"label": {"in": ["parameters", REPLICAS]}}
    query.append(orm.Dict, with_outgoing="md", edge_filters=links, edge_project=["label"], project=["attributes"])
    for pk, content, label in rows(query):
        inputs.setdefault(pk, {})[label] = content or {}
    statuses, structures = _statuses(pks), _structures(pks)
    listed: list[dict[str, Any]] = []
    for pk, given in inputs.items():
        for key, own in (given.get(REPLICAS) or {}).items():
            settings = {**(given.get("parameters") or {}), **(own if isinstance(own, dict) else {})}
            ended = statuses.get(pk, {}).get(key) or {}
            cell = structures.get((pk, str(settings.get(STRUCTURE))), (None, None))
            listed.append(
                {
                    "pk": pk,
                    "replica": key,
                    **{name: settings.get(name) for name in names},
                    "replica_exit_status": EXIT_STATUSES.get(str(ended.get("status"))),
                    "replica_exit_message": ended.get("message"),
                    "batch_structure_pk": cell[0],
                    "batch_structure_uuid": cell[1],
                }
            )
    beside = ("replica_exit_status", "replica_exit_message", "batch_structure_pk", "batch_structure_uuid")
    columns = ["pk", "replica", *names, *beside]
    cells = {name: read_column(name, [row[name] for row in listed]) for name in names}
    table = pd.DataFrame({name: pd.Series([row[name] for row in listed], dtype=object) for name in columns})
    table = table.assign(**{name: pd.Series(values, dtype=object) for name, values in cells.items()})
    return table.astype({"pk": "Int64", "replica_exit_status": "Int64", "batch_structure_pk": "Int64"})


def returned_by(chain_types: list[str]) -> pd.DataFrame:
    """Return the newest work chain of these types that returned each trajectory of a batch.

    :returns: ``trajectory_pk`` and ``returned_pk``.
    """
    query = orm.QueryBuilder().append(orm.CalcJobNode, filters={"process_type": BATCH_JOB}, tag="md")
    query.append(orm.TrajectoryData, with_incoming="md", project=["id"], tag="trajectory")
    chains = {"process_type": {"in": chain_types}}
    query.append(orm.WorkChainNode, with_outgoing="trajectory", filters=chains, project=["id"])
    table = frame(query, ["trajectory_pk", "returned_pk"])
    return table.sort_values("returned_pk").drop_duplicates("trajectory_pk", keep="last")


def _batches(pks: Sequence[int] | None) -> orm.QueryBuilder:
    filters: dict[str, Any] = {"process_type": BATCH_JOB} | ({} if pks is None else {"id": {"in": [*pks, -1]}})
    return orm.QueryBuilder().append(orm.CalcJobNode, filters=filters, project=["id"], tag="md")


def _statuses(pks: Sequence[int] | None) -> dict[int, dict[str, Any]]:
    query = _batches(pks)
    query.append(orm.Dict, with_incoming="md", edge_filters={"label": "statuses"}, project=["attributes"])
    return {pk: content or {} for pk, content in rows(query)}


def _structures(pks: Sequence[int] | None) -> dict[tuple[int, str], tuple[int, str]]:
    query = _batches(pks)
    links = {"label": {"like": "structures\\_\\_%"}}
    query.append(
        orm.StructureData, with_outgoing="md", edge_filters=links, edge_project=["label"], project=["id", "uuid"]
    )
    return {(job, str(label).partition("__")[2]): (pk, uuid) for job, pk, uuid, label in rows(query)}
