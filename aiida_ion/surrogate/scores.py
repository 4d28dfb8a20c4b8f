"""Scores of predictions, and their uncertainty."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from aiida_ion.surrogate.dataset import FloatArray
from aiida_ion.surrogate.labels import CLIPS

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
N_RESAMPLINGS = 1000
COVERAGE = 0.95
_NO_SPREAD = 1e-12


def clipped_r2(labels: FloatArray, predicted: FloatArray, clip_log10: float) -> float:
    """Return R2 with labels and predictions clipped to the floor; NaN if all labels are equal."""
    return float(_clipped_r2(labels[None], predicted[None], clip_log10)[0])


def _clipped_r2(labels: FloatArray, predicted: FloatArray, clip_log10: float) -> FloatArray:
    """Return the R2 of each row of labels and predictions, (n, M)."""
    true, guessed = (np.maximum(values, clip_log10) for values in (labels, predicted))
    spread = ((true - true.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    missed = ((true - guessed) ** 2).sum(axis=1)
    known = spread > _NO_SPREAD
    return np.where(known, 1.0 - missed / np.where(known, spread, 1.0), np.nan)


def judged(labels: FloatArray, predicted: FloatArray, censored: BoolArray) -> FloatArray:
    """Return predictions for scoring: one below an upper bound is set to the bound."""
    return np.where(censored, np.maximum(predicted, labels), predicted)


def scores(labels: FloatArray, predicted: FloatArray, censored: BoolArray, clip_log10: float) -> dict[str, Any]:
    """Return R2 (with bounds, as published with both floors, of diffusive materials), MAE, rank correlation and AUC.

    :param labels: (M,), log10 of angstrom^2/ps, bounds as their value.
    :param predicted: (M,).
    :param censored: (M,), true where the label is a bound.
    :returns: ``r2`` (with the protocol's floor; a prediction below a bound is right), ``r2_clip_1e-2`` and
        ``r2_clip_1e-4`` (as published: a bound counts as its value), ``r2_detected`` and ``mae_dex`` (of those that
        diffused), ``spearman``, ``auc`` (diffusive or not); NaN if undefined.
    """
    moved = ~censored
    result: dict[str, Any] = {"r2": clipped_r2(labels, judged(labels, predicted, censored), clip_log10)}
    result |= {f"r2_clip_{name}": clipped_r2(labels, predicted, floor) for name, floor in CLIPS.items()}
    enough = moved.sum() > 1
    result["r2_detected"] = clipped_r2(labels[moved], predicted[moved], -np.inf) if enough else float("nan")
    result["mae_dex"] = float(np.abs(labels - predicted)[moved].mean()) if moved.any() else float("nan")
    true, guessed = np.maximum(labels, clip_log10), np.maximum(predicted, clip_log10)
    ranked = np.ptp(true) > 0 and np.ptp(guessed) > 0
    result["spearman"] = float(spearmanr(true, guessed).statistic) if ranked else float("nan")
    result["auc"] = float(roc_auc_score(moved, predicted)) if moved.any() and censored.any() else float("nan")
    return result


def r2_gap(labels: FloatArray, first: FloatArray, second: FloatArray, clip_log10: float, seed: int) -> dict[str, Any]:
    """Return the lead in R2 of the first predictions over the second, with a 95 % interval over resampled materials."""
    gap = clipped_r2(labels, first, clip_log10) - clipped_r2(labels, second, clip_log10)
    generator = np.random.default_rng(seed)
    drawn = generator.integers(0, len(labels), size=(N_RESAMPLINGS, len(labels)))
    true = labels[drawn]
    gaps = _clipped_r2(true, first[drawn], clip_log10) - _clipped_r2(true, second[drawn], clip_log10)
    return {"gap": gap, "gap_ci95": [float(edge) for edge in np.nanquantile(gaps, [0.025, 0.975])]}


def conformal_halfwidth(residuals: FloatArray, coverage: float = COVERAGE) -> float:
    """Return the half-width of an interval that covers a new label with this probability, dex.

    The (n+1) coverage-th smallest absolute residual of held-out materials: split conformal prediction (Angelopoulos,
    Bates, arXiv:2107.07511). With fewer than 19 of them it is the largest.
    """
    sizes = np.sort(np.abs(residuals))
    rank = int(np.ceil((len(sizes) + 1) * coverage)) - 1
    return float(sizes[min(rank, len(sizes) - 1)])


def held_out_halfwidths(residuals: FloatArray, usable: BoolArray, fold: IntArray) -> FloatArray:
    """Return for each material the half-width from the residuals of the other folds, (M,), dex."""
    halfwidths = np.full(len(residuals), np.nan)
    for number in np.unique(fold):
        others = residuals[(fold != number) & usable]
        if len(others):
            halfwidths[fold == number] = conformal_halfwidth(others)
    return halfwidths


def covered(labels: FloatArray, intervals: FloatArray, censored: BoolArray) -> float:
    """Return the fraction of intervals (M, 2) that cover their label; for a bound, those that reach below it."""
    low, high = intervals.T
    return float(np.where(censored, low <= labels, (low <= labels) & (labels <= high)).mean())
