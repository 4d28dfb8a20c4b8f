"""``ion.lammps_forces``: energies and forces of stored frames by LAMMPS, with the ports of ``ion.forces``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from aiida import orm
from aiida.common import datastructures, folders
from aiida.engine import ExitCode

from aiida_ion.calculations.chosen_frames import choose_frames, frame_arrays
from aiida_ion.calculations.lammps.job import (
    FILENAME_LOG,
    define_lammps_ports,
    explained,
    lammps_fingerprint,
    lammps_job,
    resolve_potential,
    validate_lammps_inputs,
)
from aiida_ion.calculations.mlip.forces import (
    FORCES_DEFAULTS,
    ForcesCalculation,
    ForcesParser,
    validate_forces_inputs,
    validate_forces_parameters,
)
from aiida_ion.calculations.script import (
    FILENAME_INPUTS,
    STATUS_EXIT_CODES,
    UNREADABLE,
    read_hardware,
    seconds_allowed,
    write_json,
)
from aiida_ion.calculations.trajectory_analysis import symbols_of_segments
from aiida_ion.lammps import rerun
from aiida_ion.lammps.fitted import write_reference
from aiida_ion.lammps.inputs import DATA
from aiida_ion.lammps.logs import read_ranks
from aiida_ion.lammps.structure import write_data
from aiida_ion.places.job import PlacedJob


class LammpsForcesCalculation(PlacedJob):
    """Energies and forces of the frames of trajectories, by LAMMPS."""

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare the ports of ``ion.forces``, with a potential of LAMMPS."""
        super().define(spec)
        spec.expose_inputs(ForcesCalculation, include=("trajectories",))
        spec.input(
            "parameters",
            valid_type=orm.Dict,
            default=lambda: orm.Dict({}),
            validator=validate_parameters,
            help="`max_frames` (100), spread evenly over all segments; `equilibration_fs` (0), the time of each run "
            "that is left out. LAMMPS takes one frame at a time: a `batch_size` is refused.",
        )
        define_lammps_ports(spec)
        spec.expose_outputs(ForcesCalculation, include=("forces", "cost", "versions"))
        early = ForcesCalculation.spec().exit_codes["ERROR_OUT_OF_WALLTIME"]
        spec.exit_code(early.status, "ERROR_OUT_OF_WALLTIME", message=early.message, invalidates_cache=True)
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.lammps_forces"
        spec.inputs.validator = validate_inputs

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Write the chosen frames, which they are, and the input script."""
        inputs = self.inputs
        settings = FORCES_DEFAULTS | inputs.parameters.get_dict()
        frames = choose_frames(inputs.trajectories, settings["max_frames"], settings["equilibration_fs"])
        arrays = frame_arrays(inputs.trajectories, frames)
        positions, cells = arrays["positions"], arrays["cells"]
        symbols = symbols_of_segments(inputs.trajectories)
        potential = resolve_potential(inputs.potential.get_dict())
        seconds = seconds_allowed(inputs.metadata.options.get("max_wallclock_seconds"))
        target = Path(folder.get_abs_path("."))
        write_json(folder, FILENAME_INPUTS, {"frames": frames})
        (target / DATA).write_text(write_data(positions[0], cells[0], symbols, potential))
        (target / rerun.RERUN_INPUT).write_text(rerun.write_rerun_input(symbols, potential, cells, max_seconds=seconds))
        with (target / rerun.RERUN_FRAMES).open("w") as stream:
            rerun.write_frames(stream, symbols, potential, positions, cells)
        reference = write_reference(target, potential)
        info = lammps_job(inputs, rerun.RERUN_INPUT, rerun.RERUN_RETRIEVE)
        # The frames are in the trajectories already.
        info.provenance_exclude_list = [DATA, rerun.RERUN_FRAMES, *reference]
        return info


class LammpsForcesParser(ForcesParser):
    """Turns the dump of the forces and the energies of the log into one node, also those of a job that was killed."""

    def parse(self, retrieved_temporary_folder: str | None = None, **_: Any) -> ExitCode | None:
        """Attach the frames that are done, then say how the job ended."""
        folder = Path(retrieved_temporary_folder or "")
        problem = self.validate_mpi(read_ranks(self.text(FILENAME_LOG)))
        if problem is not None:
            return self.exit_code("ERROR_MPI_FAILED", problem)
        try:
            rerun_result = rerun.read_rerun(
                folder, self._cells(), log=self.text(FILENAME_LOG), errors=self.error_streams()
            )
            if len(rerun_result["energies"]):
                attributes = {"batch_size": 1, "evaluated_by": "lammps_rerun"}
                self.out("forces", self._forces_node(rerun_result, attributes))
        except UNREADABLE as error:
            return self.exit_code("ERROR_OUTPUT_UNREADABLE", str(error))
        cost = {name: value for name, value in rerun_result["cost"].items() if value is not None}
        if "wall_time_s" in cost:
            self.out("cost", orm.Dict(cost | {"hardware": read_hardware(folder)}))
        if rerun_result["versions"]:
            self.out("versions", orm.Dict({**rerun_result["versions"], **lammps_fingerprint(self.node.inputs)}))
        return self._ending(rerun_result)

    def _cells(self) -> Any:
        content = self.node.base.repository.get_object_content(FILENAME_INPUTS, "r")
        return frame_arrays(self.node.inputs.trajectories, json.loads(content)["frames"])["cells"]

    def _ending(self, rerun_result: Mapping[str, Any]) -> ExitCode | None:
        early = STATUS_EXIT_CODES.get(rerun_result["status"]) == "ERROR_OUT_OF_WALLTIME"
        if early and not len(rerun_result["energies"]):
            if not self.text(FILENAME_LOG):
                return self.exit_code_of_ending(self.ending())
            return self.exit_code("ERROR_OUT_OF_WALLTIME_NO_RESTART", rerun_result["message"])
        if rerun_result["status"] == "finished" and not all(
            np.isfinite(rerun_result[name]).all() for name in ("forces", "energies")
        ):
            return self.exit_code("ERROR_PROGRAM_FAILED", "an energy or a force is not a finite number")
        message = explained(rerun_result["status"], rerun_result["message"], self.node.inputs)
        return self.exit_code_of_status({**rerun_result, "message": message})


def validate_parameters(value: orm.Dict | None, port: Any) -> str | None:
    """Return what is wrong with the settings; ``None`` if nothing is."""
    problem = validate_forces_parameters(value, port)
    if problem is None and value is not None and value.get_dict().get("batch_size") is not None:
        return "LAMMPS takes one frame at a time: leave batch_size out"
    return problem


def validate_inputs(inputs: Mapping[str, Any], port: Any) -> str | None:
    """Return what does not fit together among trajectories, parameters and potential."""
    problem = validate_forces_inputs(inputs, port)
    if problem is not None or not inputs.get("trajectories") or inputs.get("potential") is None:
        return problem
    return validate_lammps_inputs(inputs, symbols_of_segments(inputs["trajectories"]))
