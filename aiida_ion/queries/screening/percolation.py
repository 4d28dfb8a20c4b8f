"""Percolation barriers of crystals: results of bond-valence and potential-energy maps, and of hops."""

from __future__ import annotations

from typing import Any

import pandas as pd
from aiida import orm

from aiida_ion.queries.reading.kinds import read_attributes, read_number
from aiida_ion.queries.reading.shared import frame, rows, whole
from aiida_ion.queries.screening.crystals import crystal_facts
from aiida_ion.queries.selection import Selection

#: Process type -> filter of the links to its results.
RESULTS: dict[str, dict[str, Any]] = {
    "aiida.calculations:ion.bvse": {"like": "results__%"},
    "aiida.calculations:ion.pes": {"like": "results__%"},
    "aiida.workflows:ion.barrier": {"==": "network"},
}
DIMENSIONS = ("1d", "2d", "3d")
BARRIERS = tuple(f"barrier_{name}_eV" for name in DIMENSIONS)
EDGES = tuple(f"barrier_{name}_{end}_eV" for name in DIMENSIONS for end in ("low", "high"))
DESCRIPTORS = ("Xi", "mpe")
PERCOLATION_COLUMNS = (
    *("formula", "method", "mobile_species", "status", *BARRIERS, *EDGES, *DESCRIPTORS),
    *("zero", "message", "others", "potential", "cpu_s", "wall_s", "structure_hash", "method_hash"),
    *("time", "structure_pk", "structure_uuid", "pk", "uuid", "process_pk", "process_uuid"),
)
TEXTS = ("method", "mobile_species", "status", "zero", "message", "others", "structure_hash", "method_hash")
PREFIX = "results__"
#: What is read of a result.
READ = (*TEXTS, "barriers_eV", "barriers_interval_eV", *DESCRIPTORS, "descriptors", "cost")


def percolation(selection: Selection | None = None) -> pd.DataFrame:
    """Return one row for each crystal that ``ion.bvse``, ``ion.pes`` or ``ion.barrier`` judged, newest first.

    Barriers (eV) are missing where no pathway reaches through the crystal in so many dimensions, and where the method
    does not apply: ``status`` and ``message`` say which. ``barrier_1d_low_eV`` and ``barrier_1d_high_eV`` are the edges
    of its interval, where the result has one. ``potential`` is the name of that which gave the energies, if any.

    :param selection: its level of theory, temperature and grades are ignored.
    """
    chosen = selection or Selection()
    table = _results(chosen)
    table = table.merge(_structures(), how="left", on=["process_pk", "label"])
    potentials = _potentials()
    table["potential"] = [potentials.get(pk) for pk in table["process_pk"]]
    facts = crystal_facts([uuid for uuid in table["structure_uuid"] if isinstance(uuid, str)])
    table["formula"] = [facts[uuid].formula if uuid in facts else None for uuid in table["structure_uuid"]]
    numbers = [*BARRIERS, *EDGES, *DESCRIPTORS, "cpu_s", "wall_s"]
    table = table.assign(**{name: pd.to_numeric(table[name], errors="coerce").astype(float) for name in numbers})
    table = whole(table, ["pk", "process_pk", "structure_pk"])
    table["time"] = pd.to_datetime(table["time"], utc=True)
    if chosen.formula is not None:
        table = table[table["formula"] == chosen.formula]
    table = chosen.rest(table, ["pk", "process_pk", "structure_pk"], temperature=None)
    return table[list(PERCOLATION_COLUMNS)].sort_values(["time", "pk"], ascending=False, ignore_index=True)


def _results(chosen: Selection) -> pd.DataFrame:
    """Return the results with their label in the job."""
    lines: list[dict[str, Any]] = []
    when = Selection(since=chosen.since, until=chosen.until).filters()
    for process_type, link in RESULTS.items():
        query = orm.QueryBuilder()
        query.append(
            orm.ProcessNode, filters={"process_type": process_type}, project=["id", "uuid", "label"], tag="process"
        )
        query.append(
            orm.Dict,
            with_incoming="process",
            filters=when,
            edge_filters={"label": link},
            edge_project=["label"],
            project=["id", "uuid", "ctime", "attributes"],
        )
        method = process_type.rpartition(".")[2]
        for process_pk, process_uuid, _, pk, uuid, time, attributes, label in rows(query):
            about = {"process_pk": process_pk, "process_uuid": process_uuid, "pk": pk, "uuid": uuid, "time": time}
            about["label"] = str(label).removeprefix(PREFIX) if str(label).startswith(PREFIX) else None
            lines.append(about | _cells(attributes, method))
    names = ["process_pk", "process_uuid", "pk", "uuid", "time", "label", *TEXTS, *BARRIERS, *EDGES, *DESCRIPTORS]
    return pd.DataFrame(lines, columns=[*names, "cpu_s", "wall_s"]).astype({"label": object, "process_pk": "Int64"})


def _cells(attributes: Any, method: str) -> dict[str, Any]:
    """Return the cells of a result; what is not as it should be is missing."""
    given = attributes if isinstance(attributes, dict) else {}
    result = read_attributes({name: given.get(name) for name in READ})
    cells: dict[str, Any] = {name: result[name] if isinstance(result[name], str) else None for name in TEXTS}
    cells["method"] = cells["method"] or method
    cells["status"] = cells["status"] or "finished"
    edges = result["barriers_interval_eV"]
    for place, name in enumerate(BARRIERS):
        cells[name] = read_number(_at(result["barriers_eV"], place))
        for end, edge in enumerate(("low", "high")):
            cells[f"barrier_{DIMENSIONS[place]}_{edge}_eV"] = read_number(_at(_at(edges, place), end))
    for name in DESCRIPTORS:
        cells[name] = read_number(result[name] if result[name] is not None else _of(result["descriptors"], name))
    return cells | {name: read_number(_of(result["cost"], name)) for name in ("cpu_s", "wall_s")}


def _at(values: Any, place: int) -> Any:
    return values[place] if isinstance(values, list) and len(values) > place else None


def _of(values: Any, name: str) -> Any:
    return values.get(name) if isinstance(values, dict) else None


def _structures() -> pd.DataFrame:
    """Return the crystal of each label of a job; of a process with one crystal the label is missing."""
    query = orm.QueryBuilder()
    query.append(orm.ProcessNode, filters={"process_type": {"in": list(RESULTS)}}, project=["id"], tag="process")
    labels = {"or": [{"label": {"like": "structures__%"}}, {"label": "structure"}]}
    query.append(
        orm.StructureData, with_outgoing="process", edge_filters=labels, edge_project=["label"], project=["id", "uuid"]
    )
    table = frame(query, ["process_pk", "structure_pk", "structure_uuid", "link"])
    table["label"] = [str(link).removeprefix("structures__") if link != "structure" else None for link in table["link"]]
    table = table.drop(columns="link").drop_duplicates(["process_pk", "label"])
    return table.astype({"label": object, "process_pk": "Int64"})


def _potentials() -> dict[int, str]:
    """Return the name of the potential of each process that has one, by pk."""
    query = orm.QueryBuilder()
    query.append(orm.ProcessNode, filters={"process_type": {"in": list(RESULTS)}}, project=["id"], tag="process")
    names = ["attributes.name", "attributes.model"]
    labels = {"label": {"like": "%potential"}}
    query.append(orm.Dict, with_outgoing="process", edge_filters=labels, project=names)
    table = frame(query, ["pk", "name", "model"], {"name": "text", "model": "text"})
    words = zip(table["pk"], table["name"], table["model"], strict=True)
    return {int(pk): " ".join(part for part in (name, model) if isinstance(part, str)) for pk, name, model in words}
