import numpy as np
import pytest

from aiida_ion.analysis.diffusion.msd import mean_squared_displacement
from aiida_ion.analysis.diffusion.window import find_window, lag_grid
from tests.analysis.synthetic import brownian

TIMES = np.arange(1000) * 0.1
BOUNDS = (0.8, 1.2)


def test_window_starts_where_vibration_no_longer_matters():
    msd = 0.6 * TIMES + 3.0 * (1.0 - np.exp(-TIMES / 0.2))
    window = find_window(TIMES, msd, 333, 4.5, BOUNDS)
    assert window is not None
    assert msd[window.first] > 4.5
    assert 0.8 <= window.slope < 1.0
    assert window.last == 333


@pytest.mark.parametrize(
    "msd",
    [np.full(1000, 6.0), 3.0 * TIMES**0.5, TIMES**2, 0.1 * TIMES, np.zeros(1000)],
    ids=["plateau", "subdiffusive", "ballistic", "small", "zero"],
)
def test_no_window(msd):
    assert find_window(TIMES, msd, 333, 4.5, BOUNDS) is None


def test_noise_of_single_lags_does_not_decide():
    results = [
        find_window(TIMES, mean_squared_displacement(brownian(seed, 1000)), 333, 4.5, BOUNDS) for seed in range(10)
    ]
    assert sum(window is not None for window in results) >= 9
    assert np.median([window.first for window in results if window]) == pytest.approx(75, abs=35)


def test_too_short():
    assert find_window(TIMES, 10.0 * TIMES, 4, 0.1, BOUNDS) is None


def test_lag_grid():
    assert lag_grid(3, 8, 30).tolist() == [3, 4, 5, 6, 7, 8]
    grid = lag_grid(20, 333, 30)
    assert (grid[0], grid[-1], len(grid)) == (20, 333, 30)
