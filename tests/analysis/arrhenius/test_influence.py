import numpy as np
import pytest

from aiida_ion.analysis.arrhenius.fit import ArrheniusPoint, fit_arrhenius
from aiida_ion.analysis.arrhenius.influence import distance_sentence, extrapolation_leverage
from aiida_ion.units import BOLTZMANN_EV_K

HOT_K = (800.0, 900.0, 1000.0, 1100.0, 1200.0)


def points(factors=None, relative=0.1):
    """Points on a line, some of them off by a factor."""
    ranks = (np.arange(2000) + 0.5) / 2000
    spread = np.exp(relative * np.sqrt(2) * np.array([_inverse_erf(2 * rank - 1) for rank in ranks]))
    return [
        ArrheniusPoint(
            kelvin, 1e-3 * np.exp(-0.3 / (BOLTZMANN_EV_K * kelvin)) * (factors or {}).get(kelvin, 1) * spread
        )
        for kelvin in HOT_K
    ]


def _inverse_erf(value):
    from scipy.special import erfinv

    return erfinv(value)


def test_leverage_is_that_of_a_line_through_equal_errors():
    assert extrapolation_leverage(HOT_K, 300.0) == pytest.approx(3.05, abs=0.005)
    design = np.stack([np.ones(5), -1.0 / np.array(HOT_K)], axis=1)
    covariance = np.linalg.inv(design.T @ design)
    at = np.array([1.0, -1.0 / 300.0])
    assert extrapolation_leverage(HOT_K, 300.0) == pytest.approx(np.sqrt(at @ covariance @ at) / np.log(10.0))
    result = fit_arrhenius(points(), 300.0)
    assert result.extrapolation_leverage == pytest.approx(3.05, abs=0.005)
    assert result.extrapolation_factor == pytest.approx(800 / 300)
    assert result.inverse_temperature_span_per_K == pytest.approx(1 / 800 - 1 / 1200)


def test_only_a_far_extrapolation_has_a_sentence():
    assert distance_sentence(800 / 300, 3.05, 300.0) == (
        "The lowest diffusive temperature is 2.7 times 300 K: "
        "an error of 10 % at each temperature becomes 0.3 decades at the target."
    )
    assert distance_sentence(1.3, 0.8, 300.0) is None
    assert distance_sentence(0.9, 5.0, 300.0) is None


def test_each_temperature_is_left_out_once_and_the_line_without_it_is_that_of_least_squares():
    factors = {800.0: 1.3, 1000.0: 0.9}
    result = fit_arrhenius(points(factors), 300.0, 1.0, 0.02)
    assert [entry["temperature_K"] for entry in result.leave_one_out] == list(HOT_K)
    x = np.array([1.0 / (BOLTZMANN_EV_K * kelvin) for kelvin in HOT_K])
    y = np.log(1e-3) - 0.3 * x + np.log([factors.get(kelvin, 1.0) for kelvin in HOT_K])
    whole = np.polyval(np.polyfit(x, y, 1), 1.0 / (BOLTZMANN_EV_K * 300.0)) / np.log(10.0)
    for index, entry in enumerate(result.leave_one_out):
        slope, intercept = np.polyfit(np.delete(x, index), np.delete(y, index), 1)
        assert entry["activation_energy_eV"] == pytest.approx(-slope, abs=1e-3)
        expected = (intercept + slope / (BOLTZMANN_EV_K * 300.0)) / np.log(10.0)
        assert entry["log10_diffusivity_cm2_s"] == pytest.approx(expected, abs=0.01)
        assert entry["shift_decades"] == pytest.approx(whole - expected, abs=0.01)
        assert entry["bound"] is False
    energies = [entry["activation_energy_eV"] for entry in result.leave_one_out]
    assert result.leave_one_out_activation_energy_range_eV == (min(energies), max(energies))
    most = max(result.leave_one_out, key=lambda entry: abs(entry["shift_decades"]))
    assert result.most_influential_temperature_K == most["temperature_K"] == 800.0
    assert result.largest_shift_decades == most["shift_decades"]
    assert result.largest_shift_std == pytest.approx(result.largest_shift_decades / (3.05 * 0.1), rel=0.03)


@pytest.mark.slow
def test_surprise_is_the_shift_in_units_of_its_noise():
    """Over noise of the stated size the surprise of each temperature is standard normal."""
    generator, values = np.random.default_rng(1), []
    for _ in range(60):
        result = fit_arrhenius(points(dict(zip(HOT_K, np.exp(generator.normal(0, 0.1, 5)), strict=True))), 300.0)
        values.append([entry["surprise"] for entry in result.leave_one_out])
    assert np.std(values) == pytest.approx(1.0, abs=0.15)
    assert not any("alone moves" in warning for warning in fit_arrhenius(points(), 300.0).warnings)


def test_a_temperature_that_carries_the_result_is_warned_about():
    result = fit_arrhenius(points({800.0: 2.5}, relative=0.3), 300.0)
    assert any(warning.startswith("800 K alone moves log10 D at 300 K by +") for warning in result.warnings)


def test_a_bound_is_left_out_too():
    low = ArrheniusPoint(500.0, upper_bound_cm2_s=1e-3 * np.exp(-0.3 / (BOLTZMANN_EV_K * 500.0)) / 30.0)
    result = fit_arrhenius([*points(relative=0.5), low], 300.0)
    entry = result.leave_one_out[-1]
    assert entry["temperature_K"] == 500.0
    assert entry["bound"] is True
    assert entry["surprise"] is None
    assert entry["shift_decades"] < -0.1
