"""``ion.relax_orderings``: all ordered cells of a crystal relaxed by a potential, in one job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from aiida import orm
from aiida.common import datastructures, folders
from aiida.engine import ExitCode

from aiida_ion.calculations.mlip.job import (
    define_potential_ports,
    potential_inputs,
    stage_checkpoint,
    validate_checkpoint,
    with_fingerprint,
)
from aiida_ion.calculations.screening.batch import (
    BatchCalculation,
    BatchParser,
    validate_batch_inputs,
    validate_crystal,
)
from aiida_ion.calculations.training.domain import validate_domain
from aiida_ion.screening.records import FINISHED
from aiida_ion.settings.ordering import RelaxOrderingsSettings

#: Entries of a record that become a structure, or that only screenings have.
GEOMETRY, OTHER = ("cell_A", "positions_A"), ("barriers_eV", "structure_hash")
MAX_NAMED = 3


class RelaxOrderingsCalculation(BatchCalculation):
    """Relaxes the ions of each ordered cell, and with `cell` isotropic its volume; a kill loses the one at hand."""

    _program = "disorder.relax"
    settings = RelaxOrderingsSettings

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare what all batches have, the potential, and the relaxed cells."""
        super().define(spec)
        define_potential_ports(spec)
        spec.inputs["structures"].help = "The ordered cells `o000`, `o001`, ..., angstrom."
        spec.inputs["parameters"].default = lambda: orm.Dict({})
        spec.inputs["parameters"].required = False
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.relax_orderings"
        spec.inputs.validator = validate_inputs
        spec.output_namespace(
            "orderings",
            valid_type=orm.StructureData,
            dynamic=True,
            help="The relaxed cells under the labels of those given, angstrom; not those that failed.",
        )
        spec.outputs["results"].help = (
            "One for each label: `status`, `converged`, energies (eV), forces (eV/angstrom), pressures (GPa), "
            "displacements and closest mobile ions (angstrom) before and after."
        )
        spec.exit_code(700, "WARNING_NOT_RELAXED", message="The ions are not relaxed to the force asked for: {detail}")

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Write cells, settings and the potential."""
        info = super().prepare_for_submission(folder)
        stage_checkpoint(info, self.inputs)
        return info

    def more_inputs(self) -> dict[str, Any]:
        """Return the potential."""
        return {"potential": potential_inputs(self.inputs, self.inputs.metadata.options)}


class RelaxOrderingsParser(BatchParser):
    """Attaches each relaxed cell and what changed, and says which potential relaxed them."""

    def attach_ledger(self, results: Mapping[str, Any]) -> None:
        """Attach cost and versions, with the level of theory."""
        super().attach_ledger(with_fingerprint(self.node.inputs, results))

    def attach(self, label: str, record: Mapping[str, Any]) -> None:
        """Attach the record of a cell, and the cell itself where it was relaxed."""
        left_out = {*GEOMETRY, *OTHER}
        super().attach(label, {name: value for name, value in record.items() if name not in left_out})
        if record["status"] == FINISHED:
            self.out(f"orderings.{label}", moved_structure(self.node.inputs.structures[label], record))

    def exit_code_of_complete(self, records: Mapping[str, Mapping[str, Any]]) -> ExitCode | None:
        """Return an error where no cell was relaxed, a warning where some are not converged."""
        bad = [str(record["message"]) for record in records.values() if record["status"] != FINISHED]
        if len(bad) == len(records):
            return self.exit_code("ERROR_PROGRAM_FAILED", f"no cell was relaxed, the first because of: {bad[0]}")
        left = [label for label, record in sorted(records.items()) if not record.get("converged")]
        if not left:
            return None
        named = ", ".join(left[:MAX_NAMED]) + (", ..." if len(left) > MAX_NAMED else "")
        steps = max(int(record.get("n_steps", 0)) for record in records.values())
        detail = f"{len(left)} of {len(records)} cells ({named}) after at most {steps} steps; raise max_steps"
        return self.exit_code("WARNING_NOT_RELAXED", detail)


def moved_structure(structure: orm.StructureData, record: Mapping[str, Any]) -> orm.StructureData:
    """Return a structure with the cell and the positions of a record, angstrom; kinds stay."""
    moved: orm.StructureData = structure.clone()
    moved.reset_cell(np.asarray(record["cell_A"], dtype=float).tolist())
    moved.reset_sites_positions([tuple(float(x) for x in row) for row in record["positions_A"]])
    moved.label = f"{structure.label} relaxed".strip()
    return moved


def validate_inputs(inputs: Mapping[str, Any], port: Any) -> str | None:
    """Return what is wrong with cells and potential; ``None`` if nothing is."""
    problem = validate_batch_inputs(inputs, port) or validate_checkpoint(inputs)
    if problem is not None:
        return problem
    for label, node in sorted(inputs["structures"].items()):
        if (refusal := validate_crystal(node)) is not None:
            return f"{label}: {refusal}"
    symbols = [[node.get_kind(site.kind_name).symbol for site in node.sites] for node in inputs["structures"].values()]
    checkpoint = inputs.get("checkpoint")
    return validate_domain(checkpoint, symbols) if checkpoint is not None else None
