"""Computed beside measured: every conductivity of a crystal whose conductivity was measured."""

from __future__ import annotations

import pandas as pd
from aiida import orm

from aiida_ion.queries.conductivities import conductivity
from aiida_ion.queries.experiments import experiments
from aiida_ion.queries.selection import Selection
from aiida_ion.queries.shared import CONDUCTIVITY_PROCESS, frame

#: Numbers of a result, to tell them from those of the experiment.
COMPUTED = "computed_"
_SIGMA = ("", "_ci95_low", "_ci95_high", "_upper_bound")
COMPUTED_COLUMNS = {
    **{f"ionic_conductivity{part}_mS_cm": f"{COMPUTED}ionic_conductivity{part}_mS_cm" for part in _SIGMA},
    **{name: name for name in ("structure_pk", "process_pk", "process_uuid", "level_of_theory", "verdict", "reason")},
    **{name: name for name in ("grade", "target_temperature_K")},
}


def measured_and_computed(selection: Selection | None = None) -> pd.DataFrame:
    """Return one row for each measurement and conductivity of the same crystal; what was not computed has none.

    Columns of :func:`experiments`, and of the conductivity: ``level_of_theory``, ``verdict``, ``reason``, ``grade``,
    ``target_temperature_K``, ``computed_ionic_conductivity_...``, ``n_temperatures`` that were asked for,
    ``n_msd_passed`` of these whose mean squared displacement reached 20 angstrom^2, ``process_pk``, ``process_uuid``.

    :param selection: of the measurements; of the results its level of theory and group.
    """
    chosen = selection or Selection()
    wanted = Selection(level_of_theory=chosen.level_of_theory, group=chosen.group)
    results = conductivity(wanted)[list(COMPUTED_COLUMNS)].rename(columns=COMPUTED_COLUMNS)
    results = results.merge(_temperatures(), how="left", on="process_pk").merge(_passed(), how="left", on="process_pk")
    table = experiments(chosen).merge(results, how="left", on="structure_pk")
    return table.sort_values(["dataset", "entry_id", "level_of_theory", "process_pk"], ignore_index=True)


def _temperatures() -> pd.DataFrame:
    """Return how many temperatures each conductivity was asked for."""
    query = orm.QueryBuilder()
    query.append(orm.Dict, project=["attributes.temperatures_K"], tag="parameters")
    chain = {"process_type": CONDUCTIVITY_PROCESS}
    asked = {"label": "parameters"}
    query.append(orm.WorkChainNode, with_incoming="parameters", filters=chain, edge_filters=asked, project=["id"])
    rows = frame(query, ["n_temperatures", "process_pk"])
    rows["n_temperatures"] = [len(values or ()) for values in rows["n_temperatures"]]
    return rows


def _passed() -> pd.DataFrame:
    """Return at how many temperatures the ions of each conductivity went far enough for the benchmark paper."""
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters={"process_type": CONDUCTIVITY_PROCESS}, project=["id"], tag="chain")
    query.append(
        orm.ArrayData,
        with_incoming="chain",
        edge_filters={"label": {"like": "diffusion%"}},
        filters={"attributes.msd_passes_20_A2": True},
        project=["id"],
    )
    rows = frame(query, ["process_pk", "n_msd_passed"]).drop_duplicates()
    counts: pd.DataFrame = rows.groupby("process_pk", as_index=False)[["n_msd_passed"]].count()
    return counts
