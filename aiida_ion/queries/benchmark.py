"""Computed and measured conductivities of the same crystals."""

from __future__ import annotations

import pandas as pd
from aiida import orm

from aiida_ion.queries.conductivities import conductivity
from aiida_ion.queries.experiments import experiments
from aiida_ion.queries.reading.shared import CONDUCTIVITY_CHAINS, attributes, frame
from aiida_ion.queries.selection import Selection

DIFFUSION_FIELDS = (
    *("temperature_K", "tracer_diffusivity_cm2_s", "least_squares_diffusivity_cm2_s"),
    *("msd_passes_20_A2", "charge_e", "number_density_A3"),
)
#: Renamed columns of computed results, to distinguish them from measured ones.
COMPUTED = "computed_"
_SIGMA = ("", "_ci95_low", "_ci95_high", "_upper_bound")
COMPUTED_COLUMNS = {
    **{f"ionic_conductivity{part}_mS_cm": f"{COMPUTED}ionic_conductivity{part}_mS_cm" for part in _SIGMA},
    **{name: name for name in ("structure_pk", "process_pk", "process_uuid", "level_of_theory", "verdict", "reason")},
    **{name: name for name in ("grade", "target_temperature_K")},
}


def measured_and_computed(selection: Selection | None = None) -> pd.DataFrame:
    """Return one row for each measurement and conductivity of the same crystal; computed columns may be empty.

    Columns of :func:`experiments`, and of the conductivity: ``level_of_theory``, ``verdict``, ``reason``, ``grade``,
    ``target_temperature_K``, ``computed_ionic_conductivity_...``, ``n_temperatures`` requested, ``n_msd_passed`` of
    these whose mean squared displacement reached 20 angstrom^2, ``process_pk``, ``process_uuid``.

    :param selection: applies to the measurements; to the results only its level of theory and group.
    """
    chosen = selection or Selection()
    requested = Selection(level_of_theory=chosen.level_of_theory, group=chosen.group)
    results = conductivity(requested)[list(COMPUTED_COLUMNS)].rename(columns=COMPUTED_COLUMNS)
    results = results.merge(_temperatures(), how="left", on="process_pk").merge(_passed(), how="left", on="process_pk")
    table = experiments(chosen).merge(results, how="left", on="structure_pk")
    return table.sort_values(["dataset", "entry_id", "level_of_theory", "process_pk"], ignore_index=True)


def _temperatures() -> pd.DataFrame:
    """Return the number of requested temperatures of each conductivity."""
    query = orm.QueryBuilder()
    query.append(orm.Dict, project=["attributes.temperatures_K"], tag="parameters")
    # An ensemble has parameters of its own, which ask for no temperature.
    asked = {"label": {"in": ["parameters", "conductivity__parameters"]}}
    chain = CONDUCTIVITY_CHAINS
    query.append(orm.WorkChainNode, with_incoming="parameters", filters=chain, edge_filters=asked, project=["id"])
    rows = frame(query, ["n_temperatures", "process_pk"], {"n_temperatures": "list"})
    rows["n_temperatures"] = [len(values) if isinstance(values, list) else 0 for values in rows["n_temperatures"]]
    return rows.sort_values("n_temperatures").drop_duplicates("process_pk", keep="last")


def diffusion_of_conductivities() -> pd.DataFrame:
    """Return one row for each diffusion returned by a conductivity, whether it entered the fit or not.

    ``process_pk`` of the conductivity, ``temperature_K``, ``diffusivity_cm2_s`` (from the posterior if diffusive, else
    from the least-squares slope), ``msd_passed`` (20 angstrom^2), ``charge_e``, ``number_density_A3``.
    """
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters=CONDUCTIVITY_CHAINS, project=["id"], tag="chain")
    query.append(
        orm.ArrayData,
        with_incoming="chain",
        edge_filters={"label": {"like": "diffusion%"}},
        project=["id", *attributes(DIFFUSION_FIELDS)],
    )
    names = ["process_pk", "pk", "temperature_K", "moved", "plain", *DIFFUSION_FIELDS[3:]]
    rows = frame(query, names, {"moved": "number", "plain": "number"})
    rows = rows.drop_duplicates(["process_pk", "pk"]).rename(columns={"msd_passes_20_A2": "msd_passed"})
    both = [pd.to_numeric(rows[name], errors="coerce") for name in ("moved", "plain")]
    return rows.assign(diffusivity_cm2_s=both[0].fillna(both[1])).drop(columns=["pk", "moved", "plain"])


def _passed() -> pd.DataFrame:
    """Return at how many temperatures each conductivity meets the benchmark paper's MSD criterion."""
    rows = diffusion_of_conductivities()
    passed = rows[rows["msd_passed"].eq(True)]
    counts: pd.DataFrame = passed.groupby("process_pk", as_index=False)[["msd_passed"]].count()
    return counts.rename(columns={"msd_passed": "n_msd_passed"})
