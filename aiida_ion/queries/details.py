"""Details of one result: attributes, arrays, the points of its Arrhenius line, its history."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from aiida import orm
from numpy.typing import NDArray

from aiida_ion.queries.reading.arrays import read_arrays
from aiida_ion.queries.reading.contents import Content, contents
from aiida_ion.queries.reading.kinds import read_attributes, read_column
from aiida_ion.queries.reading.shared import CONDUCTIVITY_CHAINS, attributes, edge, frame, judged, rows
from aiida_ion.queries.reading.uuids import known_uuids
from aiida_ion.units import BOLTZMANN_J_K, ELEMENTARY_CHARGE_C, M2_S_PER_CM2_S, M3_PER_A3, MS_CM_PER_S_M
from aiida_ion.verdicts import SHOWN_LIMITS

#: Maximum number of atoms of a structure that is drawn.
MAX_ATOMS = 5000
#: Largest plausible charge, e, and number density, 1/angstrom^3.
LARGEST = 1e6
POINT_ATTRIBUTES = (
    "formula",
    "level_of_theory",
    "target_temperature_K",
    "temperature_K",
    "verdict",
    "grade",
    "reason",
    "refused_because",
    "fit_consistent",
    "n_eff",
    "tracer_diffusivity_cm2_s",
    "tracer_diffusivity_ci95_cm2_s",
    "tracer_diffusivity_upper_bound_cm2_s",
    "charge_e",
    "number_density_A3",
    *SHOWN_LIMITS,
)


def node_of(uuid: str, kind: Any = orm.Node) -> Any:
    """Return a node by its full UUID.

    :raises ValueError: if there is no such node of that kind.
    """
    node = orm.QueryBuilder().append(kind, filters={"uuid": str(uuid)}).first(flat=True)
    if node is None:
        raise ValueError(f"there is no {kind.__name__} with the UUID {str(uuid)[:40]!r} here")
    return node


def diffusion_attributes(uuid: str) -> dict[str, Any]:
    """Return all attributes of a diffusion or conductivity node.

    :raises ValueError: if there is no such node.
    """
    return _content(uuid).attributes


def _content(uuid: str) -> Content:
    content = contents([uuid])
    if not content:
        raise ValueError(f"there is no ArrayData with the UUID {str(uuid)[:40]!r} here")
    return next(iter(content.values()))


def diffusion_arrays(uuid: str, names: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
    """Return arrays of a diffusion or conductivity node: MSD over lag times, posterior samples.

    :param names: names of the arrays, else all; arrays left out of an export are missing.
    :raises ValueError: if there is no such node, or an array is too large or not plain numbers.
    """
    return read_arrays({uuid: _content(uuid)}, names)[uuid]


def arrhenius(uuid: str) -> dict[str, Any]:
    """Return the data of an Arrhenius plot of a conductivity node.

    ``attributes`` are those of the node; ``points`` the temperatures as in `arrhenius_points`;
    ``activation_energy_samples_eV`` and ``log10_prefactor_samples_cm2_s``, paired, are empty if there is no line.
    """
    names = ("activation_energy_samples_eV", "log10_prefactor_samples_cm2_s")
    arrays = diffusion_arrays(uuid, names)
    empty = np.empty(0)
    return {
        "attributes": diffusion_attributes(uuid),
        "points": arrhenius_points([uuid]),
        **{name: arrays.get(name, empty) for name in names},
    }


def arrhenius_points(uuids: Sequence[str]) -> pd.DataFrame:
    """Return the temperatures behind conductivity nodes: one row for each diffusion node, with both UUIDs.

    ``temperature_K`` is the measured mean; ``refused`` says why the fit excluded a temperature;
    ``log10_conductivity_temperature_per_diffusivity`` (mS K/cm over cm^2/s) is the constant of Nernst and Einstein.
    """
    query = orm.QueryBuilder()
    query.append(orm.ArrayData, filters={"uuid": {"in": known_uuids(uuids)}}, project=["uuid"], tag="conductivity")
    query.append(orm.CalcFunctionNode, with_outgoing="conductivity", tag="fit")
    query.append(orm.ArrayData, with_outgoing="fit", project=["uuid", *attributes(POINT_ATTRIBUTES)])
    return _points(frame(query, ["conductivity_uuid", "uuid", *POINT_ATTRIBUTES]))


def fit_points(uuids: Sequence[str]) -> pd.DataFrame:
    """Return diffusion nodes in the form of `arrhenius_points`, without the conductivity that used them.

    :param uuids: of diffusion nodes, such as those of a material that has no conductivity.
    """
    query = orm.QueryBuilder()
    columns = ["uuid", *attributes(POINT_ATTRIBUTES)]
    query.append(orm.ArrayData, filters={"uuid": {"in": known_uuids(uuids)}}, project=columns)
    return _points(frame(query, ["uuid", *POINT_ATTRIBUTES]).assign(conductivity_uuid=None))


def _points(table: pd.DataFrame) -> pd.DataFrame:
    table = judged(table)
    for name, place in (("low", 0), ("high", 1)):
        table[f"tracer_diffusivity_ci95_{name}_cm2_s"] = edge(table["tracer_diffusivity_ci95_cm2_s"], place)
    table["refused"] = [_refusal(*row) for row in zip(table["refused_because"], table["fit_consistent"], strict=True)]
    table["log10_conductivity_temperature_per_diffusivity"] = [
        nernst_einstein_log10(*row) for row in zip(table["charge_e"], table["number_density_A3"], strict=True)
    ]
    drop = ["tracer_diffusivity_ci95_cm2_s", "refused_because", "fit_consistent", "charge_e", "number_density_A3"]
    drop.append("max_interval_decades")
    return table.drop(columns=drop).sort_values(["conductivity_uuid", "temperature_K"], ignore_index=True)


def nernst_einstein_log10(charge_e: float | None, number_density_A3: float | None) -> float | None:
    """Return log10 of sigma T / D, mS K/cm over cm^2/s: n q^2 / k_B; ``None`` for ions without charge."""
    if not charge_e or not number_density_A3 or not (abs(charge_e) < LARGEST and 0.0 < number_density_A3 < LARGEST):
        return None
    constant = ELEMENTARY_CHARGE_C**2 * M2_S_PER_CM2_S / (BOLTZMANN_J_K * M3_PER_A3) * MS_CM_PER_S_M
    # A sum of logarithms, because the product of very small numbers underflows.
    return math.log10(number_density_A3) + 2.0 * math.log10(abs(charge_e)) + math.log10(constant)


def _refusal(refused_because: object, fit_consistent: object) -> str | None:
    if isinstance(refused_because, str) and refused_because:
        return refused_because
    return "Two estimates on the same window disagree." if fit_consistent is False else None


def structure(uuid: str) -> dict[str, Any]:
    """Return a crystal: ``cell`` (3, 3) and ``positions`` (N, 3), angstrom, ``symbols`` and ``pbc``.

    :raises ValueError: if there is none, or it has more than `MAX_ATOMS` atoms.
    """
    names = ("cell", "kinds", "sites", "pbc1", "pbc2", "pbc3")
    query = orm.QueryBuilder().append(orm.StructureData, filters={"uuid": str(uuid)}, project=attributes(names))
    row = next(iter(rows(query)), None)
    if row is None:
        raise ValueError(f"there is no StructureData with the UUID {str(uuid)[:40]!r} here")
    cell, kinds, sites, *pbc = row
    if not isinstance(sites, list) or not isinstance(kinds, list):
        raise ValueError("the structure has no readable sites")
    if len(sites) > MAX_ATOMS:
        raise ValueError(f"the structure has {len(sites)} atoms; at most {MAX_ATOMS} are drawn")
    try:
        symbols = {kind["name"]: "/".join(kind["symbols"]) for kind in kinds}
        read: dict[str, Any] = {
            "cell": np.array(cell, dtype=float).reshape(3, 3),
            "positions": np.array([site["position"] for site in sites], dtype=float).reshape(-1, 3),
            "symbols": [symbols[site["kind_name"]] for site in sites],
            "pbc": [bool(flag) for flag in pbc],
        }
    except (TypeError, ValueError, LookupError, OverflowError) as error:
        raise ValueError("the structure holds sites or a cell that cannot be read") from error
    if not np.isfinite(read["positions"]).all() or not np.isfinite(read["cell"]).all():
        raise ValueError("the structure holds positions or a cell that are not finite")
    return read


def beside(conductivity_uuid: str) -> dict[str, Any]:
    """Return the other results of the work chain of a conductivity.

    ``process`` is the UUID of the work chain, ``structure`` and ``supercell`` those of the cells, ``cost`` the ledger;
    ``jumps`` and ``history`` are lists of label, UUID and content, in order of temperature and of rounds.
    """
    query = orm.QueryBuilder()
    query.append(orm.ArrayData, filters={"uuid": str(conductivity_uuid)}, tag="conductivity")
    query.append(
        orm.WorkChainNode,
        with_outgoing="conductivity",
        filters=CONDUCTIVITY_CHAINS,
        project=["id", "uuid"],
    )
    neighbours: dict[str, Any] = {"process": None, "jumps": [], "history": []}
    chain = query.first()
    if chain is None:
        return neighbours
    neighbours["process"] = chain[1]
    inputs = orm.QueryBuilder().append(orm.WorkChainNode, filters={"id": chain[0]}, tag="chain")
    inputs.append(orm.StructureData, with_outgoing="chain", edge_filters={"label": "structure"}, project=["uuid"])
    return neighbours | {"structure": inputs.first(flat=True)} | outputs_of(chain[1])


def outputs_of(process_uuid: str) -> dict[str, Any]:
    """Return the outputs of a conductivity work chain for `beside`: ``supercell``, ``cost`` and the lists.

    Labels are filtered here: with a filter, SQLite would go through all links with these labels in the database.
    """
    outputs: dict[str, Any] = {name: [] for name in _LISTS}
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters={"uuid": str(process_uuid)}, tag="chain")
    query.append(orm.Data, with_incoming="chain", edge_project=["label"], project=["id", "uuid"])
    links = sorted((str(label), pk, uuid) for pk, uuid, label in rows(query))
    pks = [pk for label, pk, _ in links if label == "cost" or label.partition("__")[0] in _LISTS]
    stored = orm.QueryBuilder().append(orm.Data, filters={"id": {"in": pks}}, project=["id", "attributes"])
    contents = {pk: read_attributes(content) for pk, content in rows(stored)} if pks else {}
    for label, pk, uuid in links:
        kind, _, name = label.partition("__")
        if kind in _LISTS:
            outputs[kind].append({"label": name, "uuid": uuid, "content": contents[pk]})
        elif label in ("supercell", "cost"):
            outputs[label] = contents[pk] if label == "cost" else uuid
    return outputs


_LISTS = ("jumps", "history")


def history(rounds: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return the rounds of runs that were extended: one row for each round and temperature.

    :param rounds: ``history`` from `beside`.
    """
    columns = ["round", "temperature_K", "time_ps", "relative_error", "target_relative_error", "reason", "uuid"]
    results: list[list[Any]] = []
    for decision in rounds:
        content = read_attributes(decision["content"])
        listed = content["temperatures"]
        for entry in listed if isinstance(listed, list) else []:
            if isinstance(entry, dict):
                known = {**content, **entry, "uuid": decision["uuid"]}
                results.append([known.get(name) for name in columns])
    read = {name: read_column(name, [row[place] for row in results]) for place, name in enumerate(columns)}
    return pd.DataFrame(read, columns=columns)
