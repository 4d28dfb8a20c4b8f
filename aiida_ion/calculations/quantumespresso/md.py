"""``ion.quantumespresso_md``: the MD interface on Quantum ESPRESSO's pw.x."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from aiida.common import datastructures, folders
from aiida.engine import ExitCode

from aiida_ion.calculations.dft.level import pw_fingerprint
from aiida_ion.calculations.dft.md import as_md_run, dft_symbols_and_masses, start, validate_dft_md_inputs
from aiida_ion.calculations.md import EARLY, define_md_ports, early_exit, md_outputs
from aiida_ion.calculations.quantumespresso.job import (
    define_pw_ports,
    pw_job,
    validate_pw_inputs,
    write_pw_input,
)
from aiida_ion.calculations.quantumespresso.parser import PwParser
from aiida_ion.calculations.script import UNREADABLE, read_hardware, seconds_allowed
from aiida_ion.dft.pw.input import md_namelists
from aiida_ion.dft.pw.md_output import md_run
from aiida_ion.dft.steps import DftRun
from aiida_ion.endings import Ending
from aiida_ion.places.job import PlacedJob
from aiida_ion.settings.md import MdSettings

#: pw.x has stochastic velocity rescaling (``svr``), and no Nose-Hoover.
THERMOSTATS = ("csvr",)


class QuantumEspressoMdCalculation(PlacedJob):
    """Born-Oppenheimer molecular dynamics with pw.x, from explicit positions and velocities."""

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare the MD interface and the electrons."""
        super().define(spec)
        define_md_ports(spec)
        define_pw_ports(spec)
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.quantumespresso_md"
        spec.inputs.validator = validate_inputs

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Write the input of each run."""
        inputs = self.inputs
        settings = MdSettings.from_dict(inputs.parameters.get_dict())
        _, masses = dft_symbols_and_masses(inputs.structure)
        positions, velocities, first_step = start(inputs, masses, settings)
        allowed = seconds_allowed(inputs.metadata.options.get("max_wallclock_seconds"))
        stems, pseudos = run_names(settings), []
        runs = md_namelists(inputs.namelists.get_dict(), settings, len(masses), first_step, allowed)
        for stem, namelists in zip(stems, runs, strict=True):
            pseudos = write_pw_input(inputs, folder, f"{stem}.in", namelists, positions, velocities)
        return pw_job(inputs, folder, stems, pseudos)


def run_names(settings: MdSettings) -> tuple[str, ...]:
    """Return the names of the runs of a job: one without thermostat, a first step and the rest with it."""
    return ("md",) if settings.ensemble == "nve" else ("start", "md")


def validate_inputs(inputs: Mapping[str, Any], port: Any) -> str | None:
    """Return what pw.x would refuse, or silently do differently; ``None`` if nothing."""
    problem = validate_dft_md_inputs(inputs, port, THERMOSTATS)
    if problem is not None or inputs.get("parameters") is None:
        return problem
    return validate_pw_inputs(inputs)


class QuantumEspressoMdParser(PwParser):
    """Reads every complete ionic step of pw.x, also if it was killed."""

    def parse(self, retrieved_temporary_folder: str | None = None, **_: Any) -> ExitCode | None:
        """Attach all results, then return how the run ended."""
        inputs = self.node.inputs
        settings = MdSettings.from_dict(inputs.parameters.get_dict())
        symbols, masses = dft_symbols_and_masses(inputs.structure)
        charges = inputs.charges.get_dict() if "charges" in inputs else {}
        try:
            result, first_step = self.read(Path(retrieved_temporary_folder or ""), settings, masses)
            run = as_md_run(result, settings, symbols, masses, charges, first_step)
            outputs = md_outputs(run, symbols, settings)
        except UNREADABLE as error:
            return self.exit_code("ERROR_OUTPUT_UNREADABLE", str(error))
        for name, node in outputs.items():
            self.out(name, node)
        if run.status in EARLY:
            return early_exit(self, first_step, run, Ending(run.status, run.message))
        return self.exit_code_of_status({"status": run.status, "message": run.message})

    def read(self, folder: Path, settings: MdSettings, masses: Any) -> tuple[DftRun, int]:
        """Return the results of the job, and the step at which it started."""
        inputs, stems = self.node.inputs, run_names(settings)
        positions, _, first_step = start(inputs, masses, settings)
        runs = self.read_runs(folder, stems)
        problem = self.mpi_problem_of(runs)
        if problem is not None:
            return DftRun("mpi_failed", problem, None, {}, {}), first_step
        run = md_run(
            runs,
            self.errors(stems),
            start_positions=positions,
            cell=np.array(inputs.structure.cell),
            first_step=first_step,
            n_steps=settings.n_steps,
            constant_energy=settings.ensemble == "nve",
        )
        if run.versions:
            run = replace(run, versions=run.versions | pw_fingerprint(inputs))
        if not run.cost:
            return run, first_step
        return replace(run, cost=run.cost | {"hardware": read_hardware(folder)}), first_step
