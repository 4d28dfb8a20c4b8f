"""Ionic steps of a DFT program, and velocities, thermo and state in the form of the MD interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from ase import units
from ase.stress import full_3x3_to_voigt_6_stress
from numpy.typing import NDArray

from aiida_ion.settings.md import MdSettings
from aiida_ion.thermo_fields import DFT_FIELDS, STEP, thermo_dtype

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class DftSteps:
    """Complete ionic steps from a DFT program: n steps of N atoms.

    :param first_step: integration step of the first row.
    :param positions: shape (n, N, 3), angstrom, unwrapped: those at which energy and forces were computed.
    :param next_positions: shape (N, 3), angstrom: positions of the step after the last row; ``None`` if unknown.
    :param cell: shape (3, 3), angstrom, rows are the vectors.
    :param forces: shape (n, N, 3), eV/angstrom.
    :param potential_energy_eV: shape (n,), the energy whose gradient gives the forces.
    :param kinetic_energy_eV: shape (n,), as the program reports it.
    :param conserved_energy_eV: shape (n,), as the program reports it; NaN where it does not.
    :param temperature_K: shape (n,), as the program reports it.
    :param scf_iterations: shape (n,), electronic iterations.
    :param stress: shape (n, 3, 3), eV/angstrom^3, dE/dstrain over the volume: positive in a stretched crystal, as in
        ASE, and without the motion of the ions; NaN where the program computed none.
    """

    first_step: int
    positions: FloatArray
    next_positions: FloatArray | None
    cell: FloatArray
    forces: FloatArray
    potential_energy_eV: FloatArray
    kinetic_energy_eV: FloatArray
    conserved_energy_eV: FloatArray
    temperature_K: FloatArray
    scf_iterations: NDArray[np.int64]
    stress: FloatArray

    def __len__(self) -> int:
        return len(self.positions)

    def rows(self, first: int, last: int | None = None) -> DftSteps:
        """Return the rows from ``first`` up to, but not including, ``last``."""
        stop = len(self) if last is None else min(last, len(self))
        following = self.next_positions if stop == len(self) else self.positions[stop]
        chosen = {name: getattr(self, name)[first:stop] for name in ROWS}
        return replace(self, first_step=self.first_step + first, next_positions=following, **chosen)

    def moved(self, by: FloatArray) -> DftSteps:
        """Return the steps with each atom moved by a vector, shape (N, 3), angstrom."""
        following = None if self.next_positions is None else self.next_positions + by
        return replace(self, positions=self.positions + by, next_positions=following)

    def followed_by(self, later: DftSteps) -> DftSteps:
        """Return these steps and those that follow the last of them."""
        rows: dict[str, Any] = {name: np.concatenate([getattr(self, name), getattr(later, name)]) for name in ROWS}
        return replace(self, next_positions=later.next_positions, **rows)


#: Quantities of ``DftSteps`` as the program states them, one for each step, and all its arrays of a row for each step.
STATED = ("potential_energy_eV", "kinetic_energy_eV", "conserved_energy_eV", "temperature_K", "scf_iterations")
ROWS = ("positions", "forces", "stress", *STATED)


@dataclass(frozen=True)
class DftRun:
    """Result of a DFT program.

    :param status: ``finished``, ``walltime``, ``scf_not_converged``, ``invalid_input``, ``engine_failed``, ...: a key
        of ``STATUS_EXIT_CODES``; ``None`` when the program was killed before it could report one.
    :param message: one sentence on the status that says what to do.
    :param steps: its ionic steps, ``None`` when there are none.
    :param cost: cost ledger: ``wall_time_s``, ``cpu_time_s``, ``peak_memory_MiB``, ``processes``, ``threads``.
    :param versions: program, functional, cut-offs, ... as the program reports them.
    """

    status: str | None
    message: str
    steps: DftSteps | None
    cost: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, Any] = field(default_factory=dict)


def velocities(steps: DftSteps, masses: NDArray[Any], timestep_fs: float) -> FloatArray:
    """Return the velocities at each step, shape (n, N, 3), angstrom/fs.

    From x(t+dt) = x(t) + v(t) dt + F(t) dt^2 / 2m, which both Verlet forms share. So they include the effect of a
    thermostat at that step, and a run started from them takes the same next step. The last step, if the next positions
    are unknown, uses v(t) = (x(t) - x(t-dt)) / dt + F(t) dt / 2m.

    :param masses: shape (N,), g/mol.
    :raises ValueError: for a single step without next positions.
    """
    acceleration = steps.forces / np.asarray(masses, dtype=float)[:, None] * units.fs**2
    if steps.next_positions is None:
        if len(steps) < 2:
            raise ValueError("one ionic step without the positions after it has no velocities")
        forward = np.diff(steps.positions, axis=0) / timestep_fs - 0.5 * acceleration[:-1] * timestep_fs
        last = (steps.positions[-1] - steps.positions[-2]) / timestep_fs + 0.5 * acceleration[-1] * timestep_fs
        return np.concatenate([forward, last[None]])
    following = np.concatenate([steps.positions[1:], steps.next_positions[None]])
    moved: FloatArray = (following - steps.positions) / timestep_fs - 0.5 * acceleration * timestep_fs
    return moved


def explosion(steps: DftSteps, settings: MdSettings) -> tuple[int, str] | None:
    """Return the row at which a run exploded and a sentence on it, None when it did not."""
    largest = np.linalg.norm(steps.forces, axis=2).max(axis=1)
    limit = settings.max_temperature_ratio * settings.temperature_K
    bad = ~(largest <= settings.max_force_eV_A) | ~(steps.temperature_K <= limit)
    if not bad.any():
        return None
    row = int(np.argmax(bad))
    text = f"largest force {largest[row]:.4g} eV/angstrom, temperature {steps.temperature_K[row]:.4g} K"
    advice = "relax the structure first or try a smaller timestep_fs"
    return row, f"The run exploded at step {steps.first_step + row}: {text}; {advice}"


def thermo_rows(steps: DftSteps, v_A_fs: FloatArray, charges: Sequence[float]) -> NDArray[Any]:
    """Return one structured row for each step, with the fields of :mod:`aiida_ion.thermo_fields`.

    :param v_A_fs: shape (n, N, 3), angstrom/fs.
    :param charges: shape (N,), e.
    """
    rows = np.zeros(len(steps), dtype=thermo_dtype(DFT_FIELDS))
    rows[STEP] = steps.first_step + np.arange(len(steps))
    for name in STATED:
        rows[name] = getattr(steps, name)
    rows["stress_eV_A3"] = [full_3x3_to_voigt_6_stress(stress) for stress in steps.stress]
    rows["pressure_GPa"] = total_pressure(steps)
    rows["max_force_eV_A"] = np.linalg.norm(steps.forces, axis=2).max(axis=1)
    rows["charge_current_e_A_fs"] = np.einsum("a,tai->ti", np.asarray(charges, dtype=float), v_A_fs)
    return rows


def total_pressure(steps: DftSteps) -> FloatArray:
    """Return the pressure, shape (n,), GPa, positive when compressed: that of the stress, and of the ions' motion.

    P = -tr(stress) / 3 + 2 Ekin / 3 V: what the runs at constant pressure of other engines state, too.
    """
    volume_A3 = abs(float(np.linalg.det(steps.cell)))
    static = -np.trace(steps.stress, axis1=1, axis2=2) / 3.0
    pressure: FloatArray = (static + 2.0 * steps.kinetic_energy_eV / (3.0 * volume_A3)) / units.GPa
    return pressure


def state_arrays(steps: DftSteps, v_A_fs: FloatArray, start_step: int) -> dict[str, NDArray[Any]]:
    """Return the state that continues the run from its last step; the csvr thermostat has no memory."""
    return {
        "step": np.array(steps.first_step + len(steps) - 1),
        "start_step": np.array(start_step),
        "positions": steps.positions[-1],
        "velocities_A_fs": v_A_fs[-1],
        "cell": steps.cell,
    }


def charges_of(symbols: Sequence[str], charges: Mapping[str, float]) -> list[float]:
    """Return the charge of each atom, e; zero where none is given."""
    return [float(charges.get(symbol, 0.0)) for symbol in symbols]
