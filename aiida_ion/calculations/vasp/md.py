"""``ion.vasp_md``: the MD interface on VASP, one segment a job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from aiida.common import datastructures, folders
from aiida.engine import ExitCode

from aiida_ion.calculations.dft.md import as_md_run, dft_symbols_and_masses, start, validate_dft_md_inputs
from aiida_ion.calculations.md import EARLY, MdRun, define_md_ports, early_exit, md_outputs
from aiida_ion.calculations.script import UNREADABLE, seconds_allowed
from aiida_ion.calculations.vasp.job import (
    VaspParser,
    define_vasp_ports,
    masses_of_blocks,
    site_groups,
    validate_vasp_inputs,
    vasp_job,
    write_vasp_inputs,
)
from aiida_ion.dft.steps import DftRun
from aiida_ion.dft.vasp.input import md_tags
from aiida_ion.dft.vasp.output import Start
from aiida_ion.dft.vasp.runs import VaspMd, read_md
from aiida_ion.endings import Ending
from aiida_ion.places.job import PlacedJob
from aiida_ion.settings.md import MdSettings

THERMOSTATS = ("csvr", "nose_hoover", "langevin")
#: Array of a state: the velocities in POSCAR with which VASP continues as if it had not stopped.
RESTART_VELOCITIES = "poscar_velocities_A_fs"


class VaspMdCalculation(PlacedJob):
    """Molecular dynamics with VASP, started from explicit positions and velocities."""

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare the MD interface and VASP's own inputs."""
        super().define(spec)
        define_md_ports(spec)
        define_vasp_ports(spec)
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.vasp_md"
        spec.inputs.validator = validate_inputs

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Write the four input files of VASP; the POSCAR that is stored is the one that is run."""
        inputs = self.inputs
        settings = MdSettings.from_dict(inputs.parameters.get_dict())
        begin = vasp_start(inputs, settings)
        tags = md_tags(
            settings,
            masses=masses_of_blocks(inputs.structure),
            n_atoms=len(inputs.structure.sites),
            first_vector_A=float(np.linalg.norm(inputs.structure.cell[0])),
            first_step=begin.step,
        )
        write_vasp_inputs(folder, inputs, tags, begin.positions, begin.velocities)
        return vasp_job(inputs, seconds_allowed(inputs.metadata.options.get("max_wallclock_seconds")))


class VaspMdParser(VaspParser):
    """Reads the output of VASP, also of a run that was stopped or killed."""

    def parse(self, retrieved_temporary_folder: str | None = None, **_: Any) -> ExitCode | None:
        """Attach all results, then return how the run ended."""
        inputs = self.node.inputs
        settings = MdSettings.from_dict(inputs.parameters.get_dict())
        files, begin = self.files(retrieved_temporary_folder), vasp_start(inputs, settings)
        if not self.keep_log(files):
            return self.exit_code_of_ending(self.ending())
        problem = self.validate_mpi(files.outcar.get("mpi_ranks"))
        if problem is not None:
            return self.exit_code("ERROR_MPI_FAILED", problem)
        symbols, masses = dft_symbols_and_masses(inputs.structure)
        charges = inputs.charges.get_dict() if "charges" in inputs else {}
        try:
            read = read_md(files, begin, settings)
            result = replace(read.run, cost=self.cost(files), versions=read.run.versions | self.provenance())
            run = as_md_run(result, settings, symbols, masses, charges, begin.step)
            run = without_repeated_frames(_with_restart(run, read), result, begin.step)
            outputs = md_outputs(run, symbols, settings)
        except UNREADABLE as error:
            return self.exit_code("ERROR_OUTPUT_UNREADABLE", str(error))
        for name, node in outputs.items():
            self.out(name, node)
        if run.status in EARLY:
            return early_exit(self, begin.step, run, Ending(run.status, run.message))
        return self.exit_code_of_status({"status": run.status, "message": run.message})


def vasp_start(inputs: Any, settings: MdSettings) -> Start:
    """Return what a job starts from; its velocities are those for POSCAR.

    A state of VASP knows whose time they have to be; one of another engine, and a first segment, give those of the
    step itself, which a leap-frog integrator takes for those of half a step before.
    """
    masses = dft_symbols_and_masses(inputs.structure)[1]
    positions, velocities, step = start(inputs, masses, settings)
    if "restart_from" in inputs and RESTART_VELOCITIES in inputs.restart_from.get_arraynames():
        velocities = inputs.restart_from.get_array(RESTART_VELOCITIES)
    return Start(positions, velocities, step, site_groups(inputs.structure).inverse, masses)


def _with_restart(run: MdRun, read: VaspMd) -> MdRun:
    """Return a run whose state VASP can continue; one that exploded ends before its last step."""
    steps, velocities = read.run.steps, read.restart_velocities
    if steps is None or velocities is None or int(run.state["step"]) != steps.first_step + len(steps) - 1:
        return run
    return replace(run, state={**run.state, RESTART_VELOCITIES: velocities})


def without_repeated_frames(run: MdRun, dft_run: DftRun, first_step: int) -> MdRun:
    """Return a run without frames if it will be repeated, so that none is written twice."""
    if dft_run.status != "scf_not_converged" or (run.state and int(run.state["step"]) > first_step):
        return run
    nothing: Any = np.empty(0)
    return replace(run, steps=nothing, thermo=nothing, state={})


def validate_inputs(inputs: Mapping[str, Any], port: Any) -> str | None:
    """Return what does not match among the inputs; ``None`` if everything does."""
    return validate_dft_md_inputs(inputs, port, THERMOSTATS) or validate_vasp_inputs(inputs)
