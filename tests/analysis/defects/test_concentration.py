"""Diffusivity against concentration: against exact lines, their intervals, and a lattice whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from aiida_ion.analysis.defects.concentration import fit_line
from aiida_ion.analysis.defects.measured import Measured, pooled
from aiida_ion.analysis.migration.kinetic_monte_carlo import KmcSettings, simulate
from aiida_ion.analysis.migration.transport import hop_rates
from aiida_ion.units import BOLTZMANN_EV_K, CM2_S_PER_A2_S

SLOPE, PERFECT = 3e-5, 2e-8
#: Hops along the three axes of a cubic lattice with 3 angstrom between sites.
RATES = hop_rates(
    *(np.zeros(1), np.full(3, 0.3), np.zeros((3, 2), dtype=int), np.eye(3, dtype=int), 3.0 * np.eye(3)),
    temperature_K=800.0,
)


def cells(noise: float = 0.0, seed: int = 0, perfect: bool = True) -> list[Measured]:
    rng = np.random.default_rng(seed)
    content = []
    for x in ([0.0] if perfect else []) + [0.01, 0.02, 0.05]:
        error = 0.05 * (PERFECT + SLOPE * x)
        value = (PERFECT if perfect else 0.0) + SLOPE * x + noise * error * rng.normal()
        content.append(Measured(x, value, error))
    return content


def test_an_exact_line_is_found() -> None:
    line = fit_line(cells(), 800.0, 1.0)
    assert line.slope_cm2_s == pytest.approx(SLOPE, rel=1e-12)
    assert line.perfect_is == "measured" and line.is_line and line.p_value == pytest.approx(1.0)
    assert line.mobility_cm2_V_s == pytest.approx(SLOPE / (BOLTZMANN_EV_K * 800.0))
    doubled = fit_line(cells(), 800.0, -2.0)
    assert doubled.mobility_cm2_V_s == pytest.approx(2 * float(line.mobility_cm2_V_s or 0))


def test_intervals_hold_the_slope_as_often_as_they_say() -> None:
    lines = [fit_line(cells(1.0, seed), 800.0, 1.0) for seed in range(600)]
    intervals = np.array([line.slope_ci95_cm2_s for line in lines])
    inside = (intervals[:, 0] <= SLOPE) & (intervals[:, 1] >= SLOPE)
    assert 0.93 <= inside.mean() <= 0.99
    slopes = np.array([line.slope_cm2_s for line in lines])
    assert abs(slopes.mean() - SLOPE) < 4 * slopes.std() / len(slopes) ** 0.5


def test_the_error_of_the_perfect_crystal_is_common_to_all() -> None:
    # One point: the errors of both ends add up.
    line = fit_line([Measured(0.0, 1e-7, 3e-8), Measured(0.02, 5e-7, 4e-8)], 800.0, 1.0)
    assert line.slope_cm2_s == pytest.approx(4e-7 / 0.02)
    assert line.slope_error_cm2_s == pytest.approx(5e-8 / 0.02)
    assert line.is_line is None and "one concentration" in line.remarks[-1]


def test_what_is_no_line_is_said() -> None:
    bent = [Measured(x, 1e-6 * x**0.5, 1e-9) for x in (0.01, 0.02, 0.05)]
    line = fit_line(bent, 800.0, 1.0)
    assert line.is_line is False
    assert any("not on a line" in remark for remark in line.remarks)
    assert any("assumed not to conduct" in remark for remark in line.remarks)


def test_bounds_stay_bounds() -> None:
    with_bound = [Measured(0.0, None, upper_bound_cm2_s=1e-8), Measured(0.02, 6e-7, 1e-8), Measured(0.04, 1.2e-6, 1e-8)]
    line = fit_line(with_bound, 800.0, 1.0)
    free = fit_line(with_bound[1:], 800.0, 1.0)
    assert line.perfect_is == "bound" and line.slope_cm2_s == pytest.approx(3e-5)
    assert line.slope_ci95_cm2_s is not None and free.slope_ci95_cm2_s is not None
    assert line.slope_ci95_cm2_s[0] < free.slope_ci95_cm2_s[0]
    assert line.slope_ci95_cm2_s[1] == pytest.approx(free.slope_ci95_cm2_s[1])
    still = fit_line(
        [Measured(0.02, None, upper_bound_cm2_s=1e-8), Measured(0.05, None, upper_bound_cm2_s=2e-8)], 800, 1
    )
    assert still.slope_cm2_s is None and still.slope_upper_bound_cm2_s == pytest.approx(4e-7)
    with pytest.raises(ValueError, match="at least one concentration above zero"):
        fit_line(with_bound[:1], 800.0, 1.0)


def test_cells_of_one_concentration_are_pooled_with_their_spread() -> None:
    same = [Measured(0.02, 1e-6, 1e-7) for _ in range(4)]
    assert pooled(same) == (pytest.approx(1e-6), pytest.approx(0.5e-7))
    apart = [Measured(0.02, 1e-6, 1e-9), Measured(0.02, 3e-6, 1e-9)]
    mean, error = pooled(apart)
    # Two values without errors of their own: the standard error of their mean is half of their difference.
    assert (mean, error) == (pytest.approx(2e-6), pytest.approx(1e-6, rel=1e-3))
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(300):
        truth = 1e-6 + 3e-7 * rng.normal(size=8)
        drawn = [Measured(0.02, value + 1e-7 * rng.normal(), 1e-7) for value in truth]
        mean, error = pooled(drawn)
        covered += abs(mean - 1e-6) < 2.36 * error  # Student's t of seven
    assert 0.9 <= covered / 300 <= 0.985


def lattice_gas(cells: int, n_carriers: int, hops: float) -> Measured:
    """Return the diffusivity of ions on a cubic lattice with some vacancies, by kinetic Monte Carlo."""
    settings = KmcSettings((cells,) * 3, n_carriers, n_copies=48, n_windows=4, hops_per_window=hops, seed=n_carriers)
    result = simulate(RATES, settings)
    value = np.trace(result.tracer_A2_s) / 3 * CM2_S_PER_A2_S
    error = np.linalg.norm(np.diag(result.tracer_error_A2_s)) / 3 * CM2_S_PER_A2_S
    return Measured(n_carriers / cells**3, value, float(error))


def test_vacancies_on_a_cubic_lattice_give_the_mobility_of_the_literature() -> None:
    # A crystal that conducts by vacancies alone: D* = f x (rate) a^2, with f = 0.6531 when they are few.
    perfect = Measured(0.0, 0.0, 1e-30)
    few = [lattice_gas(6, n, 1300 / n) for n in (1, 3, 5)]
    line = fit_line([perfect, *few], 800.0, 1.0)
    exact = 0.65311 * RATES.rates_Hz[0] * 9.0 * CM2_S_PER_A2_S
    assert line.slope_cm2_s is not None and line.slope_error_cm2_s is not None
    assert line.slope_error_cm2_s < 0.02 * exact
    assert line.slope_cm2_s == pytest.approx(exact, rel=0.05)
    assert line.is_line
    # Half empty, f is larger by a quarter, and more: that is seen, and no limit is meant by the slope.
    crowded = fit_line([perfect, *few, lattice_gas(4, 32, 25)], 800.0, 1.0)
    assert crowded.is_line is False
