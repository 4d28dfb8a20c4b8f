"""Report on an evaluation: scores of all arms, the noise ceiling, intervals, and a verdict in a sentence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aiida_ion.surrogate.dataset import Dataset, FloatArray
from aiida_ion.surrogate.evaluation import ArmResult, Evaluation
from aiida_ion.surrogate.labels import CLIPS, clipped_labels, noise_ceiling_r2
from aiida_ion.surrogate.plan import TrainingPlan
from aiida_ion.surrogate.scores import conformal_halfwidth, covered, held_out_halfwidths, judged, r2_gap, scores

#: Arms that a surrogate must beat; ablations are not among them.
RIVALS = ("control", "baseline")


class Report:
    """Numbers, arrays and the verdict of an evaluation.

    :param dataset: labelled materials.
    :param plan: the training plan.
    :param evaluation: its results.
    """

    def __init__(self, dataset: Dataset, plan: TrainingPlan, evaluation: Evaluation) -> None:
        self._plan, self._evaluation = plan, evaluation
        self._clip = plan.settings.clip_log10
        self.labels = np.asarray(dataset["log10_slope"], dtype=float)
        self.censored = dataset["censored"].astype(bool)
        self.predicted = evaluation.arms[0].predictions.mean(axis=0)
        residuals = clipped_labels(dataset, self._clip) - np.maximum(self.predicted, self._clip)
        # A bound gives no error as long as the prediction is below it.
        usable = ~self.censored | (residuals < 0)
        usable = usable if usable.any() else np.ones_like(usable)
        self.halfwidth_dex = conformal_halfwidth(residuals[usable])
        half = held_out_halfwidths(residuals, usable, evaluation.fold)
        half = np.where(np.isfinite(half), half, self.halfwidth_dex)
        self.intervals = np.stack([self.predicted - half, self.predicted + half], axis=1)
        self.ceilings = {name: noise_ceiling_r2(dataset, floor) for name, floor in CLIPS.items()}
        self.arms = [self._arm(arm) for arm in evaluation.arms]

    def metrics(self) -> dict[str, Any]:
        """Return the numbers of the model itself, flat."""
        names = ("r2", "r2_std", "r2_clip_1e-2", "r2_clip_1e-4", "r2_detected", "mae_dex", "spearman", "auc")
        result = {name: self.arms[0][name] for name in names}
        result |= {f"noise_ceiling_r2_clip_{name}": value for name, value in self.ceilings.items()}
        return result | {
            "coverage95": covered(np.maximum(self.labels, self._clip), self._seen(), self.censored),
            "conformal_halfwidth_dex": self.halfwidth_dex,
            "beats_controls": self.beats_controls,
            "n_materials": len(self.labels),
            "n_censored": int(self.censored.sum()),
        }

    @property
    def beats_controls(self) -> bool | None:
        """Whether the interval of the lead over every control and baseline is above zero; None without any."""
        rivals = self._rivals()
        return all(rival["gap_ci95"][0] > 0 for rival in rivals) if rivals else None

    def verdict(self) -> str:
        """Return the verdict in a sentence."""
        r2, best = self.arms[0]["r2"], max(self._rivals(), key=lambda arm: _sortable(arm["r2"]), default=None)
        text = f"R2 {r2:.2f} on held-out materials (split: {self._plan.split})"
        if best is None:
            return f"{text}; there was no control experiment, so it is unknown what the model learned."
        name, other = best["arm"].replace("_", " "), best["r2"]
        if self.beats_controls:
            return f"{text}; it beats all its controls, the best of which is {name} with {other:.2f}."
        unbeaten = ", ".join(rival["arm"].replace("_", " ") for rival in self._rivals() if rival["gap_ci95"][0] <= 0)
        return f"{text}; it does not beat {unbeaten} significantly: do not claim that it has learned more than these."

    def arrays(self) -> dict[str, FloatArray]:
        """Return the learning curves of the model, and the predictions for held-out materials."""
        curves = self._evaluation.curves
        columns = ("train_loss", "validation_loss", "validation_r2")
        values = {name: np.array([getattr(curve, name) for curve in curves], dtype=float) for name in columns}
        return values | {
            "epochs": np.array(curves[0].epochs, dtype=float),
            "true": self.labels,
            "censored": self.censored,
            "predicted": self.predicted,
            "predicted_std": self._evaluation.arms[0].predictions.std(axis=0),
            "interval95": self.intervals,
            "fold": self._evaluation.fold,
            "arm_predictions": np.array([arm.predictions.mean(axis=0) for arm in self._evaluation.arms]),
        }

    def _seen(self) -> FloatArray:
        """Return the intervals clipped to the floor of the labels."""
        lifted: FloatArray = np.maximum(self.intervals, self._clip)
        return lifted

    def _rivals(self) -> list[dict[str, Any]]:
        return [arm for arm in self.arms if arm["kind"] in RIVALS]

    def _arm(self, arm: ArmResult) -> dict[str, Any]:
        predicted = arm.predictions.mean(axis=0)
        repeats = [scores(self.labels, prediction, self.censored, self._clip)["r2"] for prediction in arm.predictions]
        result: dict[str, Any] = {"arm": arm.name, "kind": arm.kind, "seconds": arm.seconds}
        result |= scores(self.labels, predicted, self.censored, self._clip)
        result["r2_std"] = float(np.std(repeats, ddof=1)) if len(repeats) > 1 else None
        if arm.kind != "model":
            ours, theirs = (judged(self.labels, values, self.censored) for values in (self.predicted, predicted))
            result |= r2_gap(self.labels, ours, theirs, self._clip, self._plan.seed)
        return {name: None if _is_nan(value) else value for name, value in result.items()}


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _sortable(value: float | None) -> float:
    return -math.inf if value is None else value
