"""Ionic steps of a molecular-dynamics job from the outputs of its one or two pw.x runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import units

from aiida_ion.dft.pw.head import in_angstrom
from aiida_ion.dft.pw.output import PwOutput, PwStep
from aiida_ion.dft.pw.status import judge, read_cost, read_versions
from aiida_ion.dft.pw.tables import FloatArray
from aiida_ion.dft.steps import DftRun, DftSteps


def md_run(
    runs: Sequence[PwOutput],
    errors: Sequence[str],
    *,
    start_positions: FloatArray,
    cell: FloatArray,
    first_step: int,
    n_steps: int,
    constant_energy: bool,
) -> DftRun:
    """Combine the outputs of the runs of a job.

    :param runs: the output of each, in order.
    :param errors: the error stream of each.
    :param start_positions: shape (N, 3), angstrom, from the input; the first forces belong to them.
    :param cell: shape (3, 3), angstrom.
    :param first_step: step at which the job started.
    :param n_steps: the total number of steps of the run.
    :param constant_energy: whether there is no thermostat, so that the energy that pw.x calls constant is conserved.
    """
    whole = whole_steps(runs)
    status, message = judge(runs, errors, n_steps - first_step + 1, len(whole))
    return DftRun(
        status=status,
        message=message,
        steps=as_steps(whole, start_positions, cell, first_step, constant_energy) if whole else None,
        cost=read_cost(runs),
        versions=read_versions(runs[0]),
    )


def whole_steps(runs: Sequence[PwOutput]) -> list[PwStep]:
    """Return the ionic steps that were written completely, numbered consecutively.

    A run that does not continue from the end of the previous one does not belong to this trajectory, nor does any run
    after one without steps.
    """
    steps: list[PwStep] = []
    for run in runs:
        before = len(steps)
        for step in run.steps:
            if not is_whole(step) or step.iteration not in (0, len(steps) + 1):
                break
            steps.append(step)
        if len(steps) == before:
            break
    return steps


#: Parts of a step, in the order in which pw.x writes them.
PARTS = {
    "forces_Ry_bohr": "forces",
    "next_positions": "positions",
    "kinetic_Ry": "kinetic energy",
    "temperature_K": "temperature",
    "conserved_Ry": "total energy",
}


def is_whole(step: PwStep) -> bool:
    """Whether a step was written to its end."""
    return missing_part(step) is None


def missing_part(step: PwStep) -> str | None:
    """Return the first missing part of a step, None when it is complete."""
    return next((words for name, words in PARTS.items() if getattr(step, name) is None), None)


def stress_of(step: PwStep) -> FloatArray:
    """Return the stress of a step, shape (3, 3), eV/angstrom^3, positive when stretched; NaN where there is none."""
    if step.stress_Ry_bohr3 is None:
        return np.full((3, 3), np.nan)
    turned: FloatArray = -step.stress_Ry_bohr3 * (units.Ry / units.Bohr**3)
    return turned


def as_steps(
    whole: Sequence[PwStep],
    start: FloatArray,
    cell: FloatArray,
    first_step: int,
    constant_energy: bool,
    alat_A: float | None = None,
) -> DftSteps:
    """Convert complete, consecutive steps to the units of :class:`DftSteps`.

    :param start: shape (N, 3), angstrom, the positions of the first step.
    :param cell: shape (3, 3), angstrom.
    :param alat_A: lattice parameter, angstrom, for positions in units of it.
    :raises ValueError: for positions in an unknown unit.
    """
    following = [in_angstrom(np.asarray(step.next_positions), step.unit, cell, alat_A) for step in whole]
    places = np.array([start, *following])
    conserved = np.array([step.conserved_Ry for step in whole], dtype=float) * units.Ry
    return DftSteps(
        first_step=first_step,
        positions=places[:-1],
        next_positions=places[-1],
        cell=cell,
        forces=np.array([step.forces_Ry_bohr for step in whole]) * (units.Ry / units.Bohr),
        potential_energy_eV=np.array([step.energy_Ry for step in whole]) * units.Ry,
        kinetic_energy_eV=np.array([step.kinetic_Ry for step in whole], dtype=float) * units.Ry,
        conserved_energy_eV=conserved if constant_energy else np.full(len(whole), np.nan),
        temperature_K=np.array([step.temperature_K for step in whole], dtype=float),
        scf_iterations=np.array([step.scf_iterations for step in whole], dtype=np.int64),
        stress=np.array([stress_of(step) for step in whole]),
    )
