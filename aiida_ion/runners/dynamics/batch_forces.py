"""Forces of many runs in one evaluation: in as many parts as fit into memory, and without what cannot be evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms

from aiida_ion.runners.batches import Batch, Evaluation, Evaluator, free_memory
from aiida_ion.runners.output import RunnerError, is_out_of_memory

#: Energy (eV) and forces (N, 3; eV/angstrom) of a frame, or why it has none.
FrameForces = tuple[float, Any] | Exception


class BatchForces:
    """Energies and forces of the frames of many runs.

    :param calculator: the ASE calculator, which has the last word on the first batch of its kind.
    :param in_batches: evaluates several frames at once.
    :param atoms_at_once: most atoms of a batch, but for a single frame; halved whenever memory runs out.
    """

    def __init__(self, calculator: Any, in_batches: Batch, atoms_at_once: int) -> None:
        self.atoms_at_once = atoms_at_once
        self.n_evaluations = 0
        self._in_batches = in_batches
        self._judge = Evaluator(calculator, in_batches, 1)

    def evaluate(self, frames: Sequence[Atoms]) -> list[FrameForces]:
        """Return energy and forces of each frame, or its error; one without does not touch the others.

        :raises RunnerError: ``engine_failed`` where the first batch of its kind differs from the calculator.
        """
        evaluated: list[FrameForces] = []
        while len(evaluated) < len(frames):
            evaluated += self._evaluate(self._next_batch(frames[len(evaluated) :]))
        return evaluated

    def _check(self, frames: Sequence[Atoms], evaluation: Evaluation) -> None:
        """Compare the calmest frame with the calculator, in the first batch of its kind.

        :raises RunnerError: ``engine_failed`` where they differ.
        """
        largest = [float(np.abs(forces).max()) for forces in evaluation[1]]
        calmest = int(np.argmin(np.nan_to_num(largest, nan=np.inf)))
        if not np.isfinite(largest[calmest]):
            return  # all have flown apart, which each run says itself
        order = [*(index for index in range(len(frames)) if index != calmest), calmest]
        try:
            self._judge.check([frames[i] for i in order], (evaluation[0][order], [evaluation[1][i] for i in order]))
        except ValueError as error:
            message = f"Batches of this potential cannot be used: {error}; run its replicas one by one."
            raise RunnerError("engine_failed", message) from error

    def _next_batch(self, frames: Sequence[Atoms]) -> Sequence[Atoms]:
        """Return the first frames that have no more atoms than a batch may; one at least."""
        n_atoms = n_frames = 0
        for frame in frames:
            n_atoms += len(frame)
            if n_atoms > self.atoms_at_once and n_frames:
                break
            n_frames += 1
        return frames[:n_frames]

    def _evaluate(self, frames: Sequence[Atoms]) -> list[FrameForces]:
        """Evaluate a batch; in halves where it fails, so that a frame that cannot be evaluated is found."""
        try:
            evaluation = self._in_batches(frames)
            self.n_evaluations += 1
        except Exception as error:
            if len(frames) == 1:
                return [error.with_traceback(None)]  # with what it holds on to, memory would not come free
            if is_out_of_memory(error):
                self.atoms_at_once = max(1, sum(map(len, frames)) // 2)
        else:
            self._check(frames, evaluation)
            return [(float(energy), forces) for energy, forces in zip(*evaluation, strict=True)]
        # Only here, without the error and what it holds on to, does the memory come free.
        free_memory()
        half = len(frames) // 2
        return [*self._evaluate(frames[:half]), *self._evaluate(frames[half:])]


def own_forces(calculator: Any, frame: Atoms, system_changes: Any) -> FrameForces:
    """Return energy and forces of a frame by a calculator that no other run uses, or its error.

    It is asked as in a single run: it decides by itself when it makes its pair list again.

    :param system_changes: what changed since the last time, as ASE says it.
    """
    try:
        calculator.calculate(frame, ["energy", "forces"], system_changes)
    except Exception as error:
        return error
    return float(calculator.results["energy"]), calculator.results["forces"]
