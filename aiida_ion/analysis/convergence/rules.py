"""How errors and hops grow with the length of runs, and how much longer a run is made at a time."""

from __future__ import annotations

import math

from aiida_ion.analysis.convergence.targets import StopRule
from aiida_ion.analysis.diffusion.analyse import MAX_N_EFF_LAG_FRACTION
from aiida_ion.units import CM2_S_PER_A2_PS

#: Of the time that the law of errors asks for: an error is itself known to about a third, and a round too many costs
#: more than a few steps too many.
SAFETY = 1.2
#: No run knows D better than this, so that no step is spent on less.
LEAST_ERROR = 0.05
#: A round makes a run at most this many times as long: early errors are rough, the next round knows more, and what
#: overshoots is lost: 80 % of what a run needs with a factor of three on average, 40 % with one of two.
MAX_GROWTH = 2.0
#: And at least this many times: each round starts a job, and a fit over everything.
MIN_GROWTH = 1.25


def needed_time_ps(time_ps: float, error: float, rule: StopRule) -> float:
    """Length at which a run should know D well enough, ps: the error falls as one over the root of what is analysed."""
    factor = SAFETY * (error / rule.target_relative_error) ** 2
    return rule.equilibration_ps + factor * rule.analysed_ps(time_ps)


def expected_hops(diffusivity_cm2_s: float, n_ions: int, time_ps: float, rule: StopRule) -> float:
    """Effective hops N 6 D (0.7 t) / a^2 that runs of this length would see, N ions in all."""
    if not math.isfinite(diffusivity_cm2_s):
        return math.inf
    lag_ps = MAX_N_EFF_LAG_FRACTION * rule.analysed_ps(time_ps)
    return n_ions * 6.0 * diffusivity_cm2_s / CM2_S_PER_A2_PS * lag_ps / rule.jump_distance_A**2


def time_for_hops(n_eff: float, diffusivity_cm2_s: float, n_ions: int, rule: StopRule) -> float:
    """Length, ps, at which runs with N ions in all would see this many effective hops."""
    return rule.equilibration_ps + n_eff / expected_hops(diffusivity_cm2_s, n_ions, rule.equilibration_ps + 1.0, rule)
