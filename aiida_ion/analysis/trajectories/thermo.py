"""Quantities recorded at every step: temperature, energies, largest force, charge current."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aiida_ion.units import FS_PER_PS

FloatArray = NDArray[np.float64]

N_BLOCKS = 5
#: What a time may have lost of its digits, in time steps.
TIME_NOISE = 1e-6


@dataclass(frozen=True)
class Thermo:
    """One replica step by step, its segments joined in order, from the first step on.

    :param times_ps: time of each of n steps, ps, shape (n,), increasing.
    :param temperature_K: K, shape (n,).
    :param potential_energy_eV: of the cell, eV, shape (n,).
    :param conserved_energy_eV: conserved quantity of the integrator, eV, shape (n,), or ``None``.
    :param max_force_eV_A: largest force on an atom, eV/angstrom, shape (n,), or ``None``.
    :param charge_current_e_A_fs: sum of q_i v_i over all atoms, e angstrom/fs, shape (n, 3), or ``None``.
    :param n_atoms: number of atoms in the cell.
    :param ensemble: ``nve``, ``nvt`` or ``npt``; ``None`` if unknown.
    :param timestep_fs: integration step, fs; the rows may be further apart.
    :raises ValueError: for shapes that differ, numbers that are not finite, or times that do not increase.
    """

    times_ps: FloatArray
    temperature_K: FloatArray
    potential_energy_eV: FloatArray
    conserved_energy_eV: FloatArray | None
    max_force_eV_A: FloatArray | None
    charge_current_e_A_fs: FloatArray | None
    n_atoms: int
    ensemble: str | None
    timestep_fs: float

    def __post_init__(self) -> None:
        n_steps = len(self.times_ps)
        for name, array in self.arrays().items():
            shape = (n_steps, 3) if name == "charge_current_e_A_fs" else (n_steps,)
            if array.shape != shape:
                raise ValueError(f"{name} has shape {array.shape}, not {shape}")
            if not np.isfinite(array).all():
                raise ValueError(f"{name} holds a number that is not finite")
        if np.any(np.diff(self.times_ps) <= 0):
            raise ValueError("the steps of the thermo do not increase: its segments overlap or are in the wrong order")

    def arrays(self) -> dict[str, FloatArray]:
        """The available quantities, by name."""
        result = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in result.items() if isinstance(value, np.ndarray)}

    def after(self, equilibration_fs: float) -> Thermo:
        """Return the steps that remain after dropping a time, fs, from the first step on."""
        if not len(self.times_ps):
            return self
        elapsed_fs = (self.times_ps - self.times_ps[0]) * FS_PER_PS
        kept = elapsed_fs >= equilibration_fs - TIME_NOISE * self.timestep_fs
        return replace(self, **{name: array[kept] for name, array in self.arrays().items()})


def join_thermo(parts: Sequence[Thermo]) -> Thermo:
    """Join the segments of a replica; a quantity that one of them lacks is dropped.

    :raises ValueError: for no segment, or segments that do not follow each other.
    """
    if not parts:
        raise ValueError("a replica's thermo has no segments")
    common = set.intersection(*(set(part.arrays()) for part in parts))
    joined: dict[str, Any] = {
        name: np.concatenate([part.arrays()[name] for part in parts]) if name in common else None
        for name in parts[0].arrays()
    }
    return replace(parts[0], **joined)


def temperature_statistics(replicas: Sequence[NDArray[Any]]) -> dict[str, float]:
    """Return mean, standard deviation and drift of the temperature over replicas, K.

    The drift is the largest difference between the means of the last and the first fifth of a replica: beyond a few per
    cent of the mean the temperature was not constant.

    :param replicas: one array of shape (n_steps,) for each replica, K, equilibration left out.
    """
    kept = [np.asarray(values, dtype=float) for values in replicas if len(values)]
    if not kept:
        return {}
    together = np.concatenate(kept)
    statistics = {
        "temperature_mean_K": float(together.mean()),
        "temperature_std_K": float(together.std()),
    }
    drifts = [blocks[-1].mean() - blocks[0].mean() for values in kept if len(blocks := _blocks(values)) == N_BLOCKS]
    if drifts:
        statistics["temperature_drift_K"] = float(max(drifts, key=abs))
    return statistics


def _blocks(values: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    return np.array_split(values, N_BLOCKS) if len(values) >= 2 * N_BLOCKS else []
