"""``ion.pes``: frozen potential-energy surfaces of many materials, by a potential."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from aiida import orm
from aiida.common import datastructures, folders
from pymatgen.core.periodic_table import Element
from pymatgen.core.structure import Structure

from aiida_ion.analysis.crystals.charges import guess_mobile_species
from aiida_ion.analysis.energy_maps.frozen.map_plan import FrozenPlan
from aiida_ion.analysis.energy_maps.frozen.plans import plan_maps
from aiida_ion.analysis.energy_maps.frozen.symmetry import Crystal
from aiida_ion.calculations.mlip.job import (
    define_potential_ports,
    potential_inputs,
    stage_checkpoint,
    validate_checkpoint,
    with_fingerprint,
)
from aiida_ion.calculations.screening.batch import validate_batch_inputs, validate_crystal
from aiida_ion.calculations.screening.maps import MapCalculation, MapParser
from aiida_ion.calculations.training.domain import validate_domain
from aiida_ion.settings.pes import PesSettings


class PesCalculation(MapCalculation):
    """One mobile ion moved through the frozen rest of each crystal: where pathways percolate, and at which energy."""

    _program = "screening.pes"
    settings = PesSettings

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare what all batches have, and the potential."""
        super().define(spec)
        define_potential_ports(spec)
        spec.inputs["parameters"].default = lambda: orm.Dict({})
        spec.inputs["parameters"].required = False
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.pes"
        spec.inputs.validator = validate_inputs

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Write structures, settings, the plan of each map, and the potential."""
        info = super().prepare_for_submission(folder)
        stage_checkpoint(info, self.inputs)
        return info

    def more_inputs(self) -> dict[str, Any]:
        """Return the potential, and for each label the plan of its maps or why it has none."""
        inputs = self.inputs
        settings = PesSettings.from_dict(inputs.parameters.get_dict())
        checkpoint = inputs.get("checkpoint")
        return {
            "potential": potential_inputs(inputs, inputs.metadata.options),
            "plans": {label: planned(node, settings, checkpoint) for label, node in inputs.structures.items()},
        }


class PesParser(MapParser):
    """Attaches one result for each material, and says which potential computed them."""

    def attach_ledger(self, results: Mapping[str, Any]) -> None:
        """Attach cost and versions, with the level of theory."""
        super().attach_ledger(with_fingerprint(self.node.inputs, results))


def planned(
    node: orm.StructureData, settings: PesSettings, checkpoint: orm.SinglefileData | None = None
) -> dict[str, Any]:
    """Return ``plan`` and ``mobile_species`` of a crystal as plain data, or its ``refusal``.

    :param checkpoint: a trained potential, which may be good for some compositions only.
    """
    refusal = validate_crystal(node)
    if refusal is not None:
        return {"refusal": refusal}
    structure = node.get_pymatgen_structure()
    try:
        mobile = settings.mobile_species or guess_mobile_species(structure.composition)
        plan = frozen_plan(structure, mobile, settings)
    except ValueError as error:
        return {"refusal": " ".join(str(error).split())}
    refusal = validate_domain(checkpoint, [simulated_symbols(plan)])
    return {"plan": plan.to_dict(), "mobile_species": mobile} if refusal is None else {"refusal": refusal}


def frozen_plan(structure: Structure, mobile_species: str, settings: PesSettings) -> FrozenPlan:
    """Return the plan of the maps of a crystal.

    :raises ValueError: for a crystal that has none.
    """
    numbers = np.array([site.specie.Z for site in structure], dtype=np.int64)
    crystal = Crystal(np.array(structure.lattice.matrix), numbers, np.array(structure.frac_coords))
    mobile = Element(mobile_species).Z
    return plan_maps(crystal, mobile, settings.others, settings.min_width_A, settings.symmetry_tolerance_A)


def simulated_symbols(plan: FrozenPlan) -> list[str]:
    """Return the elements of the atoms of the simulated cell."""
    one = plan.maps[0]
    return [Element.from_Z(int(number)).symbol for number in [*one.simulated().numbers, one.moved]]


def validate_inputs(inputs: Mapping[str, Any], port: Any) -> str | None:
    """Return what is wrong with structures, mobile species and potential; ``None`` if nothing is."""
    return validate_batch_inputs(inputs, port) or validate_checkpoint(inputs) or _validate_mobile(inputs)


def _validate_mobile(inputs: Mapping[str, Any]) -> str | None:
    parameters = inputs.get("parameters")
    mobile = parameters.get_dict().get("mobile_species") if parameters is not None else None
    if mobile is None or any(mobile in node.get_symbols_set() for node in inputs["structures"].values()):
        return None
    return f"none of the structures has the mobile species {mobile}"
