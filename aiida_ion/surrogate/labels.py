"""Labels: log10 of the slope of the MSD, clipped to what a run can resolve, and their noise."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from aiida_ion.surrogate.dataset import SHORT_MD, Dataset, FloatArray
from aiida_ion.surrogate.invariants import short_msd

#: The two floors of the published models, log10 of angstrom^2/ps. A run of 100 ps resolves about the higher one.
CLIPS = {"1e-2": -2.0, "1e-4": -4.0}
_TINY = 1e-6


def clipped_labels(dataset: Dataset, clip_log10: float) -> FloatArray:
    """Return the labels clipped to the floor, (M,); a bound counts as its value."""
    lifted: FloatArray = np.maximum(np.asarray(dataset["log10_slope"], dtype=float), clip_log10)
    return lifted


def noise_ceiling_r2(dataset: Dataset, clip_log10: float) -> float | None:
    """Return the R2 that a perfect model would reach, from the spread between replicas; None without replicas.

    1 - mean(s^2 / n) / var(labels), with the variance s^2 between the n replicas of a material, both clipped.
    """
    slopes = [np.maximum(replica, clip_log10) for replica in dataset.replicas() if len(replica) > 1]
    if not slopes:
        return None
    variance = float(np.mean([values.var(ddof=1) / len(values) for values in slopes]))
    spread = float(clipped_labels(dataset, clip_log10).var())
    return 1.0 - variance / spread if spread > 0 else None


def loss(predicted: Tensor, labels: Tensor, censored: Tensor, one_sided: bool) -> Tensor:
    """Return the mean squared error, optionally one-sided for labels that are bounds.

    :param predicted: (n,).
    :param labels: (n,), clipped.
    :param censored: (n,), true where the label is an upper bound.
    """
    error = predicted - labels
    if one_sided:
        error = torch.where(censored, error.clamp(min=0.0), error)
    return (error**2).mean()


def cheap_labels(dataset: Dataset, n_calls: int | None = None) -> FloatArray:
    """Return log10 of the slope of the short MD, angstrom^2/ps, (M,), NaN where there is none.

    :param n_calls: steps used, from its start; at least two frames.
    """
    return np.array([_cheap_label(dataset, material, n_calls) for material in range(len(dataset))])


def _cheap_label(dataset: Dataset, material: int, n_calls: int | None) -> float:
    n_frames = None
    if n_calls is not None:
        times = dataset["time_fs"][dataset.configurations(material, SHORT_MD)]
        until = n_calls * float(dataset["short_md_steps_fs"][material])
        n_frames = max(int((times - times[:1] <= until).sum()), 2)
    msd = short_msd(dataset, material, n_frames)
    return float("nan") if msd is None else float(np.log10(max(msd[1] / msd[0], _TINY)))
