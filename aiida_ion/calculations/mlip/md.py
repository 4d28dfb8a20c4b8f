"""``ion.mlip_md``: molecular dynamics with any ASE calculator, in the Python of the engine's environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from aiida import orm
from aiida.common import datastructures, folders
from aiida.engine import ExitCode
from numpy.typing import NDArray

from aiida_ion.calculations.md import (
    MdRun,
    define_md_ports,
    early_exit,
    md_outputs,
    start_step,
    symbols_of,
    validate_md_inputs,
)
from aiida_ion.calculations.mlip.job import (
    define_potential_ports,
    potential_inputs,
    stage_checkpoint,
    structure_json,
    validate_checkpoint,
    with_fingerprint,
)
from aiida_ion.calculations.script import (
    FILENAME_INPUTS,
    UNREADABLE,
    ScriptCalculation,
    ScriptParser,
    seconds_allowed,
    write_json,
)
from aiida_ion.calculations.trajectory_data import state_arrays
from aiida_ion.calculations.watched import define_watch_port, watch_of, watched_pairs
from aiida_ion.endings import Ending
from aiida_ion.settings.md import MdSettings

FILENAME_RESTART = "restart.npz"
FILENAME_VELOCITIES = "initial_velocities.npy"
#: Statuses after which a run is not continued, so all of its frames count.
ENDS = ("finished", "exploded", "left_training")
#: Large files: parsed into nodes and then dropped, so that there is one copy. The restart file comes first:
#: if the program still writes while its files are copied, the arrays then have all rows that it counts.
TEMPORARY_FILES = [
    FILENAME_RESTART,
    "positions.npy",
    "steps.npy",
    "cells.npy",
    "velocities.npy",
    "forces.npy",
    "thermo.npy",
]


class MlipMdCalculation(ScriptCalculation):
    """Molecular dynamics with a machine-learning interatomic potential or any other ASE calculator."""

    _program = "md"

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare the MD interface and the potential."""
        super().define(spec)
        define_md_ports(spec)
        define_watch_port(spec)
        define_potential_ports(spec)
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.mlip_md"
        spec.inputs.validator = validate_inputs

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Write inputs, structure and, for a continuation, the restart file."""
        inputs = self.inputs
        symbols = symbols_of(inputs.structure)
        options = inputs.metadata.options
        write_json(
            folder,
            FILENAME_INPUTS,
            {
                "md": MdSettings.from_dict(inputs.parameters.get_dict()).to_dict(),
                "potential": potential_inputs(inputs, options),
                "charges": inputs.charges.get_dict() if "charges" in inputs else {},
                "closest_allowed_A": watched_pairs(inputs, symbols),
                "max_seconds": seconds_allowed(options.get("max_wallclock_seconds")),
            },
        )
        write_json(folder, "structure.json", structure_json(inputs.structure))
        if "restart_from" in inputs:
            np.savez(folder.get_abs_path(FILENAME_RESTART), **state_arrays(inputs.restart_from))  # type: ignore[arg-type]
        if "initial_velocities" in inputs:
            velocities = inputs.initial_velocities.get_array("velocities")
            np.save(folder.get_abs_path(FILENAME_VELOCITIES), velocities)
        info = self.describe(
            folder, TEMPORARY_FILES, excluded=("structure.json", FILENAME_RESTART, FILENAME_VELOCITIES)
        )
        stage_checkpoint(info, inputs)
        return info


def validate_inputs(inputs: Mapping[str, Any], port: Any) -> str | None:
    """Return what does not match among the inputs; ``None`` if everything does."""
    return validate_md_inputs(inputs, port) or validate_checkpoint(inputs)


class MlipMdParser(ScriptParser):
    """Reads the arrays of the runner, including those of a run that was killed."""

    def parse(self, retrieved_temporary_folder: str | None = None, **_: Any) -> ExitCode | None:
        """Attach all results, then return how the run ended."""
        settings = MdSettings.from_dict(self.node.inputs.parameters.get_dict())
        try:
            results = self.read_results()
            folder, first = Path(retrieved_temporary_folder or ""), start_step(self.node.inputs)
            run = read_run(folder, results, self.node.inputs.structure, first)
            run = replace(run, versions=with_fingerprint(self.node.inputs, results or {}).get("versions", {}))
            outputs = md_outputs(run, symbols_of(self.node.inputs.structure), settings, watch_of(self.node.inputs))
        except UNREADABLE as error:
            return self.exit_code("ERROR_OUTPUT_UNREADABLE", str(error))
        for name, node in outputs.items():
            self.out(name, node)
        if results is not None and results["status"] != "disk_full":
            return self.exit_code_of_status(results)
        ending = self.ending() if results is None else Ending("disk_full", "")
        message = "; ".join(filter(None, (run.message, ending.message)))
        return early_exit(self, first, run, replace(ending, message=message))


def read_run(folder: Path, results: dict[str, Any] | None, structure: orm.StructureData, first_step: int = 0) -> MdRun:
    """Read the results of a run from its folder.

    Of a run that will be continued, rows up to the restart file count: later frames will be written again.

    :param folder: folder with the arrays of the runner.
    :param results: content of ``results.json``, ``None`` when the run was killed.
    :param structure: the structure that was simulated, for its cell.
    :param first_step: step at which the run started.
    :raises ValueError: if an array is shorter than its count, or has rows that were never written.
    """
    ended = results is not None and results["status"] in ENDS
    state = _load_state(folder / FILENAME_RESTART)
    if state and int(state["start_step"]) != first_step:
        state = {}  # the file that the job was given: the run ended before it wrote its own
    run = _read_arrays(folder, results, structure, results if ended and results is not None else state)
    fault = validate_rows(run)
    if fault is None:
        return replace(run, state=state)
    if ended:
        raise ValueError(fault)
    # Incomplete arrays cannot be continued without a gap: the run counts as one without progress, and is repeated.
    nothing = _read_arrays(folder, results, structure, {})
    return replace(nothing, message=f"{run.message} {fault}".strip())


def _read_arrays(
    folder: Path, results: dict[str, Any] | None, structure: orm.StructureData, counts: Mapping[str, Any]
) -> MdRun:
    """Read the rows that count; see :func:`read_run`."""
    n_frames, n_thermo = int(counts.get("n_frames", 0)), int(counts.get("n_thermo", 0))
    has_cells = (folder / "cells.npy").exists()
    known = results or {}
    return MdRun(
        status=known.get("status"),
        message=str(known.get("message", "")),
        steps=load_rows(folder / "steps.npy", n_frames),
        positions=load_rows(folder / "positions.npy", n_frames),
        cells=load_rows(folder / "cells.npy", n_frames) if has_cells else np.array(structure.cell),
        thermo=load_rows(folder / "thermo.npy", n_thermo),
        state={},
        extra={
            name: load_rows(folder / f"{name}.npy", n_frames)
            for name in ("velocities", "forces")
            if (folder / f"{name}.npy").exists()
        },
        cost=known.get("cost", {}),
        versions=known.get("versions", {}),
    )


def validate_rows(run: MdRun) -> str | None:
    """Return why rows are not those of a run: what was not yet written when the file was read is zero."""
    for name, steps in (("frames", run.steps), ("thermodynamic rows", run.thermo["step"] if len(run.thermo) else [])):
        if len(steps) and not (np.diff(steps) > 0).all():
            whole = int(np.argmin(np.diff(steps) > 0)) + 1
            return f"{len(steps)} {name} are counted, but after {whole} their steps do not rise: they were not written"
    if len(run.positions) and not run.positions.any(axis=(1, 2)).all():
        return f"{len(run.positions)} frames are counted, and some hold only zeros: they were not written"
    return None


def load_rows(path: Path, n_rows: int) -> NDArray[Any]:
    """Return the first ``n_rows`` rows of an array that was allocated for the whole run."""
    if n_rows == 0:
        return np.empty(0)
    rows = np.load(path, mmap_mode="r", allow_pickle=False)
    if len(rows) < n_rows:
        raise ValueError(f"{path.name} holds {len(rows)} rows, the run says {n_rows}")
    return np.array(rows[:n_rows])


def _load_state(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a restart file; empty if there is none, or it cannot be read."""
    if not path.exists():
        return {}
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except UNREADABLE:
        return {}  # the disk was full; the run counts as one without progress
