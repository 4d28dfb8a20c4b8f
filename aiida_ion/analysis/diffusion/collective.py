"""The collective diffusivity from the displacement of all charges (Einstein-Helfand), one vector per replica."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.diffusion.block_averages import Blocks
from aiida_ion.analysis.diffusion.motion import Motion
from aiida_ion.analysis.diffusion.msd import mean_squared_displacement, msd_tensor
from aiida_ion.analysis.diffusion.msd_covariance import (
    Line,
    brownian_noise,
    plain_weights,
    slope_weights,
    straight_line,
)
from aiida_ion.analysis.diffusion.transient import Start, start_from, transient_shape
from aiida_ion.analysis.diffusion.uncertainty import MODEL_FREEDOM, Inflation, combine
from aiida_ion.analysis.diffusion.window import Window
from aiida_ion.units import CM2_S_PER_A2_FS

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Iterations in which the covariance and the slope are made self-consistent.
N_ITERATIONS = 3
#: Lower limit of the slope, relative to that of single ions.
MIN_SLOPE_PART = 0.1


class CollectiveFit(NamedTuple):
    """The collective diffusivity.

    :param window: fit window.
    :param diffusivity_cm2_s: from generalised least squares; not positive if the displacement does not grow.
    :param variance: of the estimate relative to D^2, for isotropic Gaussian displacements.
    :param systematic: variance relative to D^2 because the slope is not yet that of diffusion.
    :param least_squares_cm2_s: from unweighted least squares on the same lags.
    :param difference_variance: variance of the difference from least squares relative to D^2, like ``variance``.
    :param tensor_cm2_s: (3, 3); the diffusivity is a third of its trace.
    """

    window: Window
    diffusivity_cm2_s: float
    variance: float
    systematic: float
    least_squares_cm2_s: float
    difference_variance: float
    tensor_cm2_s: FloatArray


def fit_collective(
    motion: Motion, window: Window, fraction: float, starts: Sequence[Start], n_lags: int
) -> CollectiveFit:
    """Fit D_sigma from the start with the smallest error, assuming that its MSD deviates like that of single ions.

    One vector has a larger error than many ions, so its fit begins at earlier lags than theirs.

    :param window: the first diffusive window.
    :param fraction: part of a replica's length that lags may have.
    :param starts: later windows; the deviations of single ions, from
        :func:`aiida_ion.analysis.diffusion.transient.find_starts`.
    """
    best = _fit(motion, start_from(motion, window, starts[0]), fraction, starts[0], n_lags)
    for start in starts[1:]:
        fit = _fit(motion, start_from(motion, window, start), fraction, start, n_lags)
        if fit.variance > best.variance + best.systematic:
            break  # the same holds for all later starts
        best = min(best, fit, key=lambda candidate: candidate.variance + candidate.systematic)
    return best


def _fit(motion: Motion, window: Window, fraction: float, start: Start, n_lags: int) -> CollectiveFit:
    """Generalised least squares with the exact covariance of a Brownian vector that vibrates as one ion does.

    The sum of many displacements is Gaussian, and ions vibrate mostly independently. That vibration is taken from the
    single ions; the intercept of the one vector would be too noisy.
    """
    known = [(batch, batch.lags(window, fraction, n_lags)) for batch in motion.batches]
    each = [(batch, lags) for batch, lags in known if lags is not None]
    shares = np.array([float(batch.n_particles * (batch.n_frames - 1)) for batch, _ in each])
    shares /= shares.sum()
    noises = [brownian_noise(lags, batch.n_frames) for batch, lags in each]
    msds = [mean_squared_displacement(batch.centres)[lags] for batch, lags in each]
    lines = [straight_line(lags, batch.msd[lags]) for batch, lags in each]
    single = float(shares @ [line.slope for line in lines])
    vibration = float(shares @ [line.intercept for line in lines])
    slope = assumed = single
    weights: list[FloatArray] = []
    covariances: list[FloatArray] = []
    for _ in range(N_ITERATIONS):
        assumed = max(slope, MIN_SLOPE_PART * single)
        covariances = [
            noise.of(Line(assumed, vibration), batch.n_replicas) for noise, (batch, _) in zip(noises, each, strict=True)
        ]
        weights = [slope_weights(matrix, lags) for matrix, (_, lags) in zip(covariances, each, strict=True)]
        slope = float(shares @ [w @ msd for w, msd in zip(weights, msds, strict=True)])
    plain = [plain_weights(lags) for _, lags in each]
    own = [w @ matrix @ w for w, matrix in zip(weights, covariances, strict=True)]
    apart = [(v - w) @ matrix @ (v - w) for v, w, matrix in zip(plain, weights, covariances, strict=True)]
    unit = CM2_S_PER_A2_FS / motion.interval_fs
    biases = [w @ transient_shape(lags, start.first) for w, (_, lags) in zip(weights, each, strict=True)]
    tensors = [
        np.einsum("k,kab->ab", w, msd_tensor(batch.centres, lags))
        for w, (batch, lags) in zip(weights, each, strict=True)
    ]
    return CollectiveFit(
        window=window,
        diffusivity_cm2_s=slope / 6.0 * unit,
        variance=float(shares**2 @ own) / assumed**2,
        systematic=float(shares @ biases) ** 2 * start.expected_square,
        least_squares_cm2_s=float(shares @ [v @ msd for v, msd in zip(plain, msds, strict=True)]) / 6.0 * unit,
        difference_variance=float(shares**2 @ apart) / assumed**2,
        tensor_cm2_s=np.einsum("k,kab->ab", shares, tensors) / 2.0 * unit,
    )


def direction_scale(tensor: FloatArray) -> float:
    """Factor of the variance of a trace for unequal directions: 1 for isotropic motion, 3 for a single direction."""
    return float(3.0 * np.sum(tensor * tensor) / np.trace(tensor) ** 2)


def unequal_directions(fit: CollectiveFit, tracer_tensor: FloatArray) -> float:
    """:func:`direction_scale` of the collective motion: the larger one of single ions and of the vector itself.

    Ions that are isotropic individually may move together along one direction, and the vector alone is too noisy to
    show this. Its tensor is a Wishart matrix with n = 2 / (3 variance) degrees of freedom, which is anisotropic by
    chance; E tr M^2 = tr D^2 (1 + 1/n) + (tr D)^2 / n and E (tr M)^2 = (tr D)^2 + 2 tr D^2 / n are solved for D.
    """
    freedom = 2.0 / (3.0 * fit.variance)
    of_square = float(np.sum(fit.tensor_cm2_s * fit.tensor_cm2_s))
    square = float(np.trace(fit.tensor_cm2_s)) ** 2
    own = (of_square - square / freedom) / (1.0 + 1.0 / freedom - 2.0 / freedom**2)
    trace = max(square - 2.0 * own / freedom, square / freedom)
    return max(direction_scale(tracer_tensor), float(np.clip(3.0 * own / trace, 1.0, 3.0)))


def collective_inflation(blocks: Blocks | None, scale: float) -> Inflation:
    """Excess scatter of the blocks over that of a Brownian vector; the vector has no correlations left to count.

    :param scale: :func:`unequal_directions`, which the scatter of blocks includes already.
    """
    scatter = None
    if blocks is not None:
        scatter = Inflation(blocks.inflation.factor / scale, blocks.inflation.freedom)
    return combine(Inflation(1.0, MODEL_FREEDOM), scatter)
