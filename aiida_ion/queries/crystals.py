"""One row for each crystal."""

from __future__ import annotations

from typing import Any

import pandas as pd
from aiida import orm

from aiida_ion.exit_codes import is_usable
from aiida_ion.queries.conductivities import conductivity
from aiida_ion.queries.ensembles import one_crystal
from aiida_ion.queries.lineage import lineage
from aiida_ion.queries.reading.shared import CONDUCTIVITY_CHAINS, attributes, frame, whole
from aiida_ion.queries.results import counted_fits
from aiida_ion.queries.selection import Selection, elements_of
from aiida_ion.verdicts import BOUND, MEASURED, NOT_MEASURABLE, POORLY_KNOWN

#: Columns of the newest conductivity: of one with a value, else of one that is poorly known, a bound, or neither.
NEWEST = (
    "ionic_conductivity_mS_cm",
    "ionic_conductivity_ci95_low_mS_cm",
    "ionic_conductivity_ci95_high_mS_cm",
    "ionic_conductivity_upper_bound_mS_cm",
    "verdict",
    "grade",
    "activation_energy_eV",
    "target_temperature_K",
    "level_of_theory",
    "conductivity_uuid",
)
MATERIAL_COLUMNS = (
    "formula",
    "crystal",
    "elements",
    "mobile_species",
    "n_levels",
    "levels_of_theory",
    "n_temperatures",
    "n_temperatures_moved",
    "n_runs",
    "n_conductivities",
    "n_failed",
    "n_running",
    "best_grade",
    *NEWEST,
    "wall_time_s",
    "time",
    "structure_pk",
    "structure_uuid",
    "n_structures",
)
#: Verdicts of conductivities, the best last.
_RANKS = (NOT_MEASURABLE, BOUND, POORLY_KNOWN, MEASURED)
_LETTERS = ("A", "B", "C", "D", "bound")


def materials(
    selection: Selection | None = None, conductivities: pd.DataFrame | None = None, fits: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return one row for each crystal: its levels of theory, how much was run, and its newest conductivity.

    Crystals are the same if formula and content are: a file read twice is one crystal; two polymorphs are two, each
    with a ``crystal`` of its own. Results of imported trajectories, which have none, are one row for each formula. The
    ordered cells of an ensemble are the disordered crystal that they stand for, whose conductivity is the pooled one.
    Work chains without a result count as failed or running. Conductivity, bound, ``verdict``, ``grade``,
    ``level_of_theory`` and ``target_temperature_K`` are those of the newest conductivity of the best kind: a value, a
    poorly known one, a bound, neither. ``best_grade`` is that of the best fit, ``time`` that of the newest result.

    :param selection: selects the results that are counted; failed and running work chains only by formula, elements,
        group and time.
    :param conductivities: the result of :func:`conductivity` for the same selection, if available.
    :param fits: the result of ``results.counted_fits`` for it.
    """
    chosen = selection or Selection()
    known = one_crystal(lineage())
    about = known[["process_pk", *_OF_CRYSTAL]]
    counted = counted_fits(chosen) if fits is None else fits
    counted = counted[~counted["superseded"]].drop(columns=_OF_CRYSTAL).merge(about, how="left", on="process_pk")
    results = conductivity(chosen) if conductivities is None else conductivities
    results = results[results["ensemble_process_pk"].isna()].rename(columns={"uuid": "conductivity_uuid"})
    results = results.drop(columns=_OF_CRYSTAL).merge(about, how="left", on="process_pk")
    begun = chains(chosen, known)
    parts = [
        _of_fits(counted),
        _of_conductivities(results),
        _newest(results),
        begun.groupby(_KEY, dropna=False)[["n_failed", "n_running"]].sum(),
        _structures([counted, results, begun]),
    ]
    table = pd.concat(parts, axis=1).rename_axis(_KEY).reset_index()
    table["elements"] = [" ".join(sorted(elements_of(formula))) for formula in table["formula"]]
    counts = [name for name in MATERIAL_COLUMNS if name.startswith("n_")]
    table = table.reindex(columns=list(MATERIAL_COLUMNS))
    table = table.assign(**{name: table[name].astype(float).fillna(0).astype(int) for name in counts})
    return whole(table, ["structure_pk"]).sort_values(["formula", "structure_pk"], ignore_index=True)


#: Attributes that say why a process failed.
WHY = ("exit_message", "exception", "process_status")
_KEY = ["formula", "crystal"]
_OF_CRYSTAL = ["crystal", "structure_pk", "structure_uuid"]


def _of_fits(fits: pd.DataFrame) -> pd.DataFrame:
    rank = fits["grade"].map({grade: place for place, grade in enumerate(_LETTERS)})
    groups = fits.assign(rank=rank, moved=fits["moved"].astype(int)).groupby(_KEY, dropna=False)
    best = groups["rank"].min().map(dict(enumerate(_LETTERS)))
    levels = _levels(fits, groups)
    return pd.DataFrame(
        {
            "mobile_species": groups["mobile_species"].first(),
            "n_levels": levels.map(len),
            "levels_of_theory": levels.map(", ".join),
            "n_temperatures": groups.size(),
            "n_temperatures_moved": groups["moved"].sum(),
            "n_runs": groups["n_replicas"].sum(),
            "best_grade": best,
            "wall_time_s": groups["wall_time_s"].sum(min_count=1),
            "time": groups["time"].max(),
        }
    )


def _levels(fits: pd.DataFrame, groups: Any) -> pd.Series[Any]:
    """Return the sorted levels of theory of each group; grouping in pandas would take longer than the query."""
    levels: list[set[str]] = [set() for _ in range(groups.ngroups)]
    for number, level in zip(groups.ngroup(), fits["level_of_theory"], strict=True):
        if isinstance(level, str):
            levels[number].add(level)
    return pd.Series([sorted(names) for names in levels], index=groups.size().index, dtype=object)


def _of_conductivities(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"n_conductivities": table.groupby(_KEY, dropna=False).size()})


def _newest(table: pd.DataFrame) -> pd.DataFrame:
    ranked = table.assign(rank=table["verdict"].map({verdict: rank for rank, verdict in enumerate(_RANKS)}))
    # The last row as a whole: what it lacks is not to be filled from another result.
    newest = ranked.sort_values(["rank", "time"], na_position="first").drop_duplicates(_KEY, keep="last")
    return newest.groupby(_KEY, dropna=False)[list(NEWEST)].first()  # one row each, also without a crystal


def _structures(parts: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [part[[*_KEY, "structure_pk", "structure_uuid"]].astype(object) for part in parts if len(part)] or parts
    groups = pd.concat(filled).sort_values("structure_pk").groupby(_KEY, dropna=False)
    return pd.DataFrame(
        {
            "structure_pk": groups["structure_pk"].last(),
            "structure_uuid": groups["structure_uuid"].last(),
            "n_structures": groups["structure_uuid"].nunique(),
        }
    )


def chains(selection: Selection | None = None, crystals: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the work chains of conductivities with their crystals, and whether each failed or is running.

    ``n_failed`` and ``n_running`` are 0 or 1; `WHY` says why one failed.

    :param crystals: of `lineage`, those of ensembles made one, if available.
    """
    selection = selection or Selection()
    query = orm.QueryBuilder()
    when = Selection(since=selection.since, until=selection.until).filters()
    columns = ["uuid", "ctime", *attributes(["process_state", "exit_status", *WHY])]
    filters: dict[str, Any] = CONDUCTIVITY_CHAINS | when
    query.append(orm.WorkChainNode, filters=filters, project=["id", *columns])
    names = ["process_pk", "uuid", "time", "state", "exit_status", *WHY]
    table = whole(frame(query, names), ["process_pk"])
    crystals = one_crystal(lineage()) if crystals is None else crystals
    crystals = crystals.rename(columns={"chain_formula": "formula"})
    table = table.merge(crystals, how="left", on="process_pk")
    if selection.formula is not None:
        table = table[table["formula"] == selection.formula]
    table = selection.rest(table, ["process_pk", "structure_pk"], None)
    over = table["state"].isin(["finished", "excepted", "killed"])
    usable = [is_usable(None if pd.isna(status) else int(status)) for status in table["exit_status"]]
    failed = over & ~((table["state"] == "finished") & pd.Series(usable, index=table.index, dtype=bool))
    return table.assign(n_failed=failed.astype(int), n_running=(~over).astype(int))
