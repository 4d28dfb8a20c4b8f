import numpy as np
import pytest

from aiida_ion.analysis.conductivity import diffusivity_cm2_s, ionic_conductivity_mS_cm

#: 1e-6 cm^2/s = 1e-10 m^2/s; 0.02 ions/A^3 = 2e28 /m^3; 300 K:
#: 2e28 * (1.602176634e-19)^2 * 1e-10 / (1.380649e-23 * 300) = 12.3949... S/m.
HAND_MS_CM = 2e28 * 1.602176634e-19**2 * 1e-10 / (1.380649e-23 * 300.0) * 10.0


def test_agrees_with_the_hand_calculation():
    assert pytest.approx(123.949, abs=1e-3) == HAND_MS_CM
    assert ionic_conductivity_mS_cm(1e-6, 1.0, 0.02, 300.0) == pytest.approx(HAND_MS_CM, rel=1e-6)


def test_charge_counts_squared():
    assert ionic_conductivity_mS_cm(1e-6, -2.0, 0.02, 300.0) == pytest.approx(4 * HAND_MS_CM, rel=1e-6)


def test_inverse_and_arrays():
    samples = np.geomspace(1e-9, 1e-4, 7)
    sigma = ionic_conductivity_mS_cm(samples, 1.0, 0.013, 850.0)
    np.testing.assert_allclose(diffusivity_cm2_s(sigma, 1.0, 0.013, 850.0), samples, rtol=1e-12)


@pytest.mark.parametrize(
    ("density", "temperature", "message"),
    [(0.02, 0.0, "temperature_K"), (0.0, 300.0, "number_density_A3"), (0.02, float("nan"), "temperature_K")],
)
def test_impossible_values(density, temperature, message):
    with pytest.raises(ValueError, match=message):
        ionic_conductivity_mS_cm(1e-6, 1.0, density, temperature)


def test_no_inverse_without_charge():
    with pytest.raises(ValueError, match="without charge"):
        diffusivity_cm2_s(1.0, 0.0, 0.02, 300.0)
