import numpy as np
import pytest
from scipy import stats

from aiida_ion.analysis.diffusion import hops


def stairs(n_hops: int, n_frames: int = 1000, length_A: float = 3.0) -> np.ndarray:
    path = np.zeros((n_frames, 1, 3))
    for k in range(1, n_hops + 1):
        path[k * n_frames // (n_hops + 1) :, 0, k % 3] += length_A
    return path


@pytest.mark.parametrize("n_hops", [0, 1, 7])
def test_every_hop_is_counted_once(n_hops):
    noise = np.random.default_rng(1).normal(0.0, 0.2, (1000, 1, 3))
    counted = hops.count_hops(stairs(n_hops) + noise, 3.0, smoothing_frames=10)
    assert counted.n_hops in ([n_hops] if n_hops == 0 else range(n_hops, 2 * n_hops + 1))
    assert counted.n_ions_hopped == (n_hops > 0)


def test_without_smoothing_the_count_is_exact():
    assert hops.count_hops(stairs(7), 3.0).n_hops == 7


def test_vibration_does_not_count():
    vibration = np.random.default_rng(1).normal(0.0, 0.4, (2000, 50, 3))
    assert hops.count_hops(vibration, 3.0, smoothing_frames=10).n_hops == 0
    assert hops.count_hops(vibration, 3.0, smoothing_frames=1).n_hops > 0


def test_hops_of_each_ion():
    positions = np.concatenate([stairs(2), stairs(0), stairs(5)], axis=1)
    counted = hops.count_hops(positions, 3.0)
    assert counted.per_ion.tolist() == [2, 0, 5]
    assert (counted.n_hops, counted.n_ions_hopped) == (7, 2)


@pytest.mark.parametrize(("n_eff", "percent"), [(50, 52), (100, 38), (150, 32), (200, 28), (460, 20)])
def test_relative_error_of_he_2018(n_eff, percent):
    assert hops.relative_error(n_eff) * 100 == pytest.approx(percent, abs=0.6)


def test_no_hops_no_accuracy():
    assert hops.relative_error(0.0) == float("inf")


@pytest.mark.parametrize(
    ("n_eff", "letter"), [(1000, "A"), (200, "A"), (199, "B"), (50, "B"), (49, "C"), (10, "C"), (9.9, "bound")]
)
def test_grade(n_eff, letter):
    assert hops.grade(n_eff) == letter


def test_effective_hops():
    assert hops.effective_hops(24, 20.0, 3.0) == pytest.approx(53.33, abs=0.01)


def test_bound_without_a_hop():
    """24 ions, 95 ps, 3 angstrom: 2.0e-7 cm^2/s."""
    assert hops.poisson_upper_bound_cm2_s(0, 24, 95.0, 3.0) == pytest.approx(1.97e-7, rel=0.01)


def test_bound_holds_in_95_percent():
    generator = np.random.default_rng(1)
    true_hops = 4.0
    true_d = true_hops * 9.0 / (6.0 * 24 * 95.0) * 1e-4
    bounds = [hops.poisson_upper_bound_cm2_s(n, 24, 95.0, 3.0) for n in generator.poisson(true_hops, 2000)]
    exact = 1.0 - stats.poisson.cdf(0, true_hops)
    assert 0.94 < np.mean(np.array(bounds) >= true_d) <= exact + 0.01
