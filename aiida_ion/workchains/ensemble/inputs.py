"""The inputs of ``ion.ensemble``, and what is refused before anything is submitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm

from aiida_ion.analysis.disorder.refusal import OrderingRefused
from aiida_ion.calculations.disorder.order import OrderStructureCalculation
from aiida_ion.calculations.disorder.pool_members import validate_ensemble
from aiida_ion.settings.values import SettingsError
from aiida_ion.workchains.conductivity.workchain import ConductivityWorkChain
from aiida_ion.workchains.ensemble.parameters import EnsembleParameters
from aiida_ion.workchains.ensemble.stand_in import stand_in


def define_inputs(spec: Any) -> None:
    """Declare the crystal, how it is ordered or its cells, and the runs of each."""
    spec.input(
        "structure",
        valid_type=orm.StructureData,
        required=False,
        help="The disordered crystal; weights of its kinds are occupancies, lengths in angstrom. Ordered first, unless "
        "`members` are given; then it is only recorded as what they stand for.",
    )
    spec.expose_inputs(
        OrderStructureCalculation,
        namespace="ordering",
        exclude=("structure",),
        namespace_options={
            "required": False,
            "populate_defaults": False,
            "help": "Inputs of `ion.order_structure` without `structure`: needed where `members` are not given.",
        },
    )
    spec.inputs["ordering"].validator = None
    spec.input_namespace(
        "members",
        valid_type=orm.StructureData,
        dynamic=True,
        required=False,
        help="Ordered cells `o000`, `o001`, ... that stand for the crystal, lengths in angstrom.",
    )
    spec.input(
        "ensemble",
        valid_type=orm.Dict,
        required=False,
        validator=validate_ensemble,
        help="What `ion.order_structure` says of its cells: `members`, in order, each with a `weight` and, where it is "
        "a share of draws, their `count`. Without it members have equal weights.",
    )
    spec.expose_inputs(ConductivityWorkChain, namespace="conductivity", exclude=("structure",))
    # The crystals are known only later; each member checks its inputs again when it is submitted.
    spec.inputs["conductivity"].validator = None
    spec.input(
        "parameters",
        valid_type=orm.Dict,
        default=lambda: orm.Dict(EnsembleParameters().to_dict()),
        validator=validate_parameters,
        help="n_members, max_concurrent; with target_relative_error members are added where their spread decides the "
        "error of the conductivity, up to max_members.",
    )


def validate_parameters(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with the parameters; ``None`` if nothing is."""
    try:
        EnsembleParameters.from_dict(value.get_dict() if value is not None else {})
    except SettingsError as error:
        return str(error)
    return None


def validate_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return what a child would refuse; ``None`` if nothing, and the work chain can be submitted."""
    members, ordering = inputs.get("members") or {}, inputs.get("ordering") or {}
    if not members:
        return _validate_ordering(inputs, ordering)
    if ordering:
        return "give members, or ordering with a disordered structure, not both"
    ensemble = inputs.get("ensemble")
    if ensemble is not None and len(ensemble.get_dict()["members"]) != len(members):
        return f"ensemble describes {len(ensemble.get_dict()['members'])} members, and {len(members)} are given"
    for label, structure in members.items():
        problem = validate_member(inputs, structure)
        if problem is not None:
            return f"{label}: {problem}"
    return None


def validate_member(inputs: Mapping[str, Any], structure: orm.StructureData) -> str | None:
    """Return why the conductivity of a member would be refused; ``None`` if it would not."""
    problem = ConductivityWorkChain.spec().inputs.validate({**inputs["conductivity"], "structure": structure})
    return None if problem is None else str(problem.message)


def _validate_ordering(inputs: Mapping[str, Any], ordering: Mapping[str, Any]) -> str | None:
    if inputs.get("structure") is None or not ordering:
        return "give members, or a disordered structure and ordering, the inputs of ion.order_structure"
    if inputs.get("ensemble") is not None:
        return "ensemble describes members that are given; the ordering makes its own"
    problem = OrderStructureCalculation.spec().inputs.validate({**ordering, "structure": inputs["structure"]})
    if problem is not None:
        return f"ordering: {problem.message}"
    mobile = inputs["conductivity"]["parameters"].get_dict().get("mobile_species")
    ordered = ordering["parameters"].get_dict().get("mobile_species", "Li")
    if mobile != ordered:
        return f"conductivity.parameters has mobile_species {mobile}, ordering.parameters {ordered}"
    try:
        cell = stand_in(inputs["structure"], ordering["parameters"].get_dict())
    except (OrderingRefused, SettingsError) as error:
        return f"ordering: {error}"
    return validate_member(inputs, cell)
