"""Surrogates: training, evaluation, and cost of predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from aiida import orm

from aiida_ion.aiida_private.caching import CACHED_FROM
from aiida_ion.queries.reading.kinds import read_attributes, read_column
from aiida_ion.queries.reading.shared import frame, rows, without_twins
from aiida_ion.queries.reading.uuids import is_uuid

TRAIN_PROCESS = "aiida.calculations:ion.surrogate_train"
PREDICT_PROCESS = "aiida.calculations:ion.surrogate_predict"
#: Attributes of a report that become columns unchanged.
NUMBERS = (
    "n_materials",
    "n_censored",
    "r2",
    "r2_std",
    "r2_clip_1e-2",
    "r2_clip_1e-4",
    "noise_ceiling_r2_clip_1e-2",
    "noise_ceiling_r2_clip_1e-4",
    "mae_dex",
    "spearman",
    "coverage95",
    "conformal_halfwidth_dex",
    "temperature_K",
)
WORDS = ("protocol", "split", "mobile_species", "levels_of_theory", "beats_controls", "verdict", "dataset_uuid")
RIVAL_COLUMNS = ("best_control", "best_control_r2", "gap", "gap_ci95_low", "gap_ci95_high")
COLUMNS = (
    "protocol",
    "split",
    "state",
    "beats_controls",
    *NUMBERS[:8],
    *RIVAL_COLUMNS,
    *NUMBERS[8:],
    "mobile_species",
    "levels_of_theory",
    "verdict",
    "time",
    "pk",
    "uuid",
    "report_uuid",
    "model_uuid",
    "dataset_uuid",
)
#: Arms that a surrogate must beat; ablations are not among them.
RIVALS = ("control", "baseline")


def surrogates() -> pd.DataFrame:
    """Return one row for each training of a surrogate, newest first.

    ``state`` is ``finished``, ``failed [410]`` with its exit status, or its current state; numbers are missing without
    a report. ``best_control`` is the control or baseline with the largest ``best_control_r2``, ``gap`` the lead of the
    model over it. ``uuid`` and ``pk`` are those of the job. A training served from the cache is one row.
    """
    query = orm.QueryBuilder()
    columns = ["id", "uuid", "ctime", f"extras.{CACHED_FROM}", *_projected(("process_state", "exit_status"))]
    query.append(orm.CalcJobNode, filters={"process_type": TRAIN_PROCESS}, project=columns)
    names = ["pk", "uuid", "time", "cached_from", "process_state", "exit_status"]
    jobs = without_twins(frame(query, names), "uuid")  # `cached_from` and the state are read as text
    table = jobs.merge(_reports(), how="left", on="pk").merge(_models(), how="left", on="pk")
    best = pd.DataFrame([_best_rival(arms) for arms in table["arms"]], columns=list(RIVAL_COLUMNS), index=table.index)
    given = zip(table["process_state"], table["exit_status"], strict=True)
    table = pd.concat([table, best], axis=1).assign(
        state=[_state(*report) for report in given],
        beats_controls=table["beats_controls"].map(_yes_or_no),
    )
    numbers = [*NUMBERS, *RIVAL_COLUMNS[1:]]
    table = table.assign(**{name: pd.to_numeric(table[name], errors="coerce").astype(float) for name in numbers})
    table = table.astype({"n_materials": "Int64", "n_censored": "Int64"})
    return table[list(COLUMNS)].sort_values(["time", "pk"], ascending=False, ignore_index=True)


def _projected(names: Sequence[str]) -> list[str]:
    """Return the projections of attributes unchanged: text attributes may be lists here."""
    return [f"attributes.{name}" for name in names]


def _reports() -> pd.DataFrame:
    query = orm.QueryBuilder()
    query.append(orm.CalcJobNode, filters={"process_type": TRAIN_PROCESS}, project=["id"], tag="job")
    columns = ["uuid", *_projected((*NUMBERS, *WORDS, "arms"))]
    query.append(orm.ArrayData, with_incoming="job", edge_filters={"label": "report"}, project=columns)
    lists = {"mobile_species": "words", "levels_of_theory": "words"}
    return frame(query, ["pk", "report_uuid", *NUMBERS, *WORDS, "arms"], lists)


def _models() -> pd.DataFrame:
    query = orm.QueryBuilder()
    query.append(orm.CalcJobNode, filters={"process_type": TRAIN_PROCESS}, project=["id"], tag="job")
    query.append(orm.SinglefileData, with_incoming="job", edge_filters={"label": "model"}, project=["uuid"])
    return frame(query, ["pk", "model_uuid"])


def _best_rival(arms: Any) -> dict[str, Any]:
    """Return the control or baseline with the largest R2 and the lead of the model over it; None without any."""
    given = [read_attributes(arm) for arm in arms] if isinstance(arms, list) else []
    scored = [arm for arm in given if arm["kind"] in RIVALS and arm["r2"] is not None]
    if not scored:
        return {}
    best = max(scored, key=lambda arm: float(arm["r2"]))
    low, high = best["gap_ci95"] or (None, None)
    values = (str(best.get("arm")), best["r2"], best["gap"], low, high)
    return dict(zip(RIVAL_COLUMNS, values, strict=True))


def _yes_or_no(flag: Any) -> str | None:
    """Return a flag in words."""
    return {True: "yes", False: "no"}.get(flag)


def _state(process_state: Any, exit_status: Any) -> str:
    if process_state == "finished" and not pd.isna(exit_status) and exit_status:
        return f"failed [{int(exit_status)}]"
    return str(process_state)


def label_costs(dataset_uuid: str | None) -> pd.DataFrame:
    """Return the cost of the label of each material of a dataset: ``label_steps`` and ``label_wall_s``.

    :param dataset_uuid: of the dataset; the result is empty if it is missing.
    """
    names = ["formula", "structure_uuid", "diffusion_uuid", "label_steps", "label_wall_s"]
    numbers = ("label_steps", "label_wall_s")
    if not is_uuid(dataset_uuid):
        return _listed(None, names, numbers)
    query = orm.QueryBuilder()
    query.append(orm.ArrayData, filters={"uuid": dataset_uuid}, project=["attributes.materials"])
    records = rows(query)
    return _listed(records[0][0] if records else None, names, numbers)


def prediction_costs(model_uuid: str | None) -> pd.DataFrame:
    """Return the predictions of a model: ``seconds_forces``, ``seconds_model`` and the node, newest first."""
    names = ["formula", "structure_uuid", "log10_slope", "in_domain", "seconds_forces", "seconds_model"]
    numbers = ("log10_slope", "seconds_forces", "seconds_model")
    if not is_uuid(model_uuid):
        return _listed(None, names, numbers).assign(uuid=None)
    query = orm.QueryBuilder()
    query.append(orm.SinglefileData, filters={"uuid": model_uuid}, tag="model")
    query.append(orm.CalcJobNode, with_incoming="model", filters={"process_type": PREDICT_PROCESS}, tag="job")
    query.append(
        orm.ArrayData,
        with_incoming="job",
        edge_filters={"label": "predictions"},
        project=["uuid", "attributes.materials"],
        tag="predictions",
    )
    query.order_by({"predictions": {"id": "desc"}})
    parts = [_listed(attributes, names, numbers).assign(uuid=uuid) for uuid, attributes in rows(query)]
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else _listed(None, names, numbers).assign(uuid=None)


def _listed(cell: Any, names: list[str], numbers: tuple[str, ...]) -> pd.DataFrame:
    """Return a list of mappings as a table of these columns."""
    listed = [read_attributes(entry) for entry in cell if isinstance(entry, dict)] if isinstance(cell, list) else []
    read = {name: read_column(name, [entry[name] for entry in listed]) for name in names}
    table = pd.DataFrame(read, columns=names)
    return table.assign(**{name: pd.to_numeric(table[name], errors="coerce").astype(float) for name in numbers})
