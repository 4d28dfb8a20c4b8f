"""Diffusivity tensors of the members of an ensemble, in one frame -> that of the crystal.

Tensors can be averaged only where they are of one lattice: the same cell, at most rotated and scaled a little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.diffusion.result import Interval, interval95
from aiida_ion.analysis.diffusion.tensor import Principal, anisotropy, principal
from aiida_ion.analysis.disorder.spread import Sampling, between_draws, spread_of

FloatArray = npt.NDArray[np.float64]

#: Cells of one lattice differ by at most this strain, and each keeps its shape.
MAX_STRAIN = 0.05
N_DRAWS = 4000
OTHER_SHAPE = "its cell is not that of the first member, turned: by {strain:.0%} of a length"


@dataclass(frozen=True)
class MemberTensor:
    """The diffusivity tensor of a member.

    :param tensor_cm2_s: in the Cartesian frame of its own cell, cm^2/s, (3, 3).
    :param std_cm2_s: standard errors of its diagonal, cm^2/s, (3,).
    """

    tensor_cm2_s: FloatArray
    std_cm2_s: FloatArray


@dataclass(frozen=True)
class PooledTensor:
    """The tensor of the crystal, cm^2/s, in the frame of the first member.

    :param tensor_cm2_s: weighted mean, (3, 3).
    :param ci95_cm2_s: of its diagonal: errors of the members, and their choice.
    :param within_std_cm2_s: of the diagonal, from the errors of the members, (3,).
    :param between_std_cm2_s: of the diagonal, from their choice, (3,); zero for one member.
    :param principal: its principal values and directions.
    :param anisotropy: largest less smallest principal value, over their mean.
    """

    tensor_cm2_s: FloatArray
    ci95_cm2_s: list[Interval]
    within_std_cm2_s: FloatArray
    between_std_cm2_s: FloatArray
    principal: Principal
    anisotropy: float


def rotation(cell_A: FloatArray, first_A: FloatArray) -> tuple[FloatArray, float]:
    """Return the rotation that turns a cell into another, and the strain that is left, relative.

    The polar decomposition of the deformation between them: first = cell @ rotation, rows being vectors, but for the
    strain.

    :param cell_A: angstrom, (3, 3); rows are vectors.
    :param first_A: the other, angstrom, (3, 3).
    :returns: rotation (3, 3), and the largest relative change of a length beside it.
    """
    left, stretches, right = np.linalg.svd(np.linalg.solve(cell_A, first_A))
    turned: FloatArray = left @ right
    return turned, float(np.abs(stretches - 1.0).max())


def different_shape(cell_A: FloatArray, first_A: FloatArray) -> str | None:
    """Return why a tensor cannot be turned into the frame of the first member; ``None`` if it can."""
    strain = rotation(cell_A, first_A)[1]
    return None if strain <= MAX_STRAIN else OTHER_SHAPE.format(strain=strain)


def turned(member: MemberTensor, cell_A: FloatArray, first_A: FloatArray) -> MemberTensor:
    """Return the tensor of a member in the frame of the first one.

    :param cell_A: of the member, angstrom, (3, 3).
    :param first_A: of the first member, angstrom, (3, 3).
    """
    matrix = rotation(cell_A, first_A)[0]
    tensor = matrix.T @ member.tensor_cm2_s @ matrix
    # The errors of the diagonal are mixed by as much as its elements are.
    std = np.sqrt((matrix.T**2) @ member.std_cm2_s**2)
    return MemberTensor(tensor, std)


def pool_tensors(members: Sequence[MemberTensor], sampling: Sampling, seed: int = 1) -> PooledTensor:
    """Return the weighted mean of tensors that are in one frame.

    :param members: in the order of the weights.
    """
    generator = np.random.default_rng([seed, 31])
    tensors = np.array([member.tensor_cm2_s for member in members])
    mean = np.einsum("k,kab->ab", sampling.weights, tensors)
    diagonals = np.diagonal(tensors, axis1=1, axis2=2)
    variances = np.array([member.std_cm2_s**2 for member in members])
    # Errors are drawn in units of the mean, so that limits of the draws are those of relative deviations.
    scale = float(np.trace(mean)) / 3.0
    columns = diagonals / scale, variances / scale**2
    spread = spread_of(sampling, *columns)
    own = generator.standard_normal((N_DRAWS, 3)) * np.sqrt(spread.within)
    between = between_draws(sampling, *columns, N_DRAWS, generator)
    draws = np.diagonal(mean) + scale * (own + between)
    return PooledTensor(
        tensor_cm2_s=mean,
        ci95_cm2_s=[interval95(draws[:, axis]) for axis in range(3)],
        within_std_cm2_s=scale * np.sqrt(spread.within),
        between_std_cm2_s=scale * np.sqrt(spread.between_of_mean),
        principal=principal(mean),
        anisotropy=anisotropy(mean),
    )
