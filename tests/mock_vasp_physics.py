"""What the stand-in for VASP moves its atoms by: Lennard-Jones pairs of round numbers, and four thermostats."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

#: eV in amu (angstrom/fs)^2, k in eV/K, and eV/angstrom^3 in kbar.
EV, BOLTZMANN, KBAR = 9.648533212e-3, 8.617333262e-5, 1602.176634
#: Distances of least energy are sums of these, angstrom.
RADII = {"Li": 1.0, "O": 1.05, "N": 1.1}
DEPTH_EV, CUTOFF_A = 0.15, 6.5


class Forces:
    """Pairs over all images within the cutoff, energy and force shifted to zero there."""

    def __init__(self, cell: Any, symbols: list[str]) -> None:
        reach = [int(np.ceil(CUTOFF_A / height)) for height in 1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0)]
        self.shifts = np.array(list(itertools.product(*(range(-n, n + 1) for n in reach)))) @ cell
        radius = np.array([RADII.get(symbol, 1.2) for symbol in symbols])
        self.least = radius[:, None] + radius[None, :]
        self.volume = abs(np.linalg.det(cell))

    def __call__(self, positions: Any) -> tuple[float, Any]:
        apart = positions[None, :, None] + self.shifts - positions[:, None, None]
        r = np.linalg.norm(apart, axis=-1)
        near = (r > 1e-6) & (r < CUTOFF_A)
        r = np.where(near, r, CUTOFF_A)
        x, xc = (self.least[..., None] / r) ** 6, (self.least[..., None] / CUTOFF_A) ** 6
        slope, edge = -12 * DEPTH_EV * (x**2 - x) / r, -12 * DEPTH_EV * (xc**2 - xc) / CUTOFF_A
        energy = DEPTH_EV * (x**2 - 2 * x - xc**2 + 2 * xc) - edge * (r - CUTOFF_A)
        pull = np.where(near, (slope - edge) / r, 0.0)
        # As VASP prints it: in kbar, and positive in a compressed crystal.
        virial = np.einsum("ijs,ijsa,ijsb->ab", pull, apart, apart)
        self.stress_kbar = -0.5 * virial / self.volume * KBAR
        return 0.5 * float(energy[near].sum()), (pull[..., None] * apart).sum(axis=(1, 2))


class Thermostat:
    """What happens to the velocities at a step: nothing, csvr, Nose-Hoover or Langevin."""

    def __init__(self, incar: dict[str, str], masses: Any) -> None:
        self.masses, self.dt = masses[:, None], float(incar.get("POTIM", 0))
        self.freedom, self.mdalgo = 3 * len(masses) - 3, int(incar.get("MDALGO", 0))
        self.target = 0.5 * self.freedom * BOLTZMANN * float(incar.get("TEBEG", 0))
        self.period = float(incar.get("CSVR_PERIOD", 0))
        self.friction = float(incar.get("LANGEVIN_GAMMA", "0").split()[0]) / 1000.0
        self.random = np.random.default_rng([int(x) for x in incar.get("RANDOM_SEED", "0").split()])
        self.zeta, self.smass = 0.0, float(incar.get("SMASS", 0))

    def kinetic(self, velocities: Any) -> float:
        return float(0.5 * (self.masses * velocities**2).sum() / EV)

    def __call__(self, velocities: Any, first_vector_A: float) -> Any:
        kinetic = self.kinetic(velocities)
        if self.mdalgo == 5 and self.period:
            c, share = np.exp(-self.dt / self.period), self.target / self.freedom / max(kinetic, 1e-12)
            one, others = self.random.standard_normal(), self.random.chisquare(self.freedom - 1)
            cross = 2 * one * np.sqrt(c * (1 - c) * share)
            return velocities * np.sqrt(c + (1 - c) * share * (one**2 + others) + cross)
        if self.mdalgo == 2 and self.smass > 0:
            self.zeta += 2 * (kinetic - self.target) * EV / (self.smass * first_vector_A**2) * self.dt
            return velocities * np.exp(-self.zeta * self.dt)
        if self.mdalgo == 3:
            c = np.exp(-self.friction * self.dt)
            spread = np.sqrt((1 - c**2) * 2 * self.target / self.freedom * EV / self.masses)
            moved = c * velocities + spread * self.random.standard_normal(velocities.shape)
            return moved - (self.masses * moved).sum(axis=0) / self.masses.sum()
        return velocities
