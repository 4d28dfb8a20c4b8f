"""``pool_members``: the results of the members of an ensemble -> the diffusivity of the crystal at each temperature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiida import orm
from aiida.engine import calcfunction

from aiida_ion.analysis.crystals.identity import structure_hash
from aiida_ion.analysis.disorder.common import common_part
from aiida_ion.analysis.disorder.spread import Sampling, sampling_of
from aiida_ion.calculations.conductivity.points import has_moved, refusal
from aiida_ion.calculations.disorder.pooled import PooledTemperature, pooled_node

CONDUCTIVITY = "conductivity"
#: What all members share; one that differs from most is not pooled.
ALIKE = ("level_of_theory", "mobile_species", "charge_e")
#: What is kept of the conductivity of a member.
KEPT = (
    "formula",
    "verdict",
    "reason",
    "activation_energy_eV",
    "activation_energy_ci95_eV",
    "ionic_conductivity_mS_cm",
    "ionic_conductivity_ci95_mS_cm",
    "ionic_conductivity_upper_bound_mS_cm",
)


@dataclass
class GivenMember:
    """A member with its results: diffusion nodes by label of temperature, and why it is not pooled, if so."""

    label: str
    weight: float
    count: int | None
    failure: str | None
    conductivity: orm.ArrayData | None
    diffusion: dict[str, orm.ArrayData]
    structure_hash: str | None = None

    def usable(self) -> dict[str, orm.ArrayData]:
        """Return the temperatures at which it has a value or a bound."""
        return {label: node for label, node in self.diffusion.items() if without_value(node) is None}

    def described(self) -> dict[str, Any]:
        """Return what is known of it, ready for JSON."""
        entry: dict[str, Any] = {"label": self.label, "weight": self.weight, "count": self.count}
        if self.structure_hash is not None:
            entry["structure_hash"] = self.structure_hash
        if self.conductivity is not None:
            entry["uuid"] = self.conductivity.uuid
            entry |= {name: self.conductivity.base.attributes.get(name, None) for name in KEPT}
        reasons = {label: without_value(node) for label, node in sorted(self.diffusion.items())}
        entry["temperatures_refused"] = [
            {"temperature_K": self.diffusion[label].base.attributes.get("target_temperature_K", None), "reason": reason}
            for label, reason in reasons.items()
            if reason is not None
        ]
        return entry | {"pooled": self.failure is None, "not_pooled_because": self.failure}


@calcfunction
def pool_members(parameters: orm.Dict, **results: orm.ArrayData) -> dict[str, orm.ArrayData]:
    """Pool the diffusivities of the members of an ensemble at each temperature.

    The same members are pooled at all temperatures that are used; those and the temperatures that are left out are
    named, with the reason.

    :param parameters: `members`, each a `label`, a `weight`, the `count` of draws where the weight is a share of them,
        a `failure` where it has no result, and where known the `structure_hash` of its crystal and its `cell_A`, rows
        are vectors; `kind` of the ensemble, `n_inequivalent_arrangements` where known, and optionally
        `max_interval_decades`.
    :param results: of each member its conductivity as `<label>_conductivity`, and its diffusion nodes as
        `<label>_T_0600K`.
    :returns: label of each temperature -> a node with the attributes of a diffusion, pooled.
    """
    settings = parameters.get_dict()
    members = given_members(settings["members"], results)
    leave_out_different(members)
    left = [member for member in members if member.failure is None]
    common = common_part(
        {member.label: set(member.usable()) for member in left}, {member.label: member.weight for member in left}
    )
    for member in left:
        if member.label not in common.members:
            member.failure = _lacking(member)
    pooled = [member for member in left if member.label in common.members]
    about = {
        "members": [member.described() for member in members],
        "kind": settings.get("kind", "ordering"),
        "n_inequivalent_arrangements": settings.get("n_inequivalent_arrangements"),
        "max_interval_decades": settings.get("max_interval_decades"),
        "cells_A": {entry["label"]: entry.get("cell_A") for entry in settings["members"]},
    }
    if not pooled:
        return {}
    sampling = sampling_of([member.weight for member in pooled], [member.count for member in pooled])
    labels = sorted({label for member in members for label in member.diffusion})
    return {
        label: _node(label, members, pooled, sampling, about, is_used=label in common.temperatures) for label in labels
    }


def _node(
    label: str,
    members: list[GivenMember],
    pooled: list[GivenMember],
    sampling: Sampling,
    about: Mapping[str, Any],
    is_used: bool,
) -> orm.ArrayData:
    if is_used:
        nodes = [member.diffusion[label] for member in pooled]
        return pooled_node(PooledTemperature(nodes, sampling, [member.label for member in pooled], about))
    missing = [f"{member.label}: {_why(member, label)}" for member in pooled if label not in member.usable()]
    some = [member.diffusion[label] for member in members if label in member.diffusion]
    reason = f"{len(missing)} of {len(pooled)} members have no diffusivity that can be used: {'; '.join(missing)}"
    if not missing:
        reason = "Only members that are not pooled were run at this temperature."
    return pooled_node(PooledTemperature(some, sampling, [], about, refused_because=reason))


def given_members(entries: list[Mapping[str, Any]], results: Mapping[str, orm.ArrayData]) -> list[GivenMember]:
    """Return the members with their results."""
    members = []
    for entry in entries:
        start = f"{entry['label']}_"
        own = {name.removeprefix(start): node for name, node in results.items() if name.startswith(start)}
        conductivity = own.pop(CONDUCTIVITY, None)
        failure = entry.get("failure")
        if not own and failure is None:
            failure = "It has no diffusion at any temperature."
        given = (entry["label"], float(entry["weight"]), entry.get("count"), failure, conductivity, own)
        members.append(GivenMember(*given, entry.get("structure_hash")))
    return members


def leave_out_different(members: list[GivenMember]) -> None:
    """Leave out members that are not like those with most of the weight."""
    kinds: dict[tuple[Any, ...], float] = {}
    for member in members:
        if member.failure is None:
            kind = _kind(member)
            kinds[kind] = kinds.get(kind, 0.0) + member.weight
    if len(kinds) < 2:
        return
    usual = max(kinds, key=lambda kind: kinds[kind])
    for member in members:
        if member.failure is None and _kind(member) != usual:
            pairs = zip(ALIKE, _kind(member), usual, strict=True)
            different = [f"{name} {own}, not {others}" for name, own, others in pairs if own != others]
            member.failure = f"It differs from the others: {', '.join(different)}."


def _kind(member: GivenMember) -> tuple[Any, ...]:
    attributes = next(iter(member.diffusion.values())).base.attributes
    return tuple(attributes.get(name, None) for name in ALIKE)


def without_value(node: orm.ArrayData) -> str | None:
    """Return why a diffusion has neither a value nor a bound that can be used; ``None`` if it has."""
    attributes = node.base.attributes.all
    if (reason := refusal(attributes)) is not None:
        return reason
    if has_moved(node) or attributes.get("tracer_diffusivity_upper_bound_cm2_s"):
        return None
    return str(attributes.get("reason") or "There is neither a diffusivity nor a bound.")


def _why(member: GivenMember, label: str) -> str:
    node = member.diffusion.get(label)
    return "no run that could be fitted" if node is None else str(without_value(node)).rstrip(".")


def _lacking(member: GivenMember) -> str:
    """Return why a member with results is left out."""
    reasons = sorted({str(without_value(node)) for node in member.diffusion.values()} - {"None"})
    detail = f": {'; '.join(reasons)}" if reasons else ""
    return f"It has too few temperatures that the other members have, too{detail}"


def validate_ensemble(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with the description of an ensemble; ``None`` if nothing is."""
    if value is None:
        return None
    members = value.get_dict().get("members")
    if not isinstance(members, list) or not members:
        return "ensemble has no members: see the output of ion.order_structure"
    for entry in members:
        weight = entry.get("weight") if isinstance(entry, Mapping) else None
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 < weight < float("inf"):
            return "each of the members of ensemble has a weight, a positive number"
        count = entry.get("count")
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
            return "the count of a member of ensemble is a whole number, 1 or more"
    return None


def hash_of(structure: orm.StructureData) -> str | None:
    """Return the hash of the crystal of a cell; ``None`` where its symmetry cannot be found."""
    try:
        return structure_hash(structure.get_pymatgen_structure())
    except ValueError:
        return None
