"""``ion.mlip_relax``: ions relaxed in the fixed cell with the potential that the molecular dynamics will use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida.common import datastructures, folders
from aiida.engine import ExitCode

from aiida_ion.calculations.md import symbols_of
from aiida_ion.calculations.mlip.job import (
    define_potential_ports,
    potential_inputs,
    stage_checkpoint,
    structure_json,
    validate_checkpoint,
    with_fingerprint,
)
from aiida_ion.calculations.relax import RELAX_DEFAULTS, define_relax_ports, relaxation_outputs
from aiida_ion.calculations.script import FILENAME_INPUTS, ScriptCalculation, ScriptParser, write_json


class MlipRelaxCalculation(ScriptCalculation):
    """Relaxation of the ions in a fixed cell with an ASE calculator."""

    _program = "relax"

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare the relaxation interface and the potential."""
        super().define(spec)
        define_relax_ports(spec)
        define_potential_ports(spec)
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.mlip_relax"
        spec.inputs.validator = validate_inputs

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Write inputs and structure."""
        inputs = self.inputs
        symbols_of(inputs.structure)
        write_json(
            folder,
            FILENAME_INPUTS,
            {
                "potential": potential_inputs(inputs, inputs.metadata.options),
                "relax": RELAX_DEFAULTS | inputs.parameters.get_dict(),
            },
        )
        write_json(folder, "structure.json", structure_json(inputs.structure))
        info = self.describe(folder, temporary=[], excluded=("structure.json",))
        stage_checkpoint(info, inputs)
        return info


def validate_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return why the checkpoint would be refused; ``None`` if it would not."""
    return validate_checkpoint(inputs)


class MlipRelaxParser(ScriptParser):
    """Reads ``results.json`` of the relaxation."""

    def parse(self, **_: Any) -> ExitCode | None:
        """Attach the relaxed structure and what changed."""
        try:
            results = self.read_results()
        except ValueError as error:
            return self.exit_code("ERROR_OUTPUT_UNREADABLE", str(error))
        if results is None:
            return self.exit_code_of_ending(self.ending())
        for name, node in relaxation_outputs(
            self.node.inputs.structure, with_fingerprint(self.node.inputs, results)
        ).items():
            self.out(name, node)
        return self.exit_code_of_status(results)
