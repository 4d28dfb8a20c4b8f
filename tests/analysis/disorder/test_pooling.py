"""Members with known diffusivities become one, whose interval holds the truth as often as it says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from aiida_ion.analysis.disorder.common import common_part
from aiida_ion.analysis.disorder.pooling import MemberPoint, effective_medium, pool
from aiida_ion.analysis.disorder.spread import Sampling, between_draws, sampling_of, spread_of


def equal(number: int) -> Sampling:
    return sampling_of([1.0] * number, [None] * number)


def known(value: float, relative_error: float = 1e-4, seed: int = 0) -> MemberPoint:
    """Return a member whose diffusivity is known this well."""
    noise = np.random.default_rng(seed).standard_normal(400)
    return MemberPoint(value * (1.0 + relative_error * noise))


@pytest.mark.parametrize(
    ("n_members", "spread", "error"), [(3, 0.3, 0.05), (5, 0.5, 0.1), (10, 0.5, 0.2), (5, 0.15, 0.15)]
)
def test_the_interval_covers_the_mean_of_all_members(n_members: int, spread: float, error: float) -> None:
    rng = np.random.default_rng(7)
    truth, n_repeats, hits = float(np.exp(spread**2 / 2)), 250, 0
    for seed in range(n_repeats):
        members = np.exp(spread * rng.standard_normal(n_members))
        measured = members * (1.0 + error * rng.standard_normal(n_members))
        points = [known(value, error, seed=1000 * seed + k) for k, value in enumerate(measured)]
        interval = pool(points, equal(n_members), seed=seed, n_draws=600).ci95_cm2_s
        assert interval is not None
        hits += interval[0] <= truth <= interval[1]
    # 90 to 98 %, and two standard errors of a share of 250.
    assert 0.90 - 0.03 < hits / n_repeats < 0.98 + 0.02


def test_the_spread_between_members_alone_is_a_student_interval() -> None:
    logs = stats.norm.ppf((np.arange(5) + 0.5) / 5)
    values = 0.1 * logs / logs.std(ddof=1)
    draws = between_draws(equal(5), values[:, None], np.zeros((5, 1)), 200_000, np.random.default_rng(1))[:, 0]
    low, high = np.percentile(draws, [2.5, 97.5])
    assert 0.5 * (high - low) == pytest.approx(stats.t.ppf(0.975, 4) * 0.1 / np.sqrt(5), rel=0.02)


def test_errors_of_members_are_not_counted_as_spread() -> None:
    rng = np.random.default_rng(3)
    estimates = []
    for _ in range(400):
        measured = 1.0 + 0.2 * rng.standard_normal((6, 1))
        spread = spread_of(equal(6), measured, np.full((6, 1), 0.04))
        estimates.append(float(spread.observed[0] - spread.own[0]))
        assert spread.within[0] == pytest.approx(0.04 / 6)
    assert np.mean(estimates) == pytest.approx(0.0, abs=0.005)


def test_unequal_weights_have_fewer_effective_members() -> None:
    sampling = sampling_of([6.0, 2.0, 2.0], [None, None, None])
    assert sampling.k_effective == pytest.approx(1.0 / (0.36 + 0.04 + 0.04))
    assert equal(4).freedom == pytest.approx(3.0)
    # Of ten independent draws six gave the first: the mean of the draws errs by a tenth of their variance.
    drawn = sampling_of([0.6, 0.2, 0.2], [6, 2, 2])
    assert drawn.share == pytest.approx(0.1)
    assert drawn.freedom == 9.0
    with pytest.raises(ValueError, match="positive"):
        sampling_of([1.0, 0.0], [None, None])


def test_draws_that_agree_share_the_variance_of_their_population() -> None:
    rng = np.random.default_rng(5)
    errors, estimates = [], []
    for _ in range(600):
        first = int(rng.binomial(8, 0.4))
        if first in (0, 8):
            continue
        counts = [first, 8 - first]
        sampling = sampling_of([count / 8 for count in counts], counts)
        errors.append(sampling.weights @ np.array([2.0, 1.0]) - 1.4)
        estimates.append(float(spread_of(sampling, np.array([[2.0], [1.0]]), np.zeros((2, 1))).between_of_mean[0]))
    assert np.mean(estimates) == pytest.approx(np.mean(np.square(errors)), rel=0.2)


def test_paths_in_parallel_in_series_and_mixed() -> None:
    point = pool([known(1.0), known(4.0)], equal(2))
    assert point.value_cm2_s == pytest.approx(2.5, rel=1e-3)
    assert point.series_cm2_s == pytest.approx(1.6, rel=1e-3)
    # (1 - s) / (1 + 2 s) + (4 - s) / (4 + 2 s) = 0 has the root (2.5 + sqrt(2.5^2 + 32)) / 4.
    root = (2.5 + np.sqrt(2.5**2 + 32.0)) / 4.0
    assert point.effective_medium_cm2_s == pytest.approx(root, rel=1e-3)
    assert effective_medium(np.array([0.5, 0.5]), np.array([3.0, 3.0])) == 3.0
    assert point.max_over_min == pytest.approx(4.0, rel=1e-3)


def test_a_single_member_has_no_known_spread() -> None:
    point = pool([known(2.0, 0.1)], equal(1))
    assert point.between_std_cm2_s is None
    assert point.dominant is None
    assert point.within_std_cm2_s == pytest.approx(0.2, rel=0.1)


def test_the_larger_error_is_named() -> None:
    assert pool([known(1.0), known(2.0), known(3.0)], equal(3)).dominant == "between_members"
    assert pool([known(1.0, 0.3), known(1.01, 0.3), known(0.99, 0.3)], equal(3)).dominant == "within_members"


def test_a_bound_lies_between_zero_and_itself() -> None:
    bound = MemberPoint(upper_bound_cm2_s=0.5, detection_bound_cm2_s=0.8)
    point = pool([known(1.0), bound], equal(2))
    assert point.value_cm2_s == pytest.approx(0.625, rel=1e-2)
    assert point.within_samples_cm2_s is not None
    assert point.within_samples_cm2_s.min() == pytest.approx(0.5, abs=0.01)
    assert point.within_samples_cm2_s.max() == pytest.approx(0.75, abs=0.01)
    assert point.n_bounds == 1
    none = pool([bound, MemberPoint(upper_bound_cm2_s=0.1)], equal(2))
    assert none.value_cm2_s is None
    assert none.upper_bound_cm2_s == pytest.approx(0.3)
    assert none.detection_bound_cm2_s == pytest.approx(0.45)


def test_all_temperatures_have_the_same_members() -> None:
    every = {"T_1", "T_2", "T_3", "T_4"}
    weights = {"o000": 0.5, "o001": 0.3, "o002": 0.2}
    whole = common_part({"o000": every, "o001": every - {"T_4"}, "o002": every}, weights)
    assert whole.members == ("o000", "o001", "o002")
    assert whole.temperatures == ("T_1", "T_2", "T_3")
    # A member that would leave too few for a line is left out.
    part = common_part({"o000": every, "o001": {"T_1"}, "o002": every - {"T_1"}}, weights)
    assert part.members == ("o000", "o002")
    assert part.temperatures == ("T_2", "T_3", "T_4")
    # Fewer temperatures than a line needs are pooled all the same.
    assert common_part({"o000": {"T_1"}, "o001": {"T_1"}}, weights).temperatures == ("T_1",)
    assert common_part({"o000": set()}, weights).members == ()
