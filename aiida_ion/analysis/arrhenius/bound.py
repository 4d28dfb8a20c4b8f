"""Upper bounds from runs without detected diffusion, and at the target from too few diffusive temperatures."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aiida_ion.analysis.arrhenius.posterior import HOPS_TO_MEASURE
from aiida_ion.analysis.arrhenius.priors import Priors
from aiida_ion.analysis.diffusion.hops import poisson_upper_bound_cm2_s

#: Confidence of an upper bound at the target temperature.
BOUND_CONFIDENCE = 0.95
N_DRAWS = 20_000


def detection_bound_cm2_s(upper_bound_cm2_s: float, n_particles: int, time_ps: float, jump_distance_A: float) -> float:
    """Return the bound of a run that just fails to measure a diffusivity, cm^2/s.

    The bound for one hop fewer than are needed, or the run's own where vibration makes it larger.

    :param n_particles: number of mobile ions in all replicas.
    """
    hops = poisson_upper_bound_cm2_s(HOPS_TO_MEASURE - 1, n_particles, time_ps, jump_distance_A)
    return max(upper_bound_cm2_s, hops)


def bound_at_target(
    bounds: Iterable[tuple[float, float]], target_temperature_K: float, priors: Priors, seed: int
) -> float:
    """Return the 95 % upper bound of D at the target, cm^2/s.

    D <= D0 (D_bound / D0)^(T / T_target), with D0 from its prior and no negative activation energy.

    :param bounds: temperature, K, and upper bound of D, cm^2/s, for each temperature without detected diffusion.
    """
    log10_d0 = np.random.default_rng(seed).normal(
        priors.bound_log10_prefactor_mean, priors.bound_log10_prefactor_std, N_DRAWS
    )
    limits = []
    for temperature_K, bound in bounds:
        drop = np.minimum(0.0, np.log10(bound) - log10_d0)
        limits.append(log10_d0 + drop * max(1.0, temperature_K / target_temperature_K))
    return float(10.0 ** np.quantile(np.min(limits, axis=0), BOUND_CONFIDENCE))


def bound_assumption(priors: Priors) -> str:
    """Return a sentence on the assumptions of a bound at the target."""
    mean, std = priors.bound_log10_prefactor_mean, priors.bound_log10_prefactor_std
    default = Priors()
    is_default = (mean, std) == (default.bound_log10_prefactor_mean, default.bound_log10_prefactor_std)
    origin = "hops of 3 angstrom attempted 10^12 to 10^13 times a second" if is_default else "the given priors"
    return (
        f"The bound assumes a prefactor of log10 D0 = {mean:g} +- {std:g} (cm2/s), from {origin}, and an activation "
        "energy that is not negative and the same down to the target."
    )
