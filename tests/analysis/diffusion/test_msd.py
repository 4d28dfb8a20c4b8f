import numpy as np
import pytest

from aiida_ion.analysis.diffusion.msd import (
    least_squares_slope,
    local_slope,
    mean_squared_displacement,
    msd_of_each,
    msd_tensor,
)
from tests.analysis.synthetic import brownian


@pytest.mark.parametrize(("n_frames", "n_ions"), [(2, 1), (50, 3), (51, 70)])
def test_fft_equals_direct_sum(n_frames, n_ions):
    positions = brownian(1, n_frames, n_ions) + 100.0
    msd = mean_squared_displacement(positions)
    direct = [((positions[m:] - positions[: n_frames - m]) ** 2).sum(-1).mean() for m in range(n_frames)]
    np.testing.assert_allclose(msd, direct, atol=1e-8)


def test_msd_of_each_averages_to_the_msd():
    positions = brownian(2, 60, 5)
    lags = np.array([1, 7, 30])
    np.testing.assert_allclose(msd_of_each(positions, lags).mean(axis=1), mean_squared_displacement(positions)[lags])


def test_tensor_has_the_msd_as_its_trace_and_is_symmetric():
    positions = brownian(2, 60, 70)
    lags = np.array([1, 7, 30])
    tensors = msd_tensor(positions, lags)
    np.testing.assert_allclose(np.trace(tensors, axis1=1, axis2=2), mean_squared_displacement(positions)[lags])
    moved = positions[7:] - positions[:-7]
    np.testing.assert_allclose(tensors[1, 0, 2], (moved[..., 0] * moved[..., 2]).mean())
    np.testing.assert_array_equal(tensors, tensors.transpose(0, 2, 1))


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_local_slope_of_a_power_law(power):
    times = np.arange(500) * 0.1
    for centre in (1, 10, 400):
        assert local_slope(times, times**power, centre) == pytest.approx(power, abs=1e-9)


def test_least_squares_slope_has_a_free_intercept():
    x = np.array([1.0, 2.0, 4.0])
    assert least_squares_slope(x, 7.0 + 3.0 * x) == pytest.approx(3.0)
