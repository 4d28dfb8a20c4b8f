"""Covariance of the time-averaged mean squared displacement of vibrating Brownian ions, and slopes based on it."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import optimize

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class Line(NamedTuple):
    """A mean squared displacement ``slope * lag + intercept``: angstrom^2/frame and angstrom^2, both non-negative."""

    slope: float
    intercept: float


class Noise(NamedTuple):
    """Covariance of the MSD of one component of one walker, in powers of its step variance and its vibration.

    cov = q^2 walk + q s mixed + s^2 rattle, each (n, n), with q the variance of a step between frames and s that of the
    vibration, angstrom^2.
    """

    walk: FloatArray
    mixed: FloatArray
    rattle: FloatArray

    def of(self, line: Line, n_walkers: int) -> FloatArray:
        """Covariance of the MSD of ``n_walkers`` independent walkers in three dimensions, angstrom^4, (n, n)."""
        q, s = line.slope / 3.0, line.intercept / 6.0
        total: FloatArray = (q * q * self.walk + q * s * self.mixed + s * s * self.rattle) * (3.0 / n_walkers)
        return total


def brownian_noise(lags: IntArray, n_frames: int) -> Noise:
    """Return the terms of the covariance of time averages over ``n_frames`` frames.

    Exact for independent steps and white-noise vibration: the MSD at lag m is a quadratic form in
    Gaussian displacements x, so that cov(MSD_m, MSD_n) = 2 sum_ab g_ab^2 / (K_m K_n), with g_ab the covariance of
    x(a + m) - x(a) and x(b + n) - x(b) and K = n_frames - lag the number of origins (after Qian, Sheetz and Elson,
    Biophys J 60, 910 (1991), who give the case without vibration).

    :param lags: frames, (n,), each below n_frames.
    """
    return _cached_noise(tuple(int(lag) for lag in lags), n_frames)


@lru_cache(maxsize=64)
def _cached_noise(lags: tuple[int, ...], n_frames: int) -> Noise:
    shape = (len(lags), len(lags))
    noise = Noise(np.zeros(shape), np.zeros(shape), np.zeros(shape))
    for i, short in enumerate(lags):
        for j in range(i, len(lags)):
            for matrix, value in zip(noise, _terms(short, lags[j], n_frames), strict=True):
                matrix[i, j] = matrix[j, i] = value
    return noise


def _terms(m: int, n: int, n_frames: int) -> tuple[float, float, float]:
    offsets = np.arange(-n, m + 1)
    origins = np.minimum(n_frames - m, n_frames - n - offsets) - np.maximum(0, -offsets)
    count = np.maximum(origins, 0) * (2.0 / ((n_frames - m) * (n_frames - n)))
    overlap = np.maximum(np.minimum(m, offsets + n) - np.maximum(0, offsets), 0).astype(np.float64)
    shared = np.zeros(len(offsets))
    for offset, sign in ((0, 1.0), (-n, -1.0), (m, -1.0), (m - n, 1.0)):
        shared[offset + n] += sign
    return (
        float(count @ overlap**2),
        float(2.0 * count @ (overlap * shared)),
        float(count @ shared**2),
    )


def straight_line(lags: IntArray | FloatArray, msd: FloatArray) -> Line:
    """Line through an MSD (angstrom^2) over lags (frames) by least squares, slope and intercept at least zero."""
    times = lags.astype(np.float64)
    slope, intercept = optimize.nnls(np.stack([times, np.ones(len(times))], axis=1), msd)[0]
    return Line(float(slope), float(intercept))


def slope_weights(covariance: FloatArray, lags: IntArray) -> FloatArray:
    """Weights w of generalised least squares with a free intercept: the slope per frame is w @ MSD, (n,)."""
    design = np.stack([lags.astype(np.float64), np.ones(len(lags))], axis=1)
    solved = np.linalg.solve(covariance, design)
    weights: FloatArray = np.linalg.solve(design.T @ solved, solved.T)[0]
    return weights


def plain_weights(lags: IntArray) -> FloatArray:
    """Weights w of unweighted least squares with a free intercept: the slope per frame is w @ MSD, (n,)."""
    centred = lags - lags.mean()
    weights: FloatArray = centred / (centred @ centred)
    return weights
