"""Members of an ensemble that are fast at one temperature are fast at all: their choice is no noise of temperatures."""

from __future__ import annotations

import numpy as np
import pytest

from aiida_ion.analysis.arrhenius.fit import ArrheniusPoint, ArrheniusResult, fit_arrhenius
from aiida_ion.analysis.arrhenius.members import MemberDeviations
from aiida_ion.analysis.disorder.pooling import MemberPoint, pool
from aiida_ion.analysis.disorder.spread import sampling_of
from aiida_ion.units import BOLTZMANN_EV_K

HOT_K = np.array([800.0, 1000.0, 1200.0])
TARGET_K = 300.0


def line(temperature_K: np.ndarray, energy_eV: float, prefactor_cm2_s: float = 1e-3) -> np.ndarray:
    values: np.ndarray = prefactor_cm2_s * np.exp(-energy_eV / (BOLTZMANN_EV_K * temperature_K))
    return values


def pooled_fit(energies_eV: np.ndarray, factors: np.ndarray, error: float, seed: int) -> ArrheniusResult:
    """Return the fit of members with these laws, each measured with an error at each temperature."""
    rng = np.random.default_rng(seed)
    sampling = sampling_of([1.0] * len(factors), [None] * len(factors))
    points = []
    for place, temperature in enumerate(HOT_K):
        truths = [line(temperature, energy, 1e-3 * factor) for energy, factor in zip(energies_eV, factors, strict=True)]
        measured = [truth * (1.0 + error * rng.standard_normal()) for truth in truths]
        draws = [MemberPoint(value * (1.0 + error * rng.standard_normal(300))) for value in measured]
        pooled = pool(draws, sampling, seed=seed + place)
        assert pooled.deviations is not None and pooled.variances is not None
        members = MemberDeviations(sampling, pooled.deviations, pooled.variances)
        points.append(ArrheniusPoint(float(temperature), pooled.within_samples_cm2_s, members=members))
    return fit_arrhenius(points, TARGET_K, seed=seed)


def test_a_common_factor_is_as_uncertain_far_away_as_it_is_here() -> None:
    factors = np.exp(np.array([-0.2, -0.1, 0.0, 0.1, 0.2]))
    result = pooled_fit(np.full(5, 0.3), factors, error=0.002, seed=1)
    assert result.members is not None
    expected = np.std(factors, ddof=1) / np.mean(factors) / np.sqrt(5) / np.log(10.0)
    assert result.members["between_members_std_decades"] == pytest.approx(expected, rel=0.05)
    assert result.activation_energy_std_eV == pytest.approx(0.0, abs=0.003)
    low, high = result.log10_diffusivity_ci95_cm2_s or (np.nan, np.nan)
    # Student's factor of four degrees of freedom is 2.78, and the rest is the errors of the members.
    assert 2.4 * expected < 0.5 * (high - low) < 3.8 * expected


def test_energies_that_differ_are_uncertain_far_away() -> None:
    result = pooled_fit(np.array([0.28, 0.29, 0.3, 0.31, 0.32]), np.ones(5), error=0.002, seed=2)
    assert result.members is not None
    near, far = HOT_K.mean(), TARGET_K
    std = 0.0158 / np.sqrt(5) / BOLTZMANN_EV_K * (1.0 / far) / np.log(10.0)
    assert result.members["between_members_std_decades"] == pytest.approx(std, rel=0.15)
    assert near > far


def test_without_members_nothing_changes() -> None:
    draws = np.random.default_rng(0).lognormal(0.0, 0.1, (3, 500))
    points = [ArrheniusPoint(float(kelvin), line(kelvin, 0.3) * one) for kelvin, one in zip(HOT_K, draws, strict=True)]
    result = fit_arrhenius(points, TARGET_K)
    assert result.members is None
    assert "members" not in result.attributes()


@pytest.mark.slow
def test_the_interval_at_the_target_covers_the_truth() -> None:
    rng, hits, n_repeats = np.random.default_rng(11), 0, 200
    population = np.random.default_rng(1).standard_normal((20_000, 2))
    energies, factors = 0.3 + 0.02 * population[:, 0], np.exp(0.3 * population[:, 1])
    means = [np.mean(line(kelvin, 1.0, 1.0) ** energies * 1e-3 * factors) for kelvin in HOT_K]
    slope, middle = np.polyfit(1.0 / (BOLTZMANN_EV_K * HOT_K) - 1.0 / (BOLTZMANN_EV_K * TARGET_K), np.log(means), 1)
    assert slope < 0
    for seed in range(n_repeats):
        drawn = rng.standard_normal((5, 2))
        result = pooled_fit(0.3 + 0.02 * drawn[:, 0], np.exp(0.3 * drawn[:, 1]), error=0.05, seed=10 * seed)
        low, high = result.log10_diffusivity_ci95_cm2_s or (np.nan, np.nan)
        hits += low <= middle / np.log(10.0) <= high
    assert 0.90 - 0.03 < hits / n_repeats < 0.98 + 0.02
