"""Mean squared displacements over all time origins."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import fft

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Particles transformed at a time: keeps the transforms of 5,000 frames below 100 MB.
CHUNK_PARTICLES = 64


def mean_squared_displacement(positions: FloatArray) -> FloatArray:
    """Mean squared displacement at every lag, averaged over all time origins and particles.

    By the fast Fourier transform: MSD(m) = S1(m) - 2 S2(m), with S2 the autocorrelation of the positions
    (Calandrini, Pellegrini, Calligari, Hinsen and Kneller, Collection SFN 12, 201 (2011), section 4.2.1).

    :param positions: unwrapped positions, angstrom, shape (n, M, 3).
    :returns: shape (n,), angstrom^2; element m belongs to a lag of m frames, element 0 is zero.
    """
    n_frames, n_particles, _ = positions.shape
    total = np.zeros(n_frames)
    for low in range(0, n_particles, CHUNK_PARTICLES):
        total += _summed_msd(positions[:, low : low + CHUNK_PARTICLES])
    msd = total / n_particles
    msd[0] = 0.0
    positive: FloatArray = np.maximum(msd, 0.0)
    return positive


def _summed_msd(positions: FloatArray) -> FloatArray:
    """Mean squared displacement summed over the particles of one chunk, angstrom^2, shape (n,)."""
    n_frames = len(positions)
    centred = (positions - positions.mean(axis=0)).reshape(n_frames, -1)
    spectrum = fft.rfft(centred, n=fft.next_fast_len(2 * n_frames, real=True), axis=0)
    power = (np.abs(spectrum) ** 2).sum(axis=1)
    correlation = fft.irfft(power, n=fft.next_fast_len(2 * n_frames, real=True))[:n_frames]
    squares = (centred**2).sum(axis=1)
    ends = 2.0 * squares.sum() - np.concatenate(([0.0], np.cumsum(squares[:-1] + squares[:0:-1])))
    summed: FloatArray = (ends - 2.0 * correlation) / np.arange(n_frames, 0, -1)
    return summed


def msd_of_each(positions: FloatArray, lags: IntArray) -> FloatArray:
    """MSD of each particle at some lags, over all time origins, angstrom^2, (len(lags), M).

    :param positions: unwrapped positions, angstrom, (n, M, 3).
    :param lags: lags in frames, each between 1 and n - 1.
    """
    return np.array([((positions[lag:] - positions[:-lag]) ** 2).sum(axis=2).mean(axis=0) for lag in lags])


def msd_tensor(positions: FloatArray, lags: IntArray) -> FloatArray:
    """Mean of d_a d_b over time origins and particles, angstrom^2, (len(lags), 3, 3); its trace is the MSD.

    :param positions: unwrapped positions, angstrom, (n, M, 3).
    """
    tensors = np.empty((len(lags), 3, 3))
    for number, lag in enumerate(lags):
        total = np.zeros((3, 3))
        for low in range(0, positions.shape[1], CHUNK_PARTICLES):
            chunk = positions[:, low : low + CHUNK_PARTICLES]
            flat = (chunk[lag:] - chunk[:-lag]).reshape(-1, 3)
            total += flat.T @ flat
        tensors[number] = total / ((len(positions) - lag) * positions.shape[1])
    return tensors


def local_slope(times: FloatArray, msd: FloatArray, centre: int, spread: float = 1.5) -> float:
    """Slope of log MSD over log t by least squares from ``centre / spread`` to ``centre * spread``.

    A wide window makes it robust against noise of single lags.

    :param times: lag times, any unit, index = lag in frames, shape (n,).
    :param msd: angstrom^2, shape (n,).
    :param centre: lag in frames.
    """
    low = max(1, int(centre / spread))
    high = min(len(times) - 1, max(int(np.ceil(centre * spread)), low + 1))
    return log_log_slope(times, msd, low, high)


def log_log_slope(times: FloatArray, msd: FloatArray, first: int, last: int) -> float:
    """Slope of log MSD over log t by least squares on up to 30 log-spaced lags; NaN if there are too few."""
    lags = slope_lags(first, last)
    lags = lags[msd[lags] > 0]
    if len(lags) < 2:
        return float("nan")
    return least_squares_slope(np.log(times[lags]), np.log(msd[lags]))


def slope_lags(first: int, last: int) -> IntArray:
    """Up to 30 log-spaced lags, frames, for a log-log slope."""
    lags: IntArray = np.unique(np.round(np.geomspace(first, last, 30)).astype(np.int64))
    return lags


def least_squares_slope(x: FloatArray, y: FloatArray) -> float:
    """Slope of y over x by unweighted least squares with a free intercept."""
    centred = x - x.mean()
    return float(centred @ y / (centred @ centred))
