"""Errors of predicted forces and energies against a reference on the same frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from aiida_ion.analysis.diffusion.result import Interval

FloatArray = npt.NDArray[np.float64]

#: The direction of a smaller force is numerical noise of the electronic structure, eV/angstrom.
MIN_FORCE_EV_A = 0.01
#: Consecutive frames are correlated: this many whole blocks of them are resampled.
N_BLOCKS = 10
MIN_BLOCK_FRAMES = 2
#: Fewer blocks, and so fewer than ten frames, give no interval.
MIN_BLOCKS = 5
N_RESAMPLES = 1000
#: A constant offset and the spread about it need more than two frames.
MIN_ENERGY_FRAMES = 3


@dataclass(frozen=True)
class ForceErrors:
    """Errors of forces, eV/angstrom, over all components of all atoms and frames.

    ``cosine_similarity`` is the unweighted mean, over atoms and frames, of the cosine of the angle between the two
    forces; atoms on which either is below :data:`MIN_FORCE_EV_A` are left out, and ``None`` means that all were.
    ``slope`` is that of predicted against reference components through the origin: below one the potential is too soft.
    ``largest_error_eV_A`` is the magnitude of the largest difference of two force vectors.
    Intervals are ``None`` with fewer than ten frames.
    """

    mae_eV_A: float
    rmse_eV_A: float
    mae_ci95_eV_A: Interval | None
    rmse_ci95_eV_A: Interval | None
    mae_by_element_eV_A: dict[str, float]
    rmse_by_element_eV_A: dict[str, float]
    cosine_similarity: float | None
    slope: float | None
    reference_rms_eV_A: float
    largest_error_eV_A: float
    n_frames: int


@dataclass(frozen=True)
class EnergyErrors:
    """Errors of energies, eV/atom, after subtraction of their mean difference; ``None`` for too few frames.

    The zero of energy depends on level of theory and composition: only differences between frames of the same
    composition can be compared.
    """

    n_frames: int
    offset_eV_atom: float | None = None
    mae_eV_atom: float | None = None
    rmse_eV_atom: float | None = None
    correlation: float | None = None
    reason: str | None = None


class _Frames(NamedTuple):
    """Mean absolute and mean squared error of each frame, (n,)."""

    absolute: FloatArray
    squared: FloatArray


def force_errors(
    reference: npt.NDArray[np.floating], predicted: npt.NDArray[np.floating], symbols: Sequence[str], seed: int = 1
) -> ForceErrors:
    """Compare forces on the same frames.

    Intervals are central 95 % of a bootstrap over up to :data:`N_BLOCKS` contiguous blocks of frames, stretched around
    the estimate by sqrt(B / (B - 1)) and by Student's quantile over the normal one, because B blocks are few.
    They cover the truth in 90 to 96 % of cases if frames are correlated over less than a block, and in fewer otherwise.

    :param reference: shape (n, N, 3), eV/angstrom, in the order of time.
    :param predicted: the same for the level of theory under test.
    :param symbols: element of each of the N atoms.
    :param seed: of the resampling.
    :raises ValueError: for inconsistent shapes, no frames, or numbers that are not finite.
    """
    reference, predicted = _pair(reference, predicted, (len(symbols), 3))
    error = predicted - reference
    frames = _Frames(np.abs(error).mean(axis=(1, 2)), (error**2).mean(axis=(1, 2)))
    elements = np.asarray(symbols)
    parts = {str(element): error[:, elements == element] for element in np.unique(elements)}
    power = float((reference**2).sum())
    mae_ci95, rmse_ci95 = _intervals(frames, seed)
    return ForceErrors(
        mae_eV_A=float(frames.absolute.mean()),
        rmse_eV_A=float(np.sqrt(frames.squared.mean())),
        mae_ci95_eV_A=mae_ci95,
        rmse_ci95_eV_A=rmse_ci95,
        mae_by_element_eV_A={element: float(np.abs(part).mean()) for element, part in parts.items()},
        rmse_by_element_eV_A={element: float(np.sqrt((part**2).mean())) for element, part in parts.items()},
        cosine_similarity=_cosine_similarity(reference, predicted),
        slope=float((reference * predicted).sum()) / power if power > 0 else None,
        reference_rms_eV_A=float(np.sqrt((reference**2).mean())),
        largest_error_eV_A=float(np.linalg.norm(error, axis=2).max()),
        n_frames=len(error),
    )


def energy_errors(
    reference: npt.NDArray[np.floating], predicted: npt.NDArray[np.floating], n_atoms: int
) -> EnergyErrors:
    """Compare potential energies of frames of one composition, after subtraction of their mean difference.

    :param reference: shape (n,), eV per cell.
    :param predicted: the same for the level of theory under test.
    :param n_atoms: atoms in the cell.
    :raises ValueError: for inconsistent shapes, no frames, or numbers that are not finite.
    """
    reference, predicted = _pair(reference, predicted, ())
    n_frames = len(reference)
    if n_frames < MIN_ENERGY_FRAMES:
        return EnergyErrors(n_frames, reason=f"{n_frames} frames have energies; {MIN_ENERGY_FRAMES} are needed")
    shift = (predicted - reference) / n_atoms
    error = shift - shift.mean()
    constant = np.ptp(reference) == 0 or np.ptp(predicted) == 0
    return EnergyErrors(
        n_frames=n_frames,
        offset_eV_atom=float(shift.mean()),
        mae_eV_atom=float(np.abs(error).mean()),
        rmse_eV_atom=float(np.sqrt((error**2).mean())),
        correlation=None if constant else float(np.corrcoef(reference, predicted)[0, 1]),
    )


def _pair(
    reference: npt.NDArray[np.floating], predicted: npt.NDArray[np.floating], shape: tuple[int, ...]
) -> tuple[FloatArray, FloatArray]:
    """Check two arrays of shape (n, *shape) and return them in double precision."""
    pair = np.asarray(reference, dtype=float), np.asarray(predicted, dtype=float)
    if pair[0].shape != pair[1].shape or pair[0].shape[1:] != shape or not len(pair[0]):
        expected = ", ".join(["frames", *map(str, shape)])
        raise ValueError(f"reference and prediction must both be ({expected}), got {pair[0].shape} and {pair[1].shape}")
    if not all(np.isfinite(values).all() for values in pair):
        raise ValueError("some forces or energies are not finite")
    return pair


def _cosine_similarity(reference: FloatArray, predicted: FloatArray) -> float | None:
    lengths = np.linalg.norm(reference, axis=2), np.linalg.norm(predicted, axis=2)
    counted = np.minimum(*lengths) >= MIN_FORCE_EV_A
    if not counted.any():
        return None
    cosines = (reference * predicted).sum(axis=2)[counted] / (lengths[0] * lengths[1])[counted]
    return float(np.clip(cosines, -1.0, 1.0).mean())


def _intervals(frames: _Frames, seed: int) -> tuple[Interval | None, Interval | None]:
    """95 % intervals of MAE and RMSE by resampling contiguous blocks of frames."""
    n_frames = len(frames.absolute)
    n_blocks = min(n_frames // MIN_BLOCK_FRAMES, N_BLOCKS)
    if n_blocks < MIN_BLOCKS:
        return None, None
    blocks = np.array_split(np.arange(n_frames), n_blocks)
    weights = np.array([len(block) for block in blocks], dtype=float)
    drawn = np.random.default_rng(seed).integers(n_blocks, size=(N_RESAMPLES, n_blocks))
    counts = weights[drawn].sum(axis=1)
    means = []
    for values in frames:
        sums = np.array([values[block].sum() for block in blocks])
        means.append(sums[drawn].sum(axis=1) / counts)
    stretch = float(np.sqrt(n_blocks / (n_blocks - 1)) * stats.t.ppf(0.975, n_blocks - 1) / stats.norm.ppf(0.975))
    mae = _stretched(means[0], float(frames.absolute.mean()), stretch)
    return mae, _stretched(np.sqrt(means[1]), float(np.sqrt(frames.squared.mean())), stretch)


def _stretched(draws: FloatArray, centre: float, stretch: float) -> Interval:
    low, high = np.percentile(draws, [2.5, 97.5])
    return max(0.0, centre + stretch * (float(low) - centre)), centre + stretch * (float(high) - centre)
