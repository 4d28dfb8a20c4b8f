"""The replicas of an analysis, concatenated in batches of similar length so that none is cut to the shortest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.diffusion.kinisi_fit import exact_interval_fs
from aiida_ion.analysis.diffusion.msd import mean_squared_displacement
from aiida_ion.analysis.diffusion.window import MIN_LAGS, MIN_SPAN, Window, lag_grid
from aiida_ion.analysis.trajectories.trajectory import SAME_INTERVAL, Replica
from aiida_ion.units import FS_PER_PS

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Replicas with at least this fraction of the length of the longest join its batch and are cut to the shortest in it.
LIKE_LENGTH = 0.9


@dataclass(frozen=True)
class Batch:
    """Replicas of one length.

    :param positions: of the mobile ions, free of drift, angstrom, (n, n_replicas * N, 3), replica after replica.
    :param centres: for each replica the vector whose MSD gives the collective diffusivity, angstrom, (n, n_replicas,
        3); see :func:`aiida_ion.analysis.trajectories.trajectory.join_segments`.
    """

    positions: FloatArray
    centres: FloatArray

    @property
    def n_frames(self) -> int:
        """Frames of each replica."""
        return len(self.positions)

    @property
    def n_replicas(self) -> int:
        """Replicas concatenated along their ions."""
        return int(self.centres.shape[1])

    @property
    def n_particles(self) -> int:
        """Mobile ions of these replicas."""
        return int(self.positions.shape[1])

    @cached_property
    def msd(self) -> FloatArray:
        """MSD at every lag, angstrom^2, (n,)."""
        return mean_squared_displacement(self.positions)

    def last_lag(self, fraction: float) -> int:
        """The last lag within a fraction of the length, frames."""
        return int(fraction * (self.n_frames - 1))

    def lags(self, window: Window, fraction: float, n_lags: int) -> IntArray | None:
        """The lags of a fit within the window and a fraction of this batch's length; ``None`` if it is too short."""
        last = min(window.last, self.last_lag(fraction))
        if last < max(MIN_SPAN * window.first, window.first + MIN_LAGS - 1):
            return None
        return lag_grid(window.first, last, n_lags)


@dataclass(frozen=True)
class Motion:
    """All batches, the longest first.

    :param interval_fs: time between frames, fs, exact in binary.
    :param n_ions: mobile ions of one replica.
    """

    batches: tuple[Batch, ...]
    interval_fs: float
    n_ions: int

    @property
    def n_frames(self) -> int:
        """Frames of the longest replica."""
        return self.batches[0].n_frames

    @property
    def n_replicas(self) -> int:
        """Replicas of all batches."""
        return sum(batch.n_replicas for batch in self.batches)

    @property
    def n_particles(self) -> int:
        """Mobile ions of all replicas."""
        return self.n_ions * self.n_replicas

    @property
    def mean_time_ps(self) -> float:
        """Mean length of the replicas, ps."""
        frames = sum(batch.n_replicas * (batch.n_frames - 1) for batch in self.batches)
        return frames / self.n_replicas * self.interval_fs / FS_PER_PS

    @cached_property
    def times_ps(self) -> FloatArray:
        """Lag times, ps, (n,)."""
        times: FloatArray = np.arange(self.n_frames, dtype=np.float64) * (self.interval_fs / FS_PER_PS)
        return times

    @cached_property
    def msd(self) -> FloatArray:
        """MSD over all replicas, each weighted with its number of time origins, angstrom^2, (n,)."""
        total, origins = np.zeros(self.n_frames), np.zeros(self.n_frames)
        for batch in self.batches:
            count = batch.n_replicas * np.arange(batch.n_frames, 0, -1)
            total[: batch.n_frames] += count * batch.msd
            origins[: batch.n_frames] += count
        return total / origins

    def summed_msd(self, fraction: float) -> float:
        """Largest MSD within a fraction of each length, summed over the ions of all replicas, angstrom^2."""
        return sum(
            batch.n_particles * float(batch.msd[: max(1, batch.last_lag(fraction)) + 1].max()) for batch in self.batches
        )

    def summed_growth(self, window: Window, fraction: float) -> float:
        """Growth of the MSD over the window, summed over the ions of the replicas that can be fitted, angstrom^2."""
        total = 0.0
        for batch in self.batches:
            lags = batch.lags(window, fraction, MIN_LAGS)
            if lags is not None:
                total += batch.n_particles * float(batch.msd[lags[-1]] - batch.msd[lags[0]])
        return total


def side_by_side(replicas: Sequence[Replica]) -> Motion:
    """Concatenate replicas of similar length.

    :raises ValueError: for replicas with different frame intervals.
    """
    intervals = [replica.interval_fs for replica in replicas]
    if max(intervals) - min(intervals) > SAME_INTERVAL * min(intervals):
        raise ValueError(f"replicas have different frame intervals after thinning: {sorted(set(intervals))} fs")
    left = sorted(replicas, key=lambda replica: len(replica.mobile), reverse=True)
    batches = []
    while left:
        alike = [replica for replica in left if len(replica.mobile) >= LIKE_LENGTH * len(left[0].mobile)]
        batches.append(_batch(alike))
        left = left[len(alike) :]
    return Motion(tuple(batches), exact_interval_fs(intervals[0]), int(replicas[0].mobile.shape[1]))


def _batch(replicas: Sequence[Replica]) -> Batch:
    n_frames = min(len(replica.mobile) for replica in replicas)
    positions = np.concatenate([replica.mobile[:n_frames] for replica in replicas], axis=1)
    centres = np.stack([replica.collective[:n_frames] for replica in replicas], axis=1)
    return Batch(positions, centres)
