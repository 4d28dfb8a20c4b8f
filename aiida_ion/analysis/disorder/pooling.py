"""Diffusivities of the members of an ensemble at one temperature -> that of the crystal, with its interval.

Regions of all members coexist in a sample. The arithmetic mean (all paths in parallel, Wiener's upper bound) is the
estimate; the harmonic mean (in series, his lower bound) and the effective medium of Bruggeman are given beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize

from aiida_ion.analysis.arrhenius.result import GAUSSIAN95
from aiida_ion.analysis.diffusion.result import Interval, interval95
from aiida_ion.analysis.disorder.spread import Sampling, between_draws, spread_of

FloatArray = npt.NDArray[np.float64]

#: Members whose diffusivities differ by more are not averaged well by a cell of this size.
LARGE_RATIO = 10.0
#: Variance of logarithms that is believed at most when deviations are widened by it.
LARGEST_LOG_VARIANCE = 3.0
BETWEEN, WITHIN = "between_members", "within_members"


@dataclass(frozen=True)
class MemberPoint:
    """What a member has at a temperature: draws of its diffusivity, or an upper bound.

    :param samples_cm2_s: draws of the diffusivity, cm^2/s, (n,).
    :param upper_bound_cm2_s: 95 % upper bound where no diffusion was detected, cm^2/s.
    :param detection_bound_cm2_s: the bound if the run just failed to measure, cm^2/s.
    """

    samples_cm2_s: FloatArray | None = None
    upper_bound_cm2_s: float | None = None
    detection_bound_cm2_s: float | None = None

    def moments(self) -> tuple[float, float]:
        """Return the diffusivity and its squared standard error; a bound is uniform from zero to itself.

        Draws are clipped to their central 95 %: with few replicas their tails are too heavy for ordinary moments.
        """
        if self.samples_cm2_s is None:
            bound = float(self.upper_bound_cm2_s or 0.0)
            return 0.5 * bound, bound**2 / 12.0
        low, high = np.percentile(self.samples_cm2_s, [2.5, 97.5])
        return float(np.clip(self.samples_cm2_s, low, high).mean()), float((high - low) / (2.0 * GAUSSIAN95)) ** 2

    def draw(self, n_draws: int, generator: np.random.Generator) -> FloatArray:
        """Return draws of the diffusivity, cm^2/s, (n_draws,)."""
        if self.samples_cm2_s is None:
            return generator.uniform(0.0, float(self.upper_bound_cm2_s or 0.0), n_draws)
        return generator.choice(np.asarray(self.samples_cm2_s, dtype=float), n_draws)


@dataclass(frozen=True)
class PooledPoint:
    """The diffusivity of the crystal at a temperature, cm^2/s.

    :param value_cm2_s: the arithmetic mean; ``None`` where no member diffuses.
    :param ci95_cm2_s: its 95 % interval: errors of the members, and their choice.
    :param samples_cm2_s: draws with both errors, (n,).
    :param within_samples_cm2_s: draws with the errors of the members alone, (n,).
    :param deviations: of each member from the mean, relative to it, widened where they are skewed, (K,).
    :param variances: squared errors of the members, relative to the mean, (K,).
    :param within_std_cm2_s: standard error of the mean from the errors of the members.
    :param between_std_cm2_s: and from their choice; ``None`` for one member.
    :param member_std_cm2_s: standard deviation between members, without their errors; ``None`` for one member.
    :param series_cm2_s: harmonic mean; an upper bound of it where a member has only a bound.
    :param effective_medium_cm2_s: of the medium; the same holds.
    :param max_over_min: largest over smallest member; at least this where a member has only a bound.
    :param n_bounds: members with only a bound.
    :param upper_bound_cm2_s: where no member diffuses.
    :param detection_bound_cm2_s: and the bound that the runs could just not exceed.
    """

    value_cm2_s: float | None
    n_bounds: int
    max_over_min: float
    ci95_cm2_s: Interval | None = None
    samples_cm2_s: FloatArray | None = None
    within_samples_cm2_s: FloatArray | None = None
    deviations: FloatArray | None = None
    variances: FloatArray | None = None
    within_std_cm2_s: float | None = None
    between_std_cm2_s: float | None = None
    member_std_cm2_s: float | None = None
    series_cm2_s: float | None = None
    effective_medium_cm2_s: float | None = None
    upper_bound_cm2_s: float | None = None
    detection_bound_cm2_s: float | None = None

    @property
    def dominant(self) -> str | None:
        """Which error of the mean is larger; ``None`` where that between members is not known."""
        if self.between_std_cm2_s is None or self.within_std_cm2_s is None:
            return None
        return BETWEEN if self.between_std_cm2_s > self.within_std_cm2_s else WITHIN


def pool(points: Sequence[MemberPoint], sampling: Sampling, seed: int = 1, n_draws: int = 1000) -> PooledPoint:
    """Return the diffusivity of the crystal at one temperature.

    Errors are applied to its logarithm, so that an interval never reaches zero.

    :param points: of the members, in the order of their weights.
    """
    n_bounds = sum(point.samples_cm2_s is None for point in points)
    highest = np.array([point.upper_bound_cm2_s or point.moments()[0] for point in points])
    ratio = float(highest.max() / highest.min())
    if n_bounds == len(points):
        weights = sampling.weights
        detection = [point.detection_bound_cm2_s or point.upper_bound_cm2_s or 0.0 for point in points]
        return PooledPoint(
            None,
            n_bounds,
            1.0,
            upper_bound_cm2_s=float(weights @ highest),
            detection_bound_cm2_s=float(weights @ np.array(detection)),
        )
    generator = np.random.default_rng(seed)
    moments = np.array([point.moments() for point in points])
    value = float(sampling.weights @ moments[:, 0])
    deviations, variances = moments[:, 0] / value - 1.0, moments[:, 1] / value**2
    deviations = deviations * _skewness_factor(sampling, moments[:, 0], deviations)
    within = sampling.weights @ np.array([point.draw(n_draws, generator) for point in points])
    columns = deviations[:, None], variances[:, None]
    between = between_draws(sampling, *columns, n_draws, generator)[:, 0]
    spread = spread_of(sampling, *columns)
    samples = within * np.exp(between)
    known = sampling.is_measured
    return PooledPoint(
        value_cm2_s=value,
        n_bounds=n_bounds,
        max_over_min=ratio,
        ci95_cm2_s=interval95(samples),
        samples_cm2_s=samples,
        within_samples_cm2_s=within,
        deviations=deviations,
        variances=variances,
        within_std_cm2_s=value * float(np.sqrt(spread.within[0])),
        between_std_cm2_s=value * float(np.sqrt(spread.between_of_mean[0])) if known else None,
        member_std_cm2_s=value * float(np.sqrt(spread.between[0])) if known else None,
        series_cm2_s=float(1.0 / (sampling.weights @ (1.0 / highest))),
        effective_medium_cm2_s=effective_medium(sampling.weights, highest),
    )


def _skewness_factor(sampling: Sampling, values: FloatArray, deviations: FloatArray) -> float:
    """Return by how much deviations are widened where members differ by their logarithms, 1 or more.

    A few draws of a skewed distribution mostly lack its large values, so that their own spread is too small: it is at
    least that of a logarithmic normal distribution with the spread of their logarithms, sd^2 = exp(sd_ln^2) - 1.

    :param deviations: from the mean, relative to it.
    """
    if not sampling.is_measured:
        return 1.0
    none = np.zeros_like(values)[:, None]
    observed = float(spread_of(sampling, deviations[:, None], none).observed[0])
    logs = float(spread_of(sampling, np.log(values)[:, None], none).observed[0])
    expected = float(np.expm1(min(logs, LARGEST_LOG_VARIANCE)))
    return float(np.sqrt(max(1.0, expected / observed))) if observed > 0 else 1.0


def effective_medium(weights: FloatArray, values: FloatArray) -> float:
    """Return the conductivity s of Bruggeman's medium: sum_k w_k (s_k - s) / (s_k + 2 s) = 0.

    :param weights: sum 1, (K,).
    :param values: positive, in any unit, (K,).
    """
    low, high = float(values.min()), float(values.max())
    if high <= low * (1.0 + 1e-12):
        return low

    def excess(log: float) -> float:
        medium = float(np.exp(log))
        return float(np.sum(weights * (values - medium) / (values + 2.0 * medium)))

    return float(np.exp(optimize.brentq(excess, np.log(low), np.log(high))))
