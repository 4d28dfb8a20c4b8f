"""``ion.lammps_relax``: ions relaxed in the fixed cell by LAMMPS."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from aiida.common import datastructures, folders
from aiida.engine import ExitCode

from aiida_ion.calculations.lammps.job import (
    FILENAME_LOG,
    define_lammps_ports,
    explained,
    lammps_fingerprint,
    lammps_job,
    resolve_potential,
    validate_lammps_inputs,
)
from aiida_ion.calculations.lammps.md import LammpsMdParser
from aiida_ion.calculations.md import symbols_of
from aiida_ion.calculations.relax import RELAX_DEFAULTS, define_relax_ports, displacement, relaxation_outputs
from aiida_ion.calculations.script import UNREADABLE, read_hardware
from aiida_ion.lammps import inputs as lammps_inputs
from aiida_ion.lammps.fitted import write_reference
from aiida_ion.lammps.logs import read_ranks
from aiida_ion.lammps.outputs import read_relax
from aiida_ion.lammps.structure import write_data
from aiida_ion.places.job import PlacedJob


class LammpsRelaxCalculation(PlacedJob):
    """Relaxation of the ions in a fixed cell with LAMMPS."""

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare the relaxation interface and the potential."""
        super().define(spec)
        define_relax_ports(spec)
        define_lammps_ports(spec)
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.lammps_relax"
        spec.inputs.validator = validate_inputs

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Write the input script and the data file."""
        inputs = self.inputs
        symbols = symbols_of(inputs.structure)
        potential = resolve_potential(inputs.potential.get_dict())
        settings = RELAX_DEFAULTS | inputs.parameters.get_dict()
        target = Path(folder.get_abs_path("."))
        script = lammps_inputs.write_relax_input(
            symbols,
            potential,
            max_force_eV_A=float(settings["max_force_eV_A"]),
            max_steps=int(settings["max_steps"]),
        )
        (target / lammps_inputs.RELAX_INPUT).write_text(script)
        atoms = inputs.structure.get_ase()
        (target / lammps_inputs.DATA).write_text(write_data(atoms.positions, atoms.cell.array, symbols, potential))
        reference = write_reference(target, potential)
        info = lammps_job(inputs, lammps_inputs.RELAX_INPUT, lammps_inputs.RELAX_RETRIEVE)
        info.provenance_exclude_list = [lammps_inputs.DATA, *reference]
        return info


class LammpsRelaxParser(LammpsMdParser):
    """Reads the two dumps of the relaxation."""

    def parse(self, retrieved_temporary_folder: str | None = None, **_: Any) -> ExitCode | None:
        """Attach the relaxed structure and what changed."""
        structure = self.node.inputs.structure
        settings = RELAX_DEFAULTS | self.node.inputs.parameters.get_dict()
        folder = Path(retrieved_temporary_folder or "")
        problem = self.validate_mpi(read_ranks(self.text(FILENAME_LOG)))
        if problem is not None:
            return self.exit_code("ERROR_MPI_FAILED", problem)
        try:
            relaxed = read_relax(
                folder,
                np.array(structure.cell),
                log=self.text(FILENAME_LOG),
                errors=self.error_streams(),
                max_force_eV_A=float(settings["max_force_eV_A"]),
            )
        except UNREADABLE as error:
            return self.exit_code("ERROR_OUTPUT_UNREADABLE", str(error))
        results: dict[str, Any] = {
            "positions": relaxed.get("final_positions"),
            "versions": {**relaxed["versions"], **lammps_fingerprint(self.node.inputs)} if relaxed["versions"] else {},
            "cost": {key: value for key, value in relaxed["cost"].items() if value is not None}
            | {"hardware": read_hardware(folder)},
        }
        if results["positions"] is not None:
            n_atoms = len(results["positions"])
            results |= displacement(relaxed["initial_positions"], relaxed["final_positions"]) | {
                "energy_drop_eV_atom": (relaxed["initial_energy_eV"] - relaxed["final_energy_eV"]) / n_atoms,
                "initial_max_force_eV_A": relaxed["initial_max_force_eV_A"],
                "final_max_force_eV_A": relaxed["final_max_force_eV_A"],
                "n_steps": relaxed["n_iterations"],
                "converged": bool(relaxed["converged"]),
            }
        for name, node in relaxation_outputs(structure, results).items():
            self.out(name, node)
        message = explained(relaxed["status"], relaxed["message"], self.node.inputs)
        return self.exit_code_of_status(relaxed | {"message": message})


def validate_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return what does not match between structure and potential; ``None`` if everything does."""
    structure = inputs.get("structure")
    if structure is None or inputs.get("potential") is None:
        return None
    try:
        symbols = symbols_of(structure)
    except ValueError as error:
        return str(error)
    return validate_lammps_inputs(inputs, symbols, structure)
