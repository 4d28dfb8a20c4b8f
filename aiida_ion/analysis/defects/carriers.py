"""How many carriers there are: made by heat, by dopants, or both, and at which temperature one takes over.

Frenkel pairs: x_v x_i = K_F = exp(-E_F / kT), the factor exp(S_F / k) of the vibrations left out. Without dopants
x_v = x_i = exp(-E_F / 2kT). With x_d dopants that each make one vacancy x_v = x_d/2 + sqrt(x_d^2/4 + K_F). Both laws
are those of few carriers, which do not see each other.
"""

from __future__ import annotations

import math

from aiida_ion.units import BOLTZMANN_EV_K

#: Above this many carriers for each site the law of few carriers is not one.
DILUTE = 0.1


def thermal_concentration(formation_energy_eV: float, temperature_K: float) -> float:
    """Return the concentration of Frenkel pairs without dopants, exp(-E_F / 2kT), for each site.

    :raises ValueError: for a temperature that is not positive.
    """
    return math.exp(-formation_energy_eV / (2.0 * _boltzmann(temperature_K)))


def extrinsic_concentration(dopant_concentration: float, formation_energy_eV: float, temperature_K: float) -> float:
    """Return the concentration of vacancies with dopants, x_d/2 + sqrt(x_d^2/4 + exp(-E_F / kT)), for each site.

    :param dopant_concentration: vacancies that dopants make, for each site.
    :raises ValueError: for a negative concentration, or a temperature that is not positive.
    """
    if dopant_concentration < 0:
        raise ValueError(f"a concentration of dopants is not negative, got {dopant_concentration!r}")
    half = 0.5 * dopant_concentration
    return half + math.sqrt(half**2 + math.exp(-formation_energy_eV / _boltzmann(temperature_K)))


def slope_of_log(dopant_concentration: float, formation_energy_eV: float, temperature_K: float) -> float:
    """Return d ln x_v / d E_F, 1/eV: -1 / 2kT without dopants, zero where dopants decide."""
    thermal_eV = _boltzmann(temperature_K)
    constant = math.exp(-formation_energy_eV / thermal_eV)
    root = math.sqrt(0.25 * dopant_concentration**2 + constant)
    # Far below the knee both the constant and its square root are zero in floating point.
    return -constant / (2.0 * thermal_eV * root * (0.5 * dopant_concentration + root)) if root > 0 else 0.0


def knee_temperature_K(dopant_concentration: float, formation_energy_eV: float) -> float:  # noqa: N802
    """Return where heat makes as many carriers as the dopants, E_F / (2 k ln(1 / x_d)), K.

    :raises ValueError: for a concentration that is not between 0 and 1, or an energy that is not positive.
    """
    if not 0.0 < dopant_concentration < 1.0:
        raise ValueError(f"a knee needs a concentration of dopants between 0 and 1, got {dopant_concentration!r}")
    if not formation_energy_eV > 0:
        raise ValueError(f"a knee needs a formation energy above 0 eV, got {formation_energy_eV!r}")
    return formation_energy_eV / (2.0 * BOLTZMANN_EV_K * math.log(1.0 / dopant_concentration))


def intrinsic_activation_energy_eV(  # noqa: N802
    migration_eV: tuple[float, float], formation_eV: tuple[float, float]
) -> tuple[float, float]:
    """Return E_a = E_m + E_F / 2 and its standard error, eV, of a crystal without dopants.

    :param migration_eV: value and standard error, eV.
    :param formation_eV: value and standard error of a pair, eV.
    """
    value = migration_eV[0] + 0.5 * formation_eV[0]
    return value, math.hypot(migration_eV[1], 0.5 * formation_eV[1])


def mobility_cm2_V_s(slope_cm2_s: float, charge_e: float, temperature_K: float) -> float:  # noqa: N802
    """Return s abs(q) / kT, the relation of Einstein, cm^2/(V s).

    :param slope_cm2_s: diffusivity for each carrier, cm^2/s.
    """
    return slope_cm2_s * abs(charge_e) / (BOLTZMANN_EV_K * temperature_K)


def _boltzmann(temperature_K: float) -> float:
    if not temperature_K > 0:
        raise ValueError(f"temperature_K must be positive, got {temperature_K!r}")
    return BOLTZMANN_EV_K * temperature_K
