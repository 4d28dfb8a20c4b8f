"""Recall of a cut and scores of a ranking, on cases whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from aiida_ion.analysis.comparison.ranking import (
    Measured,
    Share,
    average_precision_top,
    roc_auc,
    score_ranking,
)


def test_the_interval_of_wilson() -> None:
    # Newcombe, Statist. Med. 17, 857 (1998), table I: 81 of 263.
    assert Share(81, 263).ci95 == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert Share(0, 20).ci95 == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert Share(20, 20).value == 1.0
    assert (Share(0, 0).value, Share(0, 0).ci95) == (None, None)


def test_a_bound_above_the_limit_says_nothing() -> None:
    assert Measured(0.0).is_conductor() is True
    assert Measured(-3.0).is_conductor() is False
    assert Measured(-3.0, is_bound=True).is_conductor() is False
    assert Measured(0.0, is_bound=True).is_conductor() is None


def test_a_perfect_a_reversed_and_a_constant_ranking() -> None:
    truth = np.linspace(-4.0, 2.0, 30)
    measured = [Measured(float(value)) for value in truth]
    perfect = score_ranking("perfect", list(truth), measured)
    assert (perfect.roc_auc.value, perfect.average_precision_top.value, perfect.spearman.value) == (1.0, 1.0, 1.0)
    assert perfect.roc_auc.ci95 == (1.0, 1.0)
    assert (perfect.n, perfect.n_conductors, perfect.n_spearman) == (30, int((truth >= -1).sum()), 30)
    reverse = score_ranking("reverse", list(-truth), measured)
    assert (reverse.roc_auc.value, reverse.average_precision_top.value) == (0.0, 0.0)
    assert reverse.spearman.value == pytest.approx(-1.0)
    flat = score_ranking("flat", [1.0] * 30, measured)
    assert flat.roc_auc.value == 0.5
    assert flat.spearman.value is None
    assert flat.average_precision_top.value == pytest.approx(_expected_when_tied(perfect.n_conductors, 30), abs=0.05)


def _expected_when_tied(n_conductors: int, n: int, k: int = 3) -> float:
    """Return the mean over random orders."""
    draw = np.random.default_rng(0)
    labels = np.arange(n) < n_conductors
    values = []
    for _ in range(4000):
        first = draw.permutation(labels)[:k]
        values.append(sum(first[: i + 1].mean() for i in range(k) if first[i]) / min(k, n_conductors))
    return float(np.mean(values))


def test_the_whole_ranking_is_the_average_precision_of_scikit_learn() -> None:
    draw = np.random.default_rng(3)
    scores, labels = draw.random(200), draw.random(200) < 0.3
    assert average_precision_top(scores, labels, share=1.0) == pytest.approx(average_precision_score(labels, scores))
    tied = np.round(scores, 1)
    assert roc_auc(tied, labels) == pytest.approx(roc_auc_score(labels, tied))
    assert roc_auc(scores, np.ones(200, dtype=bool)) is None
    assert average_precision_top(scores, np.zeros(200, dtype=bool)) is None


def test_minus_infinity_is_last_and_outside_rank_correlations() -> None:
    measured = [Measured(float(value)) for value in (1, 1, 0, -3, -4, -5)]
    result = score_ranking("", [3.0, 2.0, 1.0, 0.0, -1.0, -math.inf], measured)
    assert result.roc_auc.value == 1.0
    assert result.n_spearman == 5
    with pytest.raises(ValueError, match="without a score"):
        score_ranking("", [math.nan] * 6, measured)
    with pytest.raises(ValueError, match="2 scores for 6"):
        score_ranking("", [1.0, 2.0], measured)


def test_too_few_materials_have_no_score() -> None:
    result = score_ranking("", [1.0, 2.0], [Measured(0.0), Measured(-4.0)])
    assert result.roc_auc.value is None
    assert result.random_precision_top is None


def test_intervals_cover_and_random_rankings_lie_in_their_band() -> None:
    draw = np.random.default_rng(5)
    truth = draw.normal(-2.0, 2.0, 60)
    measured = [Measured(float(value)) for value in truth]
    noisy = score_ranking("noisy", list(truth + draw.normal(0, 2.0, 60)), measured)
    assert noisy.roc_auc.ci95 is not None
    assert noisy.roc_auc.value is not None
    low, high = noisy.roc_auc.ci95
    assert 0.5 < low < noisy.roc_auc.value < high <= 1.0
    assert noisy.random_precision_top is not None
    assert noisy.random_precision_top[0] <= _expected_when_tied(noisy.n_conductors, 60, k=6)
    assert _expected_when_tied(noisy.n_conductors, 60, k=6) <= noisy.random_precision_top[2]
