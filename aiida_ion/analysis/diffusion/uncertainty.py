"""Draws and intervals from a diffusivity and the variance of its estimate."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

FloatArray = npt.NDArray[np.float64]

#: Largest degrees of freedom of the model of the variance, so that the blocks have some weight.
MODEL_FREEDOM = 20.0
#: Smallest degrees of freedom of a diffusivity: below, its draws have no mean.
MIN_FREEDOM = 2.0


class Inflation(NamedTuple):
    """Factor of the variance for independent ions, and its degrees of freedom."""

    factor: float
    freedom: float


def combine(model: Inflation, blocks: Inflation | None) -> Inflation:
    """Mean of two estimates of an inflation, weighted with their degrees of freedom.

    It may be below one by chance. Clipping it would make the intervals of independent ions too wide: the degrees of
    freedom, which set the tails of the draws, already account for that noise.
    """
    freedom = min(model.freedom, MODEL_FREEDOM)
    if blocks is None:
        return Inflation(model.factor, freedom)
    total = freedom + blocks.freedom
    return Inflation((freedom * model.factor + blocks.freedom * blocks.factor) / total, total)


def diffusivity_draws(
    diffusivity: float, relative_variance: float, freedom: float, n_samples: int, seed: int
) -> FloatArray:
    """Draws of a diffusivity, in its unit, all positive, (n_samples,).

    D is the variance of a displacement: an estimate with relative variance r^2 has nu = 2 / r^2 degrees of freedom and
    the posterior D nu / chi^2_nu, whose skew makes intervals correct even for large r. r^2 is an estimate too, with
    ``freedom`` degrees of freedom: each draw uses its own, r^2 freedom / chi^2_freedom, which gives the tails of
    Student's t.
    """
    generator = np.random.default_rng(seed)
    ranks = (np.arange(n_samples) + 0.5) / n_samples
    variances = relative_variance * freedom / stats.chi2.ppf(generator.permutation(ranks), freedom)
    own = np.maximum(2.0 / variances, MIN_FREEDOM)
    draws: FloatArray = diffusivity * own / stats.chi2.ppf(generator.permutation(ranks), own)
    return draws


def student_interval(value: float, standard_error: float, freedom: float) -> tuple[float, float]:
    """Symmetric 95 % interval of Student's t, in the unit of the value."""
    half = float(stats.t.ppf(0.975, freedom)) * standard_error
    return value - half, value + half
