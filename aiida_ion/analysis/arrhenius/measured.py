"""Fill in a result with enough diffusive temperatures: the line, its caveats, and its prediction at the target."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import numpy.typing as npt
from scipy import stats

from aiida_ion.analysis.arrhenius import influence
from aiida_ion.analysis.arrhenius import laws as laws_of
from aiida_ion.analysis.arrhenius.bound import BOUND_CONFIDENCE
from aiida_ion.analysis.arrhenius.laws import Law
from aiida_ion.analysis.arrhenius.members import MembersOfLine
from aiida_ion.analysis.arrhenius.posterior import Observations, straight_line
from aiida_ion.analysis.arrhenius.priors import Priors
from aiida_ion.analysis.arrhenius.result import GAUSSIAN95, ArrheniusResult
from aiida_ion.analysis.conductivity import ionic_conductivity_mS_cm
from aiida_ion.analysis.diffusion.result import interval95
from aiida_ion.units import BOLTZMANN_EV_K
from aiida_ion.verdicts import MEASURED, POORLY_KNOWN, is_too_wide, too_wide

FloatArray = npt.NDArray[np.float64]
#: Charge, e, and number density, per angstrom^3, of the mobile ion; ``None`` where there is no conductivity.
Ions = tuple[float, float] | None

#: p-value below which a straight line is questionable.
MIN_P_VALUE = 0.01
#: Draws at the target are kept within this of their value, in decades.
LARGEST_DECADES = 25.0
WORDS = {laws_of.VOGEL_FULCHER_TAMMANN: "a Vogel-Fulcher-Tammann law", laws_of.TWO_BRANCH: "a line with a bend"}


def fill_measured(
    result: ArrheniusResult,
    data: Observations,
    priors: Priors,
    n_different: int,
    ions: Ions,
    seed: int,
    n_samples: int,
    members: MembersOfLine | None = None,
) -> None:
    """Fill in the line, whether it is straight, its robustness, and the prediction at the target.

    :param members: of an ensemble: the data are their means, with their own errors.
    """
    laws: dict[str, Law] = {}
    if n_different >= laws_of.MIN_TEMPERATURES_TO_BEND:
        laws = laws_of.fit_laws(data, priors, result.target_temperature_K, seed, n_samples)
        _fill_laws(result, laws)
    else:
        result.preferred_law, result.averaged_over_laws = laws_of.ARRHENIUS, False
        result.curvature_reason = (
            f"Diffusion was detected at {n_different} different temperatures; {laws_of.MIN_TEMPERATURES_TO_BEND} are "
            "needed to tell a curved law from a straight one."
        )
    data = _fill_line(result, data, priors, seed, n_samples)
    _fill_influence(result, data, priors)
    _fill_distance(result)
    target_K = result.target_temperature_K
    if result.averaged_over_laws:
        draws = laws_of.averaged(laws, seed)
        shift = None if members is None else _fill_members(result, members, draws, seed)
        _fill_averaged(result, draws, priors, ions, shift)
    else:
        draws = np.log10(result.diffusivity_samples_cm2_s(target_K))
        shift = None if members is None else _fill_members(result, members, draws, seed)
        _fill_target(result, draws, float(draws.mean()), ions, shift)


def _fill_members(result: ArrheniusResult, members: MembersOfLine, draws: FloatArray, seed: int) -> FloatArray:
    """Add the error that the choice of members leaves to the line; return that of log10 D at the target, (n,).

    :param draws: of log10 D at the target, with the errors of the members alone.
    """
    assert result.activation_energy_samples_eV is not None and result.log10_prefactor_samples_cm2_s is not None
    finite = draws[np.isfinite(draws)]
    low, high = interval95(finite) if len(finite) else (np.nan, np.nan)
    at_target = members.at(result.target_temperature_K)
    result.members = {
        "within_members_std_decades": (high - low) / (2.0 * GAUSSIAN95),
        "between_members_std_decades": _decades(at_target.between_of_mean) if members.sampling.is_measured else None,
        "member_std_decades": _decades(at_target.between) if members.sampling.is_measured else None,
    }
    result.member_arrays = members.arrays(result.target_temperature_K, result.activation_energy_samples_eV, draws)
    energies, middles = members.draws(len(result.activation_energy_samples_eV), seed)
    result.activation_energy_samples_eV = result.activation_energy_samples_eV + energies
    log10_d0 = (middles + energies * members.pivot) / np.log(10.0)
    result.log10_prefactor_samples_cm2_s = result.log10_prefactor_samples_cm2_s + log10_d0
    result.activation_energy_ci95_eV = low, high = interval95(result.activation_energy_samples_eV)
    result.activation_energy_std_eV = (high - low) / (2.0 * GAUSSIAN95)
    result.log10_prefactor_ci95_cm2_s = interval95(result.log10_prefactor_samples_cm2_s)
    exponent = energies / (BOLTZMANN_EV_K * result.target_temperature_K * np.log(10.0))
    shift: FloatArray = np.clip(log10_d0 - exponent, -LARGEST_DECADES, LARGEST_DECADES)
    return shift


def _decades(variance: FloatArray) -> float:
    """Return the standard deviation of log10 of what has this variance of its natural logarithm."""
    return float(np.sqrt(variance[0]) / np.log(10.0))


def _fill_laws(result: ArrheniusResult, laws: dict[str, Law]) -> None:
    result.log_evidences = {name: law.log_evidence for name, law in laws.items()}
    result.log_odds_of_curvature = laws_of.log_odds_of_curvature(laws)
    name = result.preferred_law = laws_of.preferred_law(laws)
    result.averaged_over_laws = bool(result.log_odds_of_curvature >= np.log(laws_of.DOUBTFUL_ODDS))
    if not result.averaged_over_laws:
        return
    odds = np.exp(min(result.log_odds_of_curvature, np.log(1e6)))
    likely = f"curved laws are {odds:.2g} times as likely as a straight line"
    averaged = f"the result at {result.target_temperature_K:g} K is averaged over the laws"
    if name == laws_of.ARRHENIUS:
        result.warnings.append(f"The law may be curved: {likely}, and {averaged}.")
        return
    for parameter, draws in laws[name].parameters.items():
        quantity, _, unit = parameter.rpartition("_")
        setattr(result, parameter, float(np.median(draws)))
        setattr(result, f"{quantity}_ci95_{unit}", interval95(draws))
    result.warnings.append(
        f"The law is curved: {WORDS[name]} describes the temperatures best, {likely}, and {averaged}. The activation "
        "energy is a mean over the measured range."
    )


def _fill_line(result: ArrheniusResult, data: Observations, priors: Priors, seed: int, n_samples: int) -> Observations:
    """Fill in the straight line; return the data with the errors used in the fit."""
    line = straight_line(data, priors)
    (energy, intercept), _ = line.moments(0.0)
    residuals = (data.ln_d - intercept + energy / (BOLTZMANN_EV_K * data.temperature_K)) / data.std
    result.chi2, result.degrees_of_freedom = float(residuals @ residuals), len(data.ln_d) - 2
    result.p_value = float(stats.chi2.sf(result.chi2, result.degrees_of_freedom))
    result.arrhenius_consistent = bool(result.p_value > MIN_P_VALUE)
    result.error_scale = 1.0
    if not result.arrhenius_consistent and not result.averaged_over_laws:
        result.error_scale = float(np.sqrt(result.chi2 / result.degrees_of_freedom))
        data = data._replace(std=data.std * result.error_scale)
        line = straight_line(data, priors)
        result.warnings.append(
            f"The temperatures scatter about a straight line by more than their errors (p = {result.p_value:.1g}), "
            f"which were therefore multiplied by {result.error_scale:.1f}: look for a transition, a melt, or runs that "
            "are too short."
        )
    energies, ln_d0 = line.draws(n_samples, np.random.default_rng(seed))
    log10_d0 = ln_d0 / np.log(10.0)
    result.activation_energy_samples_eV, result.log10_prefactor_samples_cm2_s = energies, log10_d0
    result.activation_energy_eV, result.activation_energy_std_eV = float(energies.mean()), float(energies.std(ddof=1))
    result.activation_energy_ci95_eV = interval95(energies)
    result.log10_prefactor_cm2_s = float(log10_d0.mean())
    result.log10_prefactor_ci95_cm2_s = interval95(log10_d0)
    return data


def _fill_influence(result: ArrheniusResult, data: Observations, priors: Priors) -> None:
    whole = straight_line(data, priors)
    influences = influence.leave_one_out(data, priors, result.target_temperature_K, whole)
    energies = [entry.activation_energy_eV for entry in influences]
    diffusivities = [entry.log10_diffusivity_cm2_s for entry in influences]
    most = max(influences, key=lambda entry: abs(entry.shift_decades))
    result.leave_one_out = [asdict(entry) for entry in influences]
    result.leave_one_out_activation_energy_range_eV = (min(energies), max(energies))
    result.leave_one_out_log10_diffusivity_range_cm2_s = (min(diffusivities), max(diffusivities))
    result.most_influential_temperature_K = most.temperature_K
    result.largest_shift_decades, result.largest_shift_std = most.shift_decades, most.shift_std
    result.warnings += [
        f"{entry.temperature_K:.0f} K alone moves log10 D at {result.target_temperature_K:g} K by "
        f"{entry.shift_decades:+.2f} decades ({abs(entry.shift_std):.1f} of its standard deviations)."
        for entry in influences
        if entry.is_influential
    ]


def _fill_distance(result: ArrheniusResult) -> None:
    used, target = result.temperatures_used_K, result.target_temperature_K
    result.extrapolation_factor = min(used) / target
    result.extrapolation_leverage = influence.extrapolation_leverage(used, target)
    result.inverse_temperature_span_per_K = 1.0 / min(used) - 1.0 / max(used)


def _fill_averaged(
    result: ArrheniusResult, draws: FloatArray, priors: Priors, ions: Ions, shift: FloatArray | None = None
) -> None:
    """Fill in the average over the laws; there is no value where D vanishes in too many of the fits."""
    if np.mean(np.isneginf(draws)) < 0.5 * (1.0 - BOUND_CONFIDENCE):
        kept = np.isfinite(draws)
        shift = None if shift is None else shift[kept]
        _fill_target(result, draws[kept], float(np.median(draws[kept])), ions, shift)
        return
    draws = draws if shift is None else draws + shift
    result.reason = (
        f"The law is not a straight line, and in {np.mean(np.isneginf(draws)):.0%} of the fits the diffusivity "
        f"vanishes above {result.target_temperature_K:g} K: a value needs runs closer to it."
    )
    edge = float(np.quantile(draws, BOUND_CONFIDENCE, method="nearest"))
    if np.isfinite(edge):
        fill_upper_bound(result, 10.0**edge, priors, ions, "The remaining bound is too large to be useful for a solid.")


def fill_upper_bound(result: ArrheniusResult, bound: float, priors: Priors, ions: Ions, otherwise: str) -> None:
    """Fill in an upper bound of D at the target, cm^2/s; ``otherwise`` is the reason given if it is too large."""
    result.diffusivity_upper_bound_cm2_s = bound
    if ions is not None:
        result.ionic_conductivity_upper_bound_mS_cm = ionic_conductivity_mS_cm(
            bound, *ions, result.target_temperature_K
        )
    result.verdict = "bound"
    if bound > priors.uninformative_bound_cm2_s:
        result.verdict = "not_measurable"
        result.reason = f"{result.reason} {otherwise}"


def _fill_target(
    result: ArrheniusResult, draws: FloatArray, value: float, ions: Ions, shift: FloatArray | None = None
) -> None:
    """Fill in log10 D (cm^2/s) at the target and, by Nernst-Einstein, the conductivity.

    :param shift: what the choice of members of an ensemble adds to the draws; its tails are those of a Student
        distribution, so that the standard deviation is taken from the interval.
    """
    std = float(draws.std(ddof=1))
    if shift is not None:
        draws = draws + shift
        low, high = interval95(draws)
        std = (high - low) / (2.0 * GAUSSIAN95)
    low, high = interval95(draws)
    result.verdict = MEASURED
    if is_too_wide(high - low, result.max_interval_decades):
        result.verdict, result.reason = POORLY_KNOWN, too_wide(high - low, result.max_interval_decades)
    result.log10_diffusivity_samples_cm2_s = draws
    result.log10_diffusivity_cm2_s, result.log10_diffusivity_ci95_cm2_s = value, (low, high)
    if ions is None:
        return
    factor = float(np.log10(ionic_conductivity_mS_cm(1.0, *ions, result.target_temperature_K)))
    result.log10_ionic_conductivity_mS_cm = value + factor
    result.log10_ionic_conductivity_std_mS_cm = std
    result.log10_ionic_conductivity_ci95_mS_cm = interval95(draws + factor)
    low, high = np.percentile(draws + factor, [16.0, 84.0])
    result.log10_ionic_conductivity_ci68_mS_cm = (float(low), float(high))
