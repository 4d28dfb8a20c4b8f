import numpy as np
import pytest

from aiida_ion.analysis.diffusion.uncertainty import Inflation, combine, diffusivity_draws, student_interval


@pytest.mark.parametrize("relative", [0.05, 0.3])
def test_draws_have_centre_and_error(relative):
    draws = diffusivity_draws(5.0, relative**2, 1e6, 20_000, seed=1)
    assert np.median(draws) == pytest.approx(5.0, rel=0.04)
    assert np.log(draws).std() == pytest.approx(relative, rel=0.08)
    assert (draws > 0).all()
    low, high = np.percentile(draws, [2.5, 97.5])
    assert 5.0 - low < high - 5.0


def test_draws_of_a_chi_squared_estimate_hold_the_truth():
    """Estimates of a variance from 12 degrees of freedom: exactly 95 % of their intervals hold it."""
    freedom, generator = 12, np.random.default_rng(1)
    levels = np.percentile(diffusivity_draws(1.0, 2.0 / freedom, 1e6, 5000, seed=1), [2.5, 97.5])
    estimates = generator.chisquare(freedom, 4000) / freedom
    held = (levels[0] * estimates < 1.0) & (levels[1] * estimates > 1.0)
    assert held.mean() == pytest.approx(0.95, abs=0.01)


def test_few_degrees_of_freedom_make_tails_of_student():
    draws = diffusivity_draws(1.0, 1e-4, 6.0, 20_000, seed=1)
    low, high = np.percentile(draws, [2.5, 97.5])
    assert (high - low) / 2.0 == pytest.approx(0.01 * 2.447, rel=0.03)


def test_draws_are_seeded_and_finite_when_nothing_is_known():
    assert np.array_equal(diffusivity_draws(1.0, 0.1, 5.0, 100, 3), diffusivity_draws(1.0, 0.1, 5.0, 100, 3))
    assert np.isfinite(diffusivity_draws(1.0, 50.0, 1.0, 1000, 3)).all()


def test_inflations_are_weighted_with_what_is_known_of_them():
    assert combine(Inflation(2.0, 300.0), None) == (2.0, 20.0)
    assert combine(Inflation(1.0, 12.0), Inflation(5.0, 4.0)) == pytest.approx((2.0, 16.0))


def test_student_interval():
    low, high = student_interval(10.0, 1.0, 4.0)
    assert (low, high) == pytest.approx((10.0 - 2.776, 10.0 + 2.776), abs=1e-3)
