"""``ion.quantumespresso_single_point``: energy, forces and stress of one configuration by Quantum ESPRESSO's pw.x."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from aiida.common import datastructures, folders
from aiida.engine import CalcJob, ExitCode

from aiida_ion.calculations.dft.level import pw_fingerprint
from aiida_ion.calculations.dft.single_point import define_point_ports, point_outputs
from aiida_ion.calculations.quantumespresso.job import define_pw_ports, pw_job, write_pw_input
from aiida_ion.calculations.quantumespresso.parser import PwParser
from aiida_ion.calculations.quantumespresso.relax import validate_inputs
from aiida_ion.calculations.script import UNREADABLE, read_hardware, seconds_allowed
from aiida_ion.dft.pw.input import single_point_namelists
from aiida_ion.dft.single_point import of_pw

STEMS = ("scf",)


class QuantumEspressoSinglePointCalculation(CalcJob):
    """Energy, forces and stress of one configuration with pw.x."""

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare the single point and the electrons."""
        super().define(spec)
        define_point_ports(spec)
        define_pw_ports(spec)
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.quantumespresso_single_point"
        spec.inputs.validator = validate_inputs

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Write the input."""
        inputs = self.inputs
        sites = inputs.structure.sites
        allowed = seconds_allowed(inputs.metadata.options.get("max_wallclock_seconds"))
        namelists = single_point_namelists(inputs.namelists.get_dict(), len(sites), allowed)
        positions = [site.position for site in sites]
        pseudos = write_pw_input(inputs, folder, f"{STEMS[0]}.in", namelists, positions)
        return pw_job(inputs, folder, STEMS, pseudos)


class QuantumEspressoSinglePointParser(PwParser):
    """Reads energy, forces and stress."""

    def parse(self, retrieved_temporary_folder: str | None = None, **_: Any) -> ExitCode | None:
        """Attach the point."""
        folder = Path(retrieved_temporary_folder or "")
        try:
            run = self.read_runs(folder, STEMS)[0]
            problem = self.mpi_problem_of([run])
            if problem is not None:
                return self.exit_code("ERROR_MPI_FAILED", problem)
            point = of_pw(run, self.errors(STEMS)[0])
        except UNREADABLE as error:
            return self.exit_code("ERROR_OUTPUT_UNREADABLE", str(error))
        if point.versions:
            point = replace(point, versions=point.versions | pw_fingerprint(self.node.inputs))
        if point.cost:
            point = replace(point, cost=point.cost | {"hardware": read_hardware(folder)})
        for name, node in point_outputs(point).items():
            self.out(name, node)
        if point.status in (None, "walltime"):
            return self.exit_code("ERROR_OUT_OF_WALLTIME_NO_RESTART", point.message)
        return self.exit_code_of_status({"status": point.status, "message": point.message})
