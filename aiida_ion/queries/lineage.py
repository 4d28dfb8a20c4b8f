"""Context of a result: its work chain, crystal and engine, and the cost of its runs."""

from __future__ import annotations

from typing import Any

import pandas as pd
from aiida import orm

from aiida_ion.aiida_private.caching import HASH
from aiida_ion.queries.reading.shared import (
    CONDUCTIVITY_CHAINS,
    DIFFUSION_PROCESS,
    as_text,
    attributes,
    frame,
    md_processes,
    whole,
)

#: Descriptive inputs of a conductivity work chain -> the columns they fill.
_INPUTS = {
    "structure": {"structure_pk": "id", "structure_uuid": "uuid", "structure_hash": "hash"},
    "parameters": {"chain_formula": "formula"},
    "md__engine__code": {"code_pk": "id", "code_uuid": "uuid", "engine": "label"},
    "md__engine__potential": {"potential_uuid": "uuid", "potential": "name", "model": "model"},
}
_ATTRIBUTES = ["formula", "name", "model"]
_PROJECTED = ["id", "uuid", "label", as_text(HASH), *attributes(_ATTRIBUTES)]
#: An ensemble has the inputs of the runs of its members in this namespace.
_NAMESPACE = "conductivity__"
CHAIN_COLUMNS = ("process_pk", *(name for columns in _INPUTS.values() for name in columns), "crystal")


def lineage() -> pd.DataFrame:
    """Return, for each conductivity work chain, `CHAIN_COLUMNS`: its crystal, formula, engine and potential.

    ``crystal`` is the key of the crystal, see `crystal_keys`.
    """
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters=CONDUCTIVITY_CHAINS, project=["id"], tag="chain")
    query.append(
        orm.Data,
        with_outgoing="chain",
        edge_filters={"label": {"in": [*_INPUTS, *(f"{_NAMESPACE}{name}" for name in _INPUTS)]}},
        edge_project=["label"],
        project=_PROJECTED,
    )
    records = frame(query, ["process_pk", "id", "uuid", "label", "hash", *_ATTRIBUTES, "link"])
    table = pd.DataFrame({"process_pk": records["process_pk"].unique()})
    records = _of_runs(records)
    for link, columns in _INPUTS.items():
        rows = records[records["link"] == link].drop_duplicates("process_pk")
        rows = rows[["process_pk", *columns.values()]].rename(columns={old: new for new, old in columns.items()})
        table = table.merge(rows, how="left", on="process_pk")
    table["crystal"] = crystal_keys(table["structure_hash"], table["structure_uuid"])
    return whole(table, ["process_pk", "structure_pk", "code_pk"])


def _of_runs(records: pd.DataFrame) -> pd.DataFrame:
    """Return the inputs that describe runs: of an ensemble its crystal, and those of its members without the namespace.

    What an ensemble has beside, such as its own parameters, describes no run.
    """
    links = records["link"].astype(str)
    inside = links.str.startswith(_NAMESPACE)
    is_ensemble = records["process_pk"].isin(records.loc[inside, "process_pk"])
    kept = records.assign(link=links.str.removeprefix(_NAMESPACE))
    return kept[~is_ensemble | inside | (links == "structure")]


def crystal_keys(hashes: pd.Series[Any], uuids: pd.Series[Any]) -> pd.Series[Any]:
    """Return the key of each crystal: the hash of its content, else its UUID.

    A file that was read twice has one key. Polymorphs have different keys; so have a primitive and a conventional cell.
    """
    return hashes.astype(object).combine_first(uuids.astype(object))


def callers(process_types: list[str], caller_type: str | None = None) -> pd.DataFrame:
    """Return the caller of each process of these types: ``pk``, ``caller_pk``, ``caller_uuid``, ``link``."""
    query = orm.QueryBuilder()
    filters: dict[str, Any] = {} if caller_type is None else {"process_type": caller_type}
    query.append(orm.WorkChainNode, filters=filters, project=["id", "uuid"], tag="caller")
    query.append(
        orm.ProcessNode,
        with_incoming="caller",
        filters={"process_type": {"in": process_types}},
        edge_project=["label"],
        project=["id"],
    )
    return frame(query, ["caller_pk", "caller_uuid", "pk", "link"]).drop_duplicates("pk", keep="last")


def wall_times() -> pd.DataFrame:
    """Return the wall time, s, of the molecular dynamics behind each fit: ``job_pk``, ``wall_time_s``."""
    types = md_processes()
    table = trajectories_of_fits().merge(jobs_of_trajectories(types), on="trajectory_pk")
    table = table.merge(ledgers(types, ["wall_time_s"]), on=["md_pk", "replica"])
    table = table.drop_duplicates(["job_pk", "trajectory_pk"])
    table["wall_time_s"] = table["wall_time_s"].astype(float)
    sums: pd.DataFrame = table.groupby("job_pk", as_index=False)[["wall_time_s"]].sum(min_count=1)
    return sums


def trajectories_of_fits() -> pd.DataFrame:
    """Return ``job_pk`` of each fit with each ``trajectory_pk`` that it used."""
    query = orm.QueryBuilder()
    query.append(orm.CalcJobNode, filters={"process_type": DIFFUSION_PROCESS}, project=["id"], tag="fit")
    query.append(orm.TrajectoryData, with_outgoing="fit", project=["id"])
    return frame(query, ["job_pk", "trajectory_pk"])


def jobs_of_trajectories(types: list[str]) -> pd.DataFrame:
    """Return each trajectory with its job: ``md_pk``, ``replica``, ``trajectory_pk``, ``trajectory_uuid``.

    ``replica`` is its key in a job with many, and empty in a job of one run.
    """
    query = orm.QueryBuilder()
    query.append(orm.CalcJobNode, filters={"process_type": {"in": types}}, project=["id"], tag="md")
    query.append(orm.TrajectoryData, with_incoming="md", edge_project=["label"], project=["id", "uuid"])
    return _of_replicas(frame(query, ["md_pk", "trajectory_pk", "trajectory_uuid", "label"]))


def ledgers(types: list[str], fields: list[str]) -> pd.DataFrame:
    """Return these fields of the cost of each run, with ``md_pk`` and ``replica``: of a batch the share of each.

    The cost of a whole batch has the empty ``replica``.
    """
    query = orm.QueryBuilder()
    query.append(orm.CalcJobNode, filters={"process_type": {"in": types}}, project=["id"], tag="md")
    label = {"or": [{"label": "cost"}, {"label": {"like": "costs\\_\\_%"}}]}
    query.append(orm.Dict, with_incoming="md", edge_filters=label, edge_project=["label"], project=attributes(fields))
    return _of_replicas(frame(query, ["md_pk", *fields, "label"]))


def _of_replicas(table: pd.DataFrame) -> pd.DataFrame:
    """Return outputs with the key of their replica in the place of their label."""
    replicas = [str(label).partition("__")[2] for label in table["label"]]
    return table.drop(columns="label").assign(replica=pd.Series(replicas, index=table.index, dtype=object))
