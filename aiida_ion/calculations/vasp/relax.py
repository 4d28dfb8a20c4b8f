"""``ion.vasp_relax``: ions relaxed in the fixed cell by VASP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from aiida import orm
from aiida.common import datastructures, folders
from aiida.engine import ExitCode

from aiida_ion.calculations.dft.md import dft_symbols_and_masses
from aiida_ion.calculations.md import symbols_of
from aiida_ion.calculations.relax import RELAX_DEFAULTS, define_relax_ports, displacement, relaxation_outputs
from aiida_ion.calculations.script import UNREADABLE, seconds_allowed
from aiida_ion.calculations.vasp.job import (
    VaspParser,
    define_vasp_ports,
    site_groups,
    validate_vasp_inputs,
    vasp_job,
    write_vasp_inputs,
)
from aiida_ion.dft.steps import DftRun
from aiida_ion.dft.vasp.input import relax_tags
from aiida_ion.dft.vasp.output import Start
from aiida_ion.dft.vasp.runs import read_relaxation
from aiida_ion.places.job import PlacedJob


class VaspRelaxCalculation(PlacedJob):
    """Relaxation of the ions in the fixed cell with VASP."""

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare the relaxation interface and VASP's own inputs."""
        super().define(spec)
        define_relax_ports(spec)
        define_vasp_ports(spec)
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.vasp_relax"
        spec.inputs.validator = validate_inputs

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Write the four input files of VASP."""
        inputs = self.inputs
        settings = RELAX_DEFAULTS | inputs.parameters.get_dict()
        tags = relax_tags(float(settings["max_force_eV_A"]), int(settings["max_steps"]))
        write_vasp_inputs(folder, inputs, tags, [site.position for site in inputs.structure.sites])
        return vasp_job(inputs, seconds_allowed(inputs.metadata.options.get("max_wallclock_seconds")))


class VaspRelaxParser(VaspParser):
    """Reads the steps of the relaxation and checks their forces."""

    def parse(self, retrieved_temporary_folder: str | None = None, **_: Any) -> ExitCode | None:
        """Attach the relaxed structure and what changed."""
        structure = self.node.inputs.structure
        settings = RELAX_DEFAULTS | self.node.inputs.parameters.get_dict()
        files = self.files(retrieved_temporary_folder)
        if not self.keep_log(files):
            return self.exit_code_of_ending(self.ending())
        problem = self.validate_mpi(files.outcar.get("mpi_ranks"))
        if problem is not None:
            return self.exit_code("ERROR_MPI_FAILED", problem)
        positions = np.array([site.position for site in structure.sites])
        masses, inverse = dft_symbols_and_masses(structure)[1], site_groups(structure).inverse
        begin = Start(positions, np.zeros_like(positions), 0, inverse, masses)
        max_force_eV_A = float(settings["max_force_eV_A"])
        try:
            relaxed = read_relaxation(files, begin, max_force_eV_A, int(settings["max_steps"]))
        except UNREADABLE as error:
            return self.exit_code("ERROR_OUTPUT_UNREADABLE", str(error))
        results = _results(relaxed, max_force_eV_A)
        results |= {"cost": self.cost(files), "versions": relaxed.versions | self.provenance()}
        for name, node in relaxation_outputs(structure, results).items():
            self.out(name, node)
        if relaxed.status in (None, "walltime"):
            label = "ERROR_OUT_OF_WALLTIME" if results.get("n_steps") else "ERROR_OUT_OF_WALLTIME_NO_RESTART"
            return self.exit_code(label, relaxed.message)
        return self.exit_code_of_status({"status": relaxed.status, "message": relaxed.message})


def _results(run: DftRun, max_force_eV_A: float) -> dict[str, Any]:
    """Return the results of the relaxation; empty without a complete step."""
    steps = run.steps
    if steps is None:
        return {}
    largest = np.linalg.norm(steps.forces, axis=2).max(axis=1)
    energy, n_atoms = steps.potential_energy_eV, steps.positions.shape[1]
    return {
        "positions": steps.positions[-1],
        "converged": bool(largest[-1] <= max_force_eV_A),
        "n_steps": len(steps) - 1,
        "energy_drop_eV_atom": float(energy[0] - energy[-1]) / n_atoms,
        "initial_max_force_eV_A": float(largest[0]),
        "final_max_force_eV_A": float(largest[-1]),
        **displacement(steps.positions[0], steps.positions[-1]),
    }


def validate_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return what does not match among the inputs; ``None`` if everything does."""
    structure: orm.StructureData | None = inputs.get("structure")
    try:
        symbols_of(structure) if structure is not None else None
    except ValueError as error:
        return str(error)
    return validate_vasp_inputs(inputs)
