"""Ratios and differences hold the truth as often as they say."""

import numpy as np
import pytest

from aiida_ion.analysis.comparison.ratios import Quantity, Ratio, difference, mean_log10_difference, ratio
from aiida_ion.analysis.diffusion.result import interval95

LN10 = np.log(10.0)


def measured(rng: np.random.Generator, log10: float, spread: float, samples: bool) -> Quantity:
    """What somebody finds who measures 10**log10 with a log-normal error, and knows that error."""
    draws = 10 ** rng.normal(rng.normal(log10, spread), spread, 1000)
    if samples:
        return Quantity(samples=draws)
    return Quantity(value=float(10 ** np.log10(draws).mean()), ci95=interval95(draws))


@pytest.mark.parametrize(
    ("left", "right"), [pytest.param(True, True, marks=pytest.mark.slow), (True, False), (False, False)]
)
def test_intervals_of_a_ratio_hold_the_truth(left, right):
    rng, hits, n_runs = np.random.default_rng(4), 0, 400
    for _ in range(n_runs):
        result = ratio(measured(rng, -5.0, 0.3, left), measured(rng, -4.5, 0.2, right))
        assert result.log10_difference_ci95 is not None
        hits += result.log10_difference_ci95[0] < -0.5 < result.log10_difference_ci95[1]
    assert 0.92 < hits / n_runs < 0.98


def test_the_ratio_is_that_of_the_geometric_means():
    rng = np.random.default_rng(5)
    one, two = 10 ** rng.normal(-5, 0.1, 5000), 10 ** rng.normal(-6, 0.1, 1000)
    result = ratio(Quantity(samples=one), Quantity(samples=two))
    assert result.log10_difference == pytest.approx(np.log10(one).mean() - np.log10(two).mean())
    assert result.ratio == pytest.approx(10**result.log10_difference)
    assert np.log10(result.ci95) == pytest.approx(result.log10_difference_ci95)
    width = result.log10_difference_ci95[1] - result.log10_difference_ci95[0]
    assert width == pytest.approx(2 * 1.96 * 0.1 * np.sqrt(2), rel=0.05)
    assert (result.upper_bound, result.lower_bound, result.reason) == (None, None, None)


def test_lopsided_intervals_stay_lopsided():
    result = ratio(Quantity(1.0, (0.1, 2.0)), Quantity(1.0, (1.0, 1.0)))
    assert result.ci95 == pytest.approx((0.1, 2.0))
    result = ratio(Quantity(1.0, (1.0, 1.0)), Quantity(1.0, (0.1, 2.0)))
    assert result.ci95 == pytest.approx((0.5, 10.0))
    assert ratio(Quantity(3.0), Quantity(1.0, (0.5, 2.0))).ci95 is None


def test_bounds_of_a_ratio_hold_the_truth():
    """A bound that holds at 95 % and an interval of 95 % give a ratio that stays on its side at least as often."""
    rng, above, below, n_runs = np.random.default_rng(6), 0, 0, 400
    for _ in range(n_runs):
        bound = Quantity(upper_bound=float(10 ** (rng.normal(-6.0, 0.3) + 1.645 * 0.3)))
        number = measured(rng, -5.0, 0.2, samples=True)
        upper, lower = ratio(bound, number), ratio(number, bound)
        assert upper.ratio is None
        assert upper.reason == "there is only an upper bound of this level, so the ratio has a bound but no value"
        above += upper.upper_bound > 0.1
        below += lower.lower_bound < 10.0
    assert above / n_runs >= 0.95
    assert below / n_runs >= 0.95


def test_two_bounds_and_nothing_have_no_ratio():
    bound, number = Quantity(upper_bound=1e-7), Quantity(1e-5, (5e-6, 2e-5))
    assert ratio(bound, bound).reason == "both levels have only an upper bound, so nothing follows for the ratio"
    assert ratio(Quantity(), number).reason == "there is neither a value nor a bound of this level"
    assert ratio(number, Quantity()).reason == "there is neither a value nor a bound of the reference"
    assert ratio(number, Quantity(0.0)).reason == "the value of the reference is not a positive number"
    with pytest.raises(ValueError, match="must be positive and finite"):
        ratio(Quantity(upper_bound=0.0), number)


def test_differences():
    rng = np.random.default_rng(8)
    one, two = rng.normal(0.35, 0.03, 1000), rng.normal(0.30, 0.04, 3000)
    result = difference(Quantity(samples=one), Quantity(samples=two))
    assert result.value == pytest.approx(0.05, abs=0.005)
    assert result.ci95 == pytest.approx((0.05 - 0.098, 0.05 + 0.098), abs=0.01)
    result = difference(Quantity(0.35, (0.30, 0.40)), Quantity(0.30, (0.18, 0.42)))
    assert result.value == pytest.approx(0.05)
    assert result.ci95 == pytest.approx((-0.08, 0.18))
    assert difference(Quantity(0.3), Quantity(upper_bound=1.0)).reason == "there is no value of the reference"


def test_the_mean_over_temperatures():
    one = Ratio(10.0, (5.0, 20.0), 1.0, (0.7, 1.4))
    two = Ratio(1.0, (0.5, 2.0), 0.0, (-0.4, 0.3))
    result = mean_log10_difference([one, Ratio(reason="a bound"), two])
    assert result.value == pytest.approx(0.5)
    assert result.ci95 == pytest.approx((0.25, 0.75))
    assert mean_log10_difference([one, Ratio(1.0, None, 0.0, None)]).ci95 is None
    assert mean_log10_difference([Ratio(reason="a bound")]).reason == "there are no ratios"
