import numpy as np
import pytest

from aiida_ion.analysis.diffusion.analyse import DiffusionSettings, analyse_diffusion
from aiida_ion.analysis.diffusion.tensor import (
    anisotropy,
    diagonal_intervals,
    gaussian_covariance,
    isotropy_p_value,
    principal,
)
from benchmarks import walkers


def analyse(walk, seed, n_ions=40, n_frames=1500):
    segment, symbols = walkers.trajectory(seed, walk(seed, n_frames, n_ions), 0.2, walkers.CUBIC)
    return analyse_diffusion([[segment]], symbols, "Li", walkers.CHARGES, 800.0, settings=DiffusionSettings(seed=seed))


@pytest.fixture(scope="module")
def rotated():
    return analyse(walkers.anisotropic, 1)


def test_rotated_walk_has_its_tensor(rotated):
    truth = walkers.anisotropic_tensor() * walkers.D_CM2_S
    np.testing.assert_allclose(rotated.tracer_diffusivity_tensor_cm2_s, truth, atol=0.3e-5)
    held = [
        low < value < high
        for (low, high), value in zip(rotated.tracer_diffusivity_tensor_ci95_cm2_s, np.diag(truth), strict=True)
    ]
    assert sum(held) >= 2
    values = np.array(rotated.tracer_diffusivity_principal_values_cm2_s)
    np.testing.assert_allclose(values, walkers.ANISOTROPIC * walkers.D_CM2_S, rtol=0.4)
    fastest = np.array(rotated.tracer_diffusivity_principal_directions)[0]
    assert abs(fastest @ walkers.ROTATION[0]) > 0.97
    assert rotated.anisotropy > 1.2
    assert rotated.isotropy_p_value < 1e-3


def test_tensors_belong_to_the_diffusivity_and_the_conductivity(rotated):
    tensor = np.array(rotated.tracer_diffusivity_tensor_cm2_s)
    assert np.trace(tensor) / 3.0 == pytest.approx(rotated.tracer_diffusivity_cm2_s)
    np.testing.assert_allclose(tensor, tensor.T)
    sigma = np.array(rotated.ionic_conductivity_tensor_mS_cm)
    assert np.trace(sigma) / 3.0 == pytest.approx(rotated.ionic_conductivity_mS_cm)


@pytest.mark.parametrize("walk", [walkers.brownian, walkers.hopping])
def test_isotropic_walks_are_compatible_with_isotropy(walk):
    values = [analyse(walk, seed, 20, 1000).isotropy_p_value for seed in range(4)]
    assert sum(value > 0.05 for value in values) >= 3


def test_p_values_of_isotropic_noise_are_uniform():
    generator, covariance = np.random.default_rng(1), gaussian_covariance(np.eye(3), 0.02)
    flat = covariance.reshape(9, 9)
    draws = generator.multivariate_normal(np.eye(3).ravel(), flat, 2000, check_valid="ignore").reshape(-1, 3, 3)
    values = [isotropy_p_value(draw, covariance, 1e6) for draw in draws]
    assert np.mean(np.array(values) < 0.05) == pytest.approx(0.05, abs=0.02)


def test_anisotropy_of_a_line_and_of_a_sphere():
    assert anisotropy(np.diag([3.0, 0.0, 0.0])) == pytest.approx(3.0)
    assert anisotropy(np.eye(3)) == pytest.approx(0.0)


def test_principal_values_come_largest_first():
    values = principal(np.diag([1.0, 3.0, 2.0]))
    assert values.values.tolist() == pytest.approx([3.0, 2.0, 1.0])
    np.testing.assert_allclose(np.abs(values.directions), np.eye(3)[[1, 2, 0]], atol=1e-12)


def test_a_direction_that_does_not_conduct_may_be_zero():
    tensor = np.diag([1.0, 1.0, 0.01])
    covariance = np.zeros((3, 3, 3, 3))
    for axis in range(3):
        covariance[axis, axis, axis, axis] = 0.01
    low, high = diagonal_intervals(tensor, covariance, 20.0, 1)[2]
    assert low < 0.0 < high
