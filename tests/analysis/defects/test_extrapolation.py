"""Thermal and extrinsic carriers, and conductivities that follow, against laws whose constants are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from aiida_ion.analysis.conductivity import ionic_conductivity_mS_cm
from aiida_ion.analysis.defects.carrier_settings import CarrierSettings
from aiida_ion.analysis.defects.carriers import (
    extrinsic_concentration,
    intrinsic_activation_energy_eV,
    knee_temperature_K,
    slope_of_log,
    thermal_concentration,
)
from aiida_ion.analysis.defects.concentration import Line, fit_line
from aiida_ion.analysis.defects.extrapolation import extrapolate, fit_law, summary
from aiida_ion.analysis.defects.measured import Measured
from aiida_ion.settings.values import SettingsError
from aiida_ion.units import BOLTZMANN_EV_K

S0, E_M, E_F, SITES = 2e-3, 0.35, 0.9, 0.06


def test_carriers_by_heat_and_dopants() -> None:
    assert thermal_concentration(1.0, 1000.0) == pytest.approx(3.0e-3, rel=0.01)
    assert knee_temperature_K(1e-3, 1.0) == pytest.approx(840, abs=1)
    assert knee_temperature_K(1e-5, 1.0) == pytest.approx(504, abs=1)
    for x_d, temperature_K in ((1e-3, 600.0), (1e-3, 840.0), (0.0, 1000.0)):
        x_v = extrinsic_concentration(x_d, 1.0, temperature_K)
        # x_v x_i = K_F, and each dopant has its vacancy: x_v = x_i + x_d.
        assert x_v * (x_v - x_d) == pytest.approx(math.exp(-1.0 / (BOLTZMANN_EV_K * temperature_K)))
        step = 1e-5
        ends = [math.log(extrinsic_concentration(x_d, 1.0 + sign * step, temperature_K)) for sign in (-1, 1)]
        slope = (ends[1] - ends[0]) / (2 * step)
        assert slope_of_log(x_d, 1.0, temperature_K) == pytest.approx(slope, rel=1e-4, abs=1e-6)
    assert extrinsic_concentration(0.0, 1.0, 900.0) == pytest.approx(thermal_concentration(1.0, 900.0))
    assert slope_of_log(0.0, 40.0, 100.0) == 0.0
    assert intrinsic_activation_energy_eV((0.3, 0.03), (0.8, 0.08)) == (pytest.approx(0.7), pytest.approx(0.05))


@pytest.mark.parametrize("wrong", [(0.0, 1.0), (1.0, 1.0), (0.01, 0.0)])
def test_a_knee_needs_dopants_and_an_energy(wrong: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="a knee needs"):
        knee_temperature_K(*wrong)


def lines(noise: float = 0.0, seed: int = 0, temperatures: tuple[float, ...] = (700.0, 900.0, 1100.0)) -> list[Line]:
    rng = np.random.default_rng(seed)
    result = []
    for temperature_K in temperatures:
        slope = S0 * math.exp(-E_M / (BOLTZMANN_EV_K * temperature_K))
        cells = [Measured(x, slope * x * (1 + noise * 0.05 * rng.normal()), 0.05 * slope * x) for x in (0.02, 0.04)]
        result.append(fit_line(cells, temperature_K, 1.0))
    return result


def test_exact_laws_are_found_and_stated_apart() -> None:
    settings = CarrierSettings(formation_energy_eV=E_F, formation_energy_error_eV=0.1, concentrations=[1e-3])
    law = fit_law(lines(), settings)
    assert law.migration_eV == pytest.approx(E_M) and law.source == "fit"
    stated, remarks = extrapolate(law, settings, 1.0, SITES)
    assert [one.what for one in stated] == ["stated", "thermal", "extrinsic"]
    at_300 = ionic_conductivity_mS_cm(S0 * math.exp(-E_M / (BOLTZMANN_EV_K * 300.0)), 1.0, SITES, 300.0)
    assert stated[0].ionic_conductivity_mS_cm == pytest.approx(1e-3 * at_300)
    assert stated[1].ionic_conductivity_mS_cm == pytest.approx(thermal_concentration(E_F, 300.0) * at_300)
    assert stated[0].activation_energy_eV == pytest.approx(E_M)
    assert stated[1].activation_energy_eV == pytest.approx(E_M + E_F / 2)
    # Far below the knee dopants decide, and heat adds nothing.
    assert stated[2].activation_energy_eV == pytest.approx(E_M, abs=1e-6)
    assert stated[2].knee_temperature_K == pytest.approx(knee_temperature_K(1e-3, E_F))
    widths = [math.log(one.ionic_conductivity_ci95_mS_cm[1] / one.ionic_conductivity_ci95_mS_cm[0]) for one in stated]
    assert widths[1] > widths[0] + 1.0 and widths[2] == pytest.approx(widths[0])
    energies = summary(law, settings)
    assert energies["intrinsic_activation_energy_eV"] == pytest.approx(E_M + E_F / 2)
    assert energies["intrinsic_activation_energy_error_eV"] > 0.05
    assert any("only carriers of the kind in these cells" in remark for remark in remarks)


def test_the_activation_energy_is_the_slope_of_the_conductivity() -> None:
    law = fit_law(lines(), CarrierSettings())

    def log_d(temperature_K: float) -> float:
        settings = CarrierSettings(target_temperature_K=temperature_K, formation_energy_eV=E_F, concentrations=[1e-3])
        one = extrapolate(law, settings, 1.0, SITES)[0][2]
        return math.log(one.ionic_conductivity_mS_cm * temperature_K)

    # At the knee half of the carriers are from each: the energy is between E_m and E_m + E_F / 2.
    knee_K = knee_temperature_K(1e-3, E_F)
    slope = -(log_d(knee_K + 0.5) - log_d(knee_K - 0.5)) / (
        1 / (BOLTZMANN_EV_K * (knee_K + 0.5)) - 1 / (BOLTZMANN_EV_K * (knee_K - 0.5))
    )
    settings = CarrierSettings(target_temperature_K=knee_K, formation_energy_eV=E_F, concentrations=[1e-3])
    stated = extrapolate(law, settings, 1.0, SITES)[0][2]
    assert stated.activation_energy_eV == pytest.approx(slope, rel=1e-3)
    assert E_M < slope < E_M + E_F / 2


def test_intervals_at_room_temperature_hold_the_truth() -> None:
    settings = CarrierSettings(concentrations=[1e-3])
    truth = 1e-3 * ionic_conductivity_mS_cm(S0 * math.exp(-E_M / (BOLTZMANN_EV_K * 300.0)), 1.0, SITES, 300.0)
    inside = 0
    for seed in range(400):
        (one,) = extrapolate(fit_law(lines(1.0, seed), settings), settings, 1.0, SITES)[0]
        low, high = one.ionic_conductivity_ci95_mS_cm
        inside += low <= truth <= high
    assert 0.93 <= inside / 400 <= 0.995


def test_one_temperature_needs_a_migration_energy_for_another() -> None:
    single = lines(temperatures=(900.0,))
    at_900 = CarrierSettings(target_temperature_K=900.0)
    law = fit_law(single, at_900)
    assert law.migration_eV is None
    assert extrapolate(law, at_900, 1.0, SITES)[0][0].activation_energy_eV is None
    with pytest.raises(ValueError, match="for 300 K give runs at another temperature, or migration_energy_eV"):
        extrapolate(law, CarrierSettings(), 1.0, SITES)
    given = CarrierSettings(migration_energy_eV=E_M, migration_energy_error_eV=0.02)
    (one,) = extrapolate(fit_law(single, given), given, 1.0, SITES)[0]
    exact = ionic_conductivity_mS_cm(S0 * math.exp(-E_M / (BOLTZMANN_EV_K * 300.0)), 1.0, SITES, 300.0)
    assert one.ionic_conductivity_mS_cm == pytest.approx(1e-4 * exact)
    distance = 1 / (BOLTZMANN_EV_K * 300.0) - 1 / (BOLTZMANN_EV_K * 900.0)
    expected = 1.96 * math.hypot(
        0.02 * distance, float(single[0].slope_error_cm2_s or 0) / float(single[0].slope_cm2_s or 1)
    )
    low, high = one.ionic_conductivity_ci95_mS_cm
    assert math.log(high / low) / 2 == pytest.approx(expected, rel=1e-3)


def test_an_error_needs_its_value() -> None:
    with pytest.raises(SettingsError, match="is the error of formation_energy_eV, which is not given"):
        CarrierSettings(formation_energy_error_eV=0.1)
