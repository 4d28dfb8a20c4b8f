"""What molecular dynamics has cost so far: one row for each job that ran."""

from __future__ import annotations

import pandas as pd
from aiida import orm

from aiida_ion.queries.shared import CACHED_FROM, DIFFUSION_PROCESS, attributes, frame

MD_PROCESSES = "aiida.calculations:ion.%md"
COST_FIELDS = ("n_atoms", "n_steps", "wall_time_s", "device", "hardware")
RESOURCES = ("num_machines", "num_mpiprocs_per_machine", "num_cores_per_mpiproc")
COST_COLUMNS = ("job_pk", "computer", "level_of_theory", "cores", *COST_FIELDS)


def cost_table() -> pd.DataFrame:
    """Return one row for each finished job of molecular dynamics: its level of theory, size, steps and wall time (s).

    The level of theory is that of the fits which its trajectory entered; jobs without one, and those that the cache
    served, are left out. `cores` are those that the job asked for.
    """
    query = orm.QueryBuilder()
    query.append(orm.Computer, project=["label"], tag="computer")
    query.append(
        orm.CalcJobNode,
        with_computer="computer",
        filters={"process_type": {"like": MD_PROCESSES}, "attributes.exit_status": 0},
        project=["id", f"extras.{CACHED_FROM}", *attributes([f"resources.{name}" for name in RESOURCES])],
        tag="job",
    )
    query.append(
        orm.Dict, with_incoming="job", edge_filters={"label": "cost"}, project=attributes(COST_FIELDS), tag="cost"
    )
    table = frame(query, ["computer", "job_pk", "cached_from", *RESOURCES, *COST_FIELDS])
    table = table[table["cached_from"].isna()]
    table = table[table["n_atoms"].notna() & (table["n_steps"] > 0) & table["wall_time_s"].notna()]
    table["cores"] = table[list(RESOURCES)].fillna(1).prod(axis=1).astype(int)
    return table.merge(_levels(), on="job_pk")[list(COST_COLUMNS)].sort_values("job_pk", ignore_index=True)


def _levels() -> pd.DataFrame:
    """Return the level of theory of each job that has a fit."""
    query = orm.QueryBuilder()
    query.append(orm.CalcJobNode, filters={"process_type": {"like": MD_PROCESSES}}, project=["id"], tag="job")
    query.append(orm.TrajectoryData, with_incoming="job", tag="trajectory")
    fit = {"process_type": DIFFUSION_PROCESS}
    query.append(orm.CalcJobNode, with_incoming="trajectory", filters=fit, tag="fit")
    level = ["attributes.level_of_theory"]
    query.append(orm.ArrayData, with_incoming="fit", edge_filters={"label": "diffusion"}, project=level)
    return frame(query, ["job_pk", "level_of_theory"]).drop_duplicates("job_pk")
