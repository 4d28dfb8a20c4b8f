"""How well a quantity ranks materials whose conductivity was measured, and how many conductors a cut keeps."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy import stats

from aiida_ion.analysis.diffusion.result import Interval

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Scalar = TypeVar("Scalar", np.bool_, np.float64)

#: Conductivity from which a material counts as a conductor: superionic, 1e-4 S/cm.
CONDUCTOR_MS_CM = 0.1
#: The share of a ranking that would be computed next.
TOP_SHARE = 0.1
#: Fewest materials for a score.
MIN_MATERIALS = 5
N_RESAMPLES = 500
#: Percentiles of random rankings: the median, and one standard deviation to either side.
RANDOM_PERCENTILES = (16.0, 50.0, 84.0)


@dataclass(frozen=True)
class Share:
    """A share of materials, with its 95 % interval of Wilson; no share of none.

    :param n: materials that have the property.
    :param n_all: materials.
    """

    n: int
    n_all: int

    @property
    def value(self) -> float | None:
        """Return the share, from 0 to 1."""
        return self.n / self.n_all if self.n_all else None

    @property
    def ci95(self) -> Interval | None:
        """Return its 95 % interval (E. B. Wilson, J. Am. Stat. Assoc. 22, 209 (1927))."""
        if not self.n_all:
            return None
        interval = stats.binomtest(self.n, self.n_all).proportion_ci(0.95, method="wilson")
        return float(interval.low), float(interval.high)


@dataclass(frozen=True)
class Measured:
    """The measured conductivity of a material.

    :param log10_mS_cm: logarithm of the conductivity (mS/cm), or of its upper bound.
    :param is_bound: whether it is an upper bound.
    """

    log10_mS_cm: float
    is_bound: bool = False

    def is_conductor(self, limit_mS_cm: float = CONDUCTOR_MS_CM) -> bool | None:
        """Whether it conducts; ``None`` for a bound above the limit, which says neither."""
        above = self.log10_mS_cm >= math.log10(limit_mS_cm)
        return above if not (self.is_bound and above) else None


@dataclass(frozen=True)
class Estimate:
    """A score with the 95 % interval of resampled materials; both are ``None`` where there is no score."""

    value: float | None = None
    ci95: Interval | None = None


@dataclass(frozen=True)
class RankingScore:
    """How well a quantity ranks materials.

    :param name: of the quantity.
    :param is_baseline: whether it is one that a method must beat.
    :param n: materials whose measurement says whether they conduct.
    :param n_conductors: those that do.
    :param roc_auc: chance that a conductor ranks before another material.
    :param average_precision_top: average precision in the best tenth.
    :param random_precision_top: 16th, 50th and 84th percentile of it for random rankings.
    :param spearman: rank correlation with the conductivity, over materials with a value on both sides.
    :param n_spearman: how many these are.
    """

    name: str
    is_baseline: bool
    n: int
    n_conductors: int
    roc_auc: Estimate
    average_precision_top: Estimate
    random_precision_top: tuple[float, float, float] | None
    spearman: Estimate
    n_spearman: int


def score_ranking(
    name: str,
    scores: Sequence[float],
    measured: Sequence[Measured],
    *,
    is_baseline: bool = False,
    limit_mS_cm: float = CONDUCTOR_MS_CM,
    seed: int = 1,
) -> RankingScore:
    """Score a ranking, larger scores first.

    :param scores: one per material; minus infinity for one that is certainly last, such as one without a pathway.
    :param limit_mS_cm: conductivity from which a material is a conductor, mS/cm.
    :param seed: of the resampling.
    :raises ValueError: for sequences of different length, and a score that is not a number.
    """
    ranked = np.asarray(scores, dtype=float)
    if len(ranked) != len(measured):
        raise ValueError(f"{len(ranked)} scores for {len(measured)} materials")
    if np.isnan(ranked).any():
        raise ValueError("a material without a score cannot be ranked: leave it out, and say so")
    known = [(score, one.is_conductor(limit_mS_cm)) for score, one in zip(ranked, measured, strict=True)]
    values = np.array([score for score, is_one in known if is_one is not None])
    labels = np.array([is_one for _, is_one in known if is_one is not None], dtype=bool)
    exact = np.array([not one.is_bound for one in measured], dtype=bool) & np.isfinite(ranked)
    truth = np.array([one.log10_mS_cm for one in measured], dtype=float)[exact]
    return RankingScore(
        name=name,
        is_baseline=is_baseline,
        n=len(labels),
        n_conductors=int(labels.sum()),
        roc_auc=_estimate(roc_auc, values, labels, seed),
        average_precision_top=_estimate(average_precision_top, values, labels, seed),
        random_precision_top=_random_band(labels, seed),
        spearman=_estimate(_spearman, ranked[exact], truth, seed),
        n_spearman=int(exact.sum()),
    )


def roc_auc(scores: FloatArray, conducts: BoolArray) -> float | None:
    """Return the chance that a conductor ranks before another material, ties counted half; ``None`` without both.

    From the sum of ranks (H. B. Mann and D. R. Whitney, Ann. Math. Stat. 18, 50 (1947)), which admits infinite scores.
    """
    n, n_others = int(conducts.sum()), int((~conducts).sum())
    if not n or not n_others:
        return None
    return float((stats.rankdata(scores)[conducts].sum() - n * (n + 1) / 2) / (n * n_others))


def average_precision_top(scores: FloatArray, conducts: BoolArray, share: float = TOP_SHARE) -> float | None:
    """Return the average precision in the best part of a ranking; ``None`` without conductors.

    The mean, over the ``k`` first places, of the share of conductors up to each place that holds one, divided by the
    most that ``k`` places could reach. Materials of equal score share their places: each has the chance of its group.

    :param share: ``k`` over the number of materials, one place at least.
    """
    if not conducts.any():
        return None
    k = max(1, math.ceil(share * len(scores)))
    order = np.argsort(-stats.rankdata(scores, method="min"), kind="stable")
    chances = _chances_of_ties(scores[order], conducts[order])[:k]
    places = np.arange(1, k + 1)
    before = np.concatenate([[0.0], np.cumsum(chances)[:-1]])
    return float((chances * (before + 1.0) / places).sum() / min(k, int(conducts.sum())))


def _chances_of_ties(scores: FloatArray, conducts: BoolArray) -> FloatArray:
    """Return at each place of a ranking the chance of a conductor: the mean of those of equal score."""
    _, groups = np.unique(scores, return_inverse=True)
    means = np.bincount(groups, weights=conducts.astype(float)) / np.bincount(groups)
    return np.asarray(means[groups], dtype=float)


def _spearman(scores: FloatArray, truth: FloatArray) -> float | None:
    if len(scores) < MIN_MATERIALS or np.ptp(scores) == 0.0 or np.ptp(truth) == 0.0:
        return None
    return float(stats.spearmanr(scores, truth).statistic)


def _estimate(
    score: Callable[[FloatArray, npt.NDArray[Scalar]], float | None],
    scores: FloatArray,
    truth: npt.NDArray[Scalar],
    seed: int,
) -> Estimate:
    """Return a score and its percentile interval over resampled materials."""
    if len(scores) < MIN_MATERIALS:
        return Estimate()
    value = score(scores, truth)
    if value is None:
        return Estimate()
    draw = np.random.default_rng(seed)
    samples = [draw.integers(len(scores), size=len(scores)) for _ in range(N_RESAMPLES)]
    resampled = [result for rows in samples if (result := score(scores[rows], truth[rows])) is not None]
    low, high = np.percentile(resampled, [2.5, 97.5]) if resampled else (value, value)
    return Estimate(value, (float(low), float(high)))


def _random_band(conducts: BoolArray, seed: int) -> tuple[float, float, float] | None:
    """Return percentiles of the average precision of random rankings."""
    if len(conducts) < MIN_MATERIALS or not conducts.any():
        return None
    draw = np.random.default_rng(seed)
    results = [average_precision_top(draw.random(len(conducts)), conducts) for _ in range(N_RESAMPLES)]
    low, middle, high = np.percentile([one for one in results if one is not None], RANDOM_PERCENTILES)
    return float(low), float(middle), float(high)
