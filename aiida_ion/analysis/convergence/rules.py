"""How errors and hops scale with the length of runs, and by how much a run is extended at a time."""

from __future__ import annotations

import math

from aiida_ion.analysis.convergence.targets import StopRule
from aiida_ion.analysis.diffusion.analyse import MAX_N_EFF_LAG_FRACTION
from aiida_ion.units import CM2_S_PER_A2_PS

#: Safety factor on the required time: errors are known only to about a third, and an extra round costs more than a few
#: extra steps.
SAFETY = 1.2
#: Smallest error of D that runs are planned for.
LEAST_ERROR = 0.05
#: Largest growth of a run per round: early errors are rough, the next round knows more, and overshoot is wasted. On
#: average it is 80 % of the needed time with a factor of three, 40 % with a factor of two.
MAX_GROWTH = 2.0
#: Smallest growth per round, since each round costs a job and a full fit.
MIN_GROWTH = 1.25


def needed_time_ps(time_ps: float, error: float, rule: StopRule) -> float:
    """Length, ps, at which D should meet the target: its error falls with the inverse root of the analysed time."""
    factor = SAFETY * (error / rule.target_relative_error) ** 2
    return rule.equilibration_ps + factor * rule.analysed_ps(time_ps)


def expected_hops(diffusivity_cm2_s: float, n_ions: int, time_ps: float, rule: StopRule) -> float:
    """Expected effective hops N 6 D (0.7 t) / a^2 in runs of this length with N ions in total."""
    if not math.isfinite(diffusivity_cm2_s):
        return math.inf
    lag_ps = MAX_N_EFF_LAG_FRACTION * rule.analysed_ps(time_ps)
    return n_ions * 6.0 * diffusivity_cm2_s / CM2_S_PER_A2_PS * lag_ps / rule.jump_distance_A**2


def time_for_hops(n_eff: float, diffusivity_cm2_s: float, n_ions: int, rule: StopRule) -> float:
    """Length, ps, at which runs with N ions in total should show this many effective hops."""
    return rule.equilibration_ps + n_eff / expected_hops(diffusivity_cm2_s, n_ions, rule.equilibration_ps + 1.0, rule)
