"""Ordered cells that stand for a disordered crystal: which there are, their energies and weights, and their sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from aiida import orm
from numpy.typing import NDArray

from aiida_ion.queries.reading.kinds import read_attributes, read_number
from aiida_ion.queries.reading.shared import ENSEMBLE_PROCESS, attributes, rows, whole
from aiida_ion.queries.reading.uuids import known_uuid

FloatArray = NDArray[np.float64]

#: Process type -> start of the labels of its links to ordered cells, and whether these are its inputs.
PROCESSES = {
    "aiida.workflows:ion.ordering": ("orderings__", False),
    "aiida.calculations:ion.order_structure": ("orderings__", False),
    ENSEMBLE_PROCESS: ("members__", True),
}
ORDERING_COLUMNS = (
    *("label", "weight", "count", "n_draws", "relaxed_above_eV", "ewald_above_eV", "rank", "converged"),
    *("n_atoms", "n_orderings", "process_type", "process_pk", "structure_pk", "structure_uuid"),
)
#: A site with less than this on it is partly occupied: occupancies are rounded.
FULL = 0.98
#: An atom further from every site that its element may be on is on none that is known, angstrom.
NEAR_A = 1.2
#: Cells of orderings are multiples of the primitive cell, of a centred one by halves or thirds of its vectors; and how
#: far from these a relaxation may have strained them.
PARTS = ((1, 0.12), (2, 0.12), (3, 0.08))
#: Most atoms of a cell, and most sites of a crystal, that are compared.
MOST_ATOMS = 2000


def orderings(structure_uuid: str) -> pd.DataFrame:
    """Return the ordered cells of a disordered crystal, one row each: newest process first, in the order of labels.

    ``relaxed_above_eV`` and ``ewald_above_eV`` are energies of a cell above the lowest of its process, by a potential
    after relaxation and of point charges; missing where they are not known. ``weight`` is its share of the ensemble,
    ``count`` how many of ``n_draws`` gave it.

    :param structure_uuid: of the crystal with partly occupied sites.
    """
    lines: list[dict[str, Any]] = []
    for process_type, (prefix, is_input) in PROCESSES.items():
        for pk in _processes(process_type, structure_uuid):
            cells = _cells(pk, prefix, is_input)
            lines += _lines(cells, _ensemble(pk), {"process_type": process_type, "process_pk": pk})
    table = pd.DataFrame(lines, columns=list(ORDERING_COLUMNS))
    # Cells that one process made and another was given are listed once, by the one that knows most of them.
    known = table["relaxed_above_eV"].notna() | table["ewald_above_eV"].notna()
    table = table.assign(known=known).sort_values(["known", "process_pk"], ascending=False, kind="stable")
    table = table.drop_duplicates("structure_uuid").drop(columns="known")
    table = table.sort_values(["process_pk", "label"], ascending=[False, True], ignore_index=True)
    return whole(table, ["count", "n_draws", "rank", "n_atoms", "n_orderings", "process_pk", "structure_pk"])


def _processes(process_type: str, structure_uuid: str) -> list[int]:
    query = orm.QueryBuilder()
    query.append(orm.StructureData, filters={"uuid": known_uuid(structure_uuid)}, tag="crystal")
    given: dict[str, Any] = {"process_type": process_type}
    link = {"label": {"==": "structure"}}
    query.append(orm.ProcessNode, with_incoming="crystal", filters=given, edge_filters=link, project=["id"])
    return [int(pk) for (pk,) in rows(query)]


def _cells(process_pk: int, prefix: str, is_input: bool) -> list[tuple[str, int, str, int]]:
    """Return label, PK, UUID and number of atoms of each ordered cell."""
    query = orm.QueryBuilder().append(orm.ProcessNode, filters={"id": process_pk}, tag="process")
    link: dict[str, Any] = {"label": {"like": f"{prefix}%"}}
    way: dict[str, Any] = {"with_outgoing" if is_input else "with_incoming": "process"}
    projected = ["id", "uuid", "attributes.sites"]
    query.append(orm.StructureData, **way, edge_filters=link, edge_project=["label"], project=projected)
    found = [
        (str(label).removeprefix(prefix), int(pk), str(uuid), len(sites) if isinstance(sites, list) else 0)
        for pk, uuid, sites, label in rows(query)
    ]
    return sorted(found)


def _ensemble(process_pk: int) -> dict[str, Any]:
    """Return what a process, or its input, says of the cells; empty where it says nothing."""
    for way in ("with_incoming", "with_outgoing"):
        query = orm.QueryBuilder().append(orm.ProcessNode, filters={"id": process_pk}, tag="process")
        given: dict[str, Any] = {way: "process", "edge_filters": {"label": {"==": "ensemble"}}}
        query.append(orm.Dict, **given, project=["attributes"])
        for (content,) in rows(query):
            return read_attributes(content) if isinstance(content, dict) else {}
    return {}


def _lines(
    cells: Sequence[tuple[str, int, str, int]], ensemble: Mapping[str, Any], process: Mapping[str, Any]
) -> list[dict[str, Any]]:
    listed = ensemble.get("members")
    members = [entry if isinstance(entry, dict) else {} for entry in listed] if isinstance(listed, list) else []
    if len(members) != len(cells):
        members = [{} for _ in cells]
    above = {
        name: _above([read_number(member.get(key)) for member in members])
        for name, key in (("relaxed_above_eV", "energy_eV"), ("ewald_above_eV", "ewald_energy_eV"))
    }
    return [
        {
            **process,
            "label": label,
            "weight": read_number(member.get("weight")),
            "count": read_number(member.get("count")),
            "n_draws": read_number(ensemble.get("n_draws")),
            **{name: values[number] for name, values in above.items()},
            "rank": read_number(member.get("rank")),
            "converged": member.get("converged") if isinstance(member.get("converged"), bool) else None,
            "n_atoms": n_atoms,
            "n_orderings": len(cells),
            "structure_pk": pk,
            "structure_uuid": uuid,
        }
        for number, ((label, pk, uuid, n_atoms), member) in enumerate(zip(cells, members, strict=True))
    ]


def _above(energies: Sequence[float | None]) -> list[float | None]:
    lowest = min((energy for energy in energies if energy is not None), default=0.0)
    return [None if energy is None else energy - lowest for energy in energies]


def sites_of(structure_uuid: str) -> tuple[FloatArray, FloatArray, list[dict[str, float]]]:
    """Return cell (3, 3) and positions (n, 3) of the sites of a crystal, angstrom, and element -> occupancy of each.

    :raises ValueError: if there is no such crystal, or it cannot be read.
    """
    query = orm.QueryBuilder()
    query.append(
        orm.StructureData,
        filters={"uuid": known_uuid(structure_uuid)},
        project=attributes(["cell", "kinds", "sites"]),
    )
    row = next(iter(rows(query)), None)
    try:
        cell, kinds, sites = row  # type: ignore[misc]
        held = {kind["name"]: dict(zip(kind["symbols"], map(float, kind["weights"]), strict=True)) for kind in kinds}
        positions = np.array([site["position"] for site in sites], dtype=float).reshape(-1, 3)
        vectors = np.array(cell, dtype=float).reshape(3, 3)
        contents = [held[site["kind_name"]] for site in sites]
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise ValueError("the crystal cannot be read") from error
    if not (np.isfinite(positions).all() and np.isfinite(vectors).all()) or abs(np.linalg.det(vectors)) < 1e-6:
        raise ValueError("the crystal holds positions that are not finite, or a cell without volume")
    return vectors, positions, contents


def is_partial(content: Mapping[str, float]) -> bool:
    """Return whether a site is partly occupied, or shared by elements.

    :param content: element -> occupancy.
    """
    return len(content) > 1 or sum(content.values()) < FULL


def on_partial_sites(
    member_cell_A: FloatArray,
    member_A: FloatArray,
    symbols: Sequence[str],
    source: tuple[FloatArray, FloatArray, Sequence[Mapping[str, float]]],
) -> NDArray[np.bool_] | None:
    """Return which atoms of an ordered cell are on sites that are partly occupied in the crystal it stands for.

    :param member_cell_A: rows are cell vectors, angstrom, (3, 3); it may be relaxed.
    :param member_A: positions, angstrom, (n, 3).
    :param symbols: element of each.
    :param source: the crystal, as :func:`sites_of` returns it.
    :returns: ``None`` where the cell is not made of that of the crystal, or any atom is too far from its sites to say.
    """
    cell, positions, contents = source
    multiples = _multiples(member_cell_A @ np.linalg.inv(cell))
    if multiples is None or len(symbols) > MOST_ATOMS or len(positions) > MOST_ATOMS:
        return None
    places = member_A @ np.linalg.inv(member_cell_A) @ multiples
    sites = positions @ np.linalg.inv(cell)
    partial = np.array([is_partial(content) for content in contents])
    marked = np.zeros(len(symbols), dtype=bool)
    for element in dict.fromkeys(symbols):
        mine = np.array([symbol == element for symbol in symbols])
        may = np.flatnonzero([content.get(element, 0.0) > 0.0 for content in contents])
        if not len(may):
            return None
        apart = places[mine][:, None] - sites[may][None]
        distances = np.linalg.norm((apart - np.rint(apart)) @ cell, axis=-1)
        if distances.min(axis=1).max() > NEAR_A:
            return None
        marked[mine] = partial[may[distances.argmin(axis=1)]]
    return marked


def _multiples(strained: FloatArray) -> FloatArray | None:
    """Return the multiples of a cell that a strained supercell was made of, (3, 3); ``None`` where there are none."""
    for parts, misfit in PARTS:
        found = np.rint(parts * strained) / parts
        if np.abs(strained - found).max() <= misfit and abs(float(np.linalg.det(found))) > 1e-6:
            return np.asarray(found, dtype=np.float64)
    return None
