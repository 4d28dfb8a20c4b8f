"""A report on crystals whose label only the forces know: it must find that, and say so of no other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aiida_ion.surrogate.dataset import Dataset
from aiida_ion.surrogate.evaluation import Evaluation, Evaluator
from aiida_ion.surrogate.journal import Journal
from aiida_ion.surrogate.plan import TrainingPlan
from aiida_ion.surrogate.report import Report
from tests.surrogate.conftest import evaluate, unwatched


@pytest.fixture(scope="module")
def report(dataset: Dataset, plan: TrainingPlan, evaluation: Evaluation) -> Report:
    return Report(dataset, plan, evaluation)


def arms(report: Report) -> dict[str, dict[str, float]]:
    return {one["arm"]: one for one in report.arms}


def test_the_forces_are_what_is_learnt(report: Report) -> None:
    result = arms(report)
    assert result["model"]["r2"] > 0.7
    for name in ("random_vectors", "no_accelerations", "species", "mean", "composition_forest"):
        assert result[name]["r2"] < 0.2, name
        assert result[name]["gap_ci95"][0] > 0.4, name  # type: ignore[index]


def test_a_rival_that_is_as_good_is_named(report: Report) -> None:
    """On springs of equal strength, shuffling the accelerations gains nothing, and the report says so."""
    assert report.metrics()["beats_controls"] is False
    assert "does not beat shuffled accelerations" in report.verdict()


def test_the_noise_ceiling_stands_beside_the_score(report: Report) -> None:
    metrics = report.metrics()
    for clip in ("1e-2", "1e-4"):
        assert metrics[f"r2_clip_{clip}"] < metrics[f"noise_ceiling_r2_clip_{clip}"] <= 1.0
    assert metrics["noise_ceiling_r2_clip_1e-4"] > 0.99
    assert metrics["n_censored"] == 3
    assert 0.8 <= metrics["coverage95"] <= 1.0


def test_predictions_are_of_materials_that_were_held_out(report: Report, evaluation: Evaluation) -> None:
    arrays = report.arrays()
    assert np.isfinite(arrays["predicted"]).all()
    assert arrays["validation_r2"].shape == (3, len(arrays["epochs"]))
    assert arrays["arm_predictions"].shape == (len(report.arms), 24)
    assert (arrays["interval95"][:, 0] < arrays["predicted"]).all()
    assert len(evaluation.members) == 3


def test_without_controls_nothing_is_claimed(dataset: Dataset, plan: TrainingPlan, evaluation: Evaluation) -> None:
    bare = replace(evaluation, arms=evaluation.arms[:1])
    report = Report(dataset, plan, bare)
    assert report.beats_controls is None
    assert "unknown what the model learned" in report.verdict()


def test_what_the_journal_has_is_not_done_again(dataset: Dataset, plan: TrainingPlan, tmp_path: Path) -> None:
    quick = replace(plan, settings=replace(plan.settings, n_epochs=3), controls=False)
    first = evaluate(dataset, quick, tmp_path)
    epochs: list[int] = []
    journal = Journal(tmp_path / "restart.safetensors", {})
    second = Evaluator(dataset, quick, journal, "cpu", lambda *said: epochs.append(said[2])).run()
    assert not epochs
    assert np.array_equal(first.arms[0].predictions, second.arms[0].predictions)


@pytest.mark.slow
def test_repeats_have_a_spread(dataset: Dataset, plan: TrainingPlan, tmp_path: Path) -> None:
    quick = replace(plan, settings=replace(plan.settings, n_epochs=2), controls=False, n_repeats=2)
    report = Report(dataset, quick, evaluate(dataset, quick, tmp_path))
    assert report.arms[0]["r2_std"] > 0
    assert report.arrays()["train_loss"].shape[0] == 6


def test_a_label_is_needed(dataset: Dataset, plan: TrainingPlan, tmp_path: Path) -> None:
    unlabelled = Dataset({**dataset.arrays, "log10_slope": np.full(24, np.nan)})
    with pytest.raises(ValueError, match="without a label"):
        Evaluator(unlabelled, plan, Journal(tmp_path / "none", {}), "cpu", unwatched)
