"""Molecular-dynamics jobs: every seed and segment, with its cost."""

from __future__ import annotations

import pandas as pd
from aiida import orm

from aiida_ion.aiida_private.caching import CACHED_FROM
from aiida_ion.queries.lineage import callers, jobs_of_trajectories, ledgers, lineage, trajectories_of_fits
from aiida_ion.queries.reading.kinds import LARGEST_COUNT
from aiida_ion.queries.reading.shared import (
    CONDUCTIVITY_PROCESS,
    DIFFUSION_PROCESS,
    as_text,
    attributes,
    finished,
    frame,
    md_chains,
    md_processes,
    whole,
    without_twins,
)
from aiida_ion.queries.replicas.batches import replicas_of_batches, returned_by
from aiida_ion.queries.selection import Selection
from aiida_ion.units import FS_PER_PS

LEDGER = (
    "n_atoms",
    "n_steps",
    "wall_time_s",
    "cpu_time_s",
    "gpu_time_s",
    "steps_per_s",
    "peak_memory_MiB",
    "device",
    "hardware",
    "share",
)
SETTINGS = ("temperature_K", "timestep_fs", "seed")
RESOURCES = ("num_machines", "num_mpiprocs_per_machine", "num_cores_per_mpiproc")
STATE = ("process_state", "exit_status", "exit_message")
RUN_COLUMNS = (
    "formula",
    "level_of_theory",
    "temperature_K",
    "seed",
    "segment",
    "n_steps",
    "time_ps",
    *STATE,
    "wall_time_s",
    "steps_per_s",
    "n_atoms",
    "computer",
    "device",
    "hardware",
    "engine",
    "job_type",
    "pk",
    "uuid",
    "time",
    "trajectory_pk",
    "trajectory_uuid",
    "process_pk",
    "process_uuid",
    "structure_uuid",
)
COST_COLUMNS = (
    "formula",
    "level_of_theory",
    "computer",
    "device",
    "hardware",
    "cores",
    "n_atoms",
    "n_steps",
    "wall_time_s",
    "cpu_time_s",
    "gpu_time_s",
    "wall_s_per_step",
    "core_s_per_step",
    "gpu_s_per_step",
    "steps_per_s",
    "peak_memory_MiB",
    "share",
    "exit_status",
    "temperature_K",
    "job_pk",
    "uuid",
    "time",
    "process_pk",
    "process_uuid",
    "structure_uuid",
)


def runs(selection: Selection | None = None) -> pd.DataFrame:
    """Return one row for each molecular-dynamics run of each job, successful or not: every seed and segment.

    A job with many replicas has a row for each, with its own share of the cost.

    ``segment`` counts the trajectories of a temperature and seed over all rounds; it is empty for a job without a
    trajectory. ``n_steps`` and ``time_ps`` are those of the job itself, which may have continued another. Formula and
    level of theory are from the fits of the trajectory, else from the work chain and its other runs.

    :param selection: its temperature is that of the thermostat; grades are ignored.
    """
    return _jobs(selection or Selection())[list(RUN_COLUMNS)]


def cost(selection: Selection | None = None) -> pd.DataFrame:
    """Return one row for each molecular-dynamics job with a cost ledger: size, steps, times (s), and times per step.

    Jobs with unknown level of theory and cached jobs are left out. ``cores`` is the number requested. A replica of a
    batch has its ``share`` of the cost of its job; the run of a job of its own has none.

    :param selection: as in :func:`runs`.
    """
    table = _jobs(selection or Selection())
    table = table[table["level_of_theory"].notna() & table["cached_from"].isna()]
    table = table[table["n_atoms"].notna() & (table["n_steps"] > 0) & table["wall_time_s"].notna()]
    per_step = {"wall_s_per_step": table["wall_time_s"], "core_s_per_step": table["wall_time_s"] * table["cores"]}
    per_step["gpu_s_per_step"] = table["gpu_time_s"]
    table = table.assign(**{name: seconds / table["n_steps"] for name, seconds in per_step.items()})
    table = table.rename(columns={"pk": "job_pk"}).sort_values("job_pk", ignore_index=True)
    return table[list(COST_COLUMNS)]


def _jobs(selection: Selection) -> pd.DataFrame:
    types = md_processes()
    run = ["pk", "replica"]
    table = _processes(selection, types).merge(_settings(types), how="left", on="pk")
    table = _with_replicas(table)
    table = table.merge(ledgers(types, list(LEDGER)).rename(columns={"md_pk": "pk"}), how="left", on=run)
    trajectories = jobs_of_trajectories(types).rename(columns={"md_pk": "pk"})
    table = table.merge(trajectories.drop_duplicates(run), how="left", on=run)
    table = _with_origin(table, types)
    table["time_ps"] = table["n_steps"].astype(float) * table["timestep_fs"].astype(float) / FS_PER_PS
    cores = table[list(RESOURCES)].astype(float).fillna(1.0).prod(axis=1)
    table["cores"] = cores.where(cores.abs() <= LARGEST_COUNT).astype("Int64")
    table = _numbered(table)
    for name in ("formula", "level_of_theory"):
        if getattr(selection, name) is not None:
            table = table[table[name] == getattr(selection, name)]
    table = selection.rest(table, ["pk", "trajectory_pk", "process_pk", "structure_pk"], "temperature_K")
    return finished(table, ["formula", "level_of_theory", "temperature_K", "seed", "pk"])


def _processes(selection: Selection, types: list[str]) -> pd.DataFrame:
    query = orm.QueryBuilder()
    query.append(orm.Computer, project=["label"], tag="computer")
    when = Selection(since=selection.since, until=selection.until).filters()
    query.append(
        orm.CalcJobNode,
        with_computer="computer",
        filters={"process_type": {"in": types}} | when,
        project=[
            "id",
            "uuid",
            "ctime",
            "process_type",
            as_text(f"extras.{CACHED_FROM}"),
            *attributes(STATE),
            *attributes([f"resources.{name}" for name in RESOURCES]),
        ],
    )
    table = frame(query, ["computer", "pk", "uuid", "time", "job_type", "cached", *STATE, *RESOURCES])
    table["job_type"] = [kind.rpartition(":")[2] for kind in table["job_type"]]
    # A cached job whose source is here duplicates it; if its source is elsewhere it is kept.
    return without_twins(table.assign(cached_from=table["cached"]), "uuid").rename(columns={"cached": "cached_from"})


def _settings(types: list[str]) -> pd.DataFrame:
    query = orm.QueryBuilder()
    query.append(orm.CalcJobNode, filters={"process_type": {"in": types}}, project=["id"], tag="md")
    query.append(orm.Dict, with_outgoing="md", edge_filters={"label": "parameters"}, project=attributes(SETTINGS))
    return frame(query, ["pk", *SETTINGS])


def _with_replicas(table: pd.DataFrame) -> pd.DataFrame:
    """Return jobs with one row for each run: as many of a batch as it has replicas, with their own settings."""
    table = table.assign(replica="")
    replicas = replicas_of_batches(SETTINGS)
    if replicas.empty:
        return table.assign(batch_structure_pk=None, batch_structure_uuid=None)
    replicas["pk"] = replicas["pk"].astype(table["pk"].dtype)
    batches = table.drop(columns=[*SETTINGS, "replica"]).merge(replicas, on="pk")
    for name in ("exit_status", "exit_message"):
        batches[name] = batches[f"replica_{name}"].astype(object).combine_first(batches[name].astype(object))
    batches = batches.drop(columns=["replica_exit_status", "replica_exit_message"])
    alone = table[~table["pk"].isin(replicas["pk"])]
    both = pd.concat([part.astype(object) for part in (alone, batches)], ignore_index=True).infer_objects()
    return both.astype({"seed": "Int64"})


def _with_origin(table: pd.DataFrame, types: list[str]) -> pd.DataFrame:
    """Return jobs with their work chain, crystal, formula and level of theory."""
    run_types = md_chains()
    above = callers(types).rename(columns={"caller_pk": "run_pk"})[["pk", "run_pk"]]
    top = callers(run_types, CONDUCTIVITY_PROCESS)
    top = top.rename(columns={"pk": "run_pk", "caller_pk": "process_pk", "caller_uuid": "process_uuid"})
    table = table.merge(above, how="left", on="pk").merge(returned_by(run_types), how="left", on="trajectory_pk")
    # The chain of a batch runs many: what counts is the one that made a replica its run.
    of_batch = table["replica"] != ""
    table["run_pk"] = table["run_pk"].astype("Int64").where(~of_batch, table.pop("returned_pk").astype("Int64"))
    table = whole(table, ["run_pk"]).merge(whole(top, ["run_pk"]), how="left", on="run_pk")
    table = whole(table, ["run_pk", "process_pk", "trajectory_pk"]).merge(lineage(), how="left", on="process_pk")
    origins = trajectories_of_fits().merge(_samples(), on="job_pk").drop_duplicates("trajectory_pk")
    table = table.merge(origins.drop(columns="job_pk"), how="left", on="trajectory_pk")
    table["formula"] = table["formula"].combine_first(table["chain_formula"])
    for name in ("structure_pk", "structure_uuid"):
        table[name] = table[name].combine_first(table.pop(f"batch_{name}"))
    for same in (["process_pk"], ["code_pk", "potential", "model"]):
        known = table.groupby(same, dropna=False)["level_of_theory"].transform("first")
        table["level_of_theory"] = table["level_of_theory"].combine_first(known.where(table[same[0]].notna()))
    return table


def _samples() -> pd.DataFrame:
    """Return formula and level of theory given to each fit."""
    query = orm.QueryBuilder()
    query.append(orm.CalcJobNode, filters={"process_type": DIFFUSION_PROCESS}, project=["id"], tag="fit")
    columns = ["formula", "level_of_theory"]
    query.append(orm.Dict, with_outgoing="fit", edge_filters={"label": "parameters"}, project=attributes(columns))
    return frame(query, ["job_pk", *columns])


def _numbered(table: pd.DataFrame) -> pd.DataFrame:
    """Return jobs with the user's seed and the number of their segment."""
    given = table["link"].astype("string").str.extract(r"_seed_(\d{1,18})(?!\d)")[0]
    seed = given.astype("Int64").combine_first(table["seed"].astype("Int64"))
    table = table.assign(seed=seed).sort_values("pk")
    together = table["process_pk"].combine_first(-table["run_pk"].combine_first(table["pk"]))
    kept = table["trajectory_pk"].notna()
    # In a batch on its own, runs of several crystals may share temperature and seed.
    replica = table["replica"].where(table["process_pk"].isna(), "")
    same = [together[kept], table.loc[kept, "temperature_K"], table.loc[kept, "seed"], replica[kept]]
    return table.assign(segment=table[kept].groupby(same, dropna=False).cumcount().astype("Int64"))
