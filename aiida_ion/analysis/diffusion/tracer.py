"""The tracer diffusivity by kinisi, batch by batch, with the variance of correlated, hopping ions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.diffusion.block_averages import Blocks
from aiida_ion.analysis.diffusion.correlations import GAUSSIAN_SPREAD, Moments, displacement_moments, mean_moments
from aiida_ion.analysis.diffusion.kinisi_fit import KinisiFit, fit_diffusivity
from aiida_ion.analysis.diffusion.motion import Batch, Motion
from aiida_ion.analysis.diffusion.msd import msd_tensor
from aiida_ion.analysis.diffusion.msd_covariance import brownian_noise, plain_weights, straight_line
from aiida_ion.analysis.diffusion.settings import DiffusionSettings
from aiida_ion.analysis.diffusion.transient import transient_shape
from aiida_ion.analysis.diffusion.uncertainty import Inflation, combine
from aiida_ion.analysis.diffusion.window import Window
from aiida_ion.units import CM2_S_PER_A2_FS

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class BatchFit(NamedTuple):
    """The fit of one batch.

    :param batch: the replicas.
    :param lags: lags of the fit, frames.
    :param fit: result of kinisi.
    :param diffusivity_cm2_s: posterior mean.
    :param covariance: of the MSD over the square of its slope, for independent Brownian ions, frames^2.
    """

    batch: Batch
    lags: IntArray
    fit: KinisiFit
    diffusivity_cm2_s: float
    covariance: FloatArray

    @property
    def variance(self) -> float:
        """Variance of the estimate relative to D^2, for independent Brownian ions."""
        return float(self.fit.weights @ self.covariance @ self.fit.weights)

    @property
    def share(self) -> float:
        """Weight of the batch: ions times time."""
        return float(self.batch.n_particles * (self.batch.n_frames - 1))

    @property
    def look_lag(self) -> int:
        """Effective lag of the fit, frames: independent windows this long have the same variance for Brownian ions."""
        lag = self.variance / GAUSSIAN_SPREAD * self.batch.n_particles * self.batch.n_frames
        return int(np.clip(round(lag), self.lags[0], self.lags[-1]))


class TracerFit(NamedTuple):
    """The tracer diffusivity of all batches.

    :param each: the batches, longest first.
    :param diffusivity_cm2_s: mean over batches, weighted with ions times time.
    :param independent_variance: of the estimate relative to D^2, for independent Brownian ions.
    :param moments: of the displacements at the effective lag.
    :param first_moments: at the first lag, which has the most windows to detect correlated motion.
    """

    each: tuple[BatchFit, ...]
    diffusivity_cm2_s: float
    independent_variance: float
    moments: Moments
    first_moments: Moments

    @property
    def shares(self) -> FloatArray:
        """Weights of the batches, (k,)."""
        shares = np.array([entry.share for entry in self.each])
        normalised: FloatArray = shares / shares.sum()
        return normalised

    @property
    def spread_scale(self) -> float:
        """Spread of squared displacements relative to Gaussian ones, at least one: few ions underestimate it."""
        return max(self.moments.spread / GAUSSIAN_SPREAD, 1.0)

    def inflation(self, blocks: Blocks | None) -> Inflation:
        """Factor of the variance from correlated motion, from the moments and from the scatter of blocks."""
        scatter = None
        if blocks is not None:
            factor, freedom = blocks.inflation
            scatter = Inflation(factor / self.spread_scale, freedom)
        return combine(Inflation(self.first_moments.inflation, self.first_moments.freedom), scatter)

    def relative_variance(self, inflation: Inflation) -> float:
        """Variance of the estimate relative to D^2."""
        return self.independent_variance * self.spread_scale * inflation.factor

    def bias(self, first: int) -> float:
        """Relative bias of the estimate if the slope is too high by one at lag ``first``, frames, decaying as 1/t."""
        return float(self.shares @ [entry.fit.weights @ transient_shape(entry.lags, first) for entry in self.each])

    def least_squares_cm2_s(self, interval_fs: float) -> float:
        """Estimate of unweighted least squares on the same lags, cm^2/s."""
        slopes = [plain_weights(entry.lags) @ entry.fit.msd_A2 for entry in self.each]
        return float(self.shares @ slopes) / interval_fs / 6.0 * CM2_S_PER_A2_FS

    def least_squares_difference(self, first: int) -> tuple[float, float]:
        """Variance (for independent ions) and bias of the difference from least squares, relative to D^2."""
        shifts = [plain_weights(entry.lags) - entry.fit.weights for entry in self.each]
        own = [shift @ entry.covariance @ shift for shift, entry in zip(shifts, self.each, strict=True)]
        biases = [shift @ transient_shape(entry.lags, first) for shift, entry in zip(shifts, self.each, strict=True)]
        return float(self.shares**2 @ own), float(self.shares @ biases)

    def tensor_cm2_s(self) -> FloatArray:
        """Diffusivity tensor with kinisi's weights of the same lags; D* is a third of its trace, (3, 3)."""
        tensors = [
            np.einsum("k,kab->ab", entry.fit.weights, msd_tensor(entry.batch.positions, entry.lags))
            for entry in self.each
        ]
        tensor = np.einsum("k,kab->ab", self.shares, tensors)
        scaled: FloatArray = tensor * (3.0 * self.diffusivity_cm2_s / np.trace(tensor))
        return scaled


def fit_tracer(motion: Motion, window: Window, fraction: float, settings: DiffusionSettings) -> TracerFit:
    """Fit D* to every batch that is long enough for the window.

    :param fraction: part of a replica's length that lags may have.
    """
    each = []
    for batch in motion.batches:
        lags = batch.lags(window, fraction, settings.n_lags)
        if lags is not None:
            each.append(_fit_batch(batch, lags, motion.interval_fs, settings))
    return _together(each)


def _fit_batch(batch: Batch, lags: IntArray, interval_fs: float, settings: DiffusionSettings) -> BatchFit:
    fit = fit_diffusivity(batch.positions, lags, interval_fs, settings.seed)
    lags = lags[: len(fit.msd_A2)]
    mean = float(fit.samples_cm2_s.mean())
    covariance = brownian_noise(lags, batch.n_frames).of(straight_line(lags, fit.msd_A2), batch.n_particles)
    slope = mean * 6.0 / CM2_S_PER_A2_FS * interval_fs
    return BatchFit(batch, lags, fit, mean, covariance / slope**2)


def _together(each: Sequence[BatchFit]) -> TracerFit:
    shares = np.array([entry.share for entry in each])
    shares /= shares.sum()
    looks, firsts = (
        [
            displacement_moments(entry.batch.positions, lag, entry.batch.n_replicas)
            for entry, lag in zip(each, lags, strict=True)
        ]
        for lags in ([entry.look_lag for entry in each], [int(entry.lags[0]) for entry in each])
    )
    return TracerFit(
        each=tuple(each),
        diffusivity_cm2_s=float(shares @ [entry.diffusivity_cm2_s for entry in each]),
        independent_variance=float(shares**2 @ [entry.variance for entry in each]),
        moments=mean_moments(looks, shares.tolist()),
        first_moments=mean_moments(firsts, shares.tolist()),
    )
