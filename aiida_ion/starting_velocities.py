"""Starting velocities: the same seed gives the same velocities in every engine."""

from __future__ import annotations

import math

import numpy as np
from ase import units
from numpy.typing import ArrayLike, NDArray


def streams(seed: int) -> list[np.random.SeedSequence]:
    """Return the streams of random numbers of a run: the first for its velocities, the second for its thermostat."""
    return np.random.SeedSequence(seed).spawn(2)


def starting_velocities(masses: ArrayLike, temperature_K: float, seed: int) -> NDArray[np.float64]:
    """Draw Maxwell-Boltzmann velocities with no total momentum, scaled to the temperature exactly.

    Every engine follows this rule: the first stream of the seed draws ``standard_normal((N, 3))``, times
    sqrt(k T / m); the velocity of the centre of mass is subtracted; one factor then
    makes 2 E_kin = (3 N - 3) k T.

    :param masses: (N,) g/mol.
    :param temperature_K: temperature, K.
    :param seed: seed of the generator.
    :return: (N, 3) angstrom/fs.
    """
    mass = np.asarray(masses, dtype=float)[:, None]
    if len(mass) < 2:
        return np.zeros((len(mass), 3))
    kt_mass = units.kB * temperature_K * units.fs**2
    generator = np.random.default_rng(streams(seed)[0])
    velocities = generator.standard_normal((len(mass), 3)) * np.sqrt(kt_mass / mass)
    velocities -= (mass * velocities).sum(axis=0) / mass.sum()
    kinetic = float((mass * velocities**2).sum())
    scaled: NDArray[np.float64] = velocities * math.sqrt((3 * len(mass) - 3) * kt_mass / kinetic)
    return scaled
