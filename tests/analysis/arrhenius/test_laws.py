import warnings
from functools import partial

import numpy as np
import pytest
import scipp as sc
from scipy import integrate, stats

from aiida_ion.analysis.arrhenius.fit import ArrheniusPoint, fit_arrhenius
from aiida_ion.analysis.arrhenius.laws import ARRHENIUS, TWO_BRANCH, VOGEL_FULCHER_TAMMANN, averaged, fit_laws
from aiida_ion.analysis.arrhenius.posterior import Observations, inverse, log_below
from aiida_ion.analysis.arrhenius.priors import Priors
from aiida_ion.units import BOLTZMANN_EV_K

TEMPERATURES_K = np.array([500.0, 600.0, 700.0, 800.0, 900.0, 1000.0, 1100.0, 1200.0])
HOT_K = TEMPERATURES_K[3:]
NONE = np.array([])


def straight(temperature_K):
    return np.log(1e-3) - 0.3 / (BOLTZMANN_EV_K * temperature_K)


def vogel(temperature_K):
    return np.log(5e-4) - 0.08 / (BOLTZMANN_EV_K * (temperature_K - 350.0))


def bent(temperature_K):
    energy = np.where(temperature_K < 750.0, 0.55, 0.20)
    return np.log(1e-5) - energy * (inverse(temperature_K) - inverse(np.array(750.0)))


def observations(law, relative, temperatures_K=TEMPERATURES_K, seed=None):
    noise = 0.0 if seed is None else np.random.default_rng(seed).normal(0.0, relative, len(temperatures_K))
    return Observations(temperatures_K, law(temperatures_K) + noise, np.full(len(temperatures_K), relative), NONE, NONE)


def points(law, relative, temperatures_K=TEMPERATURES_K, seed=0):
    generator = np.random.default_rng(seed)
    centres = law(temperatures_K) + generator.normal(0.0, relative, len(temperatures_K))
    return [
        ArrheniusPoint(float(kelvin), np.exp(centre + generator.normal(0.0, relative, 1000)))
        for kelvin, centre in zip(temperatures_K, centres, strict=True)
    ]


def log_likelihood(data, ln_d):
    gaussian = stats.norm.logpdf(data.ln_d, ln_d(data.temperature_K), data.std).sum()
    return gaussian + sum(
        log_below(np.array(ln_d(kelvin)), bound)
        for kelvin, bound in zip(data.bound_temperature_K, data.ln_bound, strict=True)
    )


@pytest.mark.parametrize("bounds", [False, True])
def test_evidence_of_a_line_is_that_of_plain_quadrature(bounds):
    """Integrate likelihood times prior over energy and prefactor with SciPy, over the box of the priors."""
    data = observations(straight, 0.3, HOT_K, seed=1)
    if bounds:
        data = data._replace(bound_temperature_K=np.array([600.0]), ln_bound=np.array([straight(600.0) - 1.0]))
    tight = Priors(min_activation_energy_eV=0.1, max_activation_energy_eV=0.4, max_log10_prefactor_cm2_s=-2.8)
    scale = log_likelihood(data, straight)

    def integrand(log10_d0, energy):
        values = log_likelihood(data, lambda kelvin: log10_d0 * np.log(10.0) - energy / (BOLTZMANN_EV_K * kelvin))
        return np.exp(values - scale)

    exact, _ = integrate.dblquad(integrand, 0.1, 0.4, -5.0, -2.8, epsrel=1e-5)
    expected = scale + np.log(exact / (0.3 * (tight.max_log10_prefactor_cm2_s - tight.min_log10_prefactor_cm2_s)))
    assert fit_laws(data, tight, 300.0, 1, 100)[ARRHENIUS].log_evidence == pytest.approx(expected, abs=0.02)


def test_evidence_of_curved_laws_is_that_of_sampling_the_prior():
    """Importance sampling by hand: draw parameters around the best fit, weigh by prior over proposal."""
    data = observations(bent, 0.4, TEMPERATURES_K, seed=3)
    result, priors = fit_laws(data, Priors(), 300.0, 1, 4000), Priors()
    generator, n = np.random.default_rng(1), 1_000_000
    meeting_K = generator.uniform(500.0, 1200.0, n)
    low, high = generator.uniform(0.0, 3.0, (2, n))
    middle = generator.uniform(-22.0, -4.0, n)
    pivot = inverse(meeting_K)
    log_p = np.zeros(n)
    for kelvin, ln_d in zip(data.temperature_K, data.ln_d, strict=True):
        model = middle - np.where(kelvin < meeting_K, low, high) * (inverse(kelvin) - pivot)
        log_p += stats.norm.logpdf(ln_d, model, 0.4)
    log10_d0 = (middle + high * pivot) / np.log(10.0)
    inside = (log10_d0 > priors.min_log10_prefactor_cm2_s) & (log10_d0 < priors.max_log10_prefactor_cm2_s)
    evidence = np.log(np.mean(np.where(inside, np.exp(log_p), 0.0)) * 18.0 / (12.0 * np.log(10.0)))
    assert result[TWO_BRANCH].log_evidence == pytest.approx(evidence, abs=0.25)

    zero_K, energy = generator.uniform(0.0, 500.0, n), generator.uniform(0.0, 3.0, n)
    ln_d0 = generator.uniform(-8.0, 4.0, n) * np.log(10.0)
    log_p = np.zeros(n)
    for kelvin, ln_d in zip(data.temperature_K, data.ln_d, strict=True):
        log_p += stats.norm.logpdf(ln_d, ln_d0 - energy * inverse(kelvin, zero_K), 0.4)
    evidence = np.log(np.mean(np.exp(log_p)))
    assert result[VOGEL_FULCHER_TAMMANN].log_evidence == pytest.approx(evidence, abs=0.25)


def test_a_straight_line_is_hardly_ever_called_curved():
    called = [fit_arrhenius(points(straight, 0.15, HOT_K, seed), 300.0) for seed in range(40)]
    assert sum(result.preferred_law != "arrhenius" for result in called) == 0
    assert sum(result.averaged_over_laws for result in called) <= 2


def test_a_vogel_law_has_no_number_far_below_its_range():
    result = fit_arrhenius(points(vogel, 0.1), 300.0, 1.0, 0.02)
    assert result.preferred_law == VOGEL_FULCHER_TAMMANN
    assert result.averaged_over_laws
    low, high = result.vogel_temperature_ci95_K
    assert low < 350.0 < high
    low, high = result.vogel_energy_ci95_eV
    assert low < 0.08 < high
    assert result.log10_ionic_conductivity_mS_cm is None
    assert result.verdict in ("bound", "not_measurable")
    assert "the diffusivity vanishes above 300 K" in result.reason
    assert any("The law is curved: a Vogel-Fulcher-Tammann law" in warning for warning in result.warnings)
    within = fit_arrhenius(points(vogel, 0.1), 550.0)
    low, high = within.log10_diffusivity_ci95_cm2_s
    assert low < vogel(550.0) / np.log(10.0) < high


def test_a_bend_is_found_and_extrapolated_along_its_cold_branch():
    result = fit_arrhenius(points(bent, 0.05), 300.0, 1.0, 0.02)
    assert result.preferred_law == TWO_BRANCH
    assert result.verdict == "measured"
    low, high = result.branch_temperature_ci95_K
    assert low < 750.0 < high
    low, high = result.low_temperature_activation_energy_ci95_eV
    assert low < 0.55 < high
    low, high = result.high_temperature_activation_energy_ci95_eV
    assert low < 0.20 < high
    low, high = result.log10_diffusivity_ci95_cm2_s
    assert low < bent(300.0) / np.log(10.0) < high
    assert result.log10_diffusivity_cm2_s < np.log10(result.diffusivity_samples_cm2_s(300.0)).mean() - 1.0


def test_the_average_weighs_laws_by_their_evidence():
    laws = fit_laws(observations(straight, 0.2, HOT_K), Priors(), 300.0, 1, 4000)
    evidences = np.array([law.log_evidence for law in laws.values()])
    weights = np.exp(evidences - evidences.max()) / np.exp(evidences - evidences.max()).sum()
    vanished = np.mean(np.isneginf(laws[VOGEL_FULCHER_TAMMANN].log10_diffusivity_cm2_s))
    expected = weights[list(laws).index(VOGEL_FULCHER_TAMMANN)] * vanished
    assert np.mean(np.isneginf(averaged(laws, 1))) == pytest.approx(expected, abs=0.03)


def test_three_temperatures_cannot_tell():
    result = fit_arrhenius(points(straight, 0.1, HOT_K[:3]), 300.0)
    assert result.preferred_law == ARRHENIUS
    assert result.log_evidences is None
    assert "4 are needed to tell a curved law" in result.curvature_reason


@pytest.mark.slow
def test_kinisi_agrees_by_nested_sampling(monkeypatch):
    """The same priors, errors so small that Gaussian in D is Gaussian in ln D: the same Bayes factors.

    Of the laws with up to three parameters: for the four of two branches dynesty needs a quarter of an hour. And on a
    straight law: where one is off by many errors, as a line through bent data, Gaussian in D and in ln D are far apart
    (log evidences of -258.5 and -302.7, by integration on a grid, too).
    """
    from kinisi import arrhenius as kinisi
    from kinisi import fitting

    # A fifth of dynesty's points, in a fifth of the time; evidences are then known to about 0.5.
    monkeypatch.setattr(fitting, "NestedSampler", partial(fitting.NestedSampler, nlive=100))

    relative = 0.04
    data = observations(straight, relative, seed=2)
    values = np.exp(data.ln_d)
    given = sc.DataArray(
        data=sc.array(dims=["temperature"], values=values, variances=(relative * values) ** 2, unit="cm^2/s"),
        coords={"temperature": sc.array(dims=["temperature"], values=data.temperature_K, unit="K")},
    )
    energy, prefactor = stats.uniform(0.0, 3.0), stats.loguniform(1e-8, 1e4)
    models = {
        ARRHENIUS: (kinisi.Arrhenius, [energy, prefactor]),
        VOGEL_FULCHER_TAMMANN: (kinisi.VogelFulcherTammann, [energy, prefactor, stats.uniform(0.0, 500.0)]),
    }
    ours = fit_laws(data, Priors(), 300.0, 1, 1000)
    theirs = {}
    for name, (model, priors) in models.items():
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            fit = model(given, priors=priors)
            np.random.seed(1)
            fit.nested_sampling()
        theirs[name] = float(fit.logz.value) + float(np.sum(np.log(values)))
    for name in models:
        assert ours[name].log_evidence == pytest.approx(theirs[name], abs=2.0), (ours[name], theirs)
