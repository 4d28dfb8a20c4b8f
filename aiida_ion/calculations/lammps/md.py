"""``ion.lammps_md``: the MD interface on LAMMPS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from aiida import orm
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
from aiida_ion.calculations.md import (
    EARLY,
    MdRun,
    define_md_ports,
    early_exit,
    md_outputs,
    start_step,
    symbols_of,
    validate_md_inputs,
)
from aiida_ion.calculations.script import UNREADABLE, ScriptParser, read_hardware, seconds_allowed
from aiida_ion.calculations.watched import define_watch_port, watch_of, watched_pairs
from aiida_ion.endings import Ending
from aiida_ion.lammps import inputs as lammps_inputs
from aiida_ion.lammps.fitted import write_reference
from aiida_ion.lammps.logs import LEFT_TRAINING, read_ranks
from aiida_ion.lammps.outputs import MdOutputs, read_md
from aiida_ion.lammps.structure import masses_of, write_data
from aiida_ion.places.job import PlacedJob
from aiida_ion.settings.md import MdSettings
from aiida_ion.starting_velocities import starting_velocities
from aiida_ion.training.nearest import closest_below
from aiida_ion.units import FS_PER_PS

#: Rounding of stored positions, angstrom.
SINGLE_PRECISION_A = 1e-3


class LammpsMdCalculation(PlacedJob):
    """Molecular dynamics with LAMMPS."""

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare the MD interface and the potential."""
        super().define(spec)
        define_md_ports(spec)
        define_watch_port(spec)
        define_lammps_ports(spec)
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.lammps_md"
        spec.inputs.validator = validate_inputs

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Write the input script and the data file, or the restart file."""
        inputs = self.inputs
        symbols = symbols_of(inputs.structure)
        settings = MdSettings.from_dict(inputs.parameters.get_dict())
        potential = resolve_potential(inputs.potential.get_dict())
        target = Path(folder.get_abs_path("."))
        state = inputs.get("restart_from")
        script = lammps_inputs.write_md_input(
            symbols,
            settings,
            potential,
            inputs.charges.get_dict() if "charges" in inputs else {},
            restart=state is not None,
            max_seconds=seconds_allowed(inputs.metadata.options.get("max_wallclock_seconds")),
            closest_allowed_A=watched_pairs(inputs, symbols),
        )
        (target / lammps_inputs.INPUT).write_text(script)
        if state is not None:
            (target / lammps_inputs.RESTART_IN).write_bytes(state.get_array("restart").tobytes())
        else:
            atoms = inputs.structure.get_ase()
            velocities = self._velocities(symbols, settings)
            data = write_data(atoms.positions, atoms.cell.array, symbols, potential, velocities)
            (target / lammps_inputs.DATA).write_text(data)
        reference = write_reference(target, potential)
        info = lammps_job(inputs, lammps_inputs.INPUT, lammps_inputs.RETRIEVE)
        info.provenance_exclude_list = [lammps_inputs.DATA, lammps_inputs.RESTART_IN, *reference]
        return info

    def _velocities(self, symbols: list[str], settings: MdSettings) -> Any:
        if "initial_velocities" in self.inputs:
            return self.inputs.initial_velocities.get_array("velocities")
        return starting_velocities(masses_of(symbols), settings.temperature_K, settings.seed)


class LammpsMdParser(ScriptParser):
    """Reads dump, thermo and restart files, including those of a run that was killed."""

    def parse(self, retrieved_temporary_folder: str | None = None, **_: Any) -> ExitCode | None:
        """Attach all results, then return how the run ended."""
        inputs = self.node.inputs
        settings = MdSettings.from_dict(inputs.parameters.get_dict())
        first = start_step(inputs)
        problem = self.validate_mpi(read_ranks(self.text(FILENAME_LOG)))
        if problem is not None:
            return self.exit_code("ERROR_MPI_FAILED", problem)
        try:
            result = read_md(
                Path(retrieved_temporary_folder or ""),
                np.array(inputs.structure.cell),
                settings,
                log=self.text(FILENAME_LOG),
                errors=self.error_streams(),
                start_step=first,
                continued="restart_from" in inputs,
            )
            run = as_run(result, read_hardware(Path(retrieved_temporary_folder or "")))
            if run.versions:
                run = replace(run, versions={**run.versions, **lammps_fingerprint(inputs)})
            outputs = md_outputs(run, symbols_of(inputs.structure), settings, watch_of(inputs))
        except UNREADABLE as error:
            return self.exit_code("ERROR_OUTPUT_UNREADABLE", str(error))
        for name, node in outputs.items():
            self.out(name, node)
        if result.status in EARLY:
            return early_exit(self, first, run, Ending(result.status, result.message))
        message = explained(result.status, result.message, inputs)
        if result.status == LEFT_TRAINING:
            message = left_training(run, symbols_of(inputs.structure), inputs, settings.timestep_fs)
        return self.exit_code_of_status({"status": result.status, "message": message})


def left_training(run: MdRun, symbols: list[str], inputs: Any, timestep_fs: float) -> str:
    """Return which pair of the last frame is below its bound, its distance and bound, and when it was."""
    pairs = watched_pairs(inputs, symbols)
    # LAMMPS compares with double precision what is stored with single precision.
    bounds_A = {name: bound + SINGLE_PRECISION_A for name, bound in pairs.items()}
    cell = run.cells if run.cells.ndim == 2 else run.cells[-1]
    seen = closest_below(symbols, run.positions[-1], cell, bounds_A)
    step = int(run.steps[-1])
    when = f"at step {step} ({step * timestep_fs / FS_PER_PS:.4g} ps)"
    if seen is None:
        return f"{run.message} ({when})"
    return f"{seen._replace(bound_A=pairs[seen.pair])}, {when}"


def as_run(outputs: MdOutputs, hardware: str | None) -> MdRun:
    """Return the results of LAMMPS as those of the MD interface."""
    cost = {key: value for key, value in outputs.cost.items() if value is not None}
    return MdRun(
        status=outputs.status,
        message=outputs.message,
        steps=outputs.steps,
        positions=outputs.positions,
        cells=outputs.cells,
        thermo=outputs.thermo,
        state=outputs.state,
        extra=outputs.extra,
        cost=cost | {"hardware": hardware} if "wall_time_s" in cost else {},
        versions=outputs.versions,
    )


def validate_inputs(inputs: Mapping[str, Any], port: Any) -> str | None:
    """Return what does not match among the inputs; ``None`` if everything does."""
    problem = validate_md_inputs(inputs, port)
    if problem is not None or inputs.get("structure") is None or inputs.get("potential") is None:
        return problem
    state: orm.ArrayData | None = inputs.get("restart_from")
    if state is not None and "restart" not in state.get_arraynames():
        return "restart_from is the state of another engine; give its positions and velocities as a new start instead"
    settings = MdSettings.from_dict(inputs["parameters"].get_dict())
    if settings.ensemble == "npt" and resolve_potential(inputs["potential"].get_dict()).fixed_cell:
        return "the stress of this potential was not fitted: run nve or nvt in the cell of its frames, not npt"
    return validate_lammps_inputs(inputs, symbols_of(inputs["structure"]), inputs["structure"])
