import numpy as np
import pytest

from aiida_ion.analysis.diffusion import correlations
from aiida_ion.analysis.diffusion.correlations import displacement_moments, mean_moments
from benchmarks import walkers
from tests.analysis.synthetic import brownian


def moments(walk, n_ions, lag=20, seeds=8):
    results = [displacement_moments(np.cumsum(walk(seed, 1000, n_ions), axis=0), lag, 1) for seed in range(seeds)]
    return mean_moments(results, [1.0] * seeds)


@pytest.mark.parametrize(
    ("walk", "n_ions", "inflation"),
    [
        (walkers.brownian, 20, 1.0),
        (walkers.hopping, 20, 1.0),
        (walkers.langevin, 20, 1.0),
        (walkers.pairs, 20, 2.0),
        (walkers.hopping_pairs, 40, 2.0),
        (walkers.partly_common, 30, 1.0 + 29 * 0.1**2),
    ],
)
def test_inflation_counts_who_moves_together(walk, n_ions, inflation):
    result = moments(walk, n_ions)
    assert result.inflation == pytest.approx(inflation, rel=0.12)
    assert result.shape_inflation == pytest.approx(inflation, rel=0.12)


def test_inflation_needs_no_fixed_partners():
    """Pairs that change their partners a hundred times a run: no pair stays correlated, every window has its pairs."""
    generator = np.random.default_rng(1)
    steps = walkers.pairs(1, 4000, 20).reshape(100, 40, 20, 3)
    shuffled = np.stack([part[:, generator.permutation(20)] for part in steps]).reshape(4000, 20, 3)
    assert displacement_moments(np.cumsum(shuffled, axis=0), 5, 1).inflation == pytest.approx(1.8, abs=0.25)


def test_collective_fluctuations_inflate_the_trace_alone():
    steps = walkers.brownian(1, 4000, 50)
    speed = np.repeat(np.random.default_rng(2).choice([0.6, 1.3], 40), 100)
    values = displacement_moments(np.cumsum(steps * speed[:, None, None], axis=0), 5, 1)
    assert values.inflation > 5.0
    assert values.shape_inflation == pytest.approx(1.0, abs=0.2)


def test_spread_of_gaussian_displacements_and_of_hops():
    assert moments(walkers.brownian, 20).spread == pytest.approx(2.0 / 3.0, rel=0.05)
    hops_of_an_ion = 6.0 * walkers.D_A2_PS * walkers.FRAME_PS / walkers.SITE_DISTANCE_A**2 * 50
    steps = walkers.hopping(1, 4000, 40)
    values = displacement_moments(np.cumsum(steps, axis=0), 50, 1)
    assert values.spread == pytest.approx(2.0 / 3.0 + 1.0 / hops_of_an_ion, rel=0.15)


def test_blocks_of_frames_change_nothing(monkeypatch):
    positions = brownian(3, 200, 12)
    whole = displacement_moments(positions, 7, 2)
    monkeypatch.setattr(correlations, "BLOCK_NUMBERS", 500)
    blocks = displacement_moments(positions, 7, 2)
    np.testing.assert_allclose(blocks.fourth, whole.fourth)
    assert blocks.inflation == pytest.approx(whole.inflation)


def test_replicas_add_degrees_of_freedom():
    one, two = (displacement_moments(brownian(3, 200, 12), 7, n_replicas) for n_replicas in (1, 2))
    assert two.freedom == pytest.approx(2.0 * one.freedom)
