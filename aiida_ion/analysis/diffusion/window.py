"""The diffusive window of a mean squared displacement: the lags that a fit may use."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.diffusion.msd import local_slope, log_log_slope

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Number of lags at which the local slope is evaluated.
N_CANDIDATES = 60
#: Smallest ratio of the end of a window to its start, and smallest number of lags.
MIN_SPAN = 1.5
MIN_LAGS = 5


class Window(NamedTuple):
    """First and last lag of a fit, frames, and the log-log slope of the MSD between them."""

    first: int
    last: int
    slope: float


def find_window(
    times: FloatArray, msd: FloatArray, last: int, min_msd_A2: float, slope_bounds: tuple[float, float]
) -> Window | None:
    """Find the first lag beyond which the MSD is diffusive.

    It must exceed vibration (``min_msd_A2``, usually a^2/2 after He et al. 2018) and grow with a log-log
    slope within ``slope_bounds``, both around that lag (over a factor of 1.5 each way, so that noise of
    single lags does not decide) and from it to the end of the window.

    :param times: lag times, shape (n,), index = lag in frames.
    :param msd: angstrom^2, shape (n,).
    :param last: last lag the window may use, frames.
    :returns: ``None`` when there is no such lag.
    """
    if last < MIN_LAGS:
        return None
    latest = int(min(last / MIN_SPAN, last - MIN_LAGS + 1))
    if latest < 1:
        return None
    low, high = slope_bounds
    times, msd = times[: last + 1], msd[: last + 1]
    for first in np.unique(np.round(np.geomspace(1, latest, N_CANDIDATES)).astype(int)):
        if msd[first] <= min_msd_A2:
            continue
        slope = log_log_slope(times, msd, int(first), last)
        if low <= slope <= high and low <= local_slope(times, msd, int(first)) <= high:
            return Window(int(first), last, slope)
    return None


def lag_grid(first: int, last: int, n_lags: int) -> IntArray:
    """At most ``n_lags`` distinct lags, evenly spaced from first to last, frames."""
    lags: IntArray = np.unique(np.round(np.linspace(first, last, n_lags)).astype(np.int64))
    return lags
