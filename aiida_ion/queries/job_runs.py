"""The molecular-dynamics jobs behind one result, seed by seed and segment by segment."""

from __future__ import annotations

from typing import Any

import pandas as pd
from aiida import orm

from aiida_ion.batch_runs import BATCH_JOB
from aiida_ion.queries.lineage import ledgers
from aiida_ion.queries.reading.shared import MD_CHAINS, finite, frame
from aiida_ion.queries.replicas.batches import replicas_of_batches
from aiida_ion.units import FS_PER_PS

JOB_FIELDS = ("process_state", "exit_status", "exit_message")
SETTINGS = ("temperature_K", "seed", "timestep_fs")
COST = ("n_steps", "wall_time_s", "steps_per_s", "device")
RUN_COLUMNS = (
    "run",
    "segment",
    "temperature_K",
    "seed",
    "n_steps",
    "time_ps",
    "exit_status",
    "exit_message",
    "wall_time_s",
    "steps_per_s",
    "computer",
    "device",
    "process_state",
    "pk",
    "uuid",
    "trajectory_uuid",
)


def runs_of(process_uuid: str) -> pd.DataFrame:
    """Return one row for each job that a conductivity work chain ran: a segment of a seed at a temperature.

    Unlike `aiida_ion.queries.runs` it searches only below this work chain, so that it is fast in a large database.
    ``run`` names temperature and seed as in the work chain, ``segment`` counts its jobs from 0.
    """
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters={"uuid": str(process_uuid)}, tag="chain")
    run = {"process_type": {"like": f"{MD_CHAINS}%"}}
    query.append(orm.WorkChainNode, with_incoming="chain", filters=run, edge_project=["label"], tag="run")
    fields = ["id", "uuid", *(f"attributes.{name}" for name in JOB_FIELDS)]
    query.append(orm.CalcJobNode, with_incoming="run", project=fields, tag="job")
    query.append(orm.Computer, with_node="job", project=["label"])
    table = frame(query, ["pk", "uuid", *JOB_FIELDS, "computer", "run"])  # columns from links come last
    pks = [int(pk) for pk in table["pk"]] or [-1]
    for more in (
        _beside(pks, "with_outgoing", orm.Dict, "parameters", [f"attributes.{name}" for name in SETTINGS], SETTINGS),
        _beside(pks, "with_incoming", orm.Dict, "cost", [f"attributes.{name}" for name in COST], COST),
        _beside(pks, "with_incoming", orm.TrajectoryData, "trajectory", ["uuid"], ("trajectory_uuid",)),
    ):
        table = table.merge(more, how="left", on="pk")
    table = _with_replicas(table, process_uuid)
    table["run"] = (
        table["run"].str.removeprefix("md_").str.replace(r"_round_\d+$", "", regex=True).str.replace("_", " ")
    )
    table = table.sort_values(["temperature_K", "run", "pk"], ignore_index=True)
    table["segment"] = table.groupby("run").cumcount()
    time_ps = table["n_steps"].astype(float) * table["timestep_fs"].astype(float) / FS_PER_PS
    table["time_ps"] = finite(time_ps)
    table = table.astype(dict.fromkeys(("seed", "n_steps", "exit_status"), "Int64"))
    return table[list(RUN_COLUMNS)]


def _with_replicas(table: pd.DataFrame, process_uuid: str) -> pd.DataFrame:
    """Return jobs with the replicas of batches that the runs of a work chain returned as their own."""
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters={"uuid": str(process_uuid)}, tag="chain")
    run = {"process_type": {"like": f"{MD_CHAINS}%"}}
    query.append(orm.WorkChainNode, with_incoming="chain", filters=run, edge_project=["label"], tag="run")
    query.append(orm.TrajectoryData, with_incoming="run", project=["uuid"], tag="trajectory")
    fields = ["id", "uuid", *(f"attributes.{name}" for name in JOB_FIELDS)]
    batch = {"process_type": BATCH_JOB}
    query.append(
        orm.CalcJobNode, with_outgoing="trajectory", filters=batch, project=fields, edge_project=["label"], tag="job"
    )
    query.append(orm.Computer, with_node="job", project=["label"])
    names = ["trajectory_uuid", "pk", "uuid", *JOB_FIELDS, "computer", "run", "replica"]
    found = frame(query, names)
    if found.empty:
        return table
    found["replica"] = found["replica"].astype(str).str.partition("__")[2]
    pks = [int(pk) for pk in found["pk"]]
    replicas = replicas_of_batches(SETTINGS, pks)
    replicas["pk"] = replicas["pk"].astype(found["pk"].dtype)
    costs = ledgers([BATCH_JOB], list(COST)).rename(columns={"md_pk": "pk"})
    found = found.merge(replicas, how="left", on=["pk", "replica"]).merge(costs, how="left", on=["pk", "replica"])
    for name in ("exit_status", "exit_message"):
        found[name] = found[f"replica_{name}"].astype(object).combine_first(found[name].astype(object))
    parts = [part.astype(object) for part in (table, found[list(table.columns)]) if len(part)]
    return pd.concat(parts, ignore_index=True).infer_objects()


def _beside(
    pks: list[int], relation: str, kind: type[orm.Data], label: str, project: list[str], names: tuple[str, ...]
) -> pd.DataFrame:
    """Return the nodes under a link label on one side of some jobs.

    The label is filtered here: with a filter, SQLite would go through all links with that label in the database.
    """
    query = orm.QueryBuilder().append(orm.CalcJobNode, filters={"id": {"in": pks}}, project=["id"], tag="job")
    side: dict[str, Any] = {relation: "job"}
    query.append(kind, edge_project=["label"], project=project, **side)
    rows = frame(query, ["pk", *names, "label"])
    return rows[rows["label"] == label].drop(columns="label")
