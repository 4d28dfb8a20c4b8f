"""Energy maps that results kept: which there are of a crystal, and their content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from aiida import orm

from aiida_ion.analysis.energy_maps.kept_map import ENERGIES, HOST, EnergyMap, in_cell
from aiida_ion.queries.details import structure
from aiida_ion.queries.reading.arrays import read_arrays
from aiida_ion.queries.reading.contents import contents
from aiida_ion.queries.reading.kinds import read_attributes, read_number
from aiida_ion.queries.reading.shared import rows, whole
from aiida_ion.queries.reading.uuids import is_uuid
from aiida_ion.queries.screening.crystals import crystal_facts

#: Jobs that keep maps.
PROCESSES = ("aiida.calculations:ion.bvse", "aiida.calculations:ion.pes")
PREFIX, STRUCTURES = "maps__", "structures__"
BARRIERS = ("barrier_1d_eV", "barrier_2d_eV", "barrier_3d_eV")
KEPT_MAP_COLUMNS = (
    *("method", "mobile_species", "others", "potential", *BARRIERS, "zero", "structure_hash"),
    *("time", "structure_pk", "structure_uuid", "pk", "uuid", "process_pk"),
)
TEXTS = ("method", "mobile_species", "others", "zero", "structure_hash")
READ = (*TEXTS, "barriers_eV", "potential")


def kept_maps(structure_uuid: str | None = None) -> pd.DataFrame:
    """Return one row for each energy map that was kept, newest first, with its percolation barriers, eV.

    :param structure_uuid: only maps of this crystal, in whatever cell it was screened; a crystal that no screening has
        seen has those of its very node.
    """
    query = orm.QueryBuilder()
    query.append(orm.CalcJobNode, filters={"process_type": {"in": list(PROCESSES)}}, project=["id"], tag="job")
    query.append(
        orm.ArrayData,
        with_incoming="job",
        edge_filters={"label": {"like": f"{PREFIX}%"}},
        edge_project=["label"],
        project=["id", "uuid", "ctime", *[f"attributes.{name}" for name in READ]],
    )
    found = rows(query)
    crystals = _crystals({int(row[0]) for row in found})
    table = pd.DataFrame([_line(row, crystals) for row in found], columns=list(KEPT_MAP_COLUMNS))
    if structure_uuid is not None:
        table = table[_of_crystal(table, structure_uuid)]
    table["time"] = pd.to_datetime(table["time"], utc=True)
    table = whole(table, ["pk", "process_pk", "structure_pk"])
    return table.sort_values(["time", "pk"], ascending=False, ignore_index=True)


def _crystals(jobs: set[int]) -> dict[tuple[int, str], tuple[int, str]]:
    """Return PK and UUID of each crystal of jobs, by job and label."""
    query = orm.QueryBuilder()
    query.append(orm.CalcJobNode, filters={"id": {"in": [*jobs, -1]}}, project=["id"], tag="job")
    link = {"label": {"like": f"{STRUCTURES}%"}}
    query.append(
        orm.StructureData, with_outgoing="job", edge_filters=link, edge_project=["label"], project=["id", "uuid"]
    )
    return {(job, str(label).removeprefix(STRUCTURES)): (pk, str(uuid)) for job, pk, uuid, label in rows(query)}


def _line(row: Sequence[Any], crystals: Mapping[tuple[int, str], tuple[int, str]]) -> dict[str, Any]:
    """Return the cells of a map, with its crystal."""
    process_pk, pk, uuid, time, *values, label = row
    structure_pk, structure_uuid = crystals.get((process_pk, str(label).removeprefix(PREFIX)), (None, None))
    given = read_attributes(dict(zip(READ, values, strict=True)))
    cells: dict[str, Any] = {name: given[name] if isinstance(given[name], str) else None for name in TEXTS}
    barriers = given["barriers_eV"] if isinstance(given["barriers_eV"], list) else []
    cells |= {name: read_number(barriers[n]) if n < len(barriers) else None for n, name in enumerate(BARRIERS)}
    level = given["potential"] if isinstance(given["potential"], dict) else {}
    cells["potential"] = level.get("program") if isinstance(level.get("program"), str) else None
    nodes = {"structure_pk": structure_pk, "structure_uuid": structure_uuid, "process_pk": process_pk}
    return cells | nodes | {"pk": pk, "uuid": uuid, "time": time}


def _of_crystal(table: pd.DataFrame, structure_uuid: str) -> pd.Series[bool]:
    own = table["structure_uuid"] == structure_uuid
    facts = crystal_facts([structure_uuid] if is_uuid(structure_uuid) else [])
    digest = facts[structure_uuid].structure_hash if structure_uuid in facts else None
    return own if digest is None else own | (table["structure_hash"] == digest)


def read_map(uuid: str) -> EnergyMap:
    """Return the content of a map.

    :raises ValueError: where there is none under this UUID, an export left its arrays out, or they are too large or
        not those of a map.
    """
    found = contents([uuid] if is_uuid(uuid) else [])
    if uuid not in found:
        raise ValueError(f"there is no map with the UUID {str(uuid)[:40]!r} here")
    return EnergyMap.read(read_arrays(found, (ENERGIES, HOST))[uuid], found[uuid].attributes)


@dataclass(frozen=True)
class KeptMap:
    """A map as it is drawn.

    :param shown: the map in the cell of its crystal or, where that is not a repetition of its own, in its own.
    :param in_crystal: which of the two.
    :param barriers_eV: percolation energies in 1, 2 and 3 dimensions above the zero of the map, eV; `None` where
        pathways never reach so far.
    :param zero: what energies are measured from, in words.
    """

    shown: EnergyMap
    in_crystal: bool
    barriers_eV: tuple[float | None, ...]
    zero: str
    mobile_species: str


def read_kept_map(uuid: str) -> KeptMap:
    """Return a map in the cell of the crystal that it was made for.

    :raises ValueError: as :func:`read_map` does.
    """
    one = read_map(uuid)
    table = kept_maps()
    rows_of_map = table[table["uuid"] == uuid]
    if rows_of_map.empty:
        raise ValueError("the job of the map is not here: the archive was made without it")
    row = rows_of_map.iloc[0]
    try:
        large = in_cell(one, structure(str(row["structure_uuid"]))["cell"])
    except (ValueError, np.linalg.LinAlgError):
        large = None
    barriers = tuple(None if pd.isna(row[name]) else float(row[name]) for name in BARRIERS)
    zero = row["zero"] if isinstance(row["zero"], str) else "not stated"
    ion = row["mobile_species"] if isinstance(row["mobile_species"], str) else "the ion"
    return KeptMap(large or one, large is not None, barriers, zero, ion)
