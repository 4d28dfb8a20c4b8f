"""Conductivity without a motion check: a straight line through the diffusivities of all temperatures.

As computed by the benchmark of Shaaban Kabakibo et al., arXiv:2603.28012: D(T) = D0 exp(-Ea / k_B T) through all
temperatures, diffusive or not, then Nernst-Einstein at the target. Only for comparison with such numbers: a crystal
without diffusion comes out as a conductor.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from aiida_ion.analysis.conductivity import ionic_conductivity_mS_cm

MIN_TEMPERATURES = 2


def ionic_conductivity_without_motion_check_mS_cm(  # noqa: N802
    temperatures_K: Sequence[float],
    diffusivities_cm2_s: Sequence[float],
    charge_e: float,
    number_density_A3: float,
    target_temperature_K: float,
) -> float | None:
    """Return the extrapolated conductivity, mS/cm; ``None`` for fewer than two temperatures.

    :param temperatures_K: (n,).
    :param diffusivities_cm2_s: (n,); those not above zero have no logarithm and are left out.
    :param charge_e: charge of the mobile ion, e.
    :param number_density_A3: mobile ions per angstrom^3.
    :param target_temperature_K: K.
    """
    pairs = zip(temperatures_K, diffusivities_cm2_s, strict=True)
    used = [(1.0 / temperature, math.log(value)) for temperature, value in pairs if value > 0]
    if len({inverse for inverse, _ in used}) < MIN_TEMPERATURES:
        return None
    slope, constant = np.polyfit([inverse for inverse, _ in used], [value for _, value in used], 1)
    diffusivity = math.exp(constant + slope / target_temperature_K)
    return float(ionic_conductivity_mS_cm(diffusivity, charge_e, number_density_A3, target_temperature_K))
