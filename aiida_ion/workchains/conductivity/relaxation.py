"""The first part of ``ion.conductivity``: the ions are relaxed in the fixed cell, and the cell is repeated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm

from aiida_ion.calculations.functions import multiples_of
from aiida_ion.calculations.relax import validate_relax_parameters
from aiida_ion.exit_codes import is_usable
from aiida_ion.workchains.conductivity.md import engine_inputs, engine_of


def define_relaxation(spec: Any) -> None:
    """Declare its input, its outputs and its exit code."""
    spec.input(
        "relax_parameters",
        valid_type=orm.Dict,
        required=False,
        validator=validate_relax_parameters,
        help="`max_force_eV_A` and `max_steps` of the relaxation of the ions in the fixed cell.",
    )
    spec.output("relaxed_structure", valid_type=orm.StructureData, required=False, help="The relaxed cell.")
    spec.output("relaxation", valid_type=orm.Dict, required=False, help="Displacements (angstrom), energy drop (eV).")
    spec.output("supercell", valid_type=orm.StructureData, required=False, help="The cell that was simulated.")
    spec.exit_code(501, "ERROR_RELAXATION_FAILED", message="The relaxation of the ions failed: {detail}")


def supercell_settings(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `make_supercell` gets: the multiples, or the rule that finds them."""
    if parameters.get("supercell"):
        return {"multiples": parameters["supercell"]}
    return {name: parameters[name] for name in ("min_width_A", "supercell_rule")}


def relaxation_builder(inputs: Mapping[str, Any]) -> Any:
    """Return the builder of the relaxation, with the potential of the molecular dynamics."""
    multiples = multiples_of(inputs["structure"], supercell_settings(inputs["parameters"].get_dict()))
    builder = engine_of(inputs).relax_builder(inputs["structure"], engine_inputs(inputs), multiples)
    if "relax_parameters" in inputs:
        builder.parameters = inputs["relax_parameters"]
    builder.metadata.call_link_label = "relax"
    if inputs["fresh"]:
        builder.metadata.disable_cache = True
    return builder


def is_relaxed(job: orm.CalcJobNode) -> bool:
    """Whether the structure that a relaxation reached can be used: one that is not quite relaxed can."""
    return "structure" in job.outputs and is_usable(job.exit_status)
