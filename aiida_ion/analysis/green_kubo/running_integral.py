"""The Green-Kubo integral of a current over time, by blocks, and its plateau."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import fft
from scipy.stats import t as student

FloatArray = npt.NDArray[np.float64]

#: Length of a block relative to the time from which the motion is diffusive, if the run allows it.
BLOCK_TIMES = 8.0
MIN_BLOCKS = 5
MAX_BLOCKS = 20
#: Number of candidate plateaus, each from t to 2t.
N_CANDIDATES = 12
#: Allowed difference of the next interval, [2t, 4t], as a one-sided quantile of its standard error.
PLATEAU_QUANTILE = 0.84


class RunningIntegral(NamedTuple):
    """Integral of the autocorrelation up to each lag, in the square of the current's unit times fs.

    :param lag_times_fs: shape (m,).
    :param mean: mean over blocks, shape (m,); per Cartesian component.
    :param standard_error: of that mean, shape (m,).
    :param n_blocks: number of blocks of all replicas.
    :param plateau: mean over the plateau, or ``None``.
    :param plateau_error: its standard error over blocks.
    :param plateau_fs: where it starts; it ends at twice this.
    """

    lag_times_fs: FloatArray
    mean: FloatArray
    standard_error: FloatArray
    n_blocks: int
    plateau: float | None
    plateau_error: float | None
    plateau_fs: float | None

    def plateau_interval(self) -> tuple[float, float] | None:
        """95 % interval of the plateau by Student's t over the blocks."""
        if self.plateau is None or self.plateau_error is None:
            return None
        half = float(student.ppf(0.975, self.n_blocks - 1)) * self.plateau_error
        return self.plateau - half, self.plateau + half


def running_integral(records: list[FloatArray], interval_fs: float, diffusive_from_fs: float) -> RunningIntegral:
    """Integrate the autocorrelation of each block and look for a plateau.

    The plateau is the first interval [t, 2t], with t at least half of ``diffusive_from_fs``, whose mean agrees with
    that of [2t, 4t] within the error of the difference over blocks.

    :param records: currents of the replicas, each (n, 3).
    :param diffusive_from_fs: time from which the motion is diffusive.
    :raises ValueError: for records too short for any plateau.
    """
    n_steps = min(len(record) for record in records)
    fewest = -(-MIN_BLOCKS // len(records))
    each = int(np.clip(n_steps * interval_fs / (BLOCK_TIMES * diffusive_from_fs), fewest, max(fewest, MAX_BLOCKS)))
    length = n_steps // each
    start = max(1, round(0.5 * diffusive_from_fs / interval_fs))
    n_lags = min(8 * start, length // 2)
    if n_lags < 4 * start:
        raise ValueError("the blocks are too short for a plateau")
    blocks = [record[index * length : (index + 1) * length] for record in records for index in range(each)]
    integrals = np.array([_integral(block, interval_fs, n_lags) for block in blocks])
    error = integrals.std(axis=0, ddof=1) / np.sqrt(len(blocks))
    first, value, spread = _plateau(integrals, start)
    at = None if first is None else first * interval_fs
    return RunningIntegral(
        np.arange(n_lags, dtype=np.float64) * interval_fs, integrals.mean(axis=0), error, len(blocks), value, spread, at
    )


def _integral(block: FloatArray, interval_fs: float, n_lags: int) -> FloatArray:
    """Trapezoidal integral of the unbiased autocorrelation, mean over the three components."""
    n_steps = len(block)
    size = fft.next_fast_len(n_steps + n_lags, real=True)
    power = (np.abs(fft.rfft(np.asarray(block, dtype=float), size, axis=0)) ** 2).sum(axis=1) / 3.0
    correlation = fft.irfft(power, size)[:n_lags] / (n_steps - np.arange(n_lags))
    integral: FloatArray = interval_fs * (np.cumsum(correlation) - 0.5 * (correlation[0] + correlation))
    return integral


def _plateau(integrals: FloatArray, start: int) -> tuple[int | None, float | None, float | None]:
    n_blocks, n_lags = integrals.shape
    quantile = float(student.ppf(PLATEAU_QUANTILE, n_blocks - 1))
    for first in np.unique(np.geomspace(start, n_lags // 4, N_CANDIDATES).astype(int)):
        here = integrals[:, first : 2 * first].mean(axis=1)
        step = integrals[:, 2 * first : 4 * first].mean(axis=1) - here
        if abs(step.mean()) <= quantile * step.std(ddof=1) / np.sqrt(n_blocks):
            return int(first), float(here.mean()), float(here.std(ddof=1) / np.sqrt(n_blocks))
    return None, None, None
