import numpy as np
import pytest

from aiida_ion.analysis.comparison.without_motion_check import ionic_conductivity_without_motion_check_mS_cm
from aiida_ion.analysis.conductivity import ionic_conductivity_mS_cm
from aiida_ion.units import BOLTZMANN_EV_K

TEMPERATURES_K = np.array([800.0, 900.0, 1000.0, 1100.0, 1200.0])


def test_an_exact_law_is_extrapolated():
    diffusivities = 1e-3 * np.exp(-0.3 / (BOLTZMANN_EV_K * TEMPERATURES_K))
    result = ionic_conductivity_without_motion_check_mS_cm(TEMPERATURES_K, diffusivities, 1.0, 0.03, 300.0)
    at_target = 1e-3 * np.exp(-0.3 / (BOLTZMANN_EV_K * 300.0))
    assert result == pytest.approx(ionic_conductivity_mS_cm(at_target, 1.0, 0.03, 300.0), rel=1e-9)


def test_an_inert_crystal_comes_out_as_a_conductor():
    """What kinisi says of 24 vibrating ions, 3e-8 cm^2/s at any temperature, is mS/cm at 300 K: why runs are gated."""
    flat = np.full(5, 3e-8)
    result = ionic_conductivity_without_motion_check_mS_cm(TEMPERATURES_K, flat, 1.0, 0.03, 300.0)
    assert result is not None
    assert 1.0 < result < 20.0


def test_what_has_no_logarithm_is_left_out():
    result = ionic_conductivity_without_motion_check_mS_cm(
        [800.0, 900.0, 1000.0], [1e-6, -1e-7, 2e-6], 1.0, 0.03, 300.0
    )
    assert result == ionic_conductivity_without_motion_check_mS_cm([800.0, 1000.0], [1e-6, 2e-6], 1.0, 0.03, 300.0)
    assert ionic_conductivity_without_motion_check_mS_cm([800.0, 900.0], [1e-6, 0.0], 1.0, 0.03, 300.0) is None
    assert ionic_conductivity_without_motion_check_mS_cm([800.0, 800.0], [1e-6, 2e-6], 1.0, 0.03, 300.0) is None
