"""The Nernst-Einstein relation, both ways."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from aiida_ion.units import BOLTZMANN_J_K, ELEMENTARY_CHARGE_C, M2_S_PER_CM2_S, M3_PER_A3, MS_CM_PER_S_M

FloatOrArray = TypeVar("FloatOrArray", float, npt.NDArray[np.float64])


def ionic_conductivity_mS_cm(  # noqa: N802
    diffusivity_cm2_s: FloatOrArray, charge_e: float, number_density_A3: float, temperature_K: float
) -> FloatOrArray:
    """Nernst-Einstein conductivity, sigma = N q^2 D / (V k_B T), mS/cm.

    :param diffusivity_cm2_s: tracer or collective diffusivity, cm^2/s; a number or an array.
    :param charge_e: charge of the mobile ion, e.
    :param number_density_A3: mobile ions per angstrom^3.
    :param temperature_K: K.
    :raises ValueError: for a temperature or density that is not positive.
    """
    return diffusivity_cm2_s * _factor(charge_e, number_density_A3, temperature_K)


def diffusivity_cm2_s(
    conductivity_mS_cm: FloatOrArray, charge_e: float, number_density_A3: float, temperature_K: float
) -> FloatOrArray:
    """The inverse of :func:`ionic_conductivity_mS_cm`, cm^2/s.

    :raises ValueError: for a temperature or density that is not positive, or no charge.
    """
    if charge_e == 0:
        raise ValueError("an ion without charge carries no current: no diffusivity follows from a conductivity")
    return conductivity_mS_cm / _factor(charge_e, number_density_A3, temperature_K)


def _factor(charge_e: float, number_density_A3: float, temperature_K: float) -> float:
    """mS/cm for 1 cm^2/s."""
    if not temperature_K > 0:
        raise ValueError(f"temperature_K must be positive, got {temperature_K!r}")
    if not number_density_A3 > 0:
        raise ValueError(f"number_density_A3 must be positive, got {number_density_A3!r}")
    charge_C = charge_e * ELEMENTARY_CHARGE_C
    siemens_per_metre = number_density_A3 / M3_PER_A3 * charge_C**2 * M2_S_PER_CM2_S / (BOLTZMANN_J_K * temperature_K)
    return siemens_per_metre * MS_CM_PER_S_M
