"""Diffusion at each temperature, and what it extrapolates to."""

from __future__ import annotations

import pandas as pd
from aiida import orm

from aiida_ion.queries.shared import CACHED_FROM, CONDUCTIVITY_PROCESS, DIFFUSION_PROCESS, attributes, filters, frame

DIFFUSION_COLUMNS = (
    "formula",
    "level_of_theory",
    "target_temperature_K",
    "temperature_mean_K",
    "verdict",
    "reason",
    "grade",
    "n_eff",
    "n_replicas",
    "analysed_time_ps",
    "tracer_diffusivity_cm2_s",
    "tracer_diffusivity_ci95_cm2_s",
    "tracer_diffusivity_upper_bound_cm2_s",
    "ionic_conductivity_mS_cm",
    "ionic_conductivity_ci95_mS_cm",
    "ionic_conductivity_upper_bound_mS_cm",
    "haven_ratio",
)
CONDUCTIVITY_COLUMNS = (
    "formula",
    "level_of_theory",
    "verdict",
    "reason",
    "target_temperature_K",
    "activation_energy_eV",
    "activation_energy_ci95_eV",
    "ionic_conductivity_mS_cm",
    "ionic_conductivity_ci95_mS_cm",
    "ionic_conductivity_upper_bound_mS_cm",
    "collective_ionic_conductivity_mS_cm",
    "collective_ionic_conductivity_ci95_mS_cm",
    "preferred_law",
    "averaged_over_laws",
    "extrapolation_factor",
    "extrapolation_leverage",
    "largest_shift_decades",
    "temperatures_used_K",
    "temperatures_bound",
    "temperatures_refused",
    "warnings",
    "summary",
)


def diffusion_table(material: str | None = None, level_of_theory: str | None = None) -> pd.DataFrame:
    """Return one row for each diffusion fit: D (cm^2/s) and sigma (mS/cm) at a temperature (K).

    ``moved`` says whether there is a diffusivity; where not, the upper bounds stand. ``wall_time_s`` is that of the
    molecular dynamics behind it, missing for imported trajectories. A fit served from the cache is one row.

    :param material: only this reduced formula.
    :param level_of_theory: only this level of theory.
    """
    query = orm.QueryBuilder()
    process = {"process_type": DIFFUSION_PROCESS}
    query.append(orm.CalcJobNode, filters=process, project=["id", "uuid", f"extras.{CACHED_FROM}"], tag="job")
    query.append(
        orm.ArrayData,
        with_incoming="job",
        edge_filters={"label": "diffusion"},
        filters=filters(material, level_of_theory),
        project=["id", "uuid", "ctime", *attributes(DIFFUSION_COLUMNS)],
    )
    table = frame(query, ["job_pk", "job", "cached_from", "pk", "uuid", "time", *DIFFUSION_COLUMNS])
    table = table[~table["cached_from"].isin(set(table["job"]))].drop(columns=["cached_from", "job"])
    table.insert(4, "moved", table["verdict"] == "moved")
    table = table.merge(_wall_times(), how="left", on="pk")
    return table.sort_values(["formula", "level_of_theory", "target_temperature_K", "pk"], ignore_index=True)


def conductivity_table(material: str | None = None, level_of_theory: str | None = None) -> pd.DataFrame:
    """Return one row for each conductivity: sigma (mS/cm) at the target temperature (K), activation energy (eV).

    :param material: only this reduced formula.
    :param level_of_theory: only this level of theory.
    """
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters={"process_type": CONDUCTIVITY_PROCESS}, project=["id"], tag="process")
    query.append(
        orm.ArrayData,
        with_incoming="process",
        edge_filters={"label": "conductivity"},
        filters=filters(material, level_of_theory),
        project=["id", "uuid", "ctime", *attributes(CONDUCTIVITY_COLUMNS)],
    )
    table = frame(query, ["process_pk", "pk", "uuid", "time", *CONDUCTIVITY_COLUMNS])
    table = table.merge(_process_wall_times(), how="left", on="process_pk")
    return table.sort_values(["formula", "level_of_theory", "target_temperature_K", "pk"], ignore_index=True)


def _wall_times() -> pd.DataFrame:
    """Return the wall time, s, of the molecular dynamics behind each diffusion fit."""
    query = orm.QueryBuilder()
    query.append(orm.Dict, project=["attributes.wall_time_s"], tag="cost")
    query.append(orm.CalcJobNode, with_outgoing="cost", edge_filters={"label": "cost"}, tag="md")
    query.append(orm.TrajectoryData, with_incoming="md", project=["id"], tag="trajectory")
    fit = {"process_type": DIFFUSION_PROCESS}
    query.append(orm.CalcJobNode, with_incoming="trajectory", filters=fit, tag="fit")
    query.append(orm.ArrayData, with_incoming="fit", edge_filters={"label": "diffusion"}, project=["id"])
    return _sums(query, ["wall_time_s", "trajectory", "pk"])


def _process_wall_times() -> pd.DataFrame:
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters={"process_type": CONDUCTIVITY_PROCESS}, project=["id"], tag="process")
    cost = {"label": "cost"}
    query.append(orm.Dict, with_incoming="process", edge_filters=cost, project=["attributes.wall_time_s"])
    return _sums(query, ["process_pk", "wall_time_s"])


def _sums(query: orm.QueryBuilder, columns: list[str]) -> pd.DataFrame:
    key = "pk" if "pk" in columns else "process_pk"
    rows = frame(query, columns).drop_duplicates()
    rows["wall_time_s"] = rows["wall_time_s"].astype(float)
    sums: pd.DataFrame = rows.groupby(key, as_index=False)[["wall_time_s"]].sum(min_count=1)
    return sums
