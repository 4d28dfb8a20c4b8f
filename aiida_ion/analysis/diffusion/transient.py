"""Deviation of the slope of the mean squared displacement from diffusion, and the first lag to fit.

A weighted fit is dominated by the first lags of its window, because they have the smallest errors. There the slope may
not yet be that of diffusion: velocities persist, flows continue, cages open. So D is fitted to windows that start later
and later, the remaining change of each slope is estimated, and the window with the smallest total error is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.diffusion.correlations import GAUSSIAN_SPREAD, displacement_moments, mean_moments
from aiida_ion.analysis.diffusion.motion import Batch, Motion
from aiida_ion.analysis.diffusion.msd import log_log_slope
from aiida_ion.analysis.diffusion.msd_covariance import brownian_noise, slope_weights, straight_line
from aiida_ion.analysis.diffusion.settings import MAX_EXPECTED
from aiida_ion.analysis.diffusion.window import MIN_LAGS, MIN_SPAN, Window

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Ratio of the starts of consecutive windows.
START_RATIO = 2.0**0.5
#: Number of lags, evenly spaced in log t, from which the windows are judged.
N_LAGS = 40
#: Lower limit of the noise factor: it may be small by chance if ions move against each other.
MIN_INFLATION = 0.7
#: Deviations are relative to a slope that is at least this fraction of the slope of the straight line.
MIN_SLOPE_PART = 0.3


class Start(NamedTuple):
    """The slope from the lags of a window that starts here, and its errors.

    :param first: first lag, frames.
    :param slope: of the MSD, angstrom^2/frame.
    :param variance: relative variance of the slope from noise.
    :param deviation: relative deviation of the slope at the first lag from that at late lags, decaying as 1/t.
    :param deviation_error: standard error of the deviation.
    :param expected_square: expected square of the deviation, from this and earlier starts.
    :param bias: relative bias of the slope for a deviation of one.
    """

    first: int
    slope: float
    variance: float
    deviation: float
    deviation_error: float
    expected_square: float
    bias: float

    @property
    def systematic(self) -> float:
        """Relative variance of the slope from the deviation."""
        return self.bias**2 * self.expected_square


class _Stacked(NamedTuple):
    """One batch at the lags that all windows choose from."""

    batch: Batch
    lags: IntArray
    covariance: FloatArray
    share: float


def transient_shape(lags: IntArray, first: int) -> FloatArray:
    """Deviation of MSD/slope, frames, if the slope deviates by one at the first lag and as 1/t later: t_1 ln(t/t_1)."""
    shape: FloatArray = first * np.log(lags / first)
    return shape


def find_starts(
    motion: Motion, window: Window, fraction: float, *, expected: float, min_growth_A2: float
) -> tuple[Start, ...]:
    """Judge windows that start later and later, beginning with the given window.

    At each start t_k, later lags are fitted with slope (t + beta t_k ln(t / t_k)) + c by generalised least squares. The
    expected square of beta combines a Gaussian prior and the measured value; the prior begins with ``expected``, falls
    as 1/t^2 from start to start, and is raised to the value that makes the measurement most likely, beta^2 - error^2.

    :param window: the first diffusive window.
    :param fraction: part of a replica's length that lags may have.
    :param expected: standard deviation of beta at the start of the window before anything is measured.
    :param min_growth_A2: minimum growth of the MSD over a window, summed over ions, angstrom^2.
    """
    stacked = _stack(motion, window, fraction)
    starts: list[Start] = []
    prior, before = expected**2, window.first
    for first in _firsts(window, [int(batch.lags[-1]) for batch in stacked]):
        prior *= (before / first) ** 2
        before = first
        start = _fit(stacked, first)
        grows = starts == [] or motion.summed_growth(window._replace(first=first), fraction) >= min_growth_A2
        if start is None or not grows:
            continue
        slope, variance, deviation, error, bias = start
        prior = min(max(prior, deviation**2 - error**2), max(prior, MAX_EXPECTED**2))
        known = prior / (prior + error**2)
        starts.append(
            Start(first, slope, variance, deviation, error, (known * deviation) ** 2 + known * error**2, bias)
        )
    return tuple(starts) or (Start(window.first, np.nan, np.inf, 0.0, np.inf, expected**2, 1.0),)


def best_start(starts: Sequence[Start]) -> Start:
    """The start with the smallest total variance of noise and deviation."""
    return min(starts, key=lambda start: start.variance + start.systematic)


def start_from(motion: Motion, window: Window, start: Start) -> Window:
    """The window from a later start."""
    if start.first == window.first:
        return window
    return Window(start.first, window.last, log_log_slope(motion.times_ps, motion.msd, start.first, window.last))


def _firsts(window: Window, lasts: Sequence[int]) -> list[int]:
    last = max(lasts)
    latest = min(last / MIN_SPAN, last - MIN_LAGS + 1)
    number = int(np.log(max(latest / window.first, 1.0)) / np.log(START_RATIO))
    return sorted({round(window.first * START_RATIO**k) for k in range(number + 1)})


def _stack(motion: Motion, window: Window, fraction: float) -> list[_Stacked]:
    """The batches that are long enough for the window, with the covariance of correlated, hopping ions."""
    each = []
    for batch in motion.batches:
        if batch.lags(window, fraction, MIN_LAGS) is not None:
            last = min(window.last, batch.last_lag(fraction))
            lags = np.unique(np.round(np.geomspace(window.first, last, N_LAGS)).astype(np.int64))
            line = straight_line(lags, batch.msd[lags])
            covariance = brownian_noise(lags, batch.n_frames).of(line, batch.n_particles)
            each.append(_Stacked(batch, lags, covariance, float(batch.n_particles * (batch.n_frames - 1))))
    scale = _noise_scale(each)
    return [item._replace(covariance=item.covariance * scale) for item in each]


def _noise_scale(each: Sequence[_Stacked]) -> float:
    """Factor of the variance of independent Brownian ions from hops and correlated motion, at the first lags."""
    spreads, inflations, shares = [], [], [entry.share for entry in each]
    for batch, lags, covariance, _ in each:
        weights = slope_weights(covariance, lags)
        variance = float(weights @ covariance @ weights) / max(straight_line(lags, batch.msd[lags]).slope, 1e-12) ** 2
        look = round(variance / GAUSSIAN_SPREAD * batch.n_particles * batch.n_frames)
        spreads.append(displacement_moments(batch.positions, int(np.clip(look, lags[0], lags[-1])), batch.n_replicas))
        inflations.append(displacement_moments(batch.positions, int(lags[0]), batch.n_replicas))
    spread = max(mean_moments(spreads, shares).spread / GAUSSIAN_SPREAD, 1.0)
    return spread * max(mean_moments(inflations, shares).inflation, MIN_INFLATION)


def _fit(stacked: Sequence[_Stacked], first: int) -> tuple[float, float, float, float, float] | None:
    """Slope, its relative variance, deviation, its error, and bias of the slope, from the lags from ``first`` on."""
    normal, right = np.zeros((3, 3)), np.zeros(3)
    plain: list[tuple[float, float, float, float]] = []
    for batch, lags, noise_of_lags, part in stacked:
        use = lags >= first
        own = lags[use]
        if len(own) < MIN_LAGS or own[-1] < MIN_SPAN * first:
            continue
        matrix, msd, shape = noise_of_lags[np.ix_(use, use)], batch.msd[own], transient_shape(own, first)
        design = np.stack([own.astype(np.float64), np.ones(len(own)), shape], axis=1)
        solved = np.linalg.solve(matrix, design)
        normal += design.T @ solved
        right += solved.T @ msd
        weights = slope_weights(matrix, own)
        slope = max(float(weights @ msd), MIN_SLOPE_PART * straight_line(own, msd).slope)
        plain.append((part, slope, float(weights @ matrix @ weights), float(weights @ shape)))
    if not plain:
        return None
    share, slopes, noise, biases = np.array(plain).T
    share = share / share.sum()
    slope = float(share @ slopes)
    if not slope > 0:
        return None
    covariance = np.linalg.inv(normal)
    deviation = float((covariance @ right)[2])
    return (
        slope,
        float(share**2 @ noise) / slope**2,
        deviation / slope,
        float(np.sqrt(covariance[2, 2])) / slope,
        float(share @ biases),
    )
