"""Motion from VASP's positions: unwrapped paths, the next positions, and the time that velocities refer to.

VASP reports kinetic energies of v(t) = (x(t+dt) - x(t)) / dt - F(t) dt / 2m, as in `dft.steps.velocities`. Its
leap-frog integrators read the velocities in POSCAR as those half a step earlier: x(t+dt) = x(t) + (v_POSCAR + F(t) dt /
m) dt. The wiki documents this for MDALGO 1, 2 and 5 (and not for 3); the output of MDALGO = 0 shows it too, contrary to
the wiki. So it is determined from the first step of every run.
"""

from __future__ import annotations

import numpy as np
from ase import units
from numpy.typing import ArrayLike, NDArray

from aiida_ion.dft.steps import DftSteps, FloatArray, velocities

#: MDALGO of the integrators that use velocities half a step earlier: for runs that do not show it.
LEAP_FROG = {0: True, 1: True, 2: True, 3: False, 4: False, 5: True}
#: Largest distance of the first positions of a run from its input, angstrom.
START_TOLERANCE_A = 1e-3
#: A kick of the forces below this part of the starting velocities does not show the integrator.
NO_KICK = 1e-3


def unwrapped(fractional: FloatArray, cell: FloatArray, start: ArrayLike) -> FloatArray:
    """Return unwrapped positions, shape (n, N, 3), angstrom, continuing from the images given to the run.

    :param fractional: shape (n, N, 3), wrapped or not.
    :param start: shape (N, 3), angstrom, the positions of the first step.
    :raises ValueError: if the run started somewhere else.
    """
    given = np.asarray(start) @ np.linalg.inv(cell)
    path = np.concatenate([given[None], fractional])
    images = np.cumsum(np.round(np.diff(path, axis=0)), axis=0)
    positions: FloatArray = (fractional - images) @ cell
    away = np.abs(positions[0] - np.asarray(start)).max()
    if not away <= START_TOLERANCE_A:
        raise ValueError(f"vasprun.xml starts {away:.3g} angstrom away from the POSCAR of this job")
    return positions


def next_positions(
    candidate: FloatArray | None, steps: DftSteps, start_velocities: FloatArray, masses: ArrayLike, timestep_fs: float
) -> FloatArray | None:
    """Return the candidate, unwrapped, if it is one time step after the last of ``steps``; else None.

    CONTCAR of a killed run may be one step before or after ``vasprun.xml``. The expected displacement follows from the
    previous one and the force; thermostats change it by less than half.

    :param candidate: shape (N, 3), fractional.
    :param start_velocities: shape (N, 3), angstrom/fs, from POSCAR, for a run of a single step.
    """
    if candidate is None or candidate.shape != steps.positions[-1].shape:
        return None
    here = steps.positions[-1]
    moved = candidate - here @ np.linalg.inv(steps.cell)
    moved = (moved - np.round(moved)) @ steps.cell
    before = here - steps.positions[-2] if len(steps) > 1 else start_velocities * timestep_fs
    expected = before + _kick(steps, -1, masses, timestep_fs) * timestep_fs
    if not _rms(moved - expected) < 0.5 * _rms(expected):
        return None
    following: FloatArray = here + moved
    return following


def takes_half_step_velocities(
    steps: DftSteps, start_velocities: FloatArray, masses: ArrayLike, timestep_fs: float, mdalgo: int
) -> bool:
    """Whether the velocities in POSCAR were half a step before the first step, or else at that step.

    The first displacement is a v + c (F dt / m), with a near 1 (csvr rescales) and c/a 1 or 1/2. It cannot be
    determined with Langevin noise, from a single step, or without forces.
    """
    expected = LEAP_FROG.get(mdalgo, True)
    kick = _kick(steps, 0, masses, timestep_fs)
    if mdalgo == 3 or len(steps) < 2 or _rms(kick) < NO_KICK * _rms(start_velocities):
        return expected
    moved = (steps.positions[1] - steps.positions[0]) / timestep_fs
    basis = np.stack([start_velocities.ravel(), kick.ravel()], axis=1)
    (scale, share), _, rank, _ = np.linalg.lstsq(basis, moved.ravel(), rcond=None)
    if rank < 2 or not 0.25 < share / scale < 1.25:
        return expected
    return bool(share / scale > 0.75)


def restart_velocities(
    steps: DftSteps, row: int, masses: ArrayLike, timestep_fs: float, *, half_step: bool
) -> FloatArray | None:
    """Return the velocities for POSCAR with which VASP continues from a row as if it had not stopped, angstrom/fs.

    :returns: shape (N, 3); None for the first row of a leap-frog run, which starts from its input.
    """
    if not half_step:
        own: FloatArray = velocities(steps, np.asarray(masses), timestep_fs)[row]
        return own
    if row < 1:
        return None
    arriving: FloatArray = (steps.positions[row] - steps.positions[row - 1]) / timestep_fs
    return arriving


def kinetic_deviation(steps: DftSteps, masses: ArrayLike, timestep_fs: float) -> float | None:
    """Return the largest relative difference between the kinetic energy of our velocities and VASP's.

    None if VASP reports none. Rounding gives 1e-5; a larger value means that VASP used another integrator than
    `dft.steps.velocities` assumes.
    """
    if len(steps) < 2 or not np.isfinite(steps.kinetic_energy_eV).all() or not steps.kinetic_energy_eV.all():
        return None
    # Without the positions after the last step, the effect of a thermostat there is unknown.
    n_known = len(steps) - (steps.next_positions is None)
    own = velocities(steps, np.asarray(masses), timestep_fs)[:n_known]
    kinetic = 0.5 * np.einsum("a,tai->t", np.asarray(masses, dtype=float), own**2) / units.fs**2
    return float(np.abs(kinetic / steps.kinetic_energy_eV[:n_known] - 1.0).max())


def _kick(steps: DftSteps, row: int, masses: ArrayLike, timestep_fs: float) -> FloatArray:
    """Return the change of velocities by the forces of a row in one step, angstrom/fs."""
    kick: FloatArray = steps.forces[row] / np.asarray(masses, dtype=float)[:, None] * units.fs**2 * timestep_fs
    return kick


def _rms(array: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(array**2)))
