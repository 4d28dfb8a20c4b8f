"""Trained potentials: what each was trained on and from, and its errors on frames that it was not trained on."""

from __future__ import annotations

from typing import Any

import pandas as pd
from aiida import orm

from aiida_ion.aiida_private.caching import CACHED_FROM
from aiida_ion.queries.lineage import callers
from aiida_ion.queries.reading.kinds import read_attributes
from aiida_ion.queries.reading.shared import frame, rows, whole, without_twins
from aiida_ion.queries.selection import Selection
from aiida_ion.queries.training.cells import accepted_word, formulas, held_out_errors, state_words, yes_or_no

TRAIN, FIT = "aiida.calculations:ion.train", "aiida.calculations:ion.lammps_train"
STUDENT = "aiida.workflows:ion.student"
ERRORS = (
    *("held_out_split", "held_out_force_mae_eV_A", "held_out_force_rmse_eV_A", "held_out_force_slope"),
    *("held_out_energy_mae_eV_atom", "parent_force_mae_eV_A", "parent_force_slope"),
)
NUMBERS = (
    *("n_train", "n_validation", "n_test"),
    *ERRORS[1:],
    *("n_weights", "n_epochs", "cpu_time_s", "wall_time_s"),
)
TRAINING_COLUMNS = (
    *("level_of_theory", "family", "process", "state", "accepted", "formula", "parent"),
    *NUMBERS[:3],
    *ERRORS,
    *("n_weights", "n_epochs", "seed", "cpu_time_s", "wall_time_s"),
    *("protocol", "elements", "single_composition", "engines", "member", "sha256", "parent_sha256", "dataset_sha256"),
    *("time", "pk", "uuid", "report_uuid", "potential_uuid", "dataset_pk", "dataset_uuid"),
    *("process_pk", "process_uuid", "student_report_uuid"),
)
#: Attributes of a report -> columns.
_REPORT = {
    **{name: name for name in ("family", "protocol", "seed", "n_weights", "n_epochs", "errors", "errors_of_parent")},
    **{name: name for name in ("elements", "compositions", "single_composition", "dataset_sha256")},
    "parent.name": "parent",
    "parent.sha256": "parent_sha256",
}
_COUNTS = ("n_train", "n_validation", "n_test", "n_weights", "n_epochs")
_KINDS = {
    **dict.fromkeys(_COUNTS, "count"),
    "errors": "mapping",
    "errors_of_parent": "mapping",
    "compositions": "list",
    "elements": "words",
    "single_composition": "flag",
}


def trainings(selection: Selection | None = None) -> pd.DataFrame:
    """Return one row for each ``ion.train``, ``ion.lammps_train`` and ``ion.student``, newest first.

    A student's row has the errors of its last training, and ``accepted``; each training that it made is a row of its
    own, too, as is each member of a committee: ``process_pk`` and ``member`` say whose. Held-out errors are those of
    the test, else of the validation (``held_out_split``); they are missing without a report. The slope is that of
    predicted over reference components: below one the potential is too soft. ``engines`` are those that run its files.
    A training served from the cache is one row.

    :param selection: its level of theory is the name of the potential's own; temperature and grades are ignored.
    """
    parts = [part.astype(object) for part in (_trained(), _students())]
    table = pd.concat(parts, ignore_index=True).merge(_datasets().astype(object), how="left", on="dataset_uuid")
    errors = list(map(held_out_errors, table["errors"], table["errors_of_parent"]))
    table = pd.concat([table, pd.DataFrame(errors, index=table.index, columns=list(ERRORS))], axis=1)
    table["time"] = pd.to_datetime(table["time"], utc=True)
    table["formula"] = [formulas(given) for given in table["compositions"]]
    table["state"] = list(map(state_words, table["process_state"], table["exit_status"]))
    engines = _engines()
    table["engines"] = [", ".join(engines.get(uuid, ())) or None for uuid in table["potential_uuid"]]
    table = table.assign(**{name: pd.to_numeric(table[name], errors="coerce").astype(float) for name in NUMBERS})
    table = whole(table, ["pk", "dataset_pk", "process_pk", "seed", *_COUNTS])
    table["single_composition"] = table["single_composition"].map(yes_or_no).astype(object)
    table = _selected(table, selection or Selection())
    return table[list(TRAINING_COLUMNS)].sort_values(["time", "pk"], ascending=False, ignore_index=True)


def _selected(table: pd.DataFrame, selection: Selection) -> pd.DataFrame:
    if selection.level_of_theory is not None:
        table = table[table["level_of_theory"] == selection.level_of_theory]
    if selection.formula is not None:
        # An empty list of flags would select columns.
        fits = [selection.formula in str(formula).split(", ") for formula in table["formula"]]
        table = table[pd.Series(fits, index=table.index, dtype=bool)]
    if selection.since is not None:
        table = table[table["time"] >= selection.since]
    if selection.until is not None:
        table = table[table["time"] <= selection.until]
    return selection.rest(table, ["pk", "process_pk"], temperature=None)


def _trained() -> pd.DataFrame:
    """Return the jobs that train, with what they left."""
    job = {"process_type": {"in": [TRAIN, FIT]}}
    query = orm.QueryBuilder()
    columns = ["id", "uuid", "ctime", "process_type", f"extras.{CACHED_FROM}"]
    state = ["attributes.process_state", "attributes.exit_status"]
    query.append(orm.CalcJobNode, filters=job, project=[*columns, *state])
    names = ["pk", "uuid", "time", "process", "cached_from", "process_state", "exit_status"]
    table = without_twins(frame(query, names), "uuid")
    table["process"] = [str(kind).rpartition(":")[2] for kind in table["process"]]
    for label, columns_of in (("report", _report), ("cost", _cost)):
        table = table.merge(columns_of(orm.CalcJobNode, job, label), how="left", on="pk")
    table = table.merge(_potentials(orm.CalcJobNode, job, ["potential", "files__coeff"]), how="left", on="pk")
    datasets = orm.QueryBuilder().append(orm.CalcJobNode, filters=job, project=["id"], tag="job")
    datasets.append(orm.ArrayData, with_outgoing="job", edge_filters={"label": "dataset"}, project=["uuid"])
    table = table.merge(frame(datasets, ["pk", "dataset_uuid"]), how="left", on="pk")
    called = callers([TRAIN, FIT]).rename(
        columns={"caller_pk": "process_pk", "caller_uuid": "process_uuid", "link": "member"}
    )
    return table.merge(called, how="left", on="pk")


def _students() -> pd.DataFrame:
    """Return the students, each with its last training."""
    chain = {"process_type": STUDENT}
    query = orm.QueryBuilder()
    state = ["attributes.process_state", "attributes.exit_status"]
    query.append(orm.WorkChainNode, filters=chain, project=["id", "uuid", "ctime", *state])
    table = frame(query, ["pk", "uuid", "time", "process_state", "exit_status"]).assign(process="ion.student")
    table = table.merge(_report(orm.WorkChainNode, chain, "training"), how="left", on="pk")
    outcomes = orm.QueryBuilder().append(orm.WorkChainNode, filters=chain, project=["id"], tag="chain")
    outcomes.append(
        orm.ArrayData,
        with_incoming="chain",
        edge_filters={"label": "report"},
        project=["uuid", "attributes.outcome", "attributes.cpu_time_s"],
    )
    names = ["pk", "student_report_uuid", "outcome", "cpu_time_s"]
    table = table.merge(frame(outcomes, names), how="left", on="pk")
    labels = ["potential__potential", "potential__coeff"]
    table = table.merge(_potentials(orm.WorkChainNode, chain, labels), how="left", on="pk")
    datasets = orm.QueryBuilder().append(orm.WorkChainNode, filters=chain, project=["id"], tag="chain")
    datasets.append(orm.ArrayData, with_incoming="chain", edge_filters={"label": "dataset"}, project=["uuid"])
    table = table.merge(frame(datasets, ["pk", "dataset_uuid"]), how="left", on="pk")
    table["accepted"] = list(map(accepted_word, table["outcome"], table["exit_status"]))
    return table


def _report(kind: Any, filters: dict[str, Any], label: str) -> pd.DataFrame:
    query = orm.QueryBuilder().append(kind, filters=filters, project=["id"], tag="process")
    columns = ["uuid", *(f"attributes.{name}" for name in _REPORT)]
    query.append(orm.ArrayData, with_incoming="process", edge_filters={"label": label}, project=columns)
    return frame(query, ["pk", "report_uuid", *_REPORT.values()], _KINDS).drop_duplicates("pk")


def _cost(kind: Any, filters: dict[str, Any], label: str) -> pd.DataFrame:
    query = orm.QueryBuilder().append(kind, filters=filters, project=["id"], tag="process")
    columns = ["attributes.cpu_time_s", "attributes.wall_time_s"]
    query.append(orm.Dict, with_incoming="process", edge_filters={"label": label}, project=columns)
    return frame(query, ["pk", "cpu_time_s", "wall_time_s"]).drop_duplicates("pk")


def _potentials(kind: Any, filters: dict[str, Any], labels: list[str]) -> pd.DataFrame:
    query = orm.QueryBuilder().append(kind, filters=filters, project=["id"], tag="process")
    columns = ["uuid", "attributes.sha256", "attributes.level_of_theory"]
    link = {"label": {"in": labels}}
    query.append(orm.SinglefileData, with_incoming="process", edge_filters=link, project=columns)
    return frame(query, ["pk", "potential_uuid", "sha256", "level_of_theory"]).drop_duplicates("pk")


def _datasets() -> pd.DataFrame:
    """Return the datasets of all trainings, each once."""
    query = orm.QueryBuilder()
    query.append(orm.CalcJobNode, filters={"process_type": {"in": [TRAIN, FIT]}}, tag="job")
    columns = ["uuid", "id", *(f"attributes.{name}" for name in _COUNTS[:3])]
    query.append(orm.ArrayData, with_outgoing="job", edge_filters={"label": "dataset"}, project=columns)
    return frame(query, ["dataset_uuid", "dataset_pk", *_COUNTS[:3]], _KINDS).drop_duplicates("dataset_uuid")


def _engines() -> dict[str, list[str]]:
    """Return the names of the engines that run each file, by its UUID."""
    query = orm.QueryBuilder()
    query.append(orm.InstalledCode, filters={"extras": {"has_key": "ion"}}, project=["label", "extras.ion"])
    engines: dict[str, list[str]] = {}
    for name, extra in rows(query):
        about = read_attributes(extra)
        files = about["files"].values() if isinstance(about["files"], dict) else ()
        for uuid in {one for one in (about["checkpoint"], *files) if isinstance(one, str)}:
            engines.setdefault(uuid, []).append(str(name))
    return {uuid: sorted(names) for uuid, names in engines.items()}
