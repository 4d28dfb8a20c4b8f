"""Conductivities extrapolated from several temperatures of a crystal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from aiida import orm

from aiida_ion.queries.ensembles import crystals, members
from aiida_ion.queries.reading.kinds import read_number
from aiida_ion.queries.reading.shared import (
    CONDUCTIVITY_CHAINS,
    attributes,
    finished,
    frame,
    judged,
    of_function,
    whole,
)
from aiida_ion.queries.selection import Selection
from aiida_ion.verdicts import SHOWN_LIMITS

CONDUCTIVITY_FIELDS = (
    "formula",
    "level_of_theory",
    "mobile_species",
    "verdict",
    "reason",
    "target_temperature_K",
    "activation_energy_eV",
    "activation_energy_ci95_eV",
    "ionic_conductivity_mS_cm",
    "ionic_conductivity_ci95_mS_cm",
    "ionic_conductivity_upper_bound_mS_cm",
    "log10_ionic_conductivity_mS_cm",
    "log10_ionic_conductivity_std_mS_cm",
    "collective_ionic_conductivity_mS_cm",
    "collective_ionic_conductivity_ci95_mS_cm",
    "all_species_ionic_conductivity_mS_cm",
    "all_species_ionic_conductivity_ci95_mS_cm",
    "all_species_ionic_conductivity_species",
    *SHOWN_LIMITS,
    "preferred_law",
    "averaged_over_laws",
    "arrhenius_consistent",
    "extrapolation_factor",
    "extrapolation_leverage",
    "largest_shift_decades",
    "temperatures_used_K",
    "temperatures_bound",
    "temperatures_refused",
    "warnings",
    "summary",
    "level_of_theory_sha256",
    "n_members",
    "n_members_given",
    "k_effective",
    "member_std_decades",
    "between_members",
    "dominant_error",
)
#: From best to worst; `bound` is no measurement, but not a failed check either.
GRADES = ("A", "B", "C", "bound", "D")
_ORIGIN = [
    "process_pk",
    "structure_pk",
    "structure_uuid",
    "crystal",
    "engine",
    "code_uuid",
    "potential",
    "model",
    "potential_uuid",
]


def conductivity(selection: Selection | None = None) -> pd.DataFrame:
    """Return one row for each conductivity: sigma (mS/cm) at the target temperature (K), activation energy (eV).

    ``verdict`` is ``poorly_known`` where the interval is wider than ``max_interval_decades``.
    ``ionic_conductivity_mS_cm`` is that of the mobile species, ``all_species_ionic_conductivity_mS_cm`` that of
    ``all_species_ionic_conductivity_species``. ``grade`` is the worst of the temperatures used, ``wall_time_s`` the
    total of all its molecular dynamics. ``crystal`` is the same for all results of a crystal. ``temperatures_used_K``,
    ``..._bound_K`` and ``..._refused_K`` are lists as text; ``refusals`` has the reasons.

    A disordered crystal has one row, pooled over its ``n_members`` ordered cells, whose conductivities differ by
    ``member_std_decades``. Those keep rows of their own, in which ``ensemble_uuid`` is that of the pooled one.
    """
    chosen = selection or Selection()
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters=CONDUCTIVITY_CHAINS, project=["id", "uuid"], tag="process")
    query.append(
        orm.ArrayData,
        with_incoming="process",
        edge_filters={"label": "conductivity"},
        filters=chosen.filters(),
        project=["id", "uuid", "ctime", *attributes(CONDUCTIVITY_FIELDS)],
    )
    table = frame(query, ["process_pk", "process_uuid", "pk", "uuid", "time", *CONDUCTIVITY_FIELDS])
    table = judged(table)
    table = whole(table, ["process_pk"]).merge(worst_grades(), how="left", on="pk")
    if chosen.grades:
        table = table[table["grade"].isin(chosen.grades)]
    of = members()
    table = table.merge(_costs(), how="left", on="process_pk").merge(crystals(of)[_ORIGIN], how="left", on="process_pk")
    table = table.merge(of.rename(columns={"label": "member_label"}), how="left", on="process_pk")
    table = _in_words(chosen.rest(table, ["pk", "process_pk", "structure_pk"]))
    order = ["formula", "level_of_theory", "target_temperature_K", "pk"]
    return finished(table, order)


def worst_grades(pks: Sequence[int] | None = None) -> pd.DataFrame:
    """Return the worst grade of the fits that each conductivity uses or, if it uses none, of its bounds.

    :param pks: of conductivities; all by default.
    """
    query = orm.QueryBuilder()
    query.append(orm.CalcFunctionNode, filters=of_function("fit_conductivity"), tag="function")
    columns = attributes(["grade", "refused_because", "fit_consistent"])
    query.append(orm.ArrayData, with_outgoing="function", project=columns)
    chosen = {} if pks is None else {"id": {"in": [*pks, 0]}}
    query.append(orm.ArrayData, with_incoming="function", filters=chosen, project=["id"])
    rows = frame(query, ["grade", "refused", "consistent", "pk"], {"consistent": "flag"})
    used = rows[rows["refused"].isna() & ~(rows["consistent"] == 0)]
    ranks = used.assign(rank=used["grade"].map({grade: rank for rank, grade in enumerate(GRADES)}))
    moved = ranks[ranks["grade"] != "bound"].groupby("pk")["rank"].max()
    bound = ranks[ranks["grade"] == "bound"].groupby("pk")["rank"].max()
    worst = moved.combine_first(bound).dropna()
    return pd.DataFrame({"pk": worst.index, "grade": [GRADES[int(rank)] for rank in worst]})


def _costs() -> pd.DataFrame:
    """Return the wall time of all molecular dynamics of each work chain."""
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters=CONDUCTIVITY_CHAINS, project=["id"], tag="process")
    cost = {"label": "cost"}
    query.append(orm.Dict, with_incoming="process", edge_filters=cost, project=["attributes.wall_time_s"])
    rows = frame(query, ["process_pk", "wall_time_s"])
    return whole(rows, ["process_pk"]).drop_duplicates("process_pk", keep="last")


def _in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with lists of temperatures and sentences as text, and the number of diffusive temperatures."""
    used, bound, refused = (table[f"temperatures_{name}"] for name in ("used_K", "bound", "refused"))
    return table.drop(columns=["temperatures_bound", "temperatures_refused"]).assign(
        n_temperatures_moved=[len(listed) if isinstance(listed, list) else 0 for listed in used],
        temperatures_used_K=[_kelvins(listed) for listed in used],
        temperatures_bound_K=[_kelvins(listed) for listed in bound],
        temperatures_refused_K=[_kelvins(listed) for listed in refused],
        refusals=[
            "; ".join(_refusal(entry) for entry in listed) if isinstance(listed, list) else "" for listed in refused
        ],
        all_species_ionic_conductivity_species=[
            " ".join(map(str, species)) if isinstance(species, list) else ""
            for species in table["all_species_ionic_conductivity_species"]
        ],
        warnings=[" ".join(map(str, warning)) if isinstance(warning, list) else "" for warning in table["warnings"]],
    )


def _kelvins(entries: Any) -> str:
    """Return temperatures, numbers or mappings with ``temperature_K``, in one line."""
    listed = entries if isinstance(entries, list) else []
    values = [read_number(entry.get("temperature_K") if isinstance(entry, Mapping) else entry) for entry in listed]
    return ", ".join(f"{value:.4g}" for value in values if value is not None)


def _refusal(entry: Any) -> str:
    return f"{_kelvins([entry])} K: {entry.get('reason')}" if isinstance(entry, Mapping) else str(entry)
