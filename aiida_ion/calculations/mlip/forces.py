"""``ion.forces``: energies and forces of stored frames by a potential, many frames in one job."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from aiida import orm
from aiida.common import datastructures, folders
from aiida.engine import ExitCode
from numpy.typing import NDArray

from aiida_ion.calculations.chosen_frames import choose_frames, frame_arrays, validate_trajectories
from aiida_ion.calculations.mlip.job import (
    define_potential_ports,
    potential_inputs,
    stage_checkpoint,
    validate_checkpoint,
    with_fingerprint,
)
from aiida_ion.calculations.mlip.md import load_rows
from aiida_ion.calculations.script import (
    FILENAME_INPUTS,
    UNREADABLE,
    ScriptCalculation,
    ScriptParser,
    define_ledger,
    seconds_allowed,
    write_json,
)

FILENAME_FRAMES = "frames.npz"
FILENAME_PROGRESS = "progress.json"
FORCES_DEFAULTS: dict[str, Any] = {"max_frames": 100, "equilibration_fs": 0.0, "batch_size": None}
FORCES_UNITS = {"forces": "eV/angstrom", "energies": "eV", "steps": "1"}
OUT_OF_TIME = ("walltime", "terminated")


class ForcesCalculation(ScriptCalculation):
    """Energies and forces of the frames of trajectories, by a machine-learning interatomic potential."""

    _program = "forces"

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare potential, trajectories and the forces node."""
        super().define(spec)
        define_potential_ports(spec)
        spec.input_namespace(
            "trajectories",
            valid_type=orm.TrajectoryData,
            dynamic=True,
            help="Segments of one or several runs of the same atoms, in the order of their names: positions and cells "
            "in angstrom, times in ps.",
        )
        spec.input(
            "parameters",
            valid_type=orm.Dict,
            default=lambda: orm.Dict({}),
            validator=validate_forces_parameters,
            help="`max_frames` (100), spread evenly over all segments; `equilibration_fs` (0), the time of each run "
            "that is left out; `batch_size`, the most frames at a time (chosen by the number of atoms and the device).",
        )
        spec.output(
            "forces",
            valid_type=orm.ArrayData,
            required=False,
            help="`forces` (n, N, 3), eV/angstrom; `energies` (n,), eV; for each frame its `steps`, its `segment` (an "
            "index into the attribute `segments`) and its index there, `frames`.",
        )
        define_ledger(spec)
        spec.exit_code(
            400,
            "ERROR_OUT_OF_WALLTIME",
            message="The run stopped early; the frames it had done are in its output: {detail}",
            invalidates_cache=True,  # with more time the same inputs give more frames
        )
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.forces"
        spec.inputs.validator = validate_inputs

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Write the chosen frames, and which they are."""
        inputs = self.inputs
        settings = FORCES_DEFAULTS | inputs.parameters.get_dict()
        frames = choose_frames(inputs.trajectories, settings["max_frames"], settings["equilibration_fs"])
        options = inputs.metadata.options
        write_json(
            folder,
            FILENAME_INPUTS,
            {
                "potential": potential_inputs(inputs, options),
                "batch_size": settings["batch_size"],
                "max_seconds": seconds_allowed(options.get("max_wallclock_seconds")),
                "frames": frames,
            },
        )
        np.savez(folder.get_abs_path(FILENAME_FRAMES), **frame_arrays(inputs.trajectories, frames))  # type: ignore[arg-type]
        # The progress first: where the program still writes, the arrays then hold all that it counts.
        temporary = [FILENAME_PROGRESS, "forces.npy", "energies.npy"]
        info = self.describe(folder, temporary, excluded=(FILENAME_FRAMES,))
        stage_checkpoint(info, inputs)
        return info


class ForcesParser(ScriptParser):
    """Turns the arrays of the program into one node, also those of a job that was killed."""

    def parse(self, retrieved_temporary_folder: str | None = None, **_: Any) -> ExitCode | None:
        """Attach the frames that are done, then say how the job ended."""
        try:
            results = self.read_results()
            arrays = read_forces(Path(retrieved_temporary_folder or ""), results)
            has_frames = len(arrays["energies"]) > 0
            if has_frames:
                self.out("forces", self._forces_node(arrays, results or {}))
        except UNREADABLE as error:
            return self.exit_code("ERROR_OUTPUT_UNREADABLE", str(error))
        self.attach_ledger(with_fingerprint(self.node.inputs, results or {}))
        if results is None:
            ending = self.ending()
            if has_frames:
                return self.exit_code("ERROR_OUT_OF_WALLTIME", ending.message)
            return self.exit_code_of_ending(ending)
        if results["status"] in OUT_OF_TIME and not has_frames:
            return self.exit_code("ERROR_OUT_OF_WALLTIME_NO_RESTART", str(results.get("message")))
        return self.exit_code_of_status(results)

    def _forces_node(self, arrays: Mapping[str, NDArray[Any]], results: Mapping[str, Any]) -> orm.ArrayData:
        frames = json.loads(self.node.base.repository.get_object_content(FILENAME_INPUTS, "r"))["frames"]
        node = forces_node(self.node.inputs.trajectories, frames, arrays)
        settings = FORCES_DEFAULTS | self.node.inputs.parameters.get_dict()
        attributes = {name: results.get(name) for name in ("batch_size", "evaluated_by")}
        node.base.attributes.set_many({"equilibration_fs": settings["equilibration_fs"]} | attributes)
        return node


def forces_node(
    trajectories: Mapping[str, orm.TrajectoryData], frames: list[Any], arrays: Mapping[str, NDArray[Any]]
) -> orm.ArrayData:
    """Return energies and forces as an unstored node, in the order of the trajectories.

    :param trajectories: segments by name.
    :param frames: segment and index of each frame, in the order in which they were evaluated.
    :param arrays: ``forces`` (n, N, 3), eV/angstrom, and ``energies`` (n,), eV, of the first n of these frames.
    """
    segments = sorted(trajectories)
    n_frames = len(arrays["energies"])
    segment = np.array([segments.index(key) for key, _ in frames[:n_frames]])
    index = np.array([frame for _, frame in frames[:n_frames]])
    order = np.lexsort((index, segment))
    segment, index = segment[order], index[order]
    all_steps = [trajectories[key].get_array("steps") for key in segments]
    node = orm.ArrayData()
    node.set_array("forces", np.asarray(arrays["forces"], dtype=np.float32)[order])
    node.set_array("energies", np.asarray(arrays["energies"], dtype=float)[order])
    node.set_array("steps", np.array([all_steps[i][frame] for i, frame in zip(segment, index, strict=True)]))
    node.set_array("segment", segment)
    node.set_array("frames", index)
    symbols = trajectories[segments[0]].base.attributes.get("symbols")
    node.base.attributes.set_many(
        {
            "segments": segments,
            "symbols": symbols,
            "n_frames": n_frames,
            "n_atoms": len(symbols),
            "units": FORCES_UNITS,
        }
    )
    return node


def read_forces(folder: Path, results: Mapping[str, Any] | None) -> dict[str, NDArray[Any]]:
    """Read the rows that are done, in the order in which they were evaluated.

    :param folder: folder with the arrays of the program.
    :param results: content of ``results.json``, ``None`` when the job was killed: then the progress file counts.
    :raises ValueError: if an array is shorter than its count, or has rows that were never written.
    """
    done = int((results or {}).get("n_frames", 0))
    progress = folder / FILENAME_PROGRESS
    if results is None and progress.exists():
        done = int(json.loads(progress.read_text())["step"])
    arrays = {name: load_rows(folder / f"{name}.npy", done) for name in ("forces", "energies")}
    if not done:
        return arrays
    whole = _written(arrays["forces"], arrays["energies"])
    if results is not None and whole < done:
        raise ValueError(f"{done} frames are counted, but those after {whole} were not written")
    return {name: array[:whole] for name, array in arrays.items()}


def _written(forces: NDArray[Any], energies: NDArray[Any]) -> int:
    """Return how many rows from the first were written: before that they hold an energy that is not a number.

    Atoms that do not feel each other have neither energy nor forces, so zeros count where rows with values follow.
    """
    zero = ~forces.any(axis=(1, 2)) & (energies == 0)
    missing = ~np.isfinite(energies) | np.logical_and.accumulate(zero[::-1])[::-1]
    return int(np.argmax(missing)) if missing.any() else len(energies)


def validate_forces_parameters(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with the settings; ``None`` if nothing is."""
    settings = value.get_dict() if value is not None else {}
    unknown = sorted(set(settings) - set(FORCES_DEFAULTS))
    if unknown:
        return f"unknown setting {', '.join(unknown)}; choose from {', '.join(FORCES_DEFAULTS)}"
    settings = FORCES_DEFAULTS | settings
    for name in ("max_frames", "batch_size"):
        number = settings[name]
        if (number is not None or name == "max_frames") and (type(number) is not int or number < 1):
            return f"{name} must be a whole number above zero, got {number!r}"
    time_fs = settings["equilibration_fs"]
    if type(time_fs) not in (int, float) or not 0 <= time_fs < math.inf:
        return f"equilibration_fs must be a number that is not negative, got {time_fs!r}"
    return None


def validate_forces_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return what does not match between trajectories and parameters; ``None`` if everything does."""
    trajectories, parameters = inputs.get("trajectories") or {}, inputs.get("parameters")
    if parameters is None:
        return None
    problem = validate_trajectories(trajectories)
    if problem is not None:
        return problem
    settings = FORCES_DEFAULTS | parameters.get_dict()
    if not choose_frames(trajectories, settings["max_frames"], settings["equilibration_fs"]):
        return f"no frame is as late as equilibration_fs = {settings['equilibration_fs']:g}"
    return None


def validate_inputs(inputs: Mapping[str, Any], port: Any) -> str | None:
    """Return what does not match among trajectories, parameters and potential; ``None`` if everything does."""
    return validate_forces_inputs(inputs, port) or validate_checkpoint(inputs)
