import json

import numpy as np
import pytest
from scipy import stats

from aiida_ion.analysis.arrhenius.bound import detection_bound_cm2_s
from aiida_ion.analysis.arrhenius.fit import ArrheniusPoint, Priors, fit_arrhenius, gaussian_of_logarithm
from aiida_ion.analysis.conductivity import ionic_conductivity_mS_cm
from aiida_ion.units import BOLTZMANN_EV_K

ENERGY_EV, LOG10_D0 = 0.30, -3.0
TEMPERATURES_K = (800.0, 900.0, 1000.0, 1100.0, 1200.0)


def true_diffusivity(temperature_K):
    return 10**LOG10_D0 * np.exp(-ENERGY_EV / (BOLTZMANN_EV_K * temperature_K))


def point(temperature_K, relative, generator, noisy=True):
    """A posterior of a diffusivity whose centre is off by as much as it says."""
    centre = np.log(true_diffusivity(temperature_K)) + noisy * generator.normal(0.0, relative)
    return ArrheniusPoint(temperature_K, np.exp(centre + generator.normal(0.0, relative, 1000)))


def points(relative=0.1, seed=0, temperatures=TEMPERATURES_K, noisy=True):
    generator = np.random.default_rng(seed)
    return [point(temperature, relative, generator, noisy) for temperature in temperatures]


def test_recovers_the_truth():
    result = fit_arrhenius(points(noisy=False), 300.0, 1.0, 0.02)
    assert result.verdict == "measured"
    assert result.activation_energy_eV == pytest.approx(ENERGY_EV, abs=0.01)
    assert result.log10_prefactor_cm2_s == pytest.approx(LOG10_D0, abs=0.06)
    expected = np.log10(ionic_conductivity_mS_cm(true_diffusivity(300.0), 1.0, 0.02, 300.0))
    assert result.log10_ionic_conductivity_mS_cm == pytest.approx(expected, abs=0.1)
    assert result.arrhenius_consistent
    assert result.degrees_of_freedom == 3


@pytest.mark.parametrize("relative", [0.08, 0.3])
def test_spread_is_that_of_a_weighted_line(relative):
    """Closed form: sd(log10 D300) = 3.05 r and sd(Ea) = 0.26 r eV for these five temperatures."""
    result = fit_arrhenius(points(relative, noisy=False), 300.0, n_samples=4000)
    log10_d = np.log10(result.diffusivity_samples_cm2_s(300.0))
    assert log10_d.std() == pytest.approx(3.05 * relative, rel=0.07)
    assert result.activation_energy_std_eV == pytest.approx(0.26 * relative, rel=0.07)


@pytest.mark.slow
def test_intervals_hold_the_truth():
    held_energy, held_d = [], []
    truth = np.log10(true_diffusivity(300.0))
    for seed in range(100):
        result = fit_arrhenius(points(0.2, seed), 300.0, seed=seed)
        low, high = result.activation_energy_ci95_eV
        held_energy.append(low < ENERGY_EV < high)
        low, high = result.log10_diffusivity_ci95_cm2_s
        held_d.append(low < truth < high)
    assert 0.88 <= np.mean(held_energy) <= 1.0
    assert 0.88 <= np.mean(held_d) <= 1.0


def test_bound_below_the_line_raises_the_activation_energy():
    without = fit_arrhenius(points(0.3, noisy=False, temperatures=(900.0, 1000.0, 1100.0)), 300.0)
    censored = ArrheniusPoint(600.0, upper_bound_cm2_s=true_diffusivity(600.0) / 5.0)
    given = fit_arrhenius([*points(0.3, noisy=False, temperatures=(900.0, 1000.0, 1100.0)), censored], 300.0)
    assert given.activation_energy_eV > without.activation_energy_eV + 0.02
    assert given.temperatures_bound_K == [600.0]
    loose = ArrheniusPoint(600.0, upper_bound_cm2_s=true_diffusivity(600.0) * 1e3)
    same = fit_arrhenius([*points(0.3, noisy=False, temperatures=(900.0, 1000.0, 1100.0)), loose], 300.0)
    assert same.activation_energy_eV == pytest.approx(without.activation_energy_eV, abs=0.005)


@pytest.mark.parametrize("n_moved", [0, 1, 2])
def test_too_few_temperatures_give_a_bound_never_a_number(n_moved):
    bounds = [ArrheniusPoint(700.0, upper_bound_cm2_s=1e-7), ArrheniusPoint(800.0, upper_bound_cm2_s=2e-7)]
    result = fit_arrhenius([*points(temperatures=TEMPERATURES_K[2 : 2 + n_moved]), *bounds], 300.0, 1.0, 0.02)
    assert result.verdict == "bound"
    assert result.activation_energy_eV is None
    assert result.log10_ionic_conductivity_mS_cm is None
    assert result.p_value is None
    assert 0 < result.diffusivity_upper_bound_cm2_s < 1e-7
    sigma = ionic_conductivity_mS_cm(result.diffusivity_upper_bound_cm2_s, 1.0, 0.02, 300.0)
    assert result.ionic_conductivity_upper_bound_mS_cm == pytest.approx(sigma)
    assert f"detected at {n_moved} different temperatures" in result.reason
    assert "a prefactor of log10 D0 = -3.2 +- 0.7 (cm2/s), from hops of 3 angstrom" in result.reason
    with pytest.raises(ValueError, match="the verdict is bound"):
        result.diffusivity_samples_cm2_s(300.0)


def test_bound_follows_the_stated_prior():
    """D0 (D_ub / D0)^(T / T_target) falls with D0, so the 95 % bound is that at the prior's 5 % quantile."""
    result = fit_arrhenius([ArrheniusPoint(800.0, upper_bound_cm2_s=1e-7)], 300.0)
    log10_d0 = -3.2 - 1.645 * 0.7
    assert np.log10(result.diffusivity_upper_bound_cm2_s) == pytest.approx(
        log10_d0 + (-7.0 - log10_d0) * 800.0 / 300.0, abs=0.1
    )
    assert result.priors["bound_log10_prefactor_mean"] == -3.2


def test_a_bound_that_says_nothing_is_none():
    loose = [ArrheniusPoint(700.0, upper_bound_cm2_s=1e-3)]
    attributes = fit_arrhenius(loose, 300.0)
    assert attributes.verdict == "not_measurable"
    assert "too short for a useful bound" in attributes.reason
    given = Priors(uninformative_bound_cm2_s=1.0, bound_log10_prefactor_mean=-3.0)
    allowed = fit_arrhenius(loose, 300.0, priors=given)
    assert allowed.verdict == "bound"
    assert "from the given priors" in allowed.reason


def test_two_temperatures_without_a_bound():
    result = fit_arrhenius(points(temperatures=(900.0, 1000.0)), 300.0, 1.0, 0.02)
    assert result.verdict == "not_measurable"
    assert result.diffusivity_upper_bound_cm2_s is None
    assert result.arrays() == {}


def test_three_points_at_two_temperatures_are_two():
    assert fit_arrhenius(points(temperatures=(900.0, 900.2, 1000.0)), 300.0).verdict == "not_measurable"


def test_refused_points_say_why():
    given = [
        *points(temperatures=(900.0, 1000.0, 1100.0)),
        ArrheniusPoint(1200.0, np.full(10, 1e-5), refused_because="The framework melted."),
        ArrheniusPoint(700.0),
        ArrheniusPoint(750.0, np.array([1e-6, -1e-6])),
        ArrheniusPoint(-1.0, upper_bound_cm2_s=1e-7),
        ArrheniusPoint(650.0, upper_bound_cm2_s=0.0),
        ArrheniusPoint(660.0, np.array([1e-6])),
    ]
    result = fit_arrhenius(given, 300.0, max_interval_decades=10.0)
    assert result.temperatures_used_K == [900.0, 1000.0, 1100.0]
    reasons = {entry["temperature_K"]: entry["reason"] for entry in result.temperatures_refused}
    assert reasons[1200.0] == "The framework melted."
    assert set(reasons) == {1200.0, 700.0, 750.0, -1.0, 650.0, 660.0}
    assert result.verdict == "measured"


def test_a_broken_line_is_doubted_and_its_errors_widened():
    generator = np.random.default_rng(1)
    bent = points(0.05, noisy=False)
    bent[2] = ArrheniusPoint(1000.0, true_diffusivity(1000.0) * 1.25 * np.exp(generator.normal(0, 0.05, 1000)))
    result = fit_arrhenius(bent, 300.0)
    assert result.p_value < 0.01
    assert result.arrhenius_consistent is False
    assert result.preferred_law == "arrhenius"
    assert result.error_scale == pytest.approx(np.sqrt(result.chi2 / 3))
    assert result.activation_energy_std_eV == pytest.approx(0.26 * 0.05 * result.error_scale, rel=0.1)
    assert any("scatter about a straight line by more than their errors" in warning for warning in result.warnings)


def test_a_run_that_just_failed_to_measure_bounds_less_than_one_without_hops():
    """95 % of Poisson processes of mean 15.7 show ten or more: 15.7 a^2 / (6 N t)."""
    detection = detection_bound_cm2_s(1e-7, 20, 100.0, 3.0)
    assert detection == pytest.approx(15.7052 * 9.0 / (6 * 20 * 100.0) * 1e-4, rel=1e-4)
    assert detection_bound_cm2_s(1e-5, 20, 100.0, 3.0) == 1e-5
    hot = points(0.3, noisy=False, temperatures=(900.0, 1000.0, 1100.0))
    low = true_diffusivity(600.0) / 5.0
    strict = fit_arrhenius([*hot, ArrheniusPoint(600.0, upper_bound_cm2_s=low)], 300.0)
    lax = fit_arrhenius([*hot, ArrheniusPoint(600.0, None, low, 5.0 * low)], 300.0)
    assert strict.activation_energy_eV > lax.activation_energy_eV + 0.02


def test_the_spread_of_the_draws_is_the_error():
    for relative in (0.02, 0.4):
        result = fit_arrhenius(points(relative, noisy=False), 300.0)
        assert result.activation_energy_std_eV == pytest.approx(0.26 * relative, rel=0.1)


def test_heavy_tails_count_by_their_interval():
    """Draws of Student's t of two degrees have no standard deviation; their central 95 % is 4.3 scales wide."""
    draws = np.exp(0.1 * stats.t.ppf((np.arange(4000) + 0.5) / 4000, 2))
    mean, std = gaussian_of_logarithm(draws)
    assert mean == pytest.approx(0.0, abs=1e-6)
    assert std == pytest.approx(0.43027 / 1.95996, rel=0.01)


def test_priors_are_wide_stored_and_bind_only_at_their_edge():
    tight = Priors(max_activation_energy_eV=0.25)
    result = fit_arrhenius(points(noisy=False), 300.0, priors=tight)
    assert result.activation_energy_ci95_eV[1] <= 0.25
    assert result.priors == tight.to_dict()
    with pytest.raises(ValueError, match="empty"):
        Priors(max_activation_energy_eV=-1.0)
    with pytest.raises(ValueError, match="empty"):
        Priors(max_log10_prefactor_cm2_s=-9.0)
    with pytest.raises(ValueError, match="bound_log10_prefactor_std must be a number above 0"):
        Priors(bound_log10_prefactor_std=0.0)


def test_json_and_arrays():
    result = fit_arrhenius(points(), 300.0, 1.0, 0.02)
    assert json.loads(json.dumps(result.attributes(), allow_nan=False)) == result.attributes()
    assert {name: array.shape for name, array in result.arrays().items()} == {
        "activation_energy_samples_eV": (1000,),
        "log10_prefactor_samples_cm2_s": (1000,),
        "log10_diffusivity_samples_cm2_s": (1000,),
    }


@pytest.mark.parametrize(("given", "target"), [([], 300.0), (points(), 0.0)])
def test_impossible_input(given, target):
    with pytest.raises(ValueError, match=r"at least one|target_temperature_K"):
        fit_arrhenius(given, target)
