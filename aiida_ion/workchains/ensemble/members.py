"""The members of ``ion.ensemble`` as plain data, and what their pooling gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

from aiida import orm

from aiida_ion.calculations.disorder.pool_members import hash_of
from aiida_ion.workchains.conductivity.result import interval_limit
from aiida_ion.workchains.conductivity.runs import temperature_label
from aiida_ion.workchains.outcome import outcome


class Member(TypedDict):
    """An ordered cell of the ensemble; `count` is of the draws that gave it, where its weight is a share of draws."""

    label: str
    uuid: str
    weight: float
    count: NotRequired[int | None]
    #: Of the crystal, so that the same cell is recognised at another level of theory.
    structure_hash: NotRequired[str | None]
    #: Vectors of the cell as rows, angstrom: of one lattice, tensors of members can be averaged.
    cell_A: NotRequired[list[list[float]]]
    #: Its conductivity work chain, once it has ended; and why it has none to use.
    pk: NotRequired[int]
    failure: NotRequired[str]


def members_of(structures: Mapping[str, orm.StructureData], ensemble: orm.Dict | None) -> list[Member]:
    """Return the members in the order of their labels, with their weights; equal ones without a description."""
    labels = sorted(structures)
    listed = ensemble.get_dict()["members"] if ensemble is not None else [{"weight": 1.0 / len(labels)}] * len(labels)
    return [
        Member(
            label=label,
            uuid=structures[label].uuid,
            weight=float(entry["weight"]),
            count=entry.get("count"),
            structure_hash=entry.get("structure_hash") or hash_of(structures[label]),
            cell_A=structures[label].cell,
        )
        for label, entry in zip(labels, listed, strict=True)
    ]


def member_inputs(shared: Mapping[str, Any], structure: orm.StructureData) -> dict[str, Any]:
    """Return the inputs of the conductivity of a member; the formula is its own.

    :param shared: what all members share.
    """
    parameters = shared["parameters"].get_dict()
    parameters["formula"] = structure.get_pymatgen_structure().composition.reduced_formula
    return {**shared, "structure": structure, "parameters": orm.Dict(parameters)}


def with_result(member: Member, node: Any) -> Member:
    """Return a member whose work chain has ended."""
    done: Member = {**member, "pk": node.pk}
    if "conductivity" not in node.outputs:
        done["failure"] = outcome(node)
    return done


def pooling_inputs(inputs: Mapping[str, Any], members: Sequence[Member], ensemble: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs of `pool_members`: results of members, and what is known of those without.

    :param inputs: of the conductivities.
    :param members: that were computed, or failed.
    :param ensemble: content of its node.
    """
    nodes: dict[str, Any] = {}
    for member in members:
        if "failure" in member:
            continue
        chain: Any = orm.load_node(member["pk"])
        nodes[f"{member['label']}_conductivity"] = chain.outputs.conductivity
        nodes |= {f"{member['label']}_{label}": node for label, node in chain.outputs.diffusion.items()}
    parameters = {
        "members": [{key: value for key, value in member.items() if key != "pk"} for member in members],
        "kind": ensemble.get("kind", "ordering"),
        "n_inequivalent_arrangements": ensemble.get("n_inequivalent_arrangements"),
        "target_temperature_K": inputs["parameters"].get_dict().get("target_temperature_K", 300.0),
        "temperatures_K": inputs["parameters"].get_dict()["temperatures_K"],
        **interval_limit(inputs),
    }
    return {"parameters": orm.Dict(parameters), **nodes}


def unfitted(inputs: Mapping[str, Any], pooled: Mapping[str, orm.ArrayData]) -> list[dict[str, Any]]:
    """Return the temperatures at which no member could be fitted, each with the reason.

    :param inputs: of the conductivities.
    :param pooled: nodes of the temperatures, by label.
    """
    temperatures = inputs["parameters"].get_dict()["temperatures_K"]
    missing = [temperature for temperature in temperatures if temperature_label(float(temperature)) not in pooled]
    return [{"temperature_K": temperature, "reason": "No member could be fitted."} for temperature in sorted(missing)]
