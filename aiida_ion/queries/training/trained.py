"""What was made with a trained potential: runs, results, and whether the runs left the training frames."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd
from aiida import orm

from aiida_ion.queries.reading.kinds import read_number
from aiida_ion.queries.reading.shared import (
    DIFFUSION_PROCESS,
    attributes,
    edge,
    frame,
    judged,
    md_processes,
    of_function,
)
from aiida_ion.queries.reading.uuids import known_uuids
from aiida_ion.queries.replicas.batches import replicas_of_batches
from aiida_ion.verdicts import SHOWN_LIMITS

WATCH = "aiida.calculations:ion.watch"
SHA256 = re.compile(r"[0-9a-f]{64}")
RUN_COLUMNS = ("temperature_K", "seed", "process_state", "exit_status", "time", "pk", "uuid")
_RESULT = (
    *("formula", "level_of_theory", "target_temperature_K", "verdict", "grade"),
    *("tracer_diffusivity_cm2_s", "tracer_diffusivity_ci95_cm2_s", "tracer_diffusivity_upper_bound_cm2_s"),
    *("fit_consistent", "refused_because", "n_eff", *SHOWN_LIMITS),
)
RESULT_COLUMNS = (
    *("formula", "level_of_theory", "target_temperature_K", "verdict", "grade", "tracer_diffusivity_cm2_s"),
    *("tracer_diffusivity_ci95_low_cm2_s", "tracer_diffusivity_ci95_high_cm2_s"),
    *("tracer_diffusivity_upper_bound_cm2_s", "pk", "uuid"),
)
WATCH_COLUMNS = ("time", "n_frames", "n_flagged", "job_pk", "uuid")


def runs_with(uuids: Sequence[str], sha256: str | None) -> pd.DataFrame:
    """Return the molecular-dynamics jobs that loaded a potential, newest first, with `RUN_COLUMNS`.

    :param uuids: of its files; a job that has one among its inputs loaded it.
    :param sha256: of its file, which jobs of a copy name in their input ``potential`` or in their ``versions``.
    """
    types = {"process_type": {"in": md_processes()}}
    pks: set[int] = set()
    files: dict[str, Any] = {"uuid": {"in": known_uuids(uuids)}}
    if _is_sha256(sha256):
        files = {"or": [files, {"attributes.sha256": sha256}]}
        for label, name in (("potential", "checkpoint_sha256"), ("versions", "checkpoint.sha256")):
            query = orm.QueryBuilder().append(orm.Dict, filters={f"attributes.{name}": sha256}, tag="said")
            side: dict[str, Any] = {"with_incoming" if label == "potential" else "with_outgoing": "said"}
            query.append(orm.CalcJobNode, filters=types, edge_filters={"label": label}, project=["id"], **side)
            pks |= set(query.all(flat=True))
    query = orm.QueryBuilder().append(orm.SinglefileData, filters=files, tag="file")
    query.append(orm.CalcJobNode, with_incoming="file", filters=types, project=["id"])
    pks |= set(query.all(flat=True))
    return _runs(sorted(pks))


def _runs(pks: list[int]) -> pd.DataFrame:
    query = orm.QueryBuilder()
    columns = ["id", "uuid", "ctime", "attributes.process_state", "attributes.exit_status"]
    query.append(orm.CalcJobNode, filters={"id": {"in": pks or [-1]}}, project=columns, tag="md")
    jobs = frame(query, ["pk", "uuid", "time", "process_state", "exit_status"])
    query = orm.QueryBuilder().append(orm.CalcJobNode, filters={"id": {"in": pks or [-1]}}, project=["id"], tag="md")
    settings = attributes(["temperature_K", "seed"])
    query.append(orm.Dict, with_outgoing="md", edge_filters={"label": "parameters"}, project=settings)
    names = ["pk", "temperature_K", "seed"]
    alone, replicas = frame(query, names), replicas_of_batches(names[1:], pks)
    if len(replicas):
        alone = pd.concat([alone[~alone["pk"].isin(replicas["pk"])], replicas[names]], ignore_index=True)
        alone["pk"] = alone["pk"].astype(jobs["pk"].dtype)
    table = jobs.merge(alone, how="left", on="pk")
    return table.sort_values("pk", ascending=False, ignore_index=True)[list(RUN_COLUMNS)]


def results_of(run_pks: Sequence[int]) -> pd.DataFrame:
    """Return the diffusion nodes that were fitted to the trajectories of jobs, with `RESULT_COLUMNS`."""
    query = orm.QueryBuilder()
    query.append(orm.CalcJobNode, filters={"id": {"in": [*run_pks, -1]}}, tag="md")
    query.append(orm.TrajectoryData, with_incoming="md", tag="trajectory")
    query.append(orm.CalcJobNode, with_incoming="trajectory", filters={"process_type": DIFFUSION_PROCESS}, tag="fit")
    columns = ["id", "uuid", *attributes(_RESULT)]
    query.append(orm.ArrayData, with_incoming="fit", edge_filters={"label": "diffusion"}, project=columns)
    return _results(query)


def results_of_weights(sha256: str | None, formulas: Sequence[str]) -> pd.DataFrame:
    """Return the diffusion nodes of materials from runs that loaded weights of this hash, as `results_of` does."""
    if not _is_sha256(sha256) or not formulas:
        return results_of([])
    parts = []
    for label, name in (("potential", "checkpoint_sha256"), ("versions", "checkpoint.sha256")):
        query = orm.QueryBuilder().append(orm.Dict, filters={f"attributes.{name}": sha256}, tag="said")
        side: dict[str, Any] = {"with_incoming" if label == "potential" else "with_outgoing": "said"}
        query.append(orm.CalcJobNode, edge_filters={"label": label}, tag="md", **side)
        query.append(orm.TrajectoryData, with_incoming="md", tag="trajectory")
        fit = {"process_type": DIFFUSION_PROCESS}
        query.append(orm.CalcJobNode, with_incoming="trajectory", filters=fit, tag="fit")
        columns = ["id", "uuid", *attributes(_RESULT)]
        chosen = {"attributes.formula": {"in": list(formulas)}}
        link = {"label": "diffusion"}
        query.append(orm.ArrayData, with_incoming="fit", edge_filters=link, filters=chosen, project=columns)
        parts.append(_results(query))
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True).drop_duplicates("pk") if filled else parts[0]


def results_at(level_of_theory: str | None, formulas: Sequence[str]) -> pd.DataFrame:
    """Return the diffusion nodes of materials at a level of theory, as `results_of` does."""
    query = orm.QueryBuilder()
    query.append(orm.CalcJobNode, filters={"process_type": DIFFUSION_PROCESS}, tag="fit")
    chosen = {"attributes.level_of_theory": level_of_theory or "", "attributes.formula": {"in": [*formulas, ""]}}
    columns = ["id", "uuid", *attributes(_RESULT)]
    link = {"label": "diffusion"}
    query.append(orm.ArrayData, with_incoming="fit", edge_filters=link, filters=chosen, project=columns)
    return _results(query)


def _results(query: orm.QueryBuilder) -> pd.DataFrame:
    table = frame(query, ["pk", "uuid", *_RESULT]).drop_duplicates("pk")
    table = judged(table)
    for name, place in (("low", 0), ("high", 1)):
        table[f"tracer_diffusivity_ci95_{name}_cm2_s"] = edge(table["tracer_diffusivity_ci95_cm2_s"], place)
    numbers = [name for name in RESULT_COLUMNS if name.endswith(("_cm2_s", "_K"))]
    table = table.assign(**{name: pd.to_numeric(table[name], errors="coerce").astype(float) for name in numbers})
    return table.sort_values(["formula", "target_temperature_K", "pk"], ignore_index=True)[list(RESULT_COLUMNS)]


def conductivities_of(diffusion_pks: Sequence[int]) -> pd.DataFrame:
    """Return the conductivities that diffusion nodes went into: ``pk``, ``uuid``, ``formula``."""
    query = orm.QueryBuilder()
    query.append(orm.ArrayData, filters={"id": {"in": [*diffusion_pks, -1]}}, tag="diffusion")
    fit = of_function("fit_conductivity")
    query.append(orm.CalcFunctionNode, with_incoming="diffusion", filters=fit, tag="fit")
    query.append(orm.ArrayData, with_incoming="fit", project=["id", "uuid", *attributes(["formula"])])
    return frame(query, ["pk", "uuid", "formula"]).drop_duplicates("pk").sort_values("pk", ignore_index=True)


def watches_of(run_pks: Sequence[int]) -> pd.DataFrame:
    """Return what ``ion.watch`` saw of the runs of jobs, newest first, with `WATCH_COLUMNS`."""
    query = orm.QueryBuilder()
    query.append(orm.CalcJobNode, filters={"id": {"in": [*run_pks, -1]}}, project=["id"], tag="md")
    query.append(orm.TrajectoryData, with_incoming="md", tag="trajectory")
    query.append(orm.CalcJobNode, with_incoming="trajectory", filters={"process_type": WATCH}, tag="watch")
    columns = ["uuid", "id", "ctime", "attributes.n_frames", "attributes.n_flagged"]
    query.append(orm.ArrayData, with_incoming="watch", edge_filters={"label": "watch"}, project=columns)
    table = frame(query, ["job_pk", "uuid", "pk", "time", "n_frames", "n_flagged"]).drop_duplicates("pk")
    for name in ("n_frames", "n_flagged"):
        table[name] = pd.Series([read_number(cell) for cell in table[name]], index=table.index, dtype=float)
    return table.sort_values("pk", ascending=False, ignore_index=True)[list(WATCH_COLUMNS)]


def _is_sha256(text: str | None) -> bool:
    return isinstance(text, str) and SHA256.fullmatch(text) is not None
