"""The two terms of a bond valence site energy as functions of the distance, with their derivatives."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import erfc

FloatArray = npt.NDArray[np.float64]


def morse(distances_A: FloatArray, values: FloatArray, reach_A: FloatArray) -> FloatArray:
    """Return the sum of (D0/2) ((x - 1)^2 - 1) = (D0/2) (x^2 - 2 x), x = exp(alpha (Rmin - R)), eV, (n,).

    :param distances_A: of points from ions, angstrom, (n, m); overwritten.
    :param values: Rmin (angstrom), alpha (1/angstrom) and D0 (eV) of each ion, (m, 3 or more).
    :param reach_A: range of each, angstrom, (m,).
    """
    r_min, alpha, depth = values[:, 0], values[:, 1], values[:, 2]
    beyond = distances_A >= reach_A
    distances_A *= -alpha
    distances_A += alpha * r_min
    x = np.exp(distances_A, out=distances_A)
    x[beyond] = 0.0
    energies: FloatArray = -(x @ depth)
    x *= x
    energies += x @ (0.5 * depth)
    return energies


def coulomb(distances_A: FloatArray, values: FloatArray, reach_A: FloatArray) -> FloatArray:
    """Return the sum of factor erfc(R / length) / R, eV, (n,).

    :param distances_A: of points from ions, angstrom, (n, m).
    :param values: length (angstrom) and factor (eV angstrom) of each ion, (m, 2 or more).
    :param reach_A: range of each, angstrom, (m,).
    """
    length, factor = values[:, 0], values[:, 1]
    screened = erfc(distances_A / length)
    screened /= distances_A
    screened[distances_A >= reach_A] = 0.0
    energies: FloatArray = screened @ factor
    return energies


def morse_slopes(distances_A: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return each term of :func:`morse` and its two derivatives with respect to the distance, each (m,)."""
    r_min, alpha, depth = values[:, 0], values[:, 1], values[:, 2]
    x = np.exp(alpha * (r_min - distances_A))
    return 0.5 * depth * (x * x - 2 * x), depth * alpha * (x - x * x), depth * alpha**2 * (2 * x * x - x)


def coulomb_slopes(distances_A: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return each term of :func:`coulomb` and its two derivatives with respect to the distance, each (m,)."""
    length, factor = values[:, 0], values[:, 1]
    screened = erfc(distances_A / length)
    slope = -2.0 / np.sqrt(np.pi) / length * np.exp(-((distances_A / length) ** 2))
    value = factor * screened / distances_A
    first = factor * (slope / distances_A - screened / distances_A**2)
    bend = -2.0 * distances_A / length**2 * slope
    second = factor * (bend / distances_A - 2 * slope / distances_A**2 + 2 * screened / distances_A**3)
    return value, first, second
