"""``ion.quantumespresso_relax``: ions relaxed in the fixed cell by Quantum ESPRESSO's pw.x."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from aiida.common import datastructures, folders
from aiida.engine import ExitCode

from aiida_ion.calculations.dft.level import pw_fingerprint
from aiida_ion.calculations.quantumespresso.job import (
    define_pw_ports,
    pw_job,
    validate_pw_inputs,
    write_pw_input,
)
from aiida_ion.calculations.quantumespresso.parser import PwParser
from aiida_ion.calculations.relax import RELAX_DEFAULTS, define_relax_ports, displacement, relaxation_outputs
from aiida_ion.calculations.script import UNREADABLE, read_hardware, seconds_allowed
from aiida_ion.dft.pw.input import relax_namelists
from aiida_ion.dft.pw.relax_output import PwRelaxation, relaxation
from aiida_ion.places.job import PlacedJob

STEMS = ("relax",)


class QuantumEspressoRelaxCalculation(PlacedJob):
    """Relaxation of the ions in a fixed cell with pw.x."""

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare the relaxation interface and the electrons."""
        super().define(spec)
        define_relax_ports(spec)
        define_pw_ports(spec)
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.quantumespresso_relax"
        spec.inputs.validator = validate_inputs

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Write the input."""
        inputs = self.inputs
        settings = RELAX_DEFAULTS | inputs.parameters.get_dict()
        namelists = relax_namelists(
            inputs.namelists.get_dict(),
            len(inputs.structure.sites),
            max_force_eV_A=float(settings["max_force_eV_A"]),
            max_steps=int(settings["max_steps"]),
            max_seconds=seconds_allowed(inputs.metadata.options.get("max_wallclock_seconds")),
        )
        pseudos = write_pw_input(inputs, folder, f"{STEMS[0]}.in", namelists, _positions(inputs.structure))
        return pw_job(inputs, folder, STEMS, pseudos)


def validate_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return what pw.x would refuse; ``None`` if nothing."""
    return validate_pw_inputs(inputs)


class QuantumEspressoRelaxParser(PwParser):
    """Reads the ionic steps of the relaxation."""

    def parse(self, retrieved_temporary_folder: str | None = None, **_: Any) -> ExitCode | None:
        """Attach the relaxed structure and what changed."""
        structure = self.node.inputs.structure
        settings = RELAX_DEFAULTS | self.node.inputs.parameters.get_dict()
        folder = Path(retrieved_temporary_folder or "")
        before = _positions(structure)
        try:
            run = self.read_runs(folder, STEMS)[0]
            problem = self.mpi_problem_of([run])
            if problem is not None:
                return self.exit_code("ERROR_MPI_FAILED", problem)
            relaxed = relaxation(run, self.errors(STEMS)[0], before, float(settings["max_force_eV_A"]))
        except UNREADABLE as error:
            return self.exit_code("ERROR_OUTPUT_UNREADABLE", str(error))
        results = _results(relaxed, before)
        if relaxed.versions:
            results["versions"] = relaxed.versions | pw_fingerprint(self.node.inputs)
        if relaxed.cost:
            results["cost"] |= {"hardware": read_hardware(folder)}
        for name, node in relaxation_outputs(structure, results).items():
            self.out(name, node)
        if relaxed.status == "killed":
            return self.exit_code("ERROR_OUTPUT_MISSING", relaxed.message)
        if relaxed.status == "walltime":
            return self.exit_code("ERROR_OUT_OF_WALLTIME_NO_RESTART", relaxed.message)
        return self.exit_code_of_status({"status": relaxed.status, "message": relaxed.message})


def _positions(structure: Any) -> Any:
    return np.array([site.position for site in structure.sites])


def _results(relaxed: PwRelaxation, before: Any) -> dict[str, Any]:
    results: dict[str, Any] = {"positions": relaxed.positions, "versions": relaxed.versions, "cost": dict(relaxed.cost)}
    if relaxed.positions is None:
        return results
    drop_eV = relaxed.numbers["initial_energy_eV"] - relaxed.numbers["final_energy_eV"]
    return (
        results
        | relaxed.numbers
        | displacement(before, relaxed.positions)
        | {"energy_drop_eV_atom": drop_eV / len(before)}
    )
