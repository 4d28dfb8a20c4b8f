"""From diffusivities of carriers at several temperatures to the conductivity of the dilute and the perfect crystal.

What a carrier does follows s(T) = s_0 exp(-E_m / kT); how many there are is another question, with three answers that
are stated apart: a given concentration, that of pairs made by heat, and both together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.conductivity import ionic_conductivity_mS_cm
from aiida_ion.analysis.defects.carrier_settings import CarrierSettings
from aiida_ion.analysis.defects.carriers import (
    DILUTE,
    extrinsic_concentration,
    intrinsic_activation_energy_eV,
    knee_temperature_K,
    slope_of_log,
    thermal_concentration,
)
from aiida_ion.analysis.defects.concentration import NORMAL_95, Line
from aiida_ion.units import BOLTZMANN_EV_K

FloatArray = npt.NDArray[np.float64]
#: Temperatures that differ by less are the same, K.
SAME_K = 1.0


@dataclass(frozen=True)
class CarrierLaw:
    """ln s = ln_s0 - E_m / kT, s in cm^2/s.

    :param migration_eV: E_m; ``None`` where it is not known and the law holds at one temperature alone.
    :param covariance: of ln_s0 and E_m, (2, 2).
    :param source: where E_m is from: ``fit``, ``given`` or ``none``.
    """

    ln_s0: float
    migration_eV: float | None
    covariance: FloatArray
    source: str
    temperatures_K: tuple[float, ...]

    @property
    def migration_error_eV(self) -> float | None:  # noqa: N802
        """Standard error of E_m, eV."""
        return None if self.migration_eV is None else float(np.sqrt(self.covariance[1, 1]))

    def ln_s(self, temperature_K: float) -> tuple[float, float]:
        """Return ln s at a temperature and its variance.

        :raises ValueError: for another temperature than that of the runs where E_m is not known.
        """
        if self.migration_eV is None:
            if abs(temperature_K - self.temperatures_K[0]) > SAME_K:
                raise ValueError(
                    f"the carriers were followed at {self.temperatures_K[0]:g} K alone: for {temperature_K:g} K give "
                    "runs at another temperature, or migration_energy_eV"
                )
            return self.ln_s0, float(self.covariance[0, 0])
        gradient = np.array([1.0, -1.0 / (BOLTZMANN_EV_K * temperature_K)])
        return self.ln_s0 + gradient[1] * self.migration_eV, float(gradient @ self.covariance @ gradient)


@dataclass(frozen=True)
class Stated:
    """A conductivity at the target temperature, and what its concentration is.

    :param what: ``stated``, ``thermal`` or ``extrinsic``.
    :param concentration: carriers for each site.
    :param activation_energy_eV: of the diffusivity at this temperature: E_m, E_m + E_F / 2, or between; ``None`` where
        E_m is not known.
    """

    what: str
    concentration: float
    ionic_conductivity_mS_cm: float
    ionic_conductivity_ci95_mS_cm: tuple[float, float]
    activation_energy_eV: float | None
    dopant_concentration: float | None = None
    knee_temperature_K: float | None = None


def fit_law(lines: Sequence[Line], settings: CarrierSettings) -> CarrierLaw:
    """Return what a carrier does at every temperature.

    With two temperatures or more the law of Arrhenius is fitted to ln s by weighted least squares, its errors widened
    where the points scatter more than they should.

    :raises ValueError: where no line has a slope above zero.
    """
    used = [line for line in lines if line.slope_cm2_s is not None and line.slope_cm2_s > 0]
    if not used:
        raise ValueError("no temperature has a diffusivity that grows with the concentration of carriers")
    temperatures = tuple(line.temperature_K for line in used)
    inverse = np.array([1.0 / (BOLTZMANN_EV_K * line.temperature_K) for line in used])
    values = np.array([math.log(float(line.slope_cm2_s or 0.0)) for line in used])
    errors = np.array([float(line.slope_error_cm2_s or 0.0) / float(line.slope_cm2_s or 1.0) for line in used])
    if settings.migration_energy_eV is not None:
        return _given_law(inverse, values, errors, temperatures, settings)
    if len(used) == 1:
        covariance = np.array([[errors[0] ** 2, 0.0], [0.0, 0.0]])
        return CarrierLaw(float(values[0]), None, covariance, "none", temperatures)
    design = np.column_stack([np.ones(len(used)), -inverse]) / errors[:, None]
    covariance = np.linalg.inv(design.T @ design)
    ln_s0, migration_eV = covariance @ design.T @ (values / errors)
    n_free = len(used) - 2
    if n_free:
        rest = (values - ln_s0 + migration_eV * inverse) / errors
        covariance = covariance * max(1.0, float(rest @ rest) / n_free)
    return CarrierLaw(float(ln_s0), float(migration_eV), covariance, "fit", temperatures)


def _given_law(
    inverse: FloatArray,
    values: FloatArray,
    errors: FloatArray,
    temperatures: tuple[float, ...],
    settings: CarrierSettings,
) -> CarrierLaw:
    migration_eV, error_eV = float(settings.migration_energy_eV or 0.0), settings.migration_energy_error_eV or 0.0
    weights = errors**-2.0 / (errors**-2.0).sum()
    centre = float(weights @ inverse)
    variance = float(1.0 / (errors**-2.0).sum())
    ln_s0 = float(weights @ values) + migration_eV * centre
    covariance = np.array(
        [[variance + (centre * error_eV) ** 2, centre * error_eV**2], [centre * error_eV**2, error_eV**2]]
    )
    return CarrierLaw(ln_s0, migration_eV, covariance, "given", temperatures)


def extrapolate(
    law: CarrierLaw, settings: CarrierSettings, charge_e: float, sites_A3: float
) -> tuple[list[Stated], list[str]]:
    """Return conductivities at the target temperature, each with what its concentration is, and remarks.

    :param charge_e: of the mobile ion, e.
    :param sites_A3: sites of the mobile ion in the perfect crystal for each cubic angstrom.
    :raises ValueError: where the target is another temperature than that of the runs and E_m is not known.
    """
    temperature_K, energy = settings.target_temperature_K, settings.formation_energy_eV
    ln_s, variance = law.ln_s(temperature_K)
    factor = ionic_conductivity_mS_cm(1.0, charge_e, sites_A3, temperature_K) / settings.haven_ratio
    error_eV = settings.formation_energy_error_eV or 0.0

    def state(what: str, concentration: float, slope: float, **more: Any) -> Stated:
        """``slope`` is d ln x / d E_F, 1/eV."""
        middle = ln_s + math.log(factor) + math.log(concentration)
        half = NORMAL_95 * math.sqrt(variance + (slope * error_eV) ** 2)
        # d ln x / d E_F is -1/2kT where heat alone decides: then half of E_F is in the activation energy.
        heat = -slope * BOLTZMANN_EV_K * temperature_K * (energy or 0.0)
        activation = None if law.migration_eV is None else law.migration_eV + heat
        interval = (math.exp(middle - half), math.exp(middle + half))
        return Stated(what, concentration, math.exp(middle), interval, activation, **more)

    results = [state("stated", x, 0.0) for x in settings.concentrations]
    remarks = []
    if energy is None:
        remarks.append("no formation energy: carriers that heat makes are not known")
        return results, remarks
    thermal = thermal_concentration(energy, temperature_K)
    results.append(state("thermal", thermal, slope_of_log(0.0, energy, temperature_K)))
    if thermal > DILUTE:
        remarks.append(f"heat makes {thermal:.2g} carriers for each site: too many for the law of few carriers")
    if settings.formation_energy_error_eV is None:
        remarks.append("the formation energy has no error: intervals of thermal and extrinsic carriers lack it")
    for x in settings.concentrations:
        total = extrinsic_concentration(x, energy, temperature_K)
        slope = slope_of_log(x, energy, temperature_K)
        knee = knee_temperature_K(x, energy)
        results.append(state("extrinsic", total, slope, dopant_concentration=x, knee_temperature_K=knee))
    remarks.append(
        "only carriers of the kind in these cells conduct here, pairs have no vibrational entropy, and carriers are "
        "not bound to dopants"
    )
    return results, remarks


def summary(law: CarrierLaw, settings: CarrierSettings) -> dict[str, Any]:
    """Return the energies, eV: of a carrier, and of the crystal without dopants."""
    result: dict[str, Any] = {
        "migration_energy_eV": law.migration_eV,
        "migration_energy_error_eV": law.migration_error_eV,
        "migration_energy_from": law.source,
        "ln_s0_cm2_s": law.ln_s0,
        "law_temperatures_K": list(law.temperatures_K),
        "intrinsic_activation_energy_eV": None,
        "intrinsic_activation_energy_error_eV": None,
    }
    if law.migration_eV is not None and settings.formation_energy_eV is not None:
        value, error = intrinsic_activation_energy_eV(
            (law.migration_eV, law.migration_error_eV or 0.0),
            (settings.formation_energy_eV, settings.formation_energy_error_eV or 0.0),
        )
        result |= {"intrinsic_activation_energy_eV": value, "intrinsic_activation_energy_error_eV": error}
    return result


def stated_attributes(stated: Sequence[Stated]) -> list[dict[str, Any]]:
    """Return conductivities ready for JSON."""
    return [
        {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(one).items()}
        for one in stated
    ]
