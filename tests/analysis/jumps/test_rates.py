"""Intervals of counts, jump types, and the jump diffusivity of jumps that are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from aiida_ion.analysis.jumps.rates import JumpTable, jump_diffusivity, jump_types, poisson_interval
from aiida_ion.units import BOLTZMANN_EV_K


def table(start: list[int], destination: list[int]) -> JumpTable:
    n = len(start)
    zero = np.zeros(n, dtype=np.int64)
    return JumpTable(
        zero, zero, np.array(start), np.array(destination), np.zeros((n, 3), dtype=np.int64), zero, zero + 1
    )


def test_poisson_interval_of_known_counts() -> None:
    """The tables of Garwood (1936): 0 -> 3.689, 10 -> 4.795 to 18.390."""
    assert poisson_interval(0) == pytest.approx((0.0, 3.6889), abs=1e-4)
    assert poisson_interval(10) == pytest.approx((4.7954, 18.3904), abs=1e-4)


def test_poisson_interval_covers_what_it_says() -> None:
    counts = np.random.default_rng(0).poisson(7.0, 4000)
    held = np.mean([low <= 7.0 <= high for low, high in map(poisson_interval, counts.tolist())])
    assert held >= stats.binom.ppf(0.001, 4000, 0.95) / 4000


def test_types_rates_and_energies() -> None:
    # 30 jumps A -> A over 2 angstrom, 10 A -> B and 10 back over 3; two ions spend 1.5 and 0.5 of them at A and B.
    jumps = table([0] * 30 + [0] * 10 + [2] * 10, [1] * 30 + [2] * 10 + [0] * 10)
    lengths = np.array([2.0] * 30 + [3.0] * 20)
    values = jump_types(jumps, lengths, ["A", "A", "B"], np.array([1.0, 0.5, 0.5]), 2, 10.0, 1000.0, 10.0)
    assert [(kind.start, kind.destination, kind.n_jumps) for kind in values] == [
        ("A", "A", 30),
        ("A", "B", 10),
        ("B", "A", 10),
    ]
    assert values[0].rate_1_ps == pytest.approx(30 / (2 * 10.0))
    assert values[0].effective_rate_1_ps == pytest.approx(30 / (1.5 * 10.0))
    assert values[2].effective_rate_1_ps == pytest.approx(10 / (0.5 * 10.0))
    kT = BOLTZMANN_EV_K * 1000.0
    assert values[0].activation_energy_eV == pytest.approx(kT * np.log(10.0 / 2.0))
    low, high = values[0].activation_energy_ci95_eV
    assert low < values[0].activation_energy_eV < high
    # The ratio of the rates A -> B and B -> A is that of the occupancies: detailed balance.
    assert values[2].activation_energy_eV < values[1].activation_energy_eV


def test_lengths_that_are_apart_are_types() -> None:
    values = jump_types(
        table([0] * 5, [1] * 5), np.array([2.0, 2.1, 2.2, 3.4, 3.5]), ["A", "A"], np.ones(2), 2, 1, 300, 10
    )
    assert [kind.n_jumps for kind in values] == [3, 2]
    assert [kind.distance_A for kind in values] == pytest.approx([2.1, 3.45])


def test_jump_diffusivity_of_known_jumps() -> None:
    vectors = np.array([[3.0, 0, 0]] * 60 + [[0, 3.0, 0]] * 40)
    result = jump_diffusivity(vectors, 10, 100.0)
    # 100 jumps of 3 angstrom by 10 ions in 100 ps: 100 x 9 / (6 x 10 x 100) angstrom^2/ps.
    assert result.value == pytest.approx(0.15e-4)
    assert np.diag(result.tensor) == pytest.approx([0.27e-4, 0.18e-4, 0.0])
    assert result.ci95 == pytest.approx([0.15e-4 * limit / 100 for limit in poisson_interval(100)])
    assert jump_diffusivity(np.empty((0, 3)), 10, 100.0).value == 0.0
