"""Potentials and programs that computed forces."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from aiida import orm

from aiida_ion.lammps.potentials import POTENTIALS
from aiida_ion.queries.jobs import runs
from aiida_ion.queries.reading.kinds import read_attributes, read_number
from aiida_ion.queries.reading.shared import frame, md_processes, rows
from aiida_ion.queries.reading.uuids import known_uuids
from aiida_ion.queries.selection import Selection

POTENTIAL_COLUMNS = (
    "name",
    "model",
    "checkpoint_sha256",
    "job_type",
    "versions",
    "n_runs",
    "levels_of_theory",
    "engines",
    "computers",
    "wall_time_s",
    "potential_uuid",
    "job_uuid",
    "time",
)
_KEY = ["name", "model", "checkpoint_sha256", "job_type"]


def potentials(selection: Selection | None = None) -> pd.DataFrame:
    """Return one row for each potential or program that ran molecular dynamics: checkpoint, versions, levels of theory.

    ``name`` is that of the potential, or of the engine if its jobs have none, as with DFT. ``versions``,
    ``potential_uuid`` and ``job_uuid`` are those of the newest job; the checkpoint is the one it loaded if the
    potential does not name one.

    :param selection: selects runs, as in :func:`~aiida_ion.queries.runs`.
    """
    table = runs(selection).merge(_chosen(), how="left", on="pk").sort_values("pk")
    table["name"] = table["name"].combine_first(table["engine"]).combine_first(table["job_type"])
    groups = table.astype(dict.fromkeys(_KEY, object)).fillna(dict.fromkeys(_KEY, "")).groupby(_KEY, as_index=False)
    result = groups.agg(
        n_runs=("pk", "size"),
        levels_of_theory=("level_of_theory", _together),
        engines=("engine", _together),
        computers=("computer", _together),
        wall_time_s=("wall_time_s", _total),
        potential_uuid=("potential_uuid", "last"),
        job_uuid=("uuid", "last"),
        job_pk=("pk", "last"),
        time=("time", "max"),
    )
    versions = _versions([int(pk) for pk in result["job_pk"]])
    result["versions"] = [_words(versions.get(pk)) for pk in result["job_pk"]]
    loaded = [_loaded(versions.get(pk)) for pk in result["job_pk"]]
    result["checkpoint_sha256"] = result["checkpoint_sha256"].where(result["checkpoint_sha256"] != "", loaded)
    result = result.astype(dict.fromkeys(_KEY, object)).sort_values(["name", "model", "job_type"], ignore_index=True)
    return result[list(POTENTIAL_COLUMNS)].replace("", None)


def _chosen() -> pd.DataFrame:
    """Return the potential of each job that has one."""
    query = orm.QueryBuilder()
    query.append(orm.CalcJobNode, filters={"process_type": {"in": md_processes()}}, project=["id"], tag="md")
    columns = ["uuid", *(f"attributes.{name}" for name in ("name", "model", "checkpoint_sha256"))]
    query.append(orm.Dict, with_outgoing="md", edge_filters={"label": "potential"}, project=columns)
    return frame(query, ["pk", "potential_uuid", "name", "model", "checkpoint_sha256"])


def _versions(pks: list[int]) -> dict[int, dict[str, Any]]:
    """Return the versions reported by these jobs."""
    if not pks:
        return {}
    query = orm.QueryBuilder()
    query.append(orm.CalcJobNode, filters={"id": {"in": pks}}, project=["id"], tag="md")
    query.append(orm.Dict, with_incoming="md", edge_filters={"label": "versions"}, project=["attributes"])
    return {pk: read_attributes(attributes) for pk, attributes in rows(query)}


def _total(seconds: pd.Series[float]) -> float:
    """Return a sum; None if there are no values, or the sum overflows."""
    with np.errstate(over="ignore"):
        total = float(seconds.sum(min_count=1))
    return total if math.isfinite(total) else math.nan


def _together(column: pd.Series[Any]) -> str:
    return ", ".join(sorted(set(column.dropna())))


def _words(attributes: Mapping[str, Any] | None) -> str | None:
    """Return versions in one line, without hashes."""
    items = attributes.items() if isinstance(attributes, Mapping) else ()
    plain = {name: value for name, value in items if isinstance(value, str) or read_number(value) is not None}
    return ", ".join(f"{name} {value}" for name, value in plain.items() if "sha256" not in name) or None


def _loaded(attributes: Mapping[str, Any] | None) -> str | None:
    checkpoint = attributes.get("checkpoint") if isinstance(attributes, Mapping) else None
    digest = checkpoint.get("sha256") if isinstance(checkpoint, Mapping) else None
    return digest if isinstance(digest, str) else None


def potential_origins(job_uuids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return where the weights of jobs are from, by the UUIDs of the jobs.

    ``has_file`` is whether their weights are a file in the database, of which no publisher states anything, and
    ``citation`` what is cited for a classical potential: stated with its commands, else of the published one of that
    name; ``None`` where neither is known.

    :param job_uuids: of molecular-dynamics jobs.
    """
    asked = sorted(set(job_uuids))
    origins: dict[str, dict[str, Any]] = {uuid: {"has_file": False, "citation": None} for uuid in asked}
    if not asked:
        return origins
    query = orm.QueryBuilder()
    query.append(orm.CalcJobNode, filters={"uuid": {"in": known_uuids(asked)}}, project=["uuid"], tag="job")
    names = ["attributes.name", "attributes.citation"]
    query.append(orm.Data, with_outgoing="job", edge_project=["label"], project=names)
    for uuid, name, citation, label in rows(query):
        if label == "checkpoint":
            origins[uuid]["has_file"] = True
        elif label == "potential":
            published = POTENTIALS[name].citation if isinstance(name, str) and name in POTENTIALS else None
            origins[uuid]["citation"] = citation if isinstance(citation, str) and citation else published
    return origins
