"""The tracer diffusivity by kinisi, batch by batch, with the variance that correlated, hopping ions give it."""

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

    :param batch: its replicas.
    :param lags: of the fit, frames.
    :param fit: kinisi's.
    :param diffusivity_cm2_s: posterior mean.
    :param covariance: of the MSD over the square of its slope, if the ions were independent and Brownian, frames^2.
    """

    batch: Batch
    lags: IntArray
    fit: KinisiFit
    diffusivity_cm2_s: float
    covariance: FloatArray

    @property
    def variance(self) -> float:
        """Of the estimate relative to D^2, if the ions were independent and Brownian."""
        return float(self.fit.weights @ self.covariance @ self.fit.weights)

    @property
    def share(self) -> float:
        """What it knows: ions times time."""
        return float(self.batch.n_particles * (self.batch.n_frames - 1))

    @property
    def look_lag(self) -> int:
        """The lag at which the fit looks, frames: Brownian ions would know D from independent windows of this length as
        well as the fit does, 2/3 lag / (M n) = variance.
        """
        lag = self.variance / GAUSSIAN_SPREAD * self.batch.n_particles * self.batch.n_frames
        return int(np.clip(round(lag), self.lags[0], self.lags[-1]))


class TracerFit(NamedTuple):
    """The tracer diffusivity of all batches.

    :param each: the batches, the longest first.
    :param diffusivity_cm2_s: mean of theirs, weighted with ions times time.
    :param independent_variance: of the estimate relative to D^2, if the ions were independent and Brownian.
    :param moments: of the displacements at the lag where the fit looks.
    :param first_moments: at its first lag, where there are most windows to see correlated motion in.
    """

    each: tuple[BatchFit, ...]
    diffusivity_cm2_s: float
    independent_variance: float
    moments: Moments
    first_moments: Moments

    @property
    def shares(self) -> FloatArray:
        """Weights of the batches, (k,)."""
        shares = np.array([one.share for one in self.each])
        normalised: FloatArray = shares / shares.sum()
        return normalised

    @property
    def spread_scale(self) -> float:
        """Spread of squared displacements over that of Gaussian ones, at least one: few ions underestimate it."""
        return max(self.moments.spread / GAUSSIAN_SPREAD, 1.0)

    def inflation(self, blocks: Blocks | None) -> Inflation:
        """What correlated motion multiplies the variance with: from the moments, and from the scatter of blocks."""
        scatter = None
        if blocks is not None:
            factor, freedom = blocks.inflation
            scatter = Inflation(factor / self.spread_scale, freedom)
        return combine(Inflation(self.first_moments.inflation, self.first_moments.freedom), scatter)

    def relative_variance(self, inflation: Inflation) -> float:
        """Variance of the estimate relative to D^2."""
        return self.independent_variance * self.spread_scale * inflation.factor

    def bias(self, first: int) -> float:
        """Part by which the estimate is too high where the slope is so by one at lag ``first``, frames, and by 1/t."""
        return float(self.shares @ [one.fit.weights @ transient_shape(one.lags, first) for one in self.each])

    def least_squares_cm2_s(self, interval_fs: float) -> float:
        """Estimate of unweighted least squares on the same lags, cm^2/s."""
        slopes = [plain_weights(one.lags) @ one.fit.msd_A2 for one in self.each]
        return float(self.shares @ slopes) / interval_fs / 6.0 * CM2_S_PER_A2_FS

    def least_squares_difference(self, first: int) -> tuple[float, float]:
        """Variance of the difference from least squares relative to D^2, if ions were independent, and its bias."""
        shifts = [plain_weights(one.lags) - one.fit.weights for one in self.each]
        own = [shift @ one.covariance @ shift for shift, one in zip(shifts, self.each, strict=True)]
        biases = [shift @ transient_shape(one.lags, first) for shift, one in zip(shifts, self.each, strict=True)]
        return float(self.shares**2 @ own), float(self.shares @ biases)

    def tensor_cm2_s(self) -> FloatArray:
        """Diffusivity tensor by kinisi's weights of the same lags, a third of its trace D*, (3, 3)."""
        tensors = [
            np.einsum("k,kab->ab", one.fit.weights, msd_tensor(one.batch.positions, one.lags)) for one in self.each
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
    shares = np.array([one.share for one in each])
    shares /= shares.sum()
    looks, firsts = (
        [
            displacement_moments(one.batch.positions, lag, one.batch.n_replicas)
            for one, lag in zip(each, lags, strict=True)
        ]
        for lags in ([one.look_lag for one in each], [int(one.lags[0]) for one in each])
    )
    return TracerFit(
        each=tuple(each),
        diffusivity_cm2_s=float(shares @ [one.diffusivity_cm2_s for one in each]),
        independent_variance=float(shares**2 @ [one.variance for one in each]),
        moments=mean_moments(looks, shares.tolist()),
        first_moments=mean_moments(firsts, shares.tolist()),
    )
