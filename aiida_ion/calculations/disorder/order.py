"""``ion.order_structure``: a crystal with partly occupied sites -> ordered, neutral cells that stand for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiida import orm
from aiida.common import datastructures, folders
from aiida.engine import ExitCode
from ase import Atoms

from aiida_ion.analysis.disorder.crystal import DisorderedCrystal, disordered_crystal
from aiida_ion.analysis.disorder.plan import Plan, plan_ordering
from aiida_ion.analysis.disorder.refusal import OrderingRefused
from aiida_ion.analysis.disorder.settings import OrderingSettings
from aiida_ion.calculations.cleaning import CleaningCalculation
from aiida_ion.calculations.script import FILENAME_INPUTS, UNREADABLE, ScriptParser, define_ledger, write_json
from aiida_ion.settings.schema import summary
from aiida_ion.settings.values import SettingsError

FILENAME_ORDERINGS = "orderings.json"


class OrderStructureCalculation(CleaningCalculation):
    """Draws ordered cells at the temperature where the arrangement froze, all draws with the same weight."""

    _program = "disorder.order"

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare the disordered crystal, settings, ordered cells and the node that describes them."""
        super().define(spec)
        spec.input(
            "structure",
            valid_type=orm.StructureData,
            help="The crystal; weights of its kinds are occupancies, lengths in angstrom.",
        )
        spec.input(
            "parameters",
            valid_type=orm.Dict,
            validator=validate_order_parameters,
            help=f"Settings. {summary(OrderingSettings)}.",
        )
        spec.output_namespace(
            "orderings",
            valid_type=orm.StructureData,
            dynamic=True,
            help="Ordered cells `o000`, `o001`, ..., none a symmetry copy of another; lengths in angstrom.",
        )
        spec.output(
            "ensemble",
            valid_type=orm.Dict,
            required=False,
            help="For each ordered cell its weight, the draws that gave it, `ewald_energy_eV` of point charges (eV per "
            "cell), closest distances (angstrom) and occupancies; for all of them deviations from the stated "
            "composition, charges (e), seed and remarks.",
        )
        define_ledger(spec)
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.order_structure"
        spec.inputs.validator = validate_order_inputs

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Write crystal and settings."""
        settings = OrderingSettings.from_dict(self.inputs.parameters.get_dict())
        write_json(
            folder,
            FILENAME_INPUTS,
            {"crystal": described(self.inputs.structure), "settings": settings.to_dict()},
        )
        # The structure is an input node: what is written of it is a copy.
        return self.describe(folder, temporary=[FILENAME_ORDERINGS], excluded=(FILENAME_INPUTS,))


class OrderStructureParser(ScriptParser):
    """Turns the cells that the program drew into structures, and what it says of them into a node."""

    def parse(self, retrieved_temporary_folder: str | None = None, **_: Any) -> ExitCode | None:
        """Attach cells and node."""
        try:
            results = self.read_results()
            if results is None:
                return self.exit_code_of_ending(self.ending())
            self.attach_ledger(results)
            failure = self.exit_code_of_status(results)
            if failure is not None:
                return failure
            path = Path(retrieved_temporary_folder or "") / FILENAME_ORDERINGS
            cells = [structure_of(cell) for cell in json.loads(path.read_text())]
            ensemble = orm.Dict(results["ensemble"])
        except UNREADABLE as error:
            return self.exit_code("ERROR_OUTPUT_UNREADABLE", str(error))
        for number, cell in enumerate(cells):
            self.out(f"orderings.o{number:03d}", cell)
        self.out("ensemble", ensemble)
        return None


def described(node: orm.StructureData) -> dict[str, Any]:
    """Return a disordered crystal as the program reads it: cell (angstrom), occupancies, positions, names."""
    structure = node.get_pymatgen_structure()
    return {
        "cell_A": structure.lattice.matrix.tolist(),
        "occupancies": [
            {str(getattr(kind, "symbol", kind)): float(share) for kind, share in site.species.items()}
            for site in structure
        ],
        "fractional": structure.frac_coords.tolist(),
        "labels": [site.kind_name for site in node.sites],
    }


def crystal_of(node: orm.StructureData) -> DisorderedCrystal:
    """Return the crystal of a node.

    :raises OrderingRefused: for sites that cannot be.
    """
    structure = node.get_pymatgen_structure()
    for site, stored in zip(structure, node.sites, strict=True):
        site.label = stored.kind_name
    return disordered_crystal(structure)


def planned(node: orm.StructureData, parameters: Mapping[str, Any]) -> Plan:
    """Return how a crystal will be ordered; takes a fraction of a second.

    :raises OrderingRefused: where a decision of the user is needed.
    """
    return plan_ordering(crystal_of(node), OrderingSettings.from_dict(parameters))


def structure_of(cell: Mapping[str, Any]) -> orm.StructureData:
    """Return an ordered cell as a node."""
    atoms = Atoms(cell["symbols"], scaled_positions=cell["fractional"], cell=cell["cell_A"], pbc=True)
    return orm.StructureData(ase=atoms)


def validate_order_parameters(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with the settings; ``None`` if nothing is."""
    try:
        OrderingSettings.from_dict(value.get_dict() if value is not None else {})
    except SettingsError as error:
        return str(error)
    return None


def validate_order_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return why the crystal cannot be ordered with these settings; ``None`` if it can."""
    structure, parameters = inputs.get("structure"), inputs.get("parameters")
    if structure is None or parameters is None:
        return None
    if not all(structure.pbc):
        return "the structure is not periodic in three dimensions"
    try:
        planned(structure, parameters.get_dict())
    except (OrderingRefused, SettingsError) as error:
        return str(error)
    return None
