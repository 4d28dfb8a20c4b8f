"""D of each replica, or of each block of a run, and their scatter: errors without a model of the noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.diffusion.motion import Batch, Motion
from aiida_ion.analysis.diffusion.msd import mean_squared_displacement
from aiida_ion.analysis.diffusion.msd_covariance import brownian_noise, slope_weights, straight_line
from aiida_ion.analysis.diffusion.uncertainty import Inflation, student_interval
from aiida_ion.analysis.diffusion.window import MIN_LAGS, MIN_SPAN, Window, lag_grid
from aiida_ion.units import CM2_S_PER_A2_FS

FloatArray = npt.NDArray[np.float64]

#: Minimum number of blocks over all replicas.
N_BLOCKS = 5
MIN_BLOCKS = 3
#: Lags within a block extend to this fraction of its length.
MAX_BLOCK_LAG = 0.8
#: Number of lags in the fit of a block.
N_BLOCK_LAGS = 12
#: D = slope / 6.
CM2_S_PER_SLOPE = CM2_S_PER_A2_FS / 6.0


class Blocks(NamedTuple):
    """Blocks of the motion.

    :param diffusivities_cm2_s: of each block, (k,).
    :param variances: variance of each estimate relative to D^2 for independent Brownian ions, (k,).
    :param kind: ``replicas`` or ``time``.
    """

    diffusivities_cm2_s: FloatArray
    variances: FloatArray
    kind: str

    @property
    def mean_cm2_s(self) -> float:
        """Mean of the blocks, weighted by inverse variance, cm^2/s."""
        return float(np.average(self.diffusivities_cm2_s, weights=1.0 / self.variances))

    @property
    def inflation(self) -> Inflation:
        """Scatter of the blocks relative to that of independent Brownian ions."""
        offsets = (self.diffusivities_cm2_s - self.mean_cm2_s) / self.mean_cm2_s
        freedom = len(self.variances) - 1
        return Inflation(float((offsets**2 / self.variances).sum() / freedom), float(freedom))

    @property
    def standard_error_cm2_s(self) -> float:
        """Standard error of the mean from the scatter alone, cm^2/s."""
        return float(abs(self.mean_cm2_s) * np.sqrt(self.inflation.factor / (1.0 / self.variances).sum()))

    @property
    def ci95_cm2_s(self) -> tuple[float, float]:
        """95 % interval of the mean by Student's t, cm^2/s."""
        return student_interval(self.mean_cm2_s, self.standard_error_cm2_s, self.inflation.freedom)


def cut(motion: Motion, window: Window, fraction: float, *, collective: bool = False) -> Blocks | None:
    """Fit D to blocks: replicas if there are five, else parts of replicas that make five blocks in total.

    If the parts would be too short for the window there are fewer blocks, but at least three.

    :param fraction: longest lag as a fraction of a replica's length.
    :param collective: fit the collective displacement instead of that of single ions.
    :returns: ``None`` when the blocks are too short for the window.
    """
    most, least = (-(-number // motion.n_replicas) for number in (N_BLOCKS, MIN_BLOCKS))
    for parts in range(most, least - 1, -1):
        blocks = _blocks(motion, window, fraction, parts, collective)
        if blocks is not None:
            return blocks
    return None


def of_replicas(motion: Motion, window: Window, fraction: float, *, collective: bool = False) -> Blocks | None:
    """Fit D to each replica; ``None`` if fewer than two are long enough."""
    return _blocks(motion, window, fraction, 1, collective)


def _blocks(motion: Motion, window: Window, fraction: float, parts: int, collective: bool) -> Blocks | None:
    values: list[float] = []
    variances: list[float] = []
    for batch in motion.batches:
        slopes = _of_batch(batch, window, fraction, parts, collective)
        if slopes is not None:
            values += (slopes[0] / motion.interval_fs * CM2_S_PER_SLOPE).tolist()
            variances += [slopes[1]] * len(slopes[0])
    if len(values) < 2 or not np.average(values, weights=1.0 / np.array(variances)) > 0:
        return None
    return Blocks(np.array(values), np.array(variances), "replicas" if parts == 1 else "time")


def _of_batch(
    batch: Batch, window: Window, fraction: float, parts: int, collective: bool
) -> tuple[FloatArray, float] | None:
    """Slopes of the blocks of a batch, angstrom^2/frame, and the relative variance of each for independent ions."""
    length = batch.n_frames // parts
    last = min(window.last, int((fraction if parts == 1 else MAX_BLOCK_LAG) * (length - 1)))
    lags = lag_grid(window.first, max(last, window.first), N_BLOCK_LAGS)
    if len(lags) < MIN_LAGS or lags[-1] < MIN_SPAN * lags[0]:
        return None
    walkers = 1 if collective else batch.n_particles // batch.n_replicas
    of_blocks = np.array([mean_squared_displacement(block)[lags] for block in _split(batch, parts, length, collective)])
    line = straight_line(lags, batch.msd[lags])
    if not line.slope > 0:
        return None
    covariance = brownian_noise(lags, length).of(line, walkers)
    weights = slope_weights(covariance, lags)
    return of_blocks @ weights, float(weights @ covariance @ weights) / line.slope**2


def _split(batch: Batch, parts: int, length: int, collective: bool) -> Sequence[FloatArray]:
    walkers = batch.centres if collective else batch.positions
    replicas = np.split(walkers, batch.n_replicas, axis=1)
    return [
        np.ascontiguousarray(replica[part * length : (part + 1) * length])
        for replica in replicas
        for part in range(parts)
    ]
