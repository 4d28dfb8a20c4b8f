import numpy as np
import pytest
import scipp as sc
from kinisi.displacement import calculate_msd
from kinisi.parser import Parser

from aiida_ion.analysis.diffusion.kinisi_fit import (
    check_lag_indices,
    exact_interval_fs,
    fit_diffusivity,
    kinisi_covariance,
    make_parser,
    smooth_variances,
    variance_scale,
)
from aiida_ion.analysis.diffusion.msd import mean_squared_displacement
from aiida_ion.analysis.diffusion.window import lag_grid
from tests.analysis.synthetic import D_CM2_S, brownian


def kinisi_in_ps(positions, lags):
    """kinisi as its documentation uses it: time_step in ps, many steps between frames."""
    cells = np.broadcast_to(np.eye(3) * 1000.0, (len(positions), 3, 3))
    return Parser(
        coords=sc.array(dims=["time", "particle", "dimension"], values=positions / 1000.0),
        latt=sc.array(dims=["time", "dimension1", "dimension2"], values=cells, unit="angstrom"),
        time_step=sc.scalar(0.001, unit="ps"),
        step_skip=sc.scalar(100),
        dt=sc.array(dims=["time interval"], values=lags * (0.001 * 100), unit="ps"),
        specie_indices=sc.array(dims=["particle"], values=np.arange(positions.shape[1])),
        drift_indices=sc.array(dims=["particle"], values=np.array([], dtype=np.int64)),
    )


def test_guard_catches_lags_truncated_in_ps():
    lags = np.arange(1, 300)
    parser = kinisi_in_ps(brownian(1, 301, 2), lags)
    if np.array_equal(parser.dt_index.values, lags):
        pytest.skip("this kinisi no longer truncates its lags")
    with pytest.raises(RuntimeError, match=r"kinisi mislabels \d+ of 299 lags"):
        check_lag_indices(parser, lags)


@pytest.mark.parametrize("interval_fs", [100.0, 50.0, 1.0, 96.7, 0.1, 33.333333, 48.37768653])
def test_no_lag_is_truncated_in_exact_fs(interval_fs):
    lags = np.arange(1, 800)
    parser = make_parser(brownian(1, 801, 1), lags, exact_interval_fs(interval_fs))
    assert np.array_equal(parser.dt_index.values, lags)
    assert exact_interval_fs(interval_fs) == pytest.approx(interval_fs, rel=1e-5)


def test_kinisi_sees_our_displacements():
    """No wrapping, no drift removal and all time origins: its MSD is ours."""
    positions = brownian(5, 300, 4) * 50.0
    lags = lag_grid(5, 100, 20)
    fit = fit_diffusivity(positions, lags, 100.0, seed=1)
    np.testing.assert_allclose(fit.msd_A2, mean_squared_displacement(positions)[lags], rtol=1e-9)


def test_diffusivity_of_a_brownian_trajectory():
    fits = [fit_diffusivity(brownian(s), lag_grid(20, 166, 30), 100.0, seed=s) for s in range(5)]
    means = np.array([fit.samples_cm2_s.mean() for fit in fits])
    assert means.mean() == pytest.approx(D_CM2_S, rel=0.1)
    spreads = np.array([fit.samples_cm2_s.std() / fit.samples_cm2_s.mean() for fit in fits])
    assert 0.04 < spreads.mean() < 0.10
    assert all((fit.samples_cm2_s > 0).all() for fit in fits)


def test_seeded_and_the_global_generator_is_left_alone():
    positions, lags = brownian(1, 200, 5), lag_grid(10, 60, 10)
    np.random.seed(123)
    expected = np.random.random(3)
    np.random.seed(123)
    first = fit_diffusivity(positions, lags, 100.0, seed=7)
    assert np.array_equal(np.random.random(3), expected)
    second = fit_diffusivity(positions, lags, 100.0, seed=7)
    assert np.array_equal(first.samples_cm2_s, second.samples_cm2_s)
    other = fit_diffusivity(positions, lags, 100.0, seed=8)
    assert not np.array_equal(first.samples_cm2_s, other.samples_cm2_s)


def test_variance_scale():
    """Without overlap and capped at the end nothing would change; the usual window gives about a quarter."""
    assert variance_scale(np.array([20, 166]), 501) == pytest.approx(0.332 * (2 / 3) / (1 - 0.186), rel=1e-3)


def test_interval_must_be_positive():
    with pytest.raises(ValueError, match="positive"):
        exact_interval_fs(0.0)


@pytest.mark.parametrize(("diffusivity_A2_ps", "rattle_A"), [(0.1, 0.0), (0.01, 1.0), (0.0, 0.3)])
def test_covariance_is_positive_definite(diffusivity_A2_ps, rattle_A):
    """With a single ion and kinisi's own variances it is not, and the fit may go anywhere."""
    lags = lag_grid(40, 166, 30)
    for seed in range(5):
        positions = brownian(seed, 500, 1, diffusivity_A2_ps=diffusivity_A2_ps, rattle_A=rattle_A)
        data = calculate_msd(make_parser(positions, lags, 100.0), progress=False)["da"]
        windows = data.coords["n_samples"].values
        covariance = kinisi_covariance(smooth_variances(data, lags), windows)
        assert np.linalg.eigvalsh(covariance).min() > 0


def test_weights_give_the_posterior_mean():
    """So tensors and errors belong to the value that kinisi gives, and its chains have left where they start."""
    lags = lag_grid(20, 166, 30)
    for seed in range(5):
        fit = fit_diffusivity(brownian(seed), lags, 100.0, seed=seed)
        slope_A2_fs = fit.weights @ fit.msd_A2 / 100.0
        assert slope_A2_fs / 6.0 * 0.1 == pytest.approx(fit.samples_cm2_s.mean(), rel=0.01)
