"""One run of pw.x: its consecutive complete steps, and what is left out."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from aiida_ion.dft.pw.head import PwHead, read_head
from aiida_ion.dft.pw.input import RYDBERG_TIME_FS
from aiida_ion.dft.pw.md_output import as_steps, missing_part
from aiida_ion.dft.pw.output import PwOutput, PwStep
from aiida_ion.dft.steps import DftSteps
from aiida_ion.units import FS_PER_PS

#: Required relative precision of a time step derived from the times of steps.
TIME_TOLERANCE = 5e-3
#: Tolerance of equal time steps, as a fraction.
SAME_TIMESTEP = 1e-3
#: Resolution of the times in the output, four decimals of a picosecond, fs.
TIME_DIGIT_FS = 0.1
#: Resolution of the stated time step, two decimals of an atomic unit, fs.
STATED_DIGIT_FS = 5e-4
#: Relative tolerance between temperature and kinetic energy, which are the same number in other units.
SAME_ENERGY = 1e-2
#: A kinetic energy below this has too few digits to compare, Ry.
SMALLEST_RY = 1e-5
#: Largest step number that pw.x can print; later ones are asterisks.
LAST_NUMBER = 99_999


@dataclass(frozen=True)
class PwRun:
    """One run of molecular dynamics.

    :param head: the crystal.
    :param steps: the consecutive complete steps. The first positions are those of the input; if ``start_is_known`` is
        false the run was restarted, and the positions of its first step are unknown.
    :param timestep_fs: as stated, or from the times of its steps; ``None`` if neither is precise enough.
    :param left_out: a sentence on steps that are left out or on a missing end, else empty.
    """

    output: PwOutput
    head: PwHead
    steps: DftSteps
    start_is_known: bool
    timestep_fs: float | None
    left_out: str
    n_left_out: int


def read_run(output: PwOutput) -> PwRun:
    """Read a run.

    :raises ValueError: if it has no complete step, or is inconsistent.
    """
    head = read_head(output.head)
    if output.labels and output.labels != head.labels:
        raise ValueError("the atoms of its positions differ from those in its head")
    whole, left_out = _whole_steps(output)
    if not whole:
        raise ValueError(f"it holds no complete step of molecular dynamics{f': {left_out}' if left_out else ''}")
    first = whole[0].iteration or 1
    timestep_fs = _timestep_fs(output, whole)
    steps = as_steps(whole, head.positions, head.cell, first - 1, constant_energy=False, alat_A=head.alat_A)
    n_left_out = len(output.steps) - len(whole)
    if not left_out and not output.done:
        left_out = "The output does not end with JOB DONE: the run was stopped, or is still running."
    elif left_out:
        left_out = f"WARNING: {n_left_out} of its {len(output.steps)} ionic steps are left out: {left_out}."
    return PwRun(output, head, unwrapped_steps(steps), first == 1, timestep_fs, left_out, n_left_out)


def _whole_steps(output: PwOutput) -> tuple[list[PwStep], str]:
    """Return the steps up to the first that is incomplete or not consecutive, and why they end there."""
    whole: list[PwStep] = []
    for step in output.steps:
        expected = whole[-1].iteration + 1 if whole else step.iteration
        if step.iteration == 0 and expected > LAST_NUMBER:
            step.iteration = expected
        problem = _describe(output, whole, step, expected)
        if problem:
            return whole, problem
        whole.append(step)
    return whole, ""


def _describe(output: PwOutput, whole: list[PwStep], step: PwStep, expected: int) -> str:
    """Return why a step cannot be the next one, else empty."""
    after, part = f"after step {expected - 1 if whole else 0}", missing_part(step)
    if step.problem:
        return f"{after}, {step.problem}"
    if part is not None:
        return _why_cut(output, step, after, part)
    if not whole:
        return "" if step.iteration > 0 else "its first step has no number"
    return _break(whole[-1], step, expected)


def _break(before: PwStep, step: PwStep, expected: int) -> str:
    """Return why a step does not follow the previous one, else empty."""
    if step.iteration != expected:
        return f"after iteration {expected - 1} comes iteration {step.iteration or 'without a number'}"
    if step.unit != before.unit:
        return f"after step {expected - 1}, its positions are in {step.unit or 'alat'} instead of {before.unit}"
    if not _same_freedom(before, step):
        return f"after step {expected - 1}, its temperature and its kinetic energy contradict each other"
    return ""


def _same_freedom(before: PwStep, step: PwStep) -> bool:
    """Whether temperature and kinetic energy of two steps imply the same degrees of freedom."""
    first, other = ((s.temperature_K or 0.0, s.kinetic_Ry or 0.0) for s in (before, step))
    if not (first[1] > SMALLEST_RY and other[1] > SMALLEST_RY):
        return bool(np.isfinite([*first, *other]).all())
    return abs(first[0] / first[1] - other[0] / other[1]) <= SAME_ENERGY * first[0] / first[1]


def _why_cut(output: PwOutput, step: PwStep, after: str, part: str) -> str:
    if step is not output.steps[-1]:
        return f"{after}, a step has no {part}"
    if output.scf_failed:
        return f"{after} the electrons did not converge"
    return f"the output ends within the step {after}, before its {part}"


def _timestep_fs(output: PwOutput, whole: list[PwStep]) -> float | None:
    """Return the time step as stated, or from the times of steps, since a restarted run does not state it.

    :raises ValueError: if these disagree.
    """
    stated = re.search(r"Time step +=\s*(\d+\.\d+) a\.u\.,\s*(\d+\.\d+) femto", "\n".join(output.notes))
    measured = _measured_timestep_fs(whole)
    if stated is None:
        return None if measured is None or measured[1] > TIME_TOLERANCE * measured[0] else round(measured[0], 4)
    timestep_fs = float(stated[2])
    atomic = float(stated[1]) * RYDBERG_TIME_FS
    if not abs(atomic - timestep_fs) <= STATED_DIGIT_FS:
        raise ValueError(f"it states a time step of {stated[1]} a.u., which is {atomic:.4g} fs, and of {stated[2]} fs")
    if measured is not None and not abs(measured[0] - timestep_fs) <= measured[1] + SAME_TIMESTEP * timestep_fs:
        raise ValueError(f"it states a time step of {timestep_fs:g} fs, but its steps are {measured[0]:.4g} fs apart")
    return timestep_fs


def _measured_timestep_fs(whole: list[PwStep]) -> tuple[float, float] | None:
    """Return the mean interval between steps and its rounding uncertainty, fs."""
    first, last = whole[0], whole[-1]
    n = len(whole) - 1
    if not n or first.time_ps is None or last.time_ps is None:
        return None
    return (last.time_ps - first.time_ps) * FS_PER_PS / n, TIME_DIGIT_FS / n


def unwrapped_steps(steps: DftSteps) -> DftSteps:
    """Return steps with continuous positions: each run starts from the image of the cell in its input."""
    assert steps.next_positions is not None
    places = np.concatenate([steps.positions, steps.next_positions[None]])
    jumps = np.round(np.diff(places, axis=0) @ np.linalg.inv(steps.cell))
    if not jumps.any():
        return steps
    places[1:] -= np.cumsum(jumps, axis=0) @ steps.cell
    return replace(steps, positions=places[:-1], next_positions=places[-1])
