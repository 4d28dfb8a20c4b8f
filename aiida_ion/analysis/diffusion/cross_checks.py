"""Estimates of D independent of kinisi: least squares and resampled ions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from aiida_ion.analysis.diffusion.block_averages import CM2_S_PER_SLOPE
from aiida_ion.analysis.diffusion.msd import least_squares_slope, msd_of_each

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Student's quantile beyond which two estimates disagree: 3 standard errors if the error is well known.
CONSISTENT_LEVEL = 0.99865


class SlopeBound(NamedTuple):
    """Least-squares diffusivity and its upper 97.5 % limit, cm^2/s; no limit for a single ion."""

    diffusivity_cm2_s: float
    upper_cm2_s: float | None


class Agreement(NamedTuple):
    """Whether a fit agrees with unweighted least squares on the same lags.

    :param fitted_cm2_s: D of the fit, cm^2/s.
    :param plain_cm2_s: D of least squares, cm^2/s.
    :param errors: their difference in standard errors; ``None`` if least squares gives nothing positive.
    :param consistent: whether the difference is within the limit.
    """

    fitted_cm2_s: float
    plain_cm2_s: float
    errors: float | None
    consistent: bool

    def sentence(self, fit: str, what: str) -> str:
        """The disagreement, with the numbers."""
        how_far = "" if self.errors is None else f", {self.errors:.1f} standard errors of their difference apart"
        return (
            f"{fit} gives {self.fitted_cm2_s:.3g} cm^2/s and least squares {self.plain_cm2_s:.3g} cm^2/s on the same "
            f"window{how_far} and disagree: do not rely on {what}."
        )


def compare(fitted_cm2_s: float, plain_cm2_s: float, variance: float, freedom: float) -> Agreement:
    """Compare a fit with least squares through the logarithm of their ratio.

    Least squares is less precise and skewed, like a chi^2 variable; its logarithm is less skewed.

    :param variance: variance of the difference relative to D^2.
    :param freedom: degrees of freedom of that variance.
    """
    if not (fitted_cm2_s > 0 and plain_cm2_s > 0):
        return Agreement(fitted_cm2_s, plain_cm2_s, None, consistent=False)
    errors = abs(float(np.log(fitted_cm2_s / plain_cm2_s))) / float(np.sqrt(variance))
    return Agreement(fitted_cm2_s, plain_cm2_s, errors, errors <= float(stats.t.ppf(CONSISTENT_LEVEL, freedom)))


def slope_bound(msd_each: FloatArray, lags: IntArray, interval_fs: float) -> SlopeBound:
    """Upper limit of D from the spread of the slopes of single ions (Student's t; ions assumed independent).

    :param msd_each: mean squared displacement of each ion, angstrom^2, (len(lags), M).
    """
    times = lags * interval_fs
    centred = times - times.mean()
    each = centred @ msd_each / (centred @ centred) * CM2_S_PER_SLOPE
    mean = float(each.mean())
    if len(each) < 2:
        return SlopeBound(mean, None)
    error = float(each.std(ddof=1) / np.sqrt(len(each)))
    return SlopeBound(mean, mean + float(stats.t.ppf(0.975, len(each) - 1)) * error)


def slope_interval(times: FloatArray, msd_each: FloatArray, seed: int, n_resamples: int = 200) -> tuple[float, float]:
    """95 % interval of the log-log slope of the MSD by resampling ions (assumed independent).

    :param times: any unit, (n,). :param msd_each: angstrom^2, (n, M).
    """
    generator = np.random.default_rng(seed)
    n_ions = msd_each.shape[1]
    logs = np.log(times)
    slopes = [
        least_squares_slope(logs, np.log(np.maximum(msd_each[:, chosen].mean(axis=1), 1e-12)))
        for chosen in generator.integers(0, n_ions, (n_resamples, n_ions))
    ]
    low, high = np.percentile(slopes, [2.5, 97.5])
    return float(low), float(high)


def largest_framework_msd(framework: npt.NDArray[np.float32]) -> float | None:
    """Largest mean squared displacement of the framework at lags up to half the trajectory, angstrom^2.

    :param framework: drift-free positions, angstrom, (n, M, 3); the result is ``None`` if M = 0 or n < 4.
    """
    n_frames = len(framework)
    if framework.shape[1] == 0 or n_frames < 4:
        return None
    lags = np.unique(np.round(np.geomspace(1, n_frames // 2, 12)).astype(np.int64))
    return float(max(msd_of_each(framework.astype(float), lags).mean(axis=1)))
