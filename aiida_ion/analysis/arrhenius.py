"""Arrhenius fit over whole posteriors, bounds included, and what follows at the target temperature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from aiida_ion.analysis.arrhenius_posterior import Observations, Priors, sample_posterior
from aiida_ion.analysis.conductivity import ionic_conductivity_mS_cm
from aiida_ion.analysis.diffusion_result import Interval, interval95
from aiida_ion.units import BOLTZMANN_EV_K

__all__ = ["ArrheniusPoint", "ArrheniusResult", "Priors", "fit_arrhenius"]

FloatArray = npt.NDArray[np.float64]

#: Temperatures that moved, all different, below which there is no fit.
MIN_TEMPERATURES = 3
#: Temperatures closer than this count as one, K.
SAME_TEMPERATURE_K = 1.0
#: No simulation knows ln D better than this.
MIN_STD_LN_D = 0.05
#: A straight line is doubted below this p-value.
MIN_P_VALUE = 0.01
#: A bound above the diffusivity of a liquid (water at 300 K: 2e-5) says nothing about a solid, cm^2/s.
UNINFORMATIVE_BOUND_CM2_S = 2e-5
#: Confidence of an upper bound at the target temperature.
BOUND_CONFIDENCE = 0.95


@dataclass(frozen=True)
class ArrheniusPoint:
    """What one temperature contributes.

    :param temperature_K: measured mean temperature, K.
    :param samples_cm2_s: draws of the diffusivity, cm^2/s; ``None`` when nothing moved.
    :param upper_bound_cm2_s: bound of the diffusivity when nothing moved, cm^2/s.
    :param refused_because: a sentence that keeps the point out of the fit, such as a molten framework.
    """

    temperature_K: float
    samples_cm2_s: FloatArray | None = None
    upper_bound_cm2_s: float | None = None
    refused_because: str | None = None


@dataclass
class ArrheniusResult:
    """Arrhenius law of one material. What was not determined is ``None``.

    ``verdict``: ``measured`` (three temperatures moved: there are numbers), ``bound`` (an upper bound at the
    target temperature, from a stated prior of D0), ``not_measurable`` (neither); ``reason`` says why there is
    no number.
    """

    verdict: str
    reason: str | None
    target_temperature_K: float
    temperatures_used_K: list[float]
    temperatures_bound_K: list[float]
    temperatures_refused: list[dict[str, Any]]
    priors: dict[str, Any]
    activation_energy_eV: float | None = None
    activation_energy_std_eV: float | None = None
    activation_energy_ci95_eV: Interval | None = None
    log10_prefactor_cm2_s: float | None = None
    log10_prefactor_ci95_cm2_s: Interval | None = None
    log10_diffusivity_cm2_s: float | None = None
    log10_diffusivity_ci95_cm2_s: Interval | None = None
    log10_ionic_conductivity_mS_cm: float | None = None
    log10_ionic_conductivity_std_mS_cm: float | None = None
    log10_ionic_conductivity_ci95_mS_cm: Interval | None = None
    log10_ionic_conductivity_ci68_mS_cm: Interval | None = None
    diffusivity_upper_bound_cm2_s: float | None = None
    ionic_conductivity_upper_bound_mS_cm: float | None = None
    chi2: float | None = None
    degrees_of_freedom: int | None = None
    p_value: float | None = None
    arrhenius_consistent: bool | None = None
    activation_energy_samples_eV: FloatArray | None = None
    log10_prefactor_samples_cm2_s: FloatArray | None = field(default=None, repr=False)

    def diffusivity_samples_cm2_s(self, temperature_K: float) -> FloatArray:
        """Draws of D at a temperature, cm^2/s.

        :raises ValueError: unless the verdict is ``measured``.
        """
        if self.activation_energy_samples_eV is None or self.log10_prefactor_samples_cm2_s is None:
            raise ValueError(f"no diffusivity at {temperature_K:g} K: the verdict is {self.verdict}")
        exponent = self.activation_energy_samples_eV / (BOLTZMANN_EV_K * temperature_K * np.log(10.0))
        samples: FloatArray = 10.0 ** (self.log10_prefactor_samples_cm2_s - exponent)
        return samples

    def attributes(self) -> dict[str, Any]:
        """Every number, flag, sentence and list, ready for JSON."""
        values = {
            name: value for name, value in vars(self).items() if not name.endswith(("samples_eV", "samples_cm2_s"))
        }
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def arrays(self) -> dict[str, FloatArray]:
        """The posterior draws, when there are any: activation energy and log10 of the prefactor, paired."""
        if self.activation_energy_samples_eV is None or self.log10_prefactor_samples_cm2_s is None:
            return {}
        return {
            "activation_energy_samples_eV": self.activation_energy_samples_eV,
            "log10_prefactor_samples_cm2_s": self.log10_prefactor_samples_cm2_s,
        }


def fit_arrhenius(
    points: Sequence[ArrheniusPoint],
    target_temperature_K: float,
    charge_e: float | None = None,
    number_density_A3: float | None = None,
    priors: Priors | None = None,
    seed: int = 1,
    n_samples: int = 1000,
) -> ArrheniusResult:
    """Fit D(T) = D0 exp(-Ea / k_B T) to posteriors and bounds.

    Gaussian likelihood in ln D for temperatures that moved; a bound enters as the probability that D lies
    below it. The posterior is taken on a grid. With fewer than three different temperatures that moved there
    is never a number.

    :param points: one entry per temperature.
    :param target_temperature_K: K.
    :param charge_e: charge of the mobile ion, e; with ``number_density_A3`` (per angstrom^3) gives
        conductivities.
    :param seed: of the draws.
    :raises ValueError: for no points or a target temperature that is not positive.
    """
    if not points:
        raise ValueError("an Arrhenius fit needs at least one temperature")
    if not target_temperature_K > 0:
        raise ValueError(f"target_temperature_K must be positive, got {target_temperature_K!r}")
    priors = priors or Priors()
    refused = [{"temperature_K": p.temperature_K, "reason": why} for p in points if (why := _refusal(p))]
    accepted = [p for p in points if not _refusal(p)]
    moved = [p for p in accepted if p.samples_cm2_s is not None]
    bounds = [p for p in accepted if p.samples_cm2_s is None]
    result = ArrheniusResult(
        verdict="not_measurable",
        reason=None,
        target_temperature_K=float(target_temperature_K),
        temperatures_used_K=[p.temperature_K for p in moved],
        temperatures_bound_K=[p.temperature_K for p in bounds],
        temperatures_refused=refused,
        priors=priors.to_dict(),
    )
    n_different = _n_different([p.temperature_K for p in moved])
    if n_different >= MIN_TEMPERATURES:
        _measure(result, _observations(moved, bounds), priors, seed, n_samples)
        _conductivities(result, charge_e, number_density_A3)
        return result
    result.reason = (
        f"The ions moved at {n_different} different temperatures; {MIN_TEMPERATURES} are needed to "
        f"extrapolate to {target_temperature_K:g} K."
    )
    if bounds:
        result.verdict = "bound"
        bound = _bound_at_target(bounds, target_temperature_K, priors, seed)
        result.diffusivity_upper_bound_cm2_s = bound
        if charge_e is not None and number_density_A3 is not None:
            result.ionic_conductivity_upper_bound_mS_cm = ionic_conductivity_mS_cm(
                bound, charge_e, number_density_A3, target_temperature_K
            )
        if bound > UNINFORMATIVE_BOUND_CM2_S:
            result.verdict = "not_measurable"
            result.reason += " The runs are too short for a bound that says anything."
    return result


def _refusal(point: ArrheniusPoint) -> str | None:
    """Why a point cannot be used, or ``None``."""
    if point.refused_because:
        return point.refused_because
    if not (np.isfinite(point.temperature_K) and point.temperature_K > 0):
        return "The temperature is not a positive number."
    if point.samples_cm2_s is None and point.upper_bound_cm2_s is None:
        return "There is neither a diffusivity nor a bound."
    given = point.upper_bound_cm2_s if point.samples_cm2_s is None else point.samples_cm2_s
    values = np.atleast_1d(np.asarray(given, dtype=float))
    if not np.all(np.isfinite(values) & (values > 0)):
        return "The diffusivity, or its bound, is not positive and finite."
    if point.samples_cm2_s is not None and values.size < 2:
        return "One draw of the diffusivity says nothing of its uncertainty."
    return None


def _n_different(temperatures_K: Sequence[float]) -> int:
    ordered = sorted(temperatures_K)
    distinct: list[float] = []
    for temperature in ordered:
        if not distinct or temperature - distinct[-1] > SAME_TEMPERATURE_K:
            distinct.append(temperature)
    return len(distinct)


def _observations(moved: Sequence[ArrheniusPoint], bounds: Sequence[ArrheniusPoint]) -> Observations:
    logs = [np.log(np.asarray(p.samples_cm2_s, dtype=float)) for p in moved]
    spread = [max(float(log.std(ddof=1)), MIN_STD_LN_D) for log in logs]
    return Observations(
        inverse_kT=np.array([1.0 / (BOLTZMANN_EV_K * p.temperature_K) for p in moved]),
        ln_d=np.array([log.mean() for log in logs]),
        std=np.array(spread),
        bound_inverse_kT=np.array([1.0 / (BOLTZMANN_EV_K * p.temperature_K) for p in bounds]),
        ln_bound=np.log(np.array([p.upper_bound_cm2_s for p in bounds], dtype=float)),
    )


def _measure(result: ArrheniusResult, data: Observations, priors: Priors, seed: int, n_samples: int) -> None:
    energy, log10_d0 = sample_posterior(data, priors, seed, n_samples)
    result.verdict = "measured"
    result.activation_energy_samples_eV, result.log10_prefactor_samples_cm2_s = energy, log10_d0
    result.activation_energy_eV, result.activation_energy_std_eV = (
        float(energy.mean()),
        float(energy.std(ddof=1)),
    )
    result.activation_energy_ci95_eV = interval95(energy)
    result.log10_prefactor_cm2_s = float(log10_d0.mean())
    result.log10_prefactor_ci95_cm2_s = interval95(log10_d0)
    log10_d = np.log10(result.diffusivity_samples_cm2_s(result.target_temperature_K))
    result.log10_diffusivity_cm2_s = float(log10_d.mean())
    result.log10_diffusivity_ci95_cm2_s = interval95(log10_d)
    residuals = (data.ln_d - log10_d0.mean() * np.log(10.0) + energy.mean() * data.inverse_kT) / data.std
    result.chi2 = float(residuals @ residuals)
    result.degrees_of_freedom = len(data.ln_d) - 2
    result.p_value = float(stats.chi2.sf(result.chi2, result.degrees_of_freedom))
    result.arrhenius_consistent = bool(result.p_value > MIN_P_VALUE)


def _conductivities(result: ArrheniusResult, charge_e: float | None, number_density_A3: float | None) -> None:
    if charge_e is None or number_density_A3 is None or charge_e == 0:
        return
    temperature = result.target_temperature_K
    samples = result.diffusivity_samples_cm2_s(temperature)
    log10_sigma = np.log10(ionic_conductivity_mS_cm(samples, charge_e, number_density_A3, temperature))
    result.log10_ionic_conductivity_mS_cm = float(log10_sigma.mean())
    result.log10_ionic_conductivity_std_mS_cm = float(log10_sigma.std(ddof=1))
    result.log10_ionic_conductivity_ci95_mS_cm = interval95(log10_sigma)
    low, high = np.percentile(log10_sigma, [16.0, 84.0])
    result.log10_ionic_conductivity_ci68_mS_cm = (float(low), float(high))


def _bound_at_target(bounds: Sequence[ArrheniusPoint], target_temperature_K: float, priors: Priors, seed: int) -> float:
    """95 % upper bound of D at the target, cm^2/s.

    D <= D0 (D_ub / D0)^(T / T_target) with D0 from its prior and no negative activation energy.
    """
    log10_d0 = np.random.default_rng(seed).normal(
        priors.bound_log10_prefactor_mean, priors.bound_log10_prefactor_std, 20000
    )
    limits = []
    for point in bounds:
        drop = np.minimum(0.0, np.log10(point.upper_bound_cm2_s or 1.0) - log10_d0)
        power = max(1.0, point.temperature_K / target_temperature_K)
        limits.append(log10_d0 + drop * power)
    return float(10.0 ** np.quantile(np.min(limits, axis=0), BOUND_CONFIDENCE))
