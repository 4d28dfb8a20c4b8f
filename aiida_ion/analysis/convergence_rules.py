"""The target and the budget of runs that go on until they are good enough, and how errors and hops grow with time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from aiida_ion.analysis.diffusion import MAX_N_EFF_LAG_FRACTION
from aiida_ion.units import CM2_S_PER_A2_PS

QUANTITIES = ("tracer_diffusivity", "ionic_conductivity")
#: Of the time that the law of errors asks for: an error is itself known to about a third, and a round too many costs
#: more than a few steps too many.
SAFETY = 1.2
#: No run knows D better than this, so that no step is spent on less.
LEAST_ERROR = 0.05
#: A round makes a run at most so many times as long: early errors are rough, the next round knows more, and what
#: overshoots is lost: 80 % of what a run needs with a factor of three on average, 40 % with one of two.
MAX_GROWTH = 2.0
#: And at least so many times: each round starts a job, and a fit over everything.
MIN_GROWTH = 1.25


@dataclass(frozen=True)
class StopRule:
    """When it is good enough, and when it is too much.

    :param target_relative_error: of D at each temperature, or the standard deviation of ln sigma at the target one.
    :param target_quantity: ``tracer_diffusivity`` or ``ionic_conductivity``.
    :param max_time_ps: longest a run may get, ps.
    :param max_rounds: rounds at most, the first included.
    :param max_total_time_ps: length of all runs together at most, ps.
    :param target_temperature_K: where the conductivity is wanted, K.
    :param equilibration_ps: what the analysis leaves out of each run, ps.
    :param min_n_eff: effective hops below which there is no diffusivity.
    :param jump_distance_A: distance between neighbouring sites, angstrom.
    :param min_temperatures: temperatures that must have moved for a line.
    """

    target_relative_error: float
    target_quantity: str = "tracer_diffusivity"
    max_time_ps: float = 500.0
    max_rounds: int = 8
    max_total_time_ps: float | None = None
    target_temperature_K: float = 300.0
    equilibration_ps: float = 0.0
    min_n_eff: float = 10.0
    jump_distance_A: float = 3.0
    min_temperatures: int = 3

    def __post_init__(self) -> None:
        if not self.target_relative_error > 0:
            raise ValueError(f"target_relative_error must be above zero, got {self.target_relative_error!r}")
        if self.target_quantity not in QUANTITIES:
            raise ValueError(f"target_quantity must be {' or '.join(QUANTITIES)}, got {self.target_quantity!r}")
        if not self.max_time_ps > self.equilibration_ps:
            raise ValueError(f"max_time_ps = {self.max_time_ps!r} leaves nothing after equilibration")
        if self.max_rounds < 1:
            raise ValueError(f"max_rounds must be at least one, got {self.max_rounds!r}")
        if self.max_total_time_ps is not None and not self.max_total_time_ps > 0:
            raise ValueError(f"max_total_time_ps must be above zero, got {self.max_total_time_ps!r}")

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> StopRule:
        """Build from a mapping that may hold more than this."""
        known = {item.name for item in fields(cls)}
        return cls(**{key: value for key, value in settings.items() if key in known})

    def analysed_ps(self, time_ps: float) -> float:
        """What the analysis has of a run of this length, ps."""
        return max(time_ps - self.equilibration_ps, 0.0)


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
    """Length, ps, at which runs with N ions in all would see so many effective hops."""
    return rule.equilibration_ps + n_eff / expected_hops(diffusivity_cm2_s, n_ions, rule.equilibration_ps + 1.0, rule)
