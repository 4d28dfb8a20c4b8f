"""How long the forces of a run remember: the time between two frames that say something new."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from aiida_ion.training.runs import LabelledRun

#: Frames closer than this are correlated by the vibrations of any solid, fs.
LEAST_STRIDE_FS = 50.0
#: Frames of a run that are looked at, and the largest lag in frames.
MAX_FRAMES, MAX_LAG = 2000, 400
#: Frames that are this far apart do not follow each other, fs.
APART_FS = 1e5
#: A spacing of frames that differs by more than this from the median, relative, is not even.
EVEN = 0.01


def force_autocorrelation(forces: NDArray[Any], lag: int) -> float:
    """Return the autocorrelation of the fluctuations of forces at a lag, 1 at lag 0.

    C(k) = <dF(t) dF(t+k)> / <dF^2>, dF = F - <F> of each atom, averaged over atoms, components and time.

    :param forces: shape (n, N, 3), of evenly spaced frames.
    :param lag: frames.
    """
    fluctuations = np.asarray(forces, dtype=np.float64) - np.asarray(forces, dtype=np.float64).mean(axis=0)
    return _at_lag(fluctuations, lag)


def _at_lag(fluctuations: NDArray[np.float64], lag: int) -> float:
    square = float(np.mean(fluctuations**2))
    if square == 0:
        return 0.0
    return float(np.mean(fluctuations[: len(fluctuations) - lag] * fluctuations[lag:])) / square


def interval_fs(run: LabelledRun) -> float | None:
    """Return the time between two frames, fs; ``None`` where they are not evenly spaced, or fewer than three."""
    if len(run) < 3:
        return None
    spacings = np.diff(run.times_fs)
    typical = float(np.median(spacings))
    even = typical > 0 and np.abs(spacings - typical).max() <= EVEN * typical
    return typical if even and typical < APART_FS else None


def correlation_time_fs(run: LabelledRun) -> float | None:
    """Return the time after which the forces of a run have lost all but 1/e of their correlation, fs.

    The first crossing of 1/e, interpolated linearly between frames; at most half the run.

    :returns: ``None`` where it cannot be said: fewer than three frames, or frames that are not evenly spaced.
    """
    spacing = interval_fs(run)
    if spacing is None:
        return None
    forces = np.asarray(run.forces[:MAX_FRAMES], dtype=np.float64)
    fluctuations = forces - forces.mean(axis=0)
    before = 1.0
    last = max(1, min(MAX_LAG, len(forces) // 2))
    for lag in range(1, last + 1):
        value = _at_lag(fluctuations, lag)
        if value < np.exp(-1):
            share = (before - np.exp(-1)) / (before - value)
            return float((lag - 1 + share) * spacing)
        before = value
    return last * spacing


def stride_fs(correlation_fs: float | None) -> float:
    """Return the time between two frames of a dataset, fs: the correlation time, but at least 50 fs."""
    return max(LEAST_STRIDE_FS, correlation_fs or 0.0)
