"""Diffusivity by direction: intervals of the diagonal, principal values, and whether isotropy is compatible."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from aiida_ion.analysis.diffusion.correlations import GAUSSIAN_SPREAD, Moments
from aiida_ion.analysis.diffusion.result import Interval, interval95
from aiida_ion.analysis.diffusion.uncertainty import diffusivity_draws, student_interval

FloatArray = npt.NDArray[np.float64]

#: An element with a larger relative variance gets a symmetric interval, since it may be zero or negative.
MAX_SKEWED_VARIANCE = 0.5
#: Number of draws for an interval.
N_DRAWS = 4000
#: Orthonormal basis of symmetric traceless tensors; an isotropic tensor has no such components.
TRACELESS = np.array(
    [
        np.diag([1.0, -1.0, 0.0]) / np.sqrt(2.0),
        np.diag([-1.0, -1.0, 2.0]) / np.sqrt(6.0),
        *(
            np.array([[0.0, x, y], [x, 0.0, z], [y, z, 0.0]]) / np.sqrt(2.0)
            for x, y, z in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
        ),
    ]
)


class Principal(NamedTuple):
    """Principal values, largest first, (3,), and their directions as rows of unit vectors, (3, 3)."""

    values: FloatArray
    directions: FloatArray


def tensor_covariance(tensor: FloatArray, moments: Moments, variance: float, common: float) -> FloatArray:
    """Covariance of the elements of an estimated tensor, in its unit squared, (3, 3, 3, 3).

    :param tensor: (3, 3).
    :param moments: of the displacements, scaled up if they spread less than Gaussian ones.
    :param variance: relative variance of the trace for independent Brownian ions, inflated like the shape.
    :param common: additional relative variance shared by all elements.
    """
    scale = max(GAUSSIAN_SPREAD / moments.spread, 1.0) / GAUSSIAN_SPREAD * variance
    shape = moments.fourth * (scale * (np.trace(tensor) / np.trace(moments.second)) ** 2)
    covariance: FloatArray = shape + common * np.einsum("ab,cd->abcd", tensor, tensor)
    return covariance


def gaussian_covariance(tensor: FloatArray, variance: float) -> FloatArray:
    """The same from the tensor alone, for Gaussian displacements; ``variance`` is that of one diagonal element."""
    products = np.einsum("ac,bd->abcd", tensor, tensor)
    covariance: FloatArray = (products + products.transpose(0, 1, 3, 2)) * (variance / 2.0)
    return covariance


def diagonal_intervals(tensor: FloatArray, covariance: FloatArray, freedom: float, seed: int) -> list[Interval]:
    """95 % intervals of the three diagonal elements, in the tensor's unit."""
    return [
        _interval(float(tensor[a, a]), float(covariance[a, a, a, a]), freedom, seed + a) for a in range(len(tensor))
    ]


def _interval(value: float, variance: float, freedom: float, seed: int) -> Interval:
    if value > 0 and variance < MAX_SKEWED_VARIANCE * value**2:
        return interval95(diffusivity_draws(value, variance / value**2, freedom, N_DRAWS, seed))
    return student_interval(value, float(np.sqrt(variance)), freedom)


def principal(tensor: FloatArray) -> Principal:
    """Diagonalise a symmetric tensor."""
    values, vectors = np.linalg.eigh(tensor)
    return Principal(values[::-1], vectors.T[::-1])


def anisotropy(tensor: FloatArray) -> float:
    """Largest minus smallest principal value over their mean: 0 for an isotropic tensor, 3 for motion along a line."""
    values = np.linalg.eigvalsh(tensor)
    return float((values[-1] - values[0]) / values.mean())


def isotropy_p_value(tensor: FloatArray, covariance: FloatArray, freedom: float) -> float:
    """Probability of a tensor at least as anisotropic as this for isotropic diffusion (Wald's test).

    The five traceless components, weighted with the inverse of their covariance, are compared with F with 5 and
    ``freedom`` degrees of freedom.
    """
    offsets = np.einsum("kab,ab->k", TRACELESS, tensor)
    spread = np.einsum("kab,abcd,lcd->kl", TRACELESS, covariance, TRACELESS)
    statistic = float(offsets @ np.linalg.solve(spread, offsets)) / len(offsets)
    return float(stats.f.sf(statistic, len(offsets), freedom))
