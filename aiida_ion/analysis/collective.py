"""The collective diffusivity from the displacement of all charges (Einstein-Helfand), one vector for each replica."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.kinisi_fit import CM2_S_PER_A2_FS
from aiida_ion.analysis.motion import Motion
from aiida_ion.analysis.msd import least_squares_slope, mean_squared_displacement, msd_tensor
from aiida_ion.analysis.msd_covariance import Line, brownian_noise, slope_weights, straight_line
from aiida_ion.analysis.pieces import Pieces
from aiida_ion.analysis.tracer import TracerFit
from aiida_ion.analysis.uncertainty import MODEL_FREEDOM, Inflation, combine

FloatArray = npt.NDArray[np.float64]

#: The covariance is that of the slope found with it, so often.
N_ITERATIONS = 3
#: Its slope is at least this part of the single ions'.
MIN_SLOPE_PART = 0.1


class CollectiveFit(NamedTuple):
    """The collective diffusivity.

    :param diffusivity_cm2_s: of generalised least squares; not positive where the displacement does not grow.
    :param variance: of the estimate relative to D^2, for Gaussian displacements alike in three directions.
    :param least_squares_cm2_s: of unweighted least squares on the same lags.
    :param tensor_cm2_s: (3, 3), a third of whose trace is the diffusivity.
    """

    diffusivity_cm2_s: float
    variance: float
    least_squares_cm2_s: float
    tensor_cm2_s: FloatArray


def fit_collective(motion: Motion, tracer: TracerFit) -> CollectiveFit:
    """Fit D_sigma on the lags of the tracer fit.

    Generalised least squares with the exact covariance of a Brownian vector that vibrates as one ion does: the sum of
    many displacements is Gaussian, and ions vibrate mostly independently. The single ions know that vibration far
    better than the one vector, whose own intercept would make the error a matter of chance.
    """
    noises = [brownian_noise(one.lags, one.batch.n_frames) for one in tracer.each]
    msds = [mean_squared_displacement(one.batch.centres)[one.lags] for one in tracer.each]
    lines = [straight_line(one.lags, one.fit.msd_A2) for one in tracer.each]
    shares = tracer.shares
    single = float(shares @ [line.slope for line in lines])
    vibration = float(shares @ [line.intercept for line in lines])
    slope = assumed = single
    weights, variance = [np.zeros(0)], 0.0
    for _ in range(N_ITERATIONS):
        assumed = max(slope, MIN_SLOPE_PART * single)
        covariances = [
            noise.of(Line(assumed, vibration), one.batch.n_replicas)
            for noise, one in zip(noises, tracer.each, strict=True)
        ]
        weights = [slope_weights(matrix, one.lags) for matrix, one in zip(covariances, tracer.each, strict=True)]
        slope = float(shares @ [w @ msd for w, msd in zip(weights, msds, strict=True)])
        own = [w @ matrix @ w for w, matrix in zip(weights, covariances, strict=True)]
        variance = float(shares**2 @ own) / assumed**2
    unit = CM2_S_PER_A2_FS / motion.interval_fs
    plain = [least_squares_slope(one.lags.astype(np.float64), msd) for one, msd in zip(tracer.each, msds, strict=True)]
    tensors = [
        np.einsum("k,kab->ab", w, msd_tensor(one.batch.centres, one.lags))
        for w, one in zip(weights, tracer.each, strict=True)
    ]
    return CollectiveFit(
        diffusivity_cm2_s=slope / 6.0 * unit,
        variance=variance,
        least_squares_cm2_s=float(shares @ plain) / 6.0 * unit,
        tensor_cm2_s=np.einsum("k,kab->ab", shares, tensors) / 2.0 * unit,
    )


def direction_scale(tensor: FloatArray) -> float:
    """What unequal directions multiply the variance of a trace with: 1 for three alike, 3 for a single one."""
    return float(3.0 * np.sum(tensor * tensor) / np.trace(tensor) ** 2)


def collective_inflation(pieces: Pieces | None, scale: float) -> Inflation:
    """How much the pieces scatter beyond a Brownian vector; the vector itself has no correlations left to count.

    :param scale: :func:`direction_scale`, which the pieces hold already.
    """
    blocks = None
    if pieces is not None:
        blocks = Inflation(pieces.inflation.factor / scale, pieces.inflation.freedom)
    return combine(Inflation(1.0, MODEL_FREEDOM), blocks)
