"""Vibrational densities of oscillators, whose frequencies are known."""

import numpy as np
import pytest
from scipy.integrate import trapezoid

from aiida_ion.analysis.comparison.vibrational_density import vdos_distance, vibrational_density


def oscillators(
    frequencies_THz: list[float], n_frames: int = 4000, interval_fs: float = 5.0, seed: int = 0
) -> np.ndarray:
    """Velocities of independent oscillators with random phases, (n, N, 3)."""
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, (len(frequencies_THz), 3))
    times_ps = np.arange(n_frames) * interval_fs / 1000.0
    return np.cos(2 * np.pi * np.array(frequencies_THz)[:, None] * times_ps[:, None, None] + phases)


def test_an_oscillator_has_its_frequency():
    values = vibrational_density([oscillators([5.0])], np.ones(1), 5.0)
    assert values.frequency_THz[np.argmax(values.density_1_THz)] == pytest.approx(5.0)
    assert trapezoid(values.density_1_THz, values.frequency_THz) == pytest.approx(1.0)
    assert values.nyquist_THz == pytest.approx(100.0)
    assert values.n_windows == 39


def test_modes_weigh_as_much_as_their_kinetic_energy():
    """At one temperature a heavy and a light atom have the same energy: each takes half of the area."""
    masses = np.array([7.0, 14.0])
    velocities = oscillators([15.0, 5.0]) / np.sqrt(masses)[:, None]
    result = vibrational_density([velocities], masses, 5.0)
    low = result.frequency_THz < 10.0
    assert trapezoid(result.density_1_THz[low], result.frequency_THz[low]) == pytest.approx(0.5, abs=0.01)


def test_uncorrelated_velocities_are_flat_up_to_both_ends():
    velocities = np.random.default_rng(1).normal(size=(4000, 70, 3))
    values = vibrational_density([velocities], np.full(70, 6.9), 10.0)
    assert values.nyquist_THz == pytest.approx(50.0)
    assert values.density_1_THz == pytest.approx(np.full(len(values.frequency_THz), 1 / 50.0), rel=0.1)


def test_runs_are_averaged_by_their_length_and_short_ones_left_out():
    slow, fast = oscillators([5.0], n_frames=2000), oscillators([15.0], n_frames=1000)
    values = vibrational_density([slow, fast, oscillators([25.0], n_frames=100)], np.ones(1), 5.0)
    low = values.frequency_THz < 10.0
    area = trapezoid(values.density_1_THz[low], values.frequency_THz[low])
    assert area == pytest.approx(19 / 28, abs=0.01)
    assert values.density_1_THz[values.frequency_THz > 20.0].max() < 1e-6


def test_distances():
    five = vibrational_density([oscillators([5.0])], np.ones(1), 5.0)
    again = vibrational_density([oscillators([5.0], seed=3)], np.ones(1), 5.0)
    ten = vibrational_density([oscillators([10.0])], np.ones(1), 5.0)
    both = vibrational_density([oscillators([5.0, 10.0])], np.ones(2), 5.0)
    assert vdos_distance(five, again) == pytest.approx(0.0, abs=1e-3)
    assert vdos_distance(five, ten) == pytest.approx(1.0, abs=1e-3)
    assert vdos_distance(both, five) == pytest.approx(0.5, abs=1e-2)
    assert vdos_distance(five, both) == pytest.approx(vdos_distance(both, five))


def test_other_sampling_is_compared_up_to_the_smaller_nyquist_frequency():
    coarse = vibrational_density([oscillators([5.0, 10.0], interval_fs=20.0)], np.ones(2), 20.0)
    fine = vibrational_density([oscillators([5.0, 10.0], interval_fs=3.0, n_frames=9000)], np.ones(2), 3.0)
    assert (coarse.nyquist_THz, fine.nyquist_THz) == pytest.approx((25.0, 166.7), abs=0.1)
    assert vdos_distance(fine, coarse) < 0.05
    assert vdos_distance(coarse, fine) < 0.05


@pytest.mark.parametrize(
    ("velocities", "interval_fs", "message"),
    [
        (oscillators([5.0], n_frames=100), 5.0, "the longest run has 0.5 ps of velocities; 1 ps are needed"),
        (
            oscillators([5.0]),
            100.0,
            "frames 100 fs apart are too sparse for vibrations: .* every 62.5 fs or more often",
        ),
        (np.zeros((4000, 1, 3)), 5.0, "zero or not finite"),
    ],
)
def test_runs_without_vibrations_are_refused(velocities, interval_fs, message):
    with pytest.raises(ValueError, match=message):
        vibrational_density([velocities], np.ones(1), interval_fs)
