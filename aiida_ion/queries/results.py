"""Diffusion at each temperature."""

from __future__ import annotations

import pandas as pd
from aiida import orm

from aiida_ion.aiida_private.caching import CACHED_FROM
from aiida_ion.queries.ensembles import POOLED, crystals, members
from aiida_ion.queries.lineage import callers, wall_times
from aiida_ion.queries.reading.shared import (
    CONDUCTIVITY_PROCESS,
    DIFFUSION_PROCESS,
    ENSEMBLE_PROCESS,
    as_text,
    attributes,
    finished,
    frame,
    judged,
    of_function,
    whole,
    without_twins,
)
from aiida_ion.queries.selection import Selection
from aiida_ion.verdicts import SHOWN_LIMITS, WITH_POSTERIOR

DIFFUSION_FIELDS = (
    "formula",
    "level_of_theory",
    "mobile_species",
    "target_temperature_K",
    "temperature_mean_K",
    "verdict",
    "reason",
    "refused_because",
    "grade",
    "fit_consistent",
    "n_eff",
    "n_replicas",
    "analysed_time_ps",
    "tracer_diffusivity_cm2_s",
    "tracer_diffusivity_std_cm2_s",
    "tracer_diffusivity_ci95_cm2_s",
    "tracer_diffusivity_upper_bound_cm2_s",
    "ionic_conductivity_mS_cm",
    "ionic_conductivity_ci95_mS_cm",
    "ionic_conductivity_upper_bound_mS_cm",
    "collective_diffusivity_cm2_s",
    "collective_diffusivity_ci95_cm2_s",
    "collective_ionic_conductivity_mS_cm",
    "collective_ionic_conductivity_ci95_mS_cm",
    "haven_ratio",
    "haven_ratio_ci95",
    "all_species_ionic_conductivity_mS_cm",
    "all_species_ionic_conductivity_ci95_mS_cm",
    "framework_species",
    "moved_species",
    *SHOWN_LIMITS,
    "level_of_theory_sha256",
    "n_members",
)
#: Columns used to count materials.
COUNTED_FIELDS = (
    "formula",
    "level_of_theory",
    "mobile_species",
    "target_temperature_K",
    "verdict",
    "grade",
    "n_replicas",
)
_JOB_COLUMNS = ("job_pk", "job_uuid", "cached_from", "pk", "uuid", "time")
_CRYSTAL = ("process_pk", "structure_pk", "structure_uuid", "crystal")
_MEMBERS = ("pk", "job_pk", "process_pk", "conductivity_pk")
#: Why a fit whose estimates disagree is excluded from extrapolations.
INCONSISTENT = "kinisi and least squares disagree wildly on the same window"


def diffusion(selection: Selection | None = None) -> pd.DataFrame:
    """Return one row for each diffusion fit: D (cm^2/s) and sigma (mS/cm) at a temperature (K).

    ``moved`` says whether there is a diffusivity; otherwise there are upper bounds. ``verdict`` is ``poorly_known`` if
    its interval is wider than ``max_interval_decades``. ``ionic_conductivity_mS_cm`` is that of the mobile species,
    ``all_species_ionic_conductivity_mS_cm`` that of all diffusive ones. ``refused_because`` says why a temperature is
    excluded from extrapolations, ``superseded`` whether a later round of its work chain fitted it again.
    ``wall_time_s`` is that of its molecular dynamics, missing for imported trajectories. ``job_pk`` is the fit,
    ``process_pk`` the conductivity work chain that called it, if any, and ``conductivity_uuid`` the result that used
    it, ``crystal`` is the key of its crystal. A fit served from the cache is one row.

    A disordered crystal has one row, pooled over its ``n_members`` ordered cells, whose ``job_pk`` is the work chain
    of the ensemble. The fits of these cells keep rows of their own, in which ``ensemble_uuid`` is that of the pooled
    conductivity and ``member_label`` the name of the cell.
    """
    chosen = selection or Selection()
    table = _with_pooled(_fits(chosen, DIFFUSION_FIELDS), chosen)
    table["refused_because"] = _refusals(table)
    table = judged(table)
    for name in ("framework_species", "moved_species"):
        table[name] = [" ".join(map(str, entry)) if isinstance(entry, list) else None for entry in table[name]]
    table = whole(table.merge(_entered(), how="left", on="pk"), ["conductivity_pk"])
    of = members()
    table = table.merge(crystals(of)[list(_CRYSTAL)], how="left", on="process_pk")
    table = table.merge(of.rename(columns={"label": "member_label"}), how="left", on="process_pk")
    table = chosen.rest(table, [*_MEMBERS, "structure_pk"])
    return finished(table, ["formula", "level_of_theory", "target_temperature_K", "pk"])


def counted_fits(selection: Selection | None = None) -> pd.DataFrame:
    """Return the fits of `diffusion` with only `COUNTED_FIELDS`, used to count and select materials.

    The conductivity that used each fit is not included.
    """
    chosen = selection or Selection()
    table = _fits(chosen, COUNTED_FIELDS)
    table = table.merge(crystals()[list(_CRYSTAL)], how="left", on="process_pk")
    members = [*_MEMBERS, "structure_pk"]
    if chosen.group is None:
        members.remove("conductivity_pk")
    else:
        table = whole(table.merge(_entered(), how="left", on="pk"), ["conductivity_pk"])
    return finished(chosen.rest(table, members), ["formula", "level_of_theory", "target_temperature_K", "pk"])


def _fits(selection: Selection, fields: tuple[str, ...]) -> pd.DataFrame:
    """Return each fit with these attributes, its work chain and wall time."""
    query = orm.QueryBuilder()
    process = {"process_type": DIFFUSION_PROCESS}
    query.append(orm.CalcJobNode, filters=process, project=["id", "uuid", as_text(f"extras.{CACHED_FROM}")], tag="job")
    query.append(
        orm.ArrayData,
        with_incoming="job",
        edge_filters={"label": "diffusion"},
        filters=selection.filters(grade="grade"),
        project=["id", "uuid", "ctime", *attributes(fields)],
    )
    table = without_twins(frame(query, [*_JOB_COLUMNS, *fields]), "job_uuid")
    table.insert(list(table.columns).index("verdict") + 1, "moved", table["verdict"].isin(WITH_POSTERIOR))
    calls = callers([DIFFUSION_PROCESS], CONDUCTIVITY_PROCESS).drop(columns="link")
    calls = calls.rename(columns={"pk": "job_pk", "caller_pk": "process_pk", "caller_uuid": "process_uuid"})
    table = whole(table.merge(calls, how="left", on="job_pk"), ["process_pk"])
    table["superseded"] = _superseded(table)
    return table.merge(wall_times(), how="left", on="job_pk")


def _with_pooled(table: pd.DataFrame, selection: Selection) -> pd.DataFrame:
    """Return fits, and what was pooled over the members of ensembles."""
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters={"process_type": ENSEMBLE_PROCESS}, project=["id", "uuid"], tag="chain")
    query.append(
        orm.ArrayData,
        with_incoming="chain",
        edge_filters={"label": {"like": POOLED}},
        filters=selection.filters(grade="grade"),
        project=["id", "uuid", "ctime", *attributes(DIFFUSION_FIELDS)],
    )
    pooled = frame(query, ["job_pk", "job_uuid", "pk", "uuid", "time", *DIFFUSION_FIELDS])
    if pooled.empty:
        return table
    moved = pooled["verdict"].isin(WITH_POSTERIOR)
    pooled = pooled.assign(moved=moved, superseded=False, process_pk=pooled["job_pk"], process_uuid=pooled["job_uuid"])
    both = pd.concat([table.astype(object), pooled.astype(object)], ignore_index=True).infer_objects()
    return whole(both, ["process_pk"])


def _superseded(table: pd.DataFrame) -> pd.Series[bool]:
    """Whether a later round of the same work chain fitted the same temperature again, over longer runs."""
    newest = table.groupby(["process_pk", "target_temperature_K"])["pk"].transform("max")
    return newest.notna() & (newest > table["pk"])


def _refusals(table: pd.DataFrame) -> list[str | None]:
    """Return why each fit is excluded from extrapolations: its first failed check, or estimates that disagree.

    SQLite returns flags in attributes as 0 and 1.
    """
    reasons = zip(table["refused_because"], table["fit_consistent"], strict=True)
    return [why if isinstance(why, str) else INCONSISTENT if consistent == 0 else None for why, consistent in reasons]


def _entered() -> pd.DataFrame:
    """Return the newest conductivity that used each diffusion."""
    query = orm.QueryBuilder()
    query.append(orm.CalcFunctionNode, filters=of_function("fit_conductivity"), tag="function")
    query.append(orm.ArrayData, with_outgoing="function", project=["id"])
    query.append(orm.ArrayData, with_incoming="function", project=["id", "uuid"])
    rows = frame(query, ["pk", "conductivity_pk", "conductivity_uuid"])
    return rows.sort_values("conductivity_pk").drop_duplicates("pk", keep="last")
