"""Loss of precision because ions hop and move together, from fourth moments of their displacements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

#: Numbers in the block of displacements held in memory at a time.
BLOCK_NUMBERS = 3_000_000
#: Variance over squared mean of the squared length of a Gaussian vector.
GAUSSIAN_SPREAD = 2.0 / 3.0
#: Overlapping windows at a lag of m of K frames are worth 2.5 K / m independent ones for a variance, and 1.5 K / m for
#: a mean: the sums of (1 - s/m)^4 and (1 - s/m)^2 over offsets s.
WINDOWS_OF_VARIANCE = 2.5
WINDOWS_OF_MEAN = 1.5


class Moments(NamedTuple):
    """Moments of the displacement d of an ion at one lag.

    :param second: <d_a d_b>, angstrom^2, (3, 3).
    :param fourth: covariance of d_a d_b and d_c d_d of single ions, angstrom^4, (3, 3, 3, 3).
    :param inflation: variance of the mean of ``|d|^2`` over the ions of a cell, relative to independent ions.
    :param shape_inflation: the same for the traceless part of d_a d_b.
    :param freedom: degrees of freedom of ``inflation``.
    """

    second: FloatArray
    fourth: FloatArray
    inflation: float
    shape_inflation: float
    freedom: float

    @property
    def spread(self) -> float:
        """Variance of the squared displacement of an ion over its squared mean; 2/3 for a Gaussian."""
        return float(np.einsum("aacc", self.fourth) / np.trace(self.second) ** 2)


def displacement_moments(positions: FloatArray, lag: int, n_replicas: int) -> Moments:
    """Moments of the displacements at one lag, over all time origins and ions.

    If ions move together, or all move faster at some times, the mean Q_ab of d_a d_b over the ions of a cell fluctuates
    more between time origins than for the same number of independent ions. The ratio of the two variances does not
    require knowing which ions move together, and partners may change during the run. It is computed for the trace,
    which gives D*, and for the rest, which describes anisotropy and is unaffected by collective fluctuations.

    :param positions: angstrom, (n, n_replicas * N, 3), replica after replica.
    :param lag: frames.
    """
    n_frames, n_particles, _ = positions.shape
    n_ions = n_particles // n_replicas
    second, products, means = np.zeros((3, 3)), np.zeros((3, 3, 3, 3)), []
    step = max(1, BLOCK_NUMBERS // (3 * n_particles))
    for low in range(0, n_frames - lag, step):
        high = min(low + step, n_frames - lag)
        moved = positions[low + lag : high + lag] - positions[low:high]
        flat = moved.reshape(-1, 3)
        pairs = np.einsum("na,nb->nab", flat, flat).reshape(-1, 9)
        second += flat.T @ flat
        products += (pairs.T @ pairs).reshape(3, 3, 3, 3)
        means.append(pairs.reshape(high - low, n_replicas, n_ions, 9).mean(axis=2))
    n_origins = n_frames - lag
    second /= n_origins * n_particles
    fourth = products / (n_origins * n_particles) - np.einsum("ab,cd->abcd", second, second)
    offsets = np.concatenate(means).reshape(-1, 3, 3) - second
    windows = n_replicas * n_origins / lag
    scale = n_ions / (1.0 - 1.0 / max(WINDOWS_OF_MEAN * windows, 2.0))
    of_trace, of_trace_ions = float(np.trace(offsets, axis1=1, axis2=2).var()), float(np.einsum("aacc", fourth))
    of_all, of_all_ions = float((offsets**2).sum(axis=(1, 2)).mean()), float(np.einsum("abab", fourth))
    return Moments(
        second=second,
        fourth=fourth,
        inflation=scale * of_trace / of_trace_ions,
        shape_inflation=scale * (of_all - of_trace / 3.0) / (of_all_ions - of_trace_ions / 3.0),
        freedom=WINDOWS_OF_VARIANCE * windows,
    )


def mean_moments(each: Sequence[Moments], weights: Sequence[float]) -> Moments:
    """Weighted mean of the moments of several groups of replicas; the degrees of freedom add up."""
    parts = np.asarray(weights) / np.sum(weights)
    return Moments(
        second=np.einsum("k,kab->ab", parts, [moments.second for moments in each]),
        fourth=np.einsum("k,kabcd->abcd", parts, [moments.fourth for moments in each]),
        inflation=float(parts @ [moments.inflation for moments in each]),
        shape_inflation=float(parts @ [moments.shape_inflation for moments in each]),
        freedom=float(sum(moments.freedom for moments in each)),
    )
