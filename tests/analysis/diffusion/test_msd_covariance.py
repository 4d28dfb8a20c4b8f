import numpy as np
import pytest

from aiida_ion.analysis.diffusion.msd import mean_squared_displacement
from aiida_ion.analysis.diffusion.msd_covariance import Line, brownian_noise, slope_weights, straight_line
from tests.analysis.synthetic import brownian

LAGS = np.array([3, 10, 40])


@pytest.mark.parametrize("rattle_A", [0.0, 0.6])
def test_covariance_is_that_of_many_walks(rattle_A):
    msds = np.array([mean_squared_displacement(brownian(s, 100, 5, rattle_A=rattle_A))[LAGS] for s in range(1500)])
    line = Line(6.0 * 0.1 * 0.1, 6.0 * rattle_A**2)
    expected = brownian_noise(LAGS, 100).of(line, 5)
    np.testing.assert_allclose(np.cov(msds.T), expected, rtol=0.15)
    np.testing.assert_allclose(msds.mean(axis=0), line.slope * LAGS + line.intercept, rtol=0.03)


def test_a_single_step_without_vibration_is_chi_squared():
    """n - 1 independent steps: the variance of their mean square is 2 q^2 / (n - 1) in one dimension."""
    noise = brownian_noise(np.array([1]), 51)
    assert noise.walk[0, 0] == pytest.approx(2.0 / 50.0)


def test_weights_find_the_slope_of_a_line_and_beat_least_squares():
    lags = np.arange(5, 60, 5)
    covariance = brownian_noise(lags, 200).of(Line(0.06, 0.5), 10)
    weights = slope_weights(covariance, lags)
    assert weights @ (0.3 * lags + 7.0) == pytest.approx(0.3)
    plain = slope_weights(np.eye(len(lags)), lags)
    assert weights @ covariance @ weights < 0.9 * plain @ covariance @ plain


def test_straight_line_has_no_negative_intercept():
    lags = np.arange(1, 20)
    assert straight_line(lags, 2.0 * lags + 3.0) == pytest.approx((2.0, 3.0))
    assert straight_line(lags, 2.0 * lags - 3.0).intercept == 0.0
