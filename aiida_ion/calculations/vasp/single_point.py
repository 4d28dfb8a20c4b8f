"""``ion.vasp_single_point``: energy, forces and stress of one configuration by VASP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from aiida.common import datastructures, folders
from aiida.engine import CalcJob, ExitCode

from aiida_ion.calculations.dft.md import dft_symbols_and_masses
from aiida_ion.calculations.dft.single_point import define_point_ports, point_outputs
from aiida_ion.calculations.script import UNREADABLE, seconds_allowed
from aiida_ion.calculations.vasp.job import VaspParser, define_vasp_ports, site_groups, vasp_job, write_vasp_inputs
from aiida_ion.calculations.vasp.relax import validate_inputs
from aiida_ion.dft.single_point import of_steps
from aiida_ion.dft.vasp.input import single_point_tags
from aiida_ion.dft.vasp.output import Start
from aiida_ion.dft.vasp.runs import read_relaxation


class VaspSinglePointCalculation(CalcJob):
    """Energy, forces and stress of one configuration with VASP."""

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare the single point and VASP's own inputs."""
        super().define(spec)
        define_point_ports(spec)
        define_vasp_ports(spec)
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.vasp_single_point"
        spec.inputs.validator = validate_inputs

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Write the four files of VASP."""
        inputs = self.inputs
        write_vasp_inputs(folder, inputs, single_point_tags(), [site.position for site in inputs.structure.sites])
        return vasp_job(inputs, seconds_allowed(inputs.metadata.options.get("max_wallclock_seconds")))


class VaspSinglePointParser(VaspParser):
    """Reads energy, forces and stress."""

    def parse(self, retrieved_temporary_folder: str | None = None, **_: Any) -> ExitCode | None:
        """Attach the point."""
        structure = self.node.inputs.structure
        files = self.files(retrieved_temporary_folder)
        if not self.keep_log(files):
            return self.exit_code_of_ending(self.ending())
        problem = self.validate_mpi(files.outcar.get("mpi_ranks"))
        if problem is not None:
            return self.exit_code("ERROR_MPI_FAILED", problem)
        positions = np.array([site.position for site in structure.sites])
        masses, inverse = dft_symbols_and_masses(structure)[1], site_groups(structure).inverse
        try:
            # Whatever its forces, one step is all that there is to do.
            run = read_relaxation(files, Start(positions, np.zeros_like(positions), 0, inverse, masses), np.inf, 1)
            point = of_steps(replace(run, cost=self.cost(files), versions=run.versions | self.provenance()))
        except UNREADABLE as error:
            return self.exit_code("ERROR_OUTPUT_UNREADABLE", str(error))
        for name, node in point_outputs(point).items():
            self.out(name, node)
        if point.status in (None, "walltime"):
            return self.exit_code("ERROR_OUT_OF_WALLTIME_NO_RESTART", point.message)
        return self.exit_code_of_status({"status": point.status, "message": point.message})
