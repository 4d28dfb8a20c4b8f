"""The spread between members of an ensemble, as the error that it leaves in their weighted mean.

Members are drawn from what a disordered crystal may be. Their weighted mean errs by the errors of the members, and by
the choice of members. The moment estimate of the variance between members is that of DerSimonian and Laird (Controlled
Clinical Trials 7, 177, 1986) with fixed weights; its own uncertainty, large for few members, is drawn with it
(generalised inference: Weerahandi, J. Am. Stat. Assoc. 88, 899, 1993), which is a Student distribution where members
differ by much more than their errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

#: Draws of a logarithm are kept within this of its value: two members have the tails of Cauchy's distribution.
LARGEST = 60.0


@dataclass(frozen=True)
class Sampling:
    """How members stand for the crystal.

    :param weights: of the members, sum 1, (K,).
    :param share: part of the variance between members that is left in their mean: the sum of squared weights or, where
        weights are shares of independent draws, one over the number of draws.
    :param freedom: degrees of freedom of the estimated variance between members.
    """

    weights: FloatArray
    share: float
    freedom: float

    @property
    def k_effective(self) -> float:
        """Number of members with equal weights that would leave the same error."""
        return 1.0 / self.share

    @property
    def is_measured(self) -> bool:
        """Whether there is more than one member."""
        return len(self.weights) > 1


def sampling_of(weights: Sequence[float], counts: Sequence[int | None]) -> Sampling:
    """Return how members stand for the crystal.

    :param weights: need not sum to 1.
    :param counts: draws that gave each member; used where weights are their shares.
    :raises ValueError: for weights that are not positive.
    """
    given = np.asarray(weights, dtype=float)
    if not len(given) or not np.all(np.isfinite(given) & (given > 0)):
        raise ValueError("weights of members must be positive")
    shares = given / given.sum()
    known = [count for count in counts if count is not None]
    if len(known) == len(shares) and sum(known) > 0:
        n_draws = sum(known)
        if np.allclose(shares, np.array(known) / n_draws, rtol=1e-6):
            return Sampling(shares, 1.0 / n_draws, float(n_draws - 1))
    squares = float(np.sum(shares**2))
    spread = squares - 2.0 * float(np.sum(shares**3)) + squares**2
    return Sampling(shares, squares, (1.0 - squares) ** 2 / spread if spread > 1e-12 else 0.0)


@dataclass(frozen=True)
class Spread:
    """Variances of each of some quantities, (q,).

    :param observed: between the values of members, their own errors included.
    :param own: the part of it that the errors of the members explain.
    :param within: of the mean, from the errors of the members.
    :param share: as in :class:`Sampling`.
    """

    observed: FloatArray
    own: FloatArray
    within: FloatArray
    share: float

    @property
    def between(self) -> FloatArray:
        """Variance between members, without their errors."""
        difference: FloatArray = np.maximum(self.observed - self.own, 0.0)
        return difference

    @property
    def between_of_mean(self) -> FloatArray:
        """The part of it that is left in the mean."""
        left: FloatArray = self.share * self.between
        return left


def spread_of(sampling: Sampling, values: FloatArray, variances: FloatArray) -> Spread:
    """Return the spread of some quantities; nothing between members for a single one.

    :param values: of each member, (K, q).
    :param variances: squared errors of the members, (K, q).
    """
    weights = sampling.weights[:, None]
    within = np.sum(weights**2 * variances, axis=0)
    if not sampling.is_measured:
        return Spread(np.zeros_like(within), np.zeros_like(within), within, sampling.share)
    left = 1.0 - sampling.share
    deviations = values - np.sum(weights * values, axis=0)
    observed = np.sum(weights * deviations**2, axis=0) / left
    own = np.sum(weights * (1.0 - weights) * variances, axis=0) / left
    return Spread(observed, own, within, sampling.share)


def between_draws(
    sampling: Sampling, values: FloatArray, variances: FloatArray, n_draws: int, generator: np.random.Generator
) -> FloatArray:
    """Return draws of the error that the choice of members leaves in their mean, (n_draws, q); zero for one member.

    Errors of different quantities are correlated as the members are.

    :param values: of each member, (K, q).
    :param variances: squared errors of the members, (K, q).
    """
    if not sampling.is_measured:
        return np.zeros((n_draws, values.shape[1]))
    spread = spread_of(sampling, values, variances)
    scale = sampling.freedom / generator.chisquare(sampling.freedom, n_draws)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(spread.observed > 0, spread.own / spread.observed, 1.0)
    kept = np.sqrt(np.maximum(scale - part, 0.0))
    weights = sampling.weights[:, None]
    deviations = values - np.sum(weights * values, axis=0)
    factors = np.sqrt(weights * sampling.share / (1.0 - sampling.share)) * deviations
    draws = kept * (generator.standard_normal((n_draws, len(weights))) @ factors)
    limited: FloatArray = np.clip(draws, -LARGEST, LARGEST)
    return limited
