"""How far levels of theory are from each other."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from aiida import orm

from aiida_ion.queries.shared import CACHED_FROM, attributes, filters, frame

#: Of both levels of theory; those of the reference carry `reference_` in front.
LEVEL_COLUMNS = (
    "ionic_conductivity_mS_cm",
    "ionic_conductivity_ci95_mS_cm",
    "ionic_conductivity_upper_bound_mS_cm",
    "activation_energy_eV",
    "activation_energy_ci95_eV",
    "wall_time_s",
    "cpu_time_s",
    "gpu_time_s",
    "n_steps",
    "wall_s_per_step",
    "core_s_per_step",
    "gpu_s_per_step",
    "steps_per_s",
    "peak_memory_MiB",
    "vdos_nyquist_THz",
)
COMPARISON_COLUMNS = (
    "formula",
    "level_of_theory",
    "reference_level_of_theory",
    "target_temperature_K",
    "ionic_conductivity_ratio",
    "ionic_conductivity_ratio_ci95",
    "ionic_conductivity_ratio_upper_bound",
    "ionic_conductivity_ratio_lower_bound",
    "log10_ionic_conductivity_difference",
    "log10_ionic_conductivity_difference_ci95",
    "activation_energy_difference_eV",
    "activation_energy_difference_ci95_eV",
    "log10_tracer_diffusivity_bias",
    "log10_tracer_diffusivity_bias_ci95",
    "log10_tracer_diffusivity_mae",
    "n_temperatures_compared",
    "temperatures",
    "force_mae_eV_A",
    "force_mae_ci95_eV_A",
    "force_rmse_eV_A",
    "force_rmse_ci95_eV_A",
    "force_mae_by_element_eV_A",
    "force_rmse_by_element_eV_A",
    "force_cosine_similarity",
    "force_slope",
    "force_largest_error_eV_A",
    "force_n_frames",
    "reference_force_rms_eV_A",
    "energy_mae_eV_atom",
    "energy_rmse_eV_atom",
    "energy_offset_eV_atom",
    "energy_correlation",
    "energy_n_frames",
    "rdf_distance",
    "rdf_distance_of_reference_halves",
    "rdf_distance_by_pair",
    "vdos_distance",
    "vdos_resolution_THz",
    "wall_speed_ratio",
    "core_speed_ratio",
    *LEVEL_COLUMNS,
    *(f"reference_{name}" for name in LEVEL_COLUMNS),
    "summary",
    "missing",
)
COMPARISON_PROCESS = "aiida_ion.calculations.comparison.compare_levels"
COMPARISON_CHAIN = "aiida.workflows:ion.comparison"


def comparison_table(
    material: str | None = None, level_of_theory: str | None = None, pks: Sequence[int] | None = None
) -> pd.DataFrame:
    """Return one row for each comparison of a level of theory with a reference; what is missing there is missing here.

    Ratios are level over reference, differences level less reference. ``process_pk`` is the ``ion.comparison`` that
    returned it, missing where nobody did. A comparison served from the cache is one row.

    :param material: only this reduced formula.
    :param level_of_theory: only this level of theory (of the compared one, not of the reference).
    :param pks: only these comparisons, also where they came from the cache.
    """
    query = orm.QueryBuilder()
    process = {"process_type": COMPARISON_PROCESS}
    query.append(orm.CalcFunctionNode, filters=process, project=["uuid", f"extras.{CACHED_FROM}"], tag="function")
    query.append(
        orm.ArrayData,
        with_incoming="function",
        filters=filters(material, level_of_theory),
        project=["id", "uuid", "ctime", *attributes(COMPARISON_COLUMNS)],
    )
    table = frame(query, ["function", "cached_from", "pk", "uuid", "time", *COMPARISON_COLUMNS])
    wanted = ~table["cached_from"].isin(set(table["function"])) if pks is None else table["pk"].isin(pks)
    table = table[wanted].drop(columns=["cached_from", "function"])
    table = _comparison_chains().merge(table, how="right", on="pk")
    names = ["formula", "level_of_theory", "reference_level_of_theory", "pk"]
    return table.sort_values(names, ignore_index=True)


def _comparison_chains() -> pd.DataFrame:
    """Return the newest work chain that returned each comparison."""
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters={"process_type": COMPARISON_CHAIN}, project=["id"], tag="process")
    query.append(orm.ArrayData, with_incoming="process", edge_filters={"type": "return"}, project=["id"])
    rows = frame(query, ["process_pk", "pk"]).astype({"process_pk": "Int64"})
    return rows.sort_values("process_pk").drop_duplicates("pk", keep="last")
