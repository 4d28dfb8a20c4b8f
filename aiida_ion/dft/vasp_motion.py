"""What VASP's positions say of its integrator: unwrapped paths, the next positions, whose time velocities are.

VASP reports kinetic energies of v(t) = (x(t+dt) - x(t)) / dt - F(t) dt / 2m, as `dft.steps.velocities` has it. The
velocities it is given in POSCAR are those of half a step before with its leap-frog integrators: x(t+dt) = x(t) +
(v_POSCAR + F(t) dt / m) dt. Its wiki says so for MDALGO 1, 2 and 5 (and not for 3); MDALGO = 0, for which the wiki says
otherwise, shows it in its output. So it is read off the first step of every run instead of being believed.
"""

from __future__ import annotations

import numpy as np
from ase import units
from numpy.typing import ArrayLike, NDArray

from aiida_ion.dft.steps import DftSteps, FloatArray, velocities

#: Integrators that take the velocities of half a step before, by MDALGO: for runs that do not show it.
LEAP_FROG = {0: True, 1: True, 2: True, 3: False, 4: False, 5: True}
#: A run has to start where it was told to, angstrom.
START_TOLERANCE_A = 1e-3
#: A kick of the forces below this part of the starting velocities does not show the integrator.
NO_KICK = 1e-3


def unwrapped(fractional: FloatArray, cell: FloatArray, start: ArrayLike) -> FloatArray:
    """Return positions, shape (n, N, 3), angstrom, continuous from the images that the run was given.

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
    """Return the candidate, unwrapped, if it is one time step after the last of ``steps``; else nothing.

    CONTCAR of a killed run may stand one step before or after ``vasprun.xml``. A step is what came before it and the
    force; thermostats change it by less than half.

    :param candidate: shape (N, 3), fractional.
    :param start_velocities: shape (N, 3), angstrom/fs, those of POSCAR, for a run of a single step.
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
    """Whether POSCAR's velocities were those of half a step before the first step, or else of that step itself.

    The first displacement is a v + c (F dt / m), with a near 1 (csvr rescales) and c/a 1 or 1/2. Langevin noise hides
    which, and a run of one step, or without forces, does not show it.
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
    """Return what POSCAR needs so that VASP continues from a row as if it had not stopped, angstrom/fs.

    :returns: shape (N, 3); nothing for the first row of a leap-frog run, which starts from what it was given.
    """
    if not half_step:
        own: FloatArray = velocities(steps, np.asarray(masses), timestep_fs)[row]
        return own
    if row < 1:
        return None
    arriving: FloatArray = (steps.positions[row] - steps.positions[row - 1]) / timestep_fs
    return arriving


def kinetic_deviation(steps: DftSteps, masses: ArrayLike, timestep_fs: float) -> float | None:
    """Return by how much, at most and relatively, the kinetic energy of our velocities differs from VASP's own.

    Nothing where VASP states none. Rounding makes 1e-5 of it; more says that its integrator is another one than
    `dft.steps.velocities` believes.
    """
    if len(steps) < 2 or not np.isfinite(steps.kinetic_energy_eV).all() or not steps.kinetic_energy_eV.all():
        return None
    # Where the positions after the last step are unknown, so is what a thermostat did there.
    n_known = len(steps) - (steps.next_positions is None)
    own = velocities(steps, np.asarray(masses), timestep_fs)[:n_known]
    kinetic = 0.5 * np.einsum("a,tai->t", np.asarray(masses, dtype=float), own**2) / units.fs**2
    return float(np.abs(kinetic / steps.kinetic_energy_eV[:n_known] - 1.0).max())


def _kick(steps: DftSteps, row: int, masses: ArrayLike, timestep_fs: float) -> FloatArray:
    """Return what the forces of a row change velocities by in one step, angstrom/fs."""
    kick: FloatArray = steps.forces[row] / np.asarray(masses, dtype=float)[:, None] * units.fs**2 * timestep_fs
    return kick


def _rms(array: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(array**2)))
