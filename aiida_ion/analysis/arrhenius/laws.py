"""Straight or curved: evidence for and predictions of the Arrhenius, Vogel-Fulcher-Tammann and two-branch laws.

The evidences are exact up to the grid: given T_0, or the temperature at which two branches meet, the law consists of
one or two lines, and only a sum over that temperature remains. kinisi obtains the same by nested sampling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from aiida_ion.analysis.arrhenius import posterior
from aiida_ion.analysis.arrhenius.posterior import Observations
from aiida_ion.analysis.arrhenius.priors import Priors

FloatArray = npt.NDArray[np.float64]

ARRHENIUS, VOGEL_FULCHER_TAMMANN, TWO_BRANCH = "arrhenius", "vogel_fulcher_tammann", "two_branch"
#: Number of grid values of T_0, or of the temperature at which the branches meet.
N_TEMPERATURES = 40
#: Odds of curved against straight above which a law is called curved ("strong", Kass and Raftery 1995),
DECISIVE_ODDS = 20.0
#: and above which the straight line is no longer extrapolated alone ("positive").
DOUBTFUL_ODDS = 3.0
#: Distinct diffusive temperatures needed to look for a bend.
MIN_TEMPERATURES_TO_BEND = 4


@dataclass(frozen=True)
class Law:
    """One law fitted to the data.

    :param name: ``arrhenius``, ``vogel_fulcher_tammann`` or ``two_branch``.
    :param log_evidence: natural logarithm of the evidence of the ln D data.
    :param parameters: draws of energies (eV) and temperatures (K), each (n,).
    :param log10_diffusivity_cm2_s: draws of log10 D at the target, cm^2/s, (n,); minus infinity where D vanishes.
    """

    name: str
    log_evidence: float
    parameters: dict[str, FloatArray]
    log10_diffusivity_cm2_s: FloatArray


def fit_laws(
    data: Observations, priors: Priors, target_temperature_K: float, seed: int, n_samples: int
) -> dict[str, Law]:
    """Fit the three laws; return them by name.

    :param data: at least two temperatures, all different.
    :raises ValueError: if the priors exclude the data.
    """
    laws = (
        _arrhenius(data, priors, target_temperature_K, seed, n_samples),
        _vogel_fulcher_tammann(data, priors, target_temperature_K, seed, n_samples),
        _two_branch(data, priors, target_temperature_K, seed, n_samples),
    )
    return {law.name: law for law in laws}


def log_odds_of_curvature(laws: dict[str, Law]) -> float:
    """Return the natural log of the Bayes factor of curved (both laws equally weighted) against straight."""
    curved = [laws[name].log_evidence for name in (VOGEL_FULCHER_TAMMANN, TWO_BRANCH)]
    return float(special.logsumexp(curved) - np.log(len(curved)) - laws[ARRHENIUS].log_evidence)


def preferred_law(laws: dict[str, Law]) -> str:
    """Return the straight line, or the likelier curved law if curvature is decisively more likely."""
    if log_odds_of_curvature(laws) < np.log(DECISIVE_ODDS):
        return ARRHENIUS
    return max((VOGEL_FULCHER_TAMMANN, TWO_BRANCH), key=lambda name: laws[name].log_evidence)


def averaged(laws: dict[str, Law], seed: int) -> FloatArray:
    """Return draws of log10 D at the target over all laws, weighted by their probabilities (equal priors), (n,)."""
    evidences = np.array([law.log_evidence for law in laws.values()])
    probabilities = special.softmax(evidences)
    draws = np.stack([law.log10_diffusivity_cm2_s for law in laws.values()])
    rows = np.random.default_rng(seed).choice(len(laws), draws.shape[1], p=probabilities)
    chosen: FloatArray = draws[rows, np.arange(draws.shape[1])]
    return chosen


def _arrhenius(data: Observations, priors: Priors, target_K: float, seed: int, n_samples: int) -> Law:
    line = posterior.straight_line(data, priors)
    energies, ln_d0 = line.draws(n_samples, np.random.default_rng(seed))
    x = float(posterior.inverse(np.array(target_K)))
    parameters = {"activation_energy_eV": energies, "log10_prefactor_cm2_s": ln_d0 / np.log(10.0)}
    return Law(ARRHENIUS, line.log_evidence, parameters, (ln_d0 - energies * x) / np.log(10.0))


def _vogel_fulcher_tammann(data: Observations, priors: Priors, target_K: float, seed: int, n_samples: int) -> Law:
    """D = D0 exp(-B / k_B (T - T_0)), T_0 uniform from zero to the lowest diffusive temperature."""
    zeros_K = _midpoints(0.0, float(data.temperature_K.min()))
    lines = [
        posterior.fit_line(posterior.make_branch(data, posterior.weighted_centre(data, zero_K), zero_K), priors)
        for zero_K in zeros_K
    ]
    evidences = np.array([line.log_evidence for line in lines])
    generator = np.random.default_rng(seed)
    chosen = posterior.draw_middles(evidences, n_samples, generator)
    energies, log10_d = np.empty(n_samples), np.full(n_samples, -np.inf)
    for index in np.unique(chosen):
        rows = np.flatnonzero(chosen == index)
        energies[rows], ln_d0 = lines[index].draws(len(rows), generator)
        if target_K > zeros_K[index]:
            x = float(posterior.inverse(np.array(target_K), zeros_K[index]))
            log10_d[rows] = (ln_d0 - energies[rows] * x) / np.log(10.0)
    parameters = {"vogel_energy_eV": energies, "vogel_temperature_K": zeros_K[chosen]}
    return Law(VOGEL_FULCHER_TAMMANN, _mean_evidence(evidences), parameters, log10_d)


def _two_branch(data: Observations, priors: Priors, target_K: float, seed: int, n_samples: int) -> Law:
    """Two lines that meet at a temperature, uniform between the lowest and the highest diffusive ones."""
    meetings_K = _midpoints(float(data.temperature_K.min()), float(data.temperature_K.max()))
    pairs = [_Pair.fit(data, priors, meeting_K) for meeting_K in meetings_K]
    evidences = np.array([pair.log_evidence for pair in pairs])
    generator = np.random.default_rng(seed)
    chosen = posterior.draw_middles(evidences, n_samples, generator)
    low, high, log10_d = np.empty(n_samples), np.empty(n_samples), np.empty(n_samples)
    for index in np.unique(chosen):
        rows, pair = np.flatnonzero(chosen == index), pairs[index]
        middles = posterior.draw_middles(pair.profile, len(rows), generator)
        low[rows] = posterior.draw_energies(pair.low, middles, generator)
        high[rows] = posterior.draw_energies(pair.high, middles, generator)
        energies = low[rows] if target_K < meetings_K[index] else high[rows]
        distance = posterior.inverse(np.array(target_K)) - posterior.inverse(meetings_K[index])
        log10_d[rows] = (pair.middles[middles] - energies * distance) / np.log(10.0)
    parameters = {
        "low_temperature_activation_energy_eV": low,
        "high_temperature_activation_energy_eV": high,
        "branch_temperature_K": meetings_K[chosen],
    }
    return Law(TWO_BRANCH, _mean_evidence(evidences), parameters, log10_d)


@dataclass(frozen=True)
class _Pair:
    """Two lines with the same ln D where they meet: (n,) middles with the energies of each."""

    middles: FloatArray
    low: posterior.EnergyGrid
    high: posterior.EnergyGrid
    log_evidence: float

    @property
    def profile(self) -> FloatArray:
        return self.low.profile + self.high.profile

    @classmethod
    def fit(cls, data: Observations, priors: Priors, meeting_K: float) -> _Pair:
        pivot = float(posterior.inverse(np.array(meeting_K)))
        cold = data.select(data.temperature_K < meeting_K, data.bound_temperature_K < meeting_K)
        hot = data.select(data.temperature_K >= meeting_K, data.bound_temperature_K >= meeting_K)
        first, last = posterior.first_middles(data.ln_d)
        for _ in range(posterior.N_REFINEMENTS + 1):
            middles = np.linspace(first, last, posterior.N_MIDDLES)
            low = posterior.energy_grid(posterior.make_branch(cold, pivot), middles, priors, bind_prefactor=False)
            high = posterior.energy_grid(posterior.make_branch(hot, pivot), middles, priors)
            profile = low.profile + high.profile
            first, last = posterior.refined(middles, profile)
        width = priors.max_activation_energy_eV - priors.min_activation_energy_eV
        volume = posterior.prior_volume(priors) + np.log(width)
        evidence = float(posterior.log_sum(profile)) + np.log(middles[1] - middles[0]) - volume
        return cls(middles, low, high, float(evidence))


def _midpoints(low: float, high: float) -> FloatArray:
    return low + (np.arange(N_TEMPERATURES) + 0.5) * (high - low) / N_TEMPERATURES


def _mean_evidence(evidences: FloatArray) -> float:
    return float(posterior.log_sum(evidences) - np.log(len(evidences)))
