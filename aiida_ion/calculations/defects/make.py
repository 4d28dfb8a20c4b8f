"""``ion.make_defects``: an ordered crystal -> cells with one kind of defect at one concentration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiida import orm
from aiida.common import datastructures, folders
from aiida.engine import ExitCode

from aiida_ion.analysis.defects.plan import DefectPlan, plan_defects
from aiida_ion.analysis.defects.settings import DefectSettings
from aiida_ion.calculations.cleaning import CleaningCalculation
from aiida_ion.calculations.disorder.order import crystal_of, described, structure_of
from aiida_ion.calculations.script import FILENAME_INPUTS, UNREADABLE, ScriptParser, define_ledger, write_json
from aiida_ion.settings.schema import summary
from aiida_ion.settings.values import SettingsError

FILENAME_CELLS = "cells.json"


class MakeDefectsCalculation(CleaningCalculation):
    """Draws cells with defects, all draws with the same weight."""

    _program = "disorder.defects"

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare the crystal, settings, cells and the node that describes them."""
        super().define(spec)
        spec.input("structure", valid_type=orm.StructureData, help="The perfect, ordered crystal; lengths in angstrom.")
        spec.input(
            "parameters",
            valid_type=orm.Dict,
            validator=validate_defect_parameters,
            help=f"Settings. {summary(DefectSettings)}.",
        )
        spec.output_namespace(
            "members",
            valid_type=orm.StructureData,
            dynamic=True,
            help="Cells with defects `o000`, `o001`, ..., none a symmetry copy of another; lengths in angstrom.",
        )
        spec.output(
            "perfect",
            valid_type=orm.StructureData,
            required=False,
            help="The same cell without defects; lengths in angstrom.",
        )
        spec.output(
            "displaced",
            valid_type=orm.StructureData,
            required=False,
            help="That cell with its atoms displaced at random, angstrom: relaxed, it is lower where the symmetric "
            "crystal is not a minimum.",
        )
        spec.output(
            "ensemble",
            valid_type=orm.Dict,
            required=False,
            help="For each cell its weight, the draws that gave it, its defects and the distances between them "
            "(angstrom); for all of them `kind` (defects), concentration and its deviation, compensation, charge by "
            "formal charges (e), seed and remarks.",
        )
        define_ledger(spec)
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.make_defects"
        spec.inputs.validator = validate_defect_inputs

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Write crystal and settings."""
        settings = DefectSettings.from_dict(self.inputs.parameters.get_dict())
        content = {"crystal": described(self.inputs.structure), "settings": settings.to_dict()}
        write_json(folder, FILENAME_INPUTS, content)
        return self.describe(folder, temporary=[FILENAME_CELLS], excluded=(FILENAME_INPUTS,))


class MakeDefectsParser(ScriptParser):
    """Turns the cells that the program made into structures, and what it says of them into a node."""

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
            path = Path(retrieved_temporary_folder or "") / FILENAME_CELLS
            perfect, displaced, *cells = [structure_of(cell) for cell in json.loads(path.read_text())]
            ensemble = orm.Dict(results["ensemble"])
        except UNREADABLE as error:
            return self.exit_code("ERROR_OUTPUT_UNREADABLE", str(error))
        self.out("perfect", perfect)
        self.out("displaced", displaced)
        for number, cell in enumerate(cells):
            self.out(f"members.o{number:03d}", cell)
        self.out("ensemble", ensemble)
        return None


def planned_defects(node: orm.StructureData, parameters: Mapping[str, Any]) -> DefectPlan:
    """Return the cell for the defects of a crystal; takes a second or less.

    :raises ValueError: where a decision of the user is needed.
    """
    return plan_defects(crystal_of(node), DefectSettings.from_dict(parameters))


def validate_defect_parameters(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with the settings; ``None`` if nothing is."""
    try:
        DefectSettings.from_dict(value.get_dict() if value is not None else {})
    except SettingsError as error:
        return str(error)
    return None


def validate_defect_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return why the defects cannot be made; ``None`` if they can."""
    structure, parameters = inputs.get("structure"), inputs.get("parameters")
    if structure is None or parameters is None:
        return None
    if not all(structure.pbc):
        return "the structure is not periodic in three dimensions"
    try:
        planned_defects(structure, parameters.get_dict())
    except ValueError as error:
        return str(error)
    return None
