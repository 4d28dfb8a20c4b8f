from __future__ import annotations

import numpy as np
import pytest

from aiida_ion.analysis.migration.kinetic_monte_carlo import KmcSettings, simulate
from aiida_ion.analysis.migration.transport import (
    Rates,
    conductivity_S_m,
    diffusion_tensor_A2_s,
    eigenvalues,
    hop_rates,
)
from aiida_ion.units import BOLTZMANN_EV_K

TEMPERATURE_K = 500.0
BODY_CENTRED = np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]]) / 2


def rate_Hz(barrier_eV: float, frequency_Hz: float = 1e13) -> float:  # noqa: N802
    return float(frequency_Hz * np.exp(-barrier_eV / (BOLTZMANN_EV_K * TEMPERATURE_K)))


def one_site(vectors: list[list[int]], cell: np.ndarray, barriers_eV: list[float] | float) -> Rates:
    numbers = np.array(vectors)
    saddles = np.broadcast_to(np.asarray(barriers_eV, dtype=float), len(numbers))
    return hop_rates(np.zeros(1), saddles, np.zeros((len(numbers), 2), int), numbers, numbers @ cell, TEMPERATURE_K)


def chain(sites_eV: list[float], saddles_eV: list[float], steps_A: list[float]) -> Rates:
    """Return a chain along x: site 0, 1, ... and back to 0 in the next cell."""
    n = len(sites_eV)
    pairs = np.array([[i, (i + 1) % n] for i in range(n)])
    vectors = np.array([[int(i == n - 1), 0, 0] for i in range(n)])
    steps = np.array([[step, 0.0, 0.0] for step in steps_A])
    return hop_rates(np.array(sites_eV), np.array(saddles_eV), pairs, vectors, steps, TEMPERATURE_K)


def test_a_simple_cubic_lattice_has_rate_times_length_squared() -> None:
    tensor = diffusion_tensor_A2_s(one_site([[1, 0, 0], [0, 1, 0], [0, 0, 1]], 2.5 * np.eye(3), 0.3))
    np.testing.assert_allclose(tensor, rate_Hz(0.3) * 2.5**2 * np.eye(3), rtol=1e-12, atol=1e-6)


def test_a_body_centred_lattice_is_isotropic() -> None:
    vectors = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]
    tensor = diffusion_tensor_A2_s(one_site(vectors, 3.0 * BODY_CENTRED, 0.2))
    # Eight neighbours at sqrt(3)/2 a: D = 1/6 * 8 k * 3/4 a^2 = k a^2.
    np.testing.assert_allclose(tensor, rate_Hz(0.2) * 9.0 * np.eye(3), rtol=1e-12, atol=1e-3)


def test_directions_with_other_barriers_are_principal_axes() -> None:
    tensor = diffusion_tensor_A2_s(one_site([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.eye(3), [0.1, 0.3, 0.6]))
    assert eigenvalues(tensor) == pytest.approx([rate_Hz(0.6), rate_Hz(0.3), rate_Hz(0.1)])


@pytest.mark.parametrize(
    ("sites_eV", "saddles_eV", "steps_A"),
    [
        ([0.0, 0.0], [0.2, 0.5], [1.0, 2.0]),
        ([0.0, 0.15], [0.4, 0.3], [1.3, 1.7]),
        ([0.1, 0.0, 0.2], [0.35, 0.4, 0.25], [1.0, 0.7, 2.0]),
        ([0.0, 0.3], [0.31, 1.9], [1.0, 2.0]),  # rates 14 orders of magnitude apart
        ([0.0, 0.0, 0.0, 0.0], [0.01, 3.0, 0.02, 3.1], [1.0, 2.0, 1.0, 2.0]),  # 30 orders
    ],
)
def test_a_chain_is_resistors_in_series(sites_eV: list[float], saddles_eV: list[float], steps_A: list[float]) -> None:
    beta = 1 / (BOLTZMANN_EV_K * TEMPERATURE_K)
    partition = np.exp(-beta * np.array(sites_eV)).sum()
    flows = 1e13 * np.exp(-beta * np.array(saddles_eV)) / partition
    # The current of a chain under a force: D = L^2 / sum(1 / c), over one period L.
    exact = sum(steps_A) ** 2 / (1 / flows).sum()
    tensor = diffusion_tensor_A2_s(chain(sites_eV, saddles_eV, steps_A))
    assert tensor[0, 0] == pytest.approx(exact, rel=1e-10)
    assert np.abs(tensor - np.diag([tensor[0, 0], 0, 0])).max() == 0.0


def test_a_dead_end_holds_the_carrier_and_does_not_carry_it() -> None:
    pairs, vectors = np.array([[0, 0], [0, 1]]), np.array([[1, 0, 0], [0, 0, 0]])
    steps = np.array([[3.0, 0, 0], [0, 1.0, 0]])
    trap = hop_rates(np.array([0.0, -0.1]), np.array([0.3, 0.2]), pairs, vectors, steps, TEMPERATURE_K)
    share = 1 / (1 + np.exp(0.1 / (BOLTZMANN_EV_K * TEMPERATURE_K)))
    expected = np.diag([share * rate_Hz(0.3) * 9.0, 0.0, 0.0])
    np.testing.assert_allclose(diffusion_tensor_A2_s(trap), expected, rtol=1e-12, atol=1e-12)


def test_a_network_of_pieces_does_not_diffuse() -> None:
    pairs, vectors = np.array([[0, 1]]), np.array([[0, 0, 0]])
    rates = hop_rates(np.zeros(2), np.array([0.1]), pairs, vectors, np.array([[1.0, 2.0, 0.5]]), TEMPERATURE_K)
    np.testing.assert_array_equal(diffusion_tensor_A2_s(rates), np.zeros((3, 3)))


def test_parallel_paths_add_up() -> None:
    single = diffusion_tensor_A2_s(one_site([[1, 0, 0]], np.eye(3), 0.3))
    double = diffusion_tensor_A2_s(one_site([[1, 0, 0], [1, 0, 0]], np.eye(3), 0.3))
    np.testing.assert_allclose(double, 2 * single)


def test_hops_without_a_path_are_left_out_and_wrong_saddles_refused() -> None:
    kept = one_site([[1, 0, 0], [0, 1, 0]], np.eye(3), [0.3, np.inf])
    np.testing.assert_allclose(diffusion_tensor_A2_s(kept), np.diag([rate_Hz(0.3), 0.0, 0.0]))
    with pytest.raises(ValueError, match="not one hop has a barrier"):
        one_site([[1, 0, 0]], np.eye(3), np.inf)
    with pytest.raises(ValueError, match="below one of its ends"):
        one_site([[1, 0, 0]], np.eye(3), -0.1)


def test_the_conductivity_is_that_of_independent_charges() -> None:
    # 1e28 carriers per cubic metre of charge e with 1e-12 m^2/s at 300 K: n e^2 D / kT = 0.0620 S/m * 1e28/1e27 ...
    value = conductivity_S_m(np.eye(3) * 1e8, 0.01, 1.0, 300.0)[0, 0]
    assert value == pytest.approx(1e28 * 1.602176634e-19**2 * 1e-12 / (1.380649e-23 * 300.0))
    assert conductivity_S_m(np.eye(3), 0.01, -2.0, 300.0)[0, 0] == pytest.approx(
        4 * conductivity_S_m(np.eye(3), 0.01, 1.0, 300.0)[0, 0]
    )


def tracer_correlation(rates: Rates, cells: int) -> tuple[float, float]:
    """Return the tracer correlation factor of one vacancy among many sites, and its standard error."""
    n_sites = cells**3
    result = simulate(
        rates, KmcSettings((cells, cells, cells), 1, n_copies=48, n_windows=4, hops_per_window=6.0 * n_sites, seed=5)
    )
    # Uncorrelated, each ion hops as often as the vacancy, divided by how many ions share its hops.
    uncorrelated = np.trace(diffusion_tensor_A2_s(rates)) / result.n_ions
    error = np.sqrt((np.diag(result.tracer_error_A2_s) ** 2).sum())
    return np.trace(result.tracer_A2_s) / uncorrelated, error / uncorrelated


@pytest.mark.parametrize(
    ("vectors", "cell", "factor"),
    [
        ([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.eye(3), 0.65311),
        ([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], BODY_CENTRED, 0.72719),
    ],
)
def test_tracers_are_correlated_as_in_the_literature(vectors: list[list[int]], cell: np.ndarray, factor: float) -> None:
    # Correlation factors of the vacancy mechanism: K. Compaan, Y. Haven, Trans. Faraday Soc. 52, 786 (1956).
    value, error = tracer_correlation(one_site(vectors, cell, 0.2), 8)
    assert error < 0.01
    assert value == pytest.approx(factor, abs=3 * error + 0.005)


def test_few_carriers_give_the_exact_tensor() -> None:
    pairs = np.array([[0, 1], [1, 0], [0, 0], [1, 1]])
    vectors = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    steps = np.array([[1.0, 0.2, 0], [2.0, -0.2, 0], [0, 3.0, 0], [0, 0, 3.0]])
    saddles = np.array([0.15, 0.2, 0.22, 0.25])
    rates = hop_rates(np.array([0.0, 0.05]), saddles, pairs, vectors, steps, TEMPERATURE_K)
    result = simulate(rates, KmcSettings((6, 6, 6), 1, n_copies=256, n_windows=32, hops_per_window=40, seed=2))
    exact = diffusion_tensor_A2_s(rates)
    assert (np.abs(result.collective_A2_s - exact) < 4 * result.collective_error_A2_s).all()
    assert result.collective_error_A2_s[0, 0] < 0.06 * exact[0, 0]


def test_carriers_block_each_other() -> None:
    rates = one_site([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.eye(3), 0.2)
    crowded = simulate(rates, KmcSettings((4, 4, 4), 32, n_copies=64, n_windows=8, hops_per_window=5, seed=1))
    exact = diffusion_tensor_A2_s(rates)
    # Collective motion of an exclusive lattice gas: D (1 - c), exactly.
    mean, error = np.trace(crowded.collective_A2_s) / 3, np.linalg.norm(np.diag(crowded.collective_error_A2_s)) / 3
    assert mean == pytest.approx(0.5 * exact[0, 0], abs=4 * error)
    assert error < 0.1 * exact[0, 0]


def test_interstitials_are_their_own_tracers() -> None:
    rates = one_site([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.eye(3), 0.2)
    settings = KmcSettings((4, 4, 4), 1, n_copies=16, n_windows=8, hops_per_window=10, seed=1)
    result = simulate(rates, settings, carriers_are_vacancies=False)
    np.testing.assert_allclose(result.tracer_A2_s, result.collective_A2_s)
    assert (result.n_ions, result.n_carriers) == (1, 1)


def test_the_same_seed_gives_the_same_numbers() -> None:
    rates = one_site([[1, 0, 0], [0, 1, 0]], np.eye(3), 0.2)
    settings = KmcSettings((5, 5, 1), 2, n_copies=8, n_windows=4, hops_per_window=10, seed=9)
    first, second = simulate(rates, settings), simulate(rates, settings)
    np.testing.assert_array_equal(first.collective_A2_s, second.collective_A2_s)
    assert first.n_events == second.n_events
    with pytest.raises(ValueError, match="fewer than sites"):
        simulate(rates, KmcSettings((2, 1, 1), 2))
