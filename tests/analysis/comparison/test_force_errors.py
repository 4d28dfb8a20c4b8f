"""Force and energy errors against answers that are known exactly."""

import numpy as np
import pytest

from aiida_ion.analysis.comparison.force_errors import energy_errors, force_errors

SYMBOLS = ["Li"] * 6 + ["N"] * 2


def forces(seed: int = 0, n_frames: int = 400) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 1.0, (n_frames, len(SYMBOLS), 3))


def test_gaussian_noise_of_known_size_comes_back():
    reference = forces()
    noise = (
        np.random.default_rng(1).normal(0.0, 1.0, reference.shape)
        * np.where(np.array(SYMBOLS) == "Li", 0.1, 0.3)[:, None]
    )
    result = force_errors(reference, reference + noise, SYMBOLS)
    mean_square = 0.75 * 0.1**2 + 0.25 * 0.3**2
    assert result.rmse_eV_A == pytest.approx(np.sqrt(mean_square), rel=0.03)
    assert result.mae_eV_A == pytest.approx(np.sqrt(2 / np.pi) * (0.75 * 0.1 + 0.25 * 0.3), rel=0.03)
    assert result.rmse_by_element_eV_A == pytest.approx({"Li": 0.1, "N": 0.3}, rel=0.03)
    assert result.mae_by_element_eV_A == pytest.approx({"Li": 0.0798, "N": 0.2394}, rel=0.03)
    assert result.reference_rms_eV_A == pytest.approx(1.0, rel=0.03)
    assert result.slope == pytest.approx(1.0, abs=0.01)
    assert result.n_frames == 400
    for value, interval in ((result.rmse_eV_A, result.rmse_ci95_eV_A), (result.mae_eV_A, result.mae_ci95_eV_A)):
        assert interval is not None
        assert interval[0] < value < interval[1] < 1.1 * value


def test_a_constant_error_is_exact_and_has_no_spread():
    result = force_errors(forces(), forces() + 0.05, SYMBOLS)
    assert (result.mae_eV_A, result.rmse_eV_A) == pytest.approx((0.05, 0.05))
    assert result.largest_error_eV_A == pytest.approx(0.05 * np.sqrt(3))
    assert result.mae_ci95_eV_A == pytest.approx((0.05, 0.05))


def test_a_soft_potential_has_the_right_direction_and_a_small_slope():
    result = force_errors(forces(), 0.8 * forces(), SYMBOLS)
    assert result.cosine_similarity == pytest.approx(1.0)
    assert result.slope == pytest.approx(0.8)
    assert force_errors(forces(), -forces(), SYMBOLS).cosine_similarity == pytest.approx(-1.0)


def test_forces_turned_by_sixty_degrees():
    reference, turned = np.zeros((2, 2, 8, 3))
    reference[..., 0], reference[:, 0, 0] = 1.0, 0.001  # the first atom hardly feels a force: it has no direction
    turned[..., 0], turned[..., 1] = 0.5, np.sqrt(0.75)
    assert force_errors(reference, turned, SYMBOLS).cosine_similarity == pytest.approx(0.5)


def test_an_equilibrium_without_forces_has_no_direction():
    values = force_errors(np.zeros((1, 8, 3)), np.full((1, 8, 3), 1e-3), SYMBOLS)
    assert values.cosine_similarity is None
    assert values.slope is None
    assert values.mae_ci95_eV_A is None  # one frame says nothing of others


def test_intervals_hold_the_truth_when_frames_are_alike():
    """Errors whose size wanders over some frames: resampling single frames would be too sure."""
    rng, hits, n_frames, n_runs = np.random.default_rng(7), 0, 200, 150
    for _ in range(n_runs):
        wander = np.zeros(n_frames)
        for frame in range(1, n_frames):
            wander[frame] = 0.7 * wander[frame - 1] + rng.normal(0.0, 0.2)
        size = 0.1 * np.exp(wander)[:, None, None]
        reference = np.zeros((n_frames, 8, 3))
        result = force_errors(reference, size * rng.normal(size=reference.shape), SYMBOLS)
        expected = 0.1 * np.sqrt(2 / np.pi) * np.exp(0.5 * 0.2**2 / (1 - 0.7**2))
        hits += result.mae_ci95_eV_A[0] < expected < result.mae_ci95_eV_A[1]
    assert hits / n_runs > 0.88


def test_what_is_not_paired_is_refused():
    with pytest.raises(ValueError, match=r"must both be \(frames, 8, 3\)"):
        force_errors(forces(), forces()[:-1], SYMBOLS)
    with pytest.raises(ValueError, match="frames"):
        force_errors(forces(), forces(), SYMBOLS[:-1])
    with pytest.raises(ValueError, match="not finite"):
        force_errors(forces(), forces() * np.nan, SYMBOLS)


def test_another_zero_of_energy_is_no_error():
    reference = np.random.default_rng(2).normal(-100.0, 0.5, 1000)
    noise = np.random.default_rng(3).normal(0.0, 0.08, 1000)
    result = energy_errors(reference, reference + 16.0 + noise, 8)
    assert result.offset_eV_atom == pytest.approx(2.0, abs=0.001)
    assert result.rmse_eV_atom == pytest.approx(0.01, rel=0.05)
    assert result.mae_eV_atom == pytest.approx(0.01 * np.sqrt(2 / np.pi), rel=0.05)
    assert result.correlation == pytest.approx(0.5 / np.hypot(0.5, 0.08), abs=0.01)


def test_two_energies_say_nothing_beside_their_offset():
    values = energy_errors(np.array([1.0, 2.0]), np.array([1.0, 2.5]), 8)
    assert values.mae_eV_atom is None
    assert values.reason == "2 frames have energies; 3 are needed"


def test_energies_that_never_change_do_not_correlate():
    assert energy_errors(np.ones(5), np.arange(5.0), 1).correlation is None
