"""Comparisons of levels of theory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from aiida import orm

from aiida_ion.aiida_private.caching import CACHED_FROM
from aiida_ion.queries.lineage import lineage
from aiida_ion.queries.reading.kinds import Attributes, read_attributes, read_number
from aiida_ion.queries.reading.shared import (
    CONDUCTIVITY_CHAINS,
    as_text,
    attributes,
    finished,
    frame,
    of_function,
    whole,
)
from aiida_ion.queries.selection import Selection

#: Columns of both levels of theory; those of the reference are prefixed with `reference_`.
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
COMPARISON_FIELDS = (
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
COMPARISON_CHAIN = "aiida.workflows:ion.comparison"


TEMPERATURE = "target_temperature_K"
#: Lists and mappings that are converted to text.
_WORDS = ("force_mae_by_element_eV_A", "force_rmse_by_element_eV_A", "rdf_distance_by_pair", "missing")


def comparison(selection: Selection | None = None, pks: Sequence[int] | None = None) -> pd.DataFrame:
    """Return one row for each comparison of a level of theory with a reference.

    Ratios are level over reference, differences level minus reference. ``process_pk`` is the ``ion.comparison`` that
    returned it, if any, ``crystal`` the key of the compared crystal. A comparison served from the cache is one row.

    :param selection: its level of theory is the compared one; grades are ignored.
    :param pks: only these comparisons, including cached ones.
    """
    chosen = selection or Selection()
    table = _comparisons(attributes(COMPARISON_FIELDS), list(COMPARISON_FIELDS), chosen, pks)
    table = whole(table.merge(_comparison_lineage(), how="left", on="pk"), ["process_pk"])
    table = table.merge(_compared(), how="left", on="function_pk")
    table = chosen.rest(table, ["pk", "process_pk", "conductivity_pk", "structure_pk"])
    for name in _WORDS:
        table[name] = table[name].map(_words)
    return finished(table, ["formula", "level_of_theory", "reference_level_of_theory", "pk"])


def comparison_records(selection: Selection | None = None, pks: Sequence[int] | None = None) -> list[dict[str, Any]]:
    """Return all attributes of each comparison, including lists and mappings, in the order of the table.

    :param selection: as in :func:`comparison`.
    :param pks: as in :func:`comparison`.
    """
    chosen = selection or Selection()
    table = _comparisons(["attributes"], ["attributes"], chosen, pks)
    records = [read_attributes(entry) for entry in table["attributes"]]
    columns = {"attributes": records} | {name: [entry[name] for entry in records] for name in ("formula", TEMPERATURE)}
    table = table.assign(**{name: pd.Series(entry, index=table.index, dtype=object) for name, entry in columns.items()})
    table = chosen.rest(table, ["pk"])
    names = ("formula", "level_of_theory", "reference_level_of_theory")
    rows = sorted(zip(table["pk"], table["attributes"], strict=True), key=lambda row: (_key(row[1], names), row[0]))
    return [Attributes({**record, "pk": pk}) for pk, record in rows]


def _comparisons(
    projected: list[str], names: list[str], selection: Selection, pks: Sequence[int] | None
) -> pd.DataFrame:
    query = orm.QueryBuilder()
    process = of_function("compare_levels")
    columns: list[Any] = ["id", "uuid", as_text(f"extras.{CACHED_FROM}")]
    query.append(orm.CalcFunctionNode, filters=process, project=columns, tag="function")
    project = ["id", "uuid", "ctime", *projected]
    query.append(orm.ArrayData, with_incoming="function", filters=selection.filters(), project=project)
    table = frame(query, ["function_pk", "function", "cached_from", "pk", "uuid", "time", *names])
    is_chosen = ~table["cached_from"].isin(set(table["function"])) if pks is None else table["pk"].isin(pks)
    return table[is_chosen].drop(columns=["cached_from", "function"])


def _comparison_lineage() -> pd.DataFrame:
    """Return the newest work chain that returned each comparison."""
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters={"process_type": COMPARISON_CHAIN}, project=["id", "uuid"], tag="process")
    query.append(orm.ArrayData, with_incoming="process", edge_filters={"type": "return"}, project=["id"])
    rows = frame(query, ["process_pk", "process_uuid", "pk"])
    return rows.sort_values("process_pk").drop_duplicates("pk", keep="last")


def _compared() -> pd.DataFrame:
    """Return the conductivities in each comparison, and the crystal of the compared one."""
    query = orm.QueryBuilder()
    query.append(orm.CalcFunctionNode, filters=of_function("compare_levels"), project=["id"], tag="function")
    sides = ["conductivity", "reference_conductivity"]
    edge = {"label": {"in": sides}}
    query.append(
        orm.ArrayData, with_outgoing="function", edge_filters=edge, edge_project=["label"], project=["id", "uuid"]
    )
    records = frame(query, ["function_pk", "conductivity_pk", "conductivity_uuid", "side"])
    level, reference = (records[records["side"] == side].drop(columns="side") for side in sides)
    reference = reference.rename(columns={name: f"reference_{name}" for name in reference.columns[1:]})
    both = level.merge(reference, how="outer", on="function_pk")
    returned = orm.QueryBuilder()
    returned.append(orm.WorkChainNode, filters=CONDUCTIVITY_CHAINS, project=["id"], tag="chain").append(
        orm.ArrayData, with_incoming="chain", edge_filters={"label": "conductivity"}, project=["id"]
    )
    origin = frame(returned, ["process_pk", "conductivity_pk"]).merge(lineage(), on="process_pk")
    names = ["conductivity_pk", "structure_pk", "structure_uuid", "crystal"]
    crystal = origin[names].drop_duplicates("conductivity_pk")
    return whole(
        both.merge(crystal, how="left", on="conductivity_pk"), ["conductivity_pk", "reference_conductivity_pk"]
    )


def _words(stored: Any) -> str | None:
    """Return named numbers or sentences in one line."""
    if isinstance(stored, Mapping):
        # Sorted, since PostgreSQL does not keep the order of names.
        numbers = {name: read_number(value) for name, value in sorted(stored.items())}
        return ", ".join(f"{name} {value:.4g}" for name, value in numbers.items() if value is not None)
    return " ".join(map(str, stored)) if isinstance(stored, list) else None


def _key(stored: Mapping[str, Any], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(stored.get(name)) for name in names)
