"""Arrhenius fit to posteriors and bounds, and its prediction at the target temperature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.arrhenius.bound import bound_assumption, bound_at_target
from aiida_ion.analysis.arrhenius.measured import fill_measured, fill_upper_bound
from aiida_ion.analysis.arrhenius.members import MemberDeviations, members_of_line
from aiida_ion.analysis.arrhenius.posterior import Observations
from aiida_ion.analysis.arrhenius.priors import Priors
from aiida_ion.analysis.arrhenius.result import GAUSSIAN95, ArrheniusResult
from aiida_ion.verdicts import MAX_INTERVAL_DECADES

__all__ = ["ArrheniusPoint", "ArrheniusResult", "Priors", "fit_arrhenius"]

FloatArray = npt.NDArray[np.float64]

#: Distinct diffusive temperatures needed for a fit.
MIN_TEMPERATURES = 3
#: Temperatures closer than this count as one, K.
SAME_TEMPERATURE_K = 1.0


@dataclass(frozen=True)
class ArrheniusPoint:
    """The contribution of one temperature.

    :param temperature_K: measured mean temperature, K.
    :param samples_cm2_s: draws of the diffusivity, cm^2/s; ``None`` when no diffusion was detected.
    :param upper_bound_cm2_s: 95 % upper bound of the diffusivity when no diffusion was detected, cm^2/s.
    :param detection_bound_cm2_s: the bound if the same run just failed to measure, from
        :func:`aiida_ion.analysis.arrhenius.bound.detection_bound_cm2_s`; where given it is used in the fit, because a
        bound from fewer hops would pull D down, although the hops that were seen are evidence of motion.
    :param refused_because: reason to exclude the point from the fit, such as a molten framework.
    :param members: of an ensemble whose mean this is; the draws then have the errors of the members alone.
    """

    temperature_K: float
    samples_cm2_s: FloatArray | None = None
    upper_bound_cm2_s: float | None = None
    detection_bound_cm2_s: float | None = None
    refused_because: str | None = None
    members: MemberDeviations | None = None


def fit_arrhenius(
    points: Sequence[ArrheniusPoint],
    target_temperature_K: float,
    charge_e: float | None = None,
    number_density_A3: float | None = None,
    priors: Priors | None = None,
    seed: int = 1,
    n_samples: int = 1000,
    max_interval_decades: float = MAX_INTERVAL_DECADES,
) -> ArrheniusResult:
    """Fit D(T) = D0 exp(-Ea / k_B T) to posteriors and bounds, and judge whether the law is curved.

    The likelihood is Gaussian in ln D for diffusive temperatures; that of a bound is the probability of detecting no
    diffusion. There is no value with fewer than three different diffusive temperatures.

    :param points: one entry per temperature.
    :param target_temperature_K: K.
    :param charge_e: charge of the mobile ion, e; needed, with ``number_density_A3`` (per angstrom^3), for
        conductivities.
    :param seed: seed of the draws.
    :param max_interval_decades: a value at the target with a wider 95 % interval is poorly known.
    :raises ValueError: for no points, a target temperature that is not positive, or priors that exclude the data.
    """
    if not points:
        raise ValueError("an Arrhenius fit needs at least one temperature")
    if not target_temperature_K > 0:
        raise ValueError(f"target_temperature_K must be positive, got {target_temperature_K!r}")
    priors = priors or Priors()
    accepted = [p for p in points if not _refusal(p)]
    moved = [p for p in accepted if p.samples_cm2_s is not None]
    bounds = [p for p in accepted if p.samples_cm2_s is None]
    result = ArrheniusResult(
        verdict="not_measurable",
        reason=None,
        target_temperature_K=float(target_temperature_K),
        temperatures_used_K=[p.temperature_K for p in moved],
        temperatures_bound_K=[p.temperature_K for p in bounds],
        temperatures_refused=[_refused(p) for p in points if _refusal(p)],
        priors=priors.to_dict(),
        max_interval_decades=max_interval_decades,
    )
    ions = None if not charge_e or number_density_A3 is None else (charge_e, number_density_A3)
    n_different = _n_different(result.temperatures_used_K)
    if n_different >= MIN_TEMPERATURES:
        data = _observations(moved, bounds)
        shared = [p.members for p in moved if p.members is not None]
        members = members_of_line(shared, data) if len(shared) == len(moved) else None
        fill_measured(result, data, priors, n_different, ions, seed, n_samples, members)
        return result
    result.reason = (
        f"Diffusion was detected at {n_different} different temperatures; {MIN_TEMPERATURES} are needed to "
        f"extrapolate to {target_temperature_K:g} K."
    )
    if bounds:
        result.reason += f" {bound_assumption(priors)}"
        limits = [(p.temperature_K, p.upper_bound_cm2_s or 0.0) for p in bounds]
        bound = bound_at_target(limits, target_temperature_K, priors, seed)
        fill_upper_bound(result, bound, priors, ions, "The runs are too short for a useful bound.")
    return result


def _refused(point: ArrheniusPoint) -> dict[str, Any]:
    return {"temperature_K": point.temperature_K, "reason": _refusal(point)}


def _refusal(point: ArrheniusPoint) -> str | None:
    """Return why a point cannot be used, or ``None``."""
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
    if point.samples_cm2_s is not None and np.ptp(values) == 0.0:
        return "Draws of the diffusivity that do not differ say nothing about its uncertainty."
    return None


def _n_different(temperatures_K: Sequence[float]) -> int:
    ordered = sorted(temperatures_K)
    distinct: list[float] = []
    for temperature in ordered:
        if not distinct or temperature - distinct[-1] > SAME_TEMPERATURE_K:
            distinct.append(temperature)
    return len(distinct)


def _observations(moved: Sequence[ArrheniusPoint], bounds: Sequence[ArrheniusPoint]) -> Observations:
    centres = [gaussian_of_logarithm(np.asarray(p.samples_cm2_s, dtype=float)) for p in moved]
    return Observations(
        temperature_K=np.array([p.temperature_K for p in moved]),
        ln_d=np.array([mean for mean, _ in centres]),
        std=np.array([std for _, std in centres]),
        bound_temperature_K=np.array([p.temperature_K for p in bounds]),
        ln_bound=np.log(np.array([p.detection_bound_cm2_s or p.upper_bound_cm2_s for p in bounds], dtype=float)),
    )


def gaussian_of_logarithm(samples_cm2_s: FloatArray) -> tuple[float, float]:
    """Return mean and standard deviation of the Gaussian in ln D that represents draws of D.

    The mean is that of ln D with the draws clipped to the central 95 %, and the standard deviation is half the width of
    the central 95 % over 1.96: with few replicas the tails are too heavy for an ordinary standard deviation.
    """
    logs = np.log(samples_cm2_s)
    low, high = np.percentile(logs, [2.5, 97.5])
    return float(np.clip(logs, low, high).mean()), float((high - low) / (2.0 * GAUSSIAN95))
