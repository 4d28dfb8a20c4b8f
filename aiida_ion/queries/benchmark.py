"""Computed beside measured: every conductivity of a crystal whose conductivity was measured."""

from __future__ import annotations

import pandas as pd
from aiida import orm

from aiida_ion.queries.experiments import experiments
from aiida_ion.queries.selection import Selection
from aiida_ion.queries.shared import CONDUCTIVITY_PROCESS, attributes, frame

COMPUTED_FIELDS = (
    "level_of_theory",
    "verdict",
    "reason",
    "target_temperature_K",
    "ionic_conductivity_mS_cm",
    "ionic_conductivity_ci95_mS_cm",
    "ionic_conductivity_upper_bound_mS_cm",
)
#: Numbers of a result, to tell them from those of the experiment.
COMPUTED = "computed_"


def measured_and_computed(selection: Selection | None = None) -> pd.DataFrame:
    """Return one row for each measurement and conductivity of the same crystal; what was not computed has none.

    Columns of :func:`experiments`, and of the conductivity: ``level_of_theory``, ``verdict``, ``reason``,
    ``target_temperature_K``, ``computed_ionic_conductivity_...``, ``n_temperatures`` that were asked for,
    ``n_msd_passed`` of these whose mean squared displacement reached 20 angstrom^2, ``process_pk``, ``process_uuid``.

    :param selection: of the measurements; of the results its level of theory.
    """
    measured = experiments(selection)
    chains = _chains([int(pk) for pk in measured["structure_pk"].unique()])
    if selection is not None and selection.level_of_theory is not None:
        chains = chains[chains["level_of_theory"] == selection.level_of_theory]
    chains = chains.merge(_temperatures(), how="left", on="process_pk").merge(_passed(), how="left", on="process_pk")
    table = measured.merge(chains, how="left", on="structure_pk").astype({"process_pk": "Int64"})
    return table.sort_values(["dataset", "entry_id", "level_of_theory", "process_pk"], ignore_index=True)


def _chains(structures: list[int]) -> pd.DataFrame:
    names = [name if "ionic" not in name else f"{COMPUTED}{name}" for name in COMPUTED_FIELDS]
    columns = ["structure_pk", "process_pk", "process_uuid", *names]
    if not structures:
        return pd.DataFrame(columns=columns)
    query = orm.QueryBuilder()
    query.append(orm.StructureData, filters={"id": {"in": structures}}, project=["id"], tag="structure")
    query.append(
        orm.WorkChainNode,
        with_incoming="structure",
        edge_filters={"label": "structure"},
        filters={"process_type": CONDUCTIVITY_PROCESS},
        project=["id", "uuid"],
        tag="chain",
    )
    result = {"label": "conductivity"}
    said = attributes(COMPUTED_FIELDS)
    query.append(orm.ArrayData, with_incoming="chain", edge_filters=result, project=said)
    return frame(query, columns)


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
