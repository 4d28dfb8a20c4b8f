"""Molecular dynamics of Quantum ESPRESSO from the standard output of pw.x."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aiida_ion.dft.pw.output import PwOutput, scan_runs
from aiida_ion.dft.steps import DftSteps
from aiida_ion.trajectory_files.dft_output import DftOutput, check_continuous, enough_steps, temperature_remarks
from aiida_ion.trajectory_files.opening import unpacked
from aiida_ion.trajectory_files.pw.facts import facts_of, labels_remarks, validate_kind
from aiida_ion.trajectory_files.pw.input_beside import with_input_beside
from aiida_ion.trajectory_files.pw.run import PwRun, read_run, unwrapped_steps

#: Tolerance of continued positions, angstrom: those in a head have seven digits of the lattice parameter.
SAME_PLACE_A = 1e-4


def read_pw(path: Path) -> DftOutput:
    """Read molecular dynamics from an output of pw.x, which may be truncated anywhere.

    Several outputs in one file are one run if each continues from the previous one. An input file of the same name next
    to it gives cell and first positions with more digits than the output.

    :raises ValueError: if it holds no molecular dynamics at constant volume, or two separate runs.
    """
    with unpacked(path) as file, file.open(errors="replace") as text:
        outputs = scan_runs(text)
    if not outputs:
        raise ValueError("it is not an output of pw.x, which begins with `Program PWSCF`")
    remarks: list[str] = []
    runs = [read_run(output) for output in _with_dynamics(outputs, remarks)]
    runs[0] = with_input_beside(runs[0], path, remarks)
    first = runs[0]
    steps = first.steps
    unplaced, words = None, ""
    if not first.start_is_known:
        words = (
            f"The run was restarted: the positions of its first step, step {steps.first_step}, are not in its output; "
            "frames begin with the next one."
        )
        remarks.append(words)
        unplaced, steps = steps.rows(0, 1), steps.rows(1)
    for later in runs[1:]:
        _check_same_crystal(first, later)
        steps = _joined(steps, later, remarks)
    steps = unwrapped_steps(steps)
    if len(steps) > 1:
        check_continuous(steps.positions, steps.cell, first.head.symbols, steps.first_step)
    left_out = [run.left_out for run in runs if run.left_out and (run.n_left_out or run is runs[-1])]
    remarks += labels_remarks(first.head) + left_out
    facts = facts_of(runs, steps)
    remarks += temperature_remarks(steps, facts["degrees_of_freedom"])
    return DftOutput(
        symbols=first.head.symbols,
        steps=enough_steps(steps),
        masses=first.head.masses,
        facts=facts,
        remarks=remarks,
        numbered=True,
        unplaced=unplaced,
        unplaced_remark=words,
    )


def _with_dynamics(outputs: Sequence[PwOutput], remarks: list[str]) -> list[PwOutput]:
    """Return the outputs that hold molecular dynamics.

    :raises ValueError: if none does, with the reason for the last.
    """
    problems = [validate_kind(output) for output in outputs]
    chosen = [output for output, problem in zip(outputs, problems, strict=True) if problem is None]
    if not chosen:
        raise ValueError(str(problems[-1]))
    remarks += [
        f"WARNING: output {number} of the {len(outputs)} in this file is left out: {problem}."
        for number, problem in enumerate(problems, 1)
        if problem is not None
    ]
    return chosen


def _check_same_crystal(first: PwRun, later: PwRun) -> None:
    if first.head.labels != later.head.labels or not np.allclose(first.head.cell, later.head.cell, atol=1e-3):
        raise ValueError("it holds two runs of different crystals: give each its own file")
    steps_fs = {run.timestep_fs for run in (first, later)} - {None}
    if len(steps_fs) > 1:
        raise ValueError(f"its runs have different time steps ({', '.join(f'{step:g}' for step in steps_fs)} fs)")


def _joined(steps: DftSteps, later: PwRun, remarks: list[str]) -> DftSteps:
    """Return the steps of a run with those of a later one that continues from one of them.

    :raises ValueError: if it does not continue from any.
    """
    if not later.start_is_known:
        row = later.steps.first_step - steps.first_step
        if not 0 < row <= len(steps):
            raise ValueError(
                f"its runs do not follow each other: one ends with step {steps.first_step + len(steps) - 1}, the next "
                f"begins with step {later.steps.first_step}"
            )
        before, after = steps.rows(0, row), later.steps
    else:
        row = _row_of(later.steps.positions[0], steps, later.head.cell)
        if row == 0:
            return _one_of_two(steps, later.steps, remarks)
        before, after = steps.rows(0, row), later.steps
    overlap = len(steps) - row
    if overlap:
        remarks.append(
            f"Its last {overlap} steps before step {before.first_step + row} were computed twice, because the run was "
            "restarted from there; the later ones are used."
        )
    assert before.next_positions is not None
    if later.start_is_known:
        shift = _lattice_vectors(before.next_positions - after.positions[0], later.head.cell)
        return before.followed_by(after.moved(shift))
    return before.followed_by(
        replace(after, positions=np.concatenate([before.next_positions[None], after.positions[1:]]))
    )


def _row_of(start: NDArray[np.float64], steps: DftSteps, cell: NDArray[np.float64]) -> int:
    """Return the row whose positions equal a start; the number of rows if they equal the next positions.

    :raises ValueError: if there is none.
    """
    assert steps.next_positions is not None
    places = np.concatenate([steps.positions, steps.next_positions[None]])
    apart = places - start
    apart = np.abs(apart - _lattice_vectors(apart, cell)).max(axis=(1, 2))
    if not apart.min() <= SAME_PLACE_A:
        raise ValueError(
            f"it holds two runs that do not follow each other: the second begins {apart[-1]:.3g} angstrom away from "
            "where the first ends; give each its own file"
        )
    return int(np.argmin(apart))


def _one_of_two(steps: DftSteps, later: DftSteps, remarks: list[str]) -> DftSteps:
    """Return the longer of two runs from the same start, if they are the same run.

    :raises ValueError: if they are different runs.
    """
    shared = min(len(steps), len(later))
    if not np.allclose(steps.positions[:shared], later.positions[:shared], atol=SAME_PLACE_A):
        raise ValueError("it holds two runs from the same start: give each its own file")
    remarks.append("WARNING: it holds the same run twice; it is read once.")
    return steps if len(steps) >= len(later) else later


def _lattice_vectors(apart: NDArray[np.float64], cell: NDArray[np.float64]) -> NDArray[np.float64]:
    vectors: NDArray[np.float64] = np.round(apart @ np.linalg.inv(cell)) @ cell
    return vectors
