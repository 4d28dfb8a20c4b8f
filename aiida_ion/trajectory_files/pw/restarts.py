"""Restarted runs of pw.x, whose first positions are in the output of the previous run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from aiida_ion.trajectory_files.dft_output import DftOutput
from aiida_ion.trajectory_files.frames import FileFrames


def restarts_completed(parts: Sequence[FileFrames]) -> list[FileFrames]:
    """Return the files of a run, with the first step of each restarted one completed from the file before it."""
    completed: list[FileFrames] = []
    for part in parts:
        before = completed[-1].dft if completed else None
        full = None if before is None or part.dft is None else with_first_step(before, part.dft)
        completed.append(part if full is None else FileFrames.of_dft(full))
    return completed


def with_first_step(before: DftOutput, restarted: DftOutput) -> DftOutput | None:
    """Return a restarted run with its first step if the previous run leads to it, else None."""
    first = restarted.unplaced
    if first is None or before.symbols != restarted.symbols:
        return None
    row = first.first_step - before.steps.first_step
    places = list(before.steps.positions)
    if before.steps.next_positions is not None:
        places.append(before.steps.next_positions)
    if not 0 < row < len(places):
        return None
    steps = replace(first, positions=np.asarray(places[row])[None]).followed_by(restarted.steps)
    facts = restarted.facts | {
        "n_steps": len(steps),
        "n_steps_left_out": restarted.facts["n_steps_left_out"] - 1,
        "mean_temperature_K": float(np.mean(steps.temperature_K)),
    }
    remarks = [remark for remark in restarted.remarks if remark != restarted.unplaced_remark]
    return replace(restarted, steps=steps, facts=facts, remarks=remarks, unplaced=None)
