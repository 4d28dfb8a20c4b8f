"""Stored frames -> their energies and forces, flushed while the run is going."""

from __future__ import annotations

import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from aiida_ion.runners.batches import Evaluator, batch_of, default_batch_size
from aiida_ion.runners.frames import ArrayFile
from aiida_ion.runners.output import Ledger, RunnerError, is_out_of_memory, write_json
from aiida_ion.runners.potentials import describe_potential, load_potential
from aiida_ion.runners.run_inputs import potential_inputs, read_inputs, require
from aiida_ion.runners.stops import StopSignal, usable_seconds

Array = np.ndarray[Any, Any]
FRAMES = Path("frames.npz")
TICK_S = 1.0
UNITS = {"forces": "eV/angstrom", "energies": "eV", "gpu_time": "s of wall time for which the GPU was held"}


@dataclass(frozen=True)
class EvaluationFrames:
    """Frames to be evaluated, each of its own atoms and cell; frame i has the atoms from ``offsets[i]`` on.

    :param numbers: atomic numbers, (P,).
    :param positions: (P, 3), angstrom.
    :param cells: (n, 3, 3), angstrom.
    :param offsets: (n + 1,), from 0 to P.
    :param names: what messages call each frame.
    :param n_atoms: atoms of each frame where the file holds frames of the same atoms, else ``None``.
    """

    numbers: Array
    positions: Array
    cells: Array
    offsets: Array
    names: list[str]
    n_atoms: int | None

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def sizes(self) -> Array:
        """Atoms of each frame, (n,)."""
        sizes: Array = np.diff(self.offsets)
        return sizes

    def atoms(self, start: int, stop: int) -> list[Atoms]:
        """Return frames as structures, ions back in the cell: near its origin single precision is finest."""
        frames = []
        for row in range(start, min(stop, len(self))):
            rows = slice(self.offsets[row], self.offsets[row + 1])
            frame = Atoms(numbers=self.numbers[rows], positions=self.positions[rows], cell=self.cells[row], pbc=True)
            frame.wrap()
            frames.append(frame)
        return frames


class ForcesFile:
    """The arrays that fill up, and how many frames of them are valid.

    :param frames: what is evaluated; the forces of frames of the same atoms are (n, N, 3), of others (P, 3).
    """

    def __init__(self, frames: EvaluationFrames) -> None:
        self.n_frames, self.done = len(frames), 0
        self._has_rows_of_atoms = frames.n_atoms is None
        shape, rows = ((3,), len(frames.numbers)) if frames.n_atoms is None else ((frames.n_atoms, 3), len(frames))
        self._forces = ArrayFile(Path("forces.npy"), "<f4", shape, rows)
        # Not a number until it is written: zero may be the energy of a frame.
        np.save("energies.npy", np.full(len(frames), np.nan, dtype="<f8"))
        self._energies = ArrayFile(Path("energies.npy"), "<f8", (), len(frames), count=0)

    def append(self, energy: float, forces: Array) -> None:
        """Add the next frame: energy in eV, forces (N, 3) in eV/angstrom."""
        for row in forces if self._has_rows_of_atoms else [forces]:
            self._forces.append(row)
        self._energies.append(energy)
        self.done += 1

    def report(self, elapsed_s: float) -> None:
        """Write what is gathered, then the progress, which counts on it."""
        self._forces.flush()
        self._energies.flush()
        rate = self.done / elapsed_s
        progress = {
            "step": self.done,
            "n_steps": self.n_frames,
            "steps_per_s": rate,
            "seconds_left": (self.n_frames - self.done) / rate,
        }
        write_json(Path("progress.json"), progress)

    def finish(self) -> None:
        """Write what is gathered and cut the files to their valid rows."""
        self._forces.finish()
        self._energies.finish()


def evaluate_frames(results: dict[str, Any], ledger: Ledger) -> None:
    """Evaluate the frames that the working folder holds; fill its results.

    :param results: gets status, message, n_frames, batch_size, versions.
    :param ledger: gets the costs, a frame counting as a step.
    :raises RunnerError: for whatever keeps the evaluation from starting, or breaks it.
    """
    inputs = read_inputs(Path("inputs.json"))
    potential_settings, batch_size = potential_inputs(inputs), inputs.get("batch_size")
    require(batch_size is None or _is_count(batch_size), "batch_size must be a whole number above zero, or null")
    deadline_s = ledger.start_s + usable_seconds(inputs.get("max_seconds"))
    frames = read_evaluation_frames(FRAMES, inputs.get("frames"))
    results |= {"n_atoms": frames.n_atoms, "n_frames": 0, "units": UNITS}
    results["engine"] = {
        "potential": potential_settings.name,
        "device": potential_settings.device,
        "threads": potential_settings.threads,
    }
    stop = StopSignal()
    if potential_settings.device.startswith("cuda"):
        ledger.hold_gpu()
    potential = load_potential(potential_settings, frames.numbers)
    in_batches = batch_of(potential_settings.name, potential.calculator)
    if in_batches is None and batch_size is not None and batch_size > 1:
        potential.warnings.append(f"{potential_settings.name} has no batches; the batch_size asked for was not used.")
    describe_potential(results, potential)
    size = batch_size or default_batch_size(int(frames.sizes.min()), potential.device)
    atoms_at_once = None if batch_size else default_batch_size(1, potential.device)
    evaluator = Evaluator(potential.calculator, in_batches, size, atoms_at_once)
    file, begin = ForcesFile(frames), time.monotonic()
    try:
        status = _evaluate(frames, evaluator, file, stop, deadline_s)
        results |= {"status": status, "message": _message(status, file, stop)}
    finally:
        file.finish()
        ledger.n_steps, ledger.loop_wall_s = file.done, time.monotonic() - begin
        results |= {"n_frames": file.done, "batch_size": evaluator.batch_size}
        results["evaluated_by"] = "model_batches" if evaluator.uses_batches else "ase_calculator"
        results["warnings"] = [*results["warnings"], *evaluator.warnings]


def read_evaluation_frames(path: Path, origins: list[tuple[str, int]] | None) -> EvaluationFrames:
    """Read and check the frames.

    :param path: the ``.npz`` file: frames of the same atoms (``numbers`` (N,), ``positions`` (n, N, 3)), or, with
        ``offsets`` (n + 1,), of different ones (``numbers`` (P,), ``positions`` (P, 3)); ``cells`` (n, 3, 3).
    :param origins: segment of each frame, and its index there, where the inputs say so.
    :raises RunnerError: ``invalid_input`` for frames that cannot be evaluated.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            numbers, positions, cells = (np.array(stored[name]) for name in ("numbers", "positions", "cells"))
            offsets = np.array(stored["offsets"]) if "offsets" in stored.files else None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise RunnerError("invalid_input", f"{path.name} cannot be read: {error!r}") from error
    n_frames = len(positions) if offsets is None else len(offsets) - 1
    require(n_frames > 0 and numbers.ndim == 1, f"{path.name} holds no frames")
    expected = (n_frames, len(numbers), 3) if offsets is None else (len(numbers), 3)
    require(positions.shape == expected, f"{path.name}: positions have shape {positions.shape}")
    require(cells.shape == (n_frames, 3, 3), f"{path.name}: cells have shape {cells.shape}")
    require(bool(((numbers > 0) & (numbers < 119)).all()), f"{path.name} names elements outside 1..118")
    require(bool(np.isfinite(positions).all()), f"{path.name} has positions that are not finite")
    require(bool((np.abs(np.linalg.det(cells)) > 1e-3).all()), f"{path.name} has a cell without volume")
    names = [f"row {row}" for row in range(n_frames)]
    if origins is not None:
        names = [f"frame {index} of {segment}" for segment, index in origins]
    require(len(names) == n_frames, f"{path.name} holds {n_frames} frames, and the inputs name {len(names)}")
    if offsets is not None:
        _require_offsets(path, offsets, len(numbers))
        return EvaluationFrames(numbers, positions, cells, offsets, names, None)
    n_atoms = len(numbers)
    offsets = n_atoms * np.arange(n_frames + 1)
    return EvaluationFrames(np.tile(numbers, n_frames), positions.reshape(-1, 3), cells, offsets, names, n_atoms)


def _require_offsets(path: Path, offsets: Array, n_rows: int) -> None:
    """Require that every frame has atoms and every atom a frame."""
    is_whole = offsets.ndim == 1 and offsets.dtype.kind in "iu"
    is_ordered = is_whole and offsets[0] == 0 and offsets[-1] == n_rows and bool((np.diff(offsets) > 0).all())
    require(is_ordered, f"{path.name}: offsets must be whole numbers that rise from 0 to the number of atoms, {n_rows}")


def _evaluate(
    frames: EvaluationFrames, evaluator: Evaluator, file: ForcesFile, stop: StopSignal, deadline_s: float
) -> str:
    """Evaluate to the last frame, or to the deadline or a signal; return the status."""
    begin = previous = time.monotonic()
    tick, last_s = begin + TICK_S, 0.0
    while file.done < len(frames):
        if stop.name:
            return "terminated"
        if previous + 2.0 * last_s >= deadline_s:
            return "walltime"
        try:
            count = evaluator.count(frames.sizes[file.done :])
            evaluation = evaluator.evaluate(frames.atoms(file.done, file.done + count))
        except Exception as error:
            if is_out_of_memory(error) or isinstance(error, (RunnerError, OSError)):
                raise
            message = f"The potential cannot evaluate {frames.names[file.done]} ({type(error).__name__}: {error})."
            raise RunnerError("engine_failed", message) from error
        for energy, forces in zip(*evaluation, strict=True):
            if not (np.isfinite(energy) and np.isfinite(forces).all()):
                message = f"The potential gives {frames.names[file.done]} an energy or forces that are not finite"
                raise RunnerError("engine_failed", f"{message}; look there for atoms on top of each other.")
            file.append(float(energy), forces)
        now = time.monotonic()
        previous, last_s = now, now - previous
        if now >= tick:
            file.report(now - begin)
            tick = now + TICK_S
    return "finished"


def _message(status: str, file: ForcesFile, stop: StopSignal) -> str:
    if status == "finished":
        return f"All {file.n_frames} frames are evaluated."
    cause = "max_seconds ran out" if status == "walltime" else f"signal {stop.name} came"
    return f"{file.done} of {file.n_frames} frames were evaluated before {cause}."


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
