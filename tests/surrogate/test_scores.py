"""Scores that must not flatter."""

from __future__ import annotations

import numpy as np
import pytest

from aiida_ion.surrogate.scores import clipped_r2, conformal_halfwidth, covered, held_out_halfwidths, r2_gap, scores

LABELS = np.array([-3.0, -2.0, -1.0, 0.0, 1.0])
NONE = np.zeros(5, dtype=bool)


def test_what_is_below_the_floor_counts_as_the_floor() -> None:
    predicted = np.array([-9.0, -2.0, -1.0, 0.0, 1.0])
    assert clipped_r2(LABELS, predicted, -2.0) == 1.0
    assert clipped_r2(LABELS, predicted, -4.0) < 1.0
    assert np.isnan(clipped_r2(np.full(5, -7.0), predicted, -2.0))


def test_a_mean_has_no_skill() -> None:
    values = scores(LABELS, np.full(5, LABELS.mean()), NONE, -4.0)
    assert values["r2"] == pytest.approx(0)
    assert np.isnan(values["spearman"])
    assert np.isnan(values["auc"])
    assert values["mae_dex"] == pytest.approx(1.2)


def test_what_lies_below_a_bound_agrees_with_it() -> None:
    censored = np.array([True, True, False, False, False])
    values = scores(LABELS, LABELS - np.array([4.0, 4.0, 0, 0, 0]), censored, -9.0)
    assert values["r2"] == 1.0 > values["r2_clip_1e-4"]
    assert scores(LABELS, LABELS + np.array([4.0, 4.0, 0, 0, 0]), censored, -9.0)["r2"] < 0


def test_bounds_are_left_out_of_the_errors() -> None:
    censored = np.array([True, False, False, False, False])
    predicted = LABELS + np.array([5.0, 0.1, -0.1, 0.1, -0.1])
    result = scores(LABELS, predicted, censored, -4.0)
    assert result["mae_dex"] == pytest.approx(0.1)
    assert result["r2_detected"] > 0.98 > result["r2"]


def test_a_lead_comes_with_its_interval() -> None:
    generator = np.random.default_rng(1)
    labels = generator.normal(size=200)
    good, poor = labels + 0.1 * generator.normal(size=200), labels + generator.normal(size=200)
    result = r2_gap(labels, good, poor, -9.0, seed=1)
    assert result["gap_ci95"][0] > 0.5
    assert result["gap_ci95"][0] < result["gap"] < result["gap_ci95"][1]
    none = r2_gap(labels, good, good, -9.0, seed=1)
    assert none == {"gap": 0.0, "gap_ci95": [0.0, 0.0]}


def test_the_interval_of_a_lead_that_is_none_holds_zero() -> None:
    hits = []
    for seed in range(100):
        generator = np.random.default_rng(seed)
        labels = generator.normal(size=60)
        first, second = (labels + 0.5 * generator.normal(size=60) for _ in range(2))
        low, high = r2_gap(labels, first, second, -9.0, seed=seed)["gap_ci95"]
        hits.append(low <= 0 <= high)
    assert np.mean(hits) > 0.88


@pytest.mark.parametrize("n_known", [30, 100, 1000])
def test_conformal_intervals_hold_what_they_promise(n_known: int) -> None:
    generator = np.random.default_rng(n_known)
    hits = []
    for _ in range(400):
        residuals = generator.standard_t(3, size=n_known + 1)
        hits.append(abs(residuals[-1]) <= conformal_halfwidth(residuals[:-1]))
    assert 0.92 < np.mean(hits) <= 0.99


def test_a_fold_is_judged_by_the_others() -> None:
    residuals = np.array([0.1, 0.2, 9.0, 8.0])
    values = held_out_halfwidths(residuals, np.ones(4, dtype=bool), np.array([0, 0, 1, 1]))
    assert values.tolist() == [9.0, 9.0, 0.2, 0.2]


def test_a_bound_is_held_by_what_reaches_below_it() -> None:
    intervals = np.array([[-4.0, -2.5], [-1.0, 0.0], [0.5, 1.0]])
    labels = np.array([-3.0, -3.0, 2.0])
    assert covered(labels, intervals, np.array([True, True, False])) == pytest.approx(1 / 3)
