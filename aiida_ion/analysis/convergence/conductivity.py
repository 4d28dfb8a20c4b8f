"""Where more steps reduce the error of the conductivity at the target temperature most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.arrhenius.fit import SAME_TEMPERATURE_K
from aiida_ion.analysis.convergence.rules import LEAST_ERROR, SAFETY, expected_hops, time_for_hops
from aiida_ion.analysis.convergence.targets import StopRule
from aiida_ion.units import BOLTZMANN_EV_K

FloatArray = npt.NDArray[np.float64]

#: A plan consists of moves, each of which lengthens one run by this fraction of its analysed time.
MOVE = 0.1
#: A temperature without a value is planned for if the line predicts this many times `min_n_eff` hops.
HOP_MARGIN = 2.0
#: Smallest relative reduction of the variance that counts as a gain.
LEAST_GAIN = 1e-6


@dataclass(frozen=True)
class Known:
    """One temperature, with or without a value.

    :param temperature_K: target temperature of the runs, K; ``measured_temperature_K`` is their mean.
    :param time_ps: length of each of its runs, ps.
    :param n_runs: number of runs, with ``n_ions`` mobile ions in total.
    :param diffusivity_cm2_s: cm^2/s; ``None`` without a value.
    :param relative_error: its relative error, the standard deviation of ln D.
    :param n_eff: effective hops.
    :param can_go_on: whether its runs can be extended.
    """

    temperature_K: float
    measured_temperature_K: float
    time_ps: float
    n_runs: int
    n_ions: int
    diffusivity_cm2_s: float | None
    relative_error: float | None
    n_eff: float | None
    can_go_on: bool


class ExtensionPlan(NamedTuple):
    """Current standard deviation of ln sigma (``None`` without a line), and the planned lengths of the runs, ps."""

    error: float | None
    times_ps: dict[float, float]


def plan_conductivity(known: Sequence[Known], rule: StopRule) -> ExtensionPlan:
    """Lengthen, move by move, the run whose steps reduce the variance of ln sigma most, until the target is met.

    :param known: all temperatures.
    :param rule: the target and the budget.
    """
    points = [item for item in known if item.diffusivity_cm2_s is not None]
    if _n_different([item.measured_temperature_K for item in points]) < rule.min_temperatures:
        return ExtensionPlan(None, {})
    candidates = points + _promising([item for item in known if item.diffusivity_cm2_s is None], points, rule)
    now = _variances(points, len(candidates))
    error = float(np.sqrt(variance_at_target([_x(item) for item in points], now[: len(points)], rule)))
    times = _lengthened(candidates, now, rule, rule.target_relative_error**2 / SAFETY)
    longer = {
        item.temperature_K: time_ps
        for item, time_ps in zip(candidates, times, strict=True)
        if time_ps > item.time_ps * (1.0 + 1e-9)
    }
    return ExtensionPlan(error, longer if error > rule.target_relative_error else {})


def variance_at_target(x: Sequence[float], variances: Sequence[float] | FloatArray, rule: StopRule) -> float:
    """Variance of ln D, and so of ln sigma, at the target temperature by weighted least squares.

    ln D = ln D0 - Ea x with x = 1/(k_B T): (1, x*) (X^T W X)^-1 (1, x*)^T, W the inverse variances of ln D. A
    temperature with infinite variance has no weight.

    :param x: 1/eV, (n,).
    :param variances: of ln D, (n,).
    """
    weights = 1.0 / np.asarray(variances, dtype=float)
    places = np.asarray(x, dtype=float)
    total = weights.sum()
    centre = float(weights @ places) / total
    spread = float(weights @ (places - centre) ** 2)
    distance = 1.0 / (BOLTZMANN_EV_K * rule.target_temperature_K) - centre
    return float(1.0 / total + distance**2 / spread)


def _x(item: Known) -> float:
    return 1.0 / (BOLTZMANN_EV_K * item.measured_temperature_K)


def _promising(bounds: Sequence[Known], points: Sequence[Known], rule: StopRule) -> list[Known]:
    """Temperatures without a value where the line predicts enough hops within the budget, with its diffusivity."""
    x = np.array([_x(item) for item in points])
    logs = np.log([item.diffusivity_cm2_s or np.nan for item in points])
    errors = [max(item.relative_error or 0.0, LEAST_ERROR) for item in points]
    slope, intercept = np.polyfit(x, logs, 1, w=1.0 / np.array(errors))
    promising = []
    for item in bounds:
        diffusivity = float(np.exp(intercept + slope * _x(item)))
        enough_ps = time_for_hops(HOP_MARGIN * rule.min_n_eff, diffusivity, item.n_ions, rule)
        if item.can_go_on and enough_ps <= rule.max_time_ps:
            promising.append(replace(item, diffusivity_cm2_s=diffusivity, relative_error=None))
    return promising


def _variances(points: Sequence[Known], n_candidates: int) -> FloatArray:
    """Current variance of ln D at each candidate; infinite where there is no value yet."""
    values = [max(item.relative_error or 0.0, LEAST_ERROR) ** 2 for item in points]
    return np.array(values + [np.inf] * (n_candidates - len(points)))


def _lengthened(candidates: Sequence[Known], now: FloatArray, rule: StopRule, goal: float) -> list[float]:
    """Lengths, ps, at which the goal is met, or beyond which no move reduces the variance."""
    x = [_x(item) for item in candidates]
    times = [item.time_ps for item in candidates]
    variances = now.copy()
    scatter = _error_per_hop(candidates)
    while (current := variance_at_target(x, variances, rule)) > goal:
        best: tuple[float, int, float, float] | None = None
        for index, item in enumerate(candidates):
            time_ps = _next_time(item, times[index], rule)
            if time_ps is None:
                continue
            trial = variances.copy()
            trial[index] = _predicted(item, time_ps, scatter, rule)
            gain = current - variance_at_target(x, trial, rule)
            per_step = gain / (item.n_runs * (time_ps - times[index]))
            if gain > LEAST_GAIN * current and (best is None or per_step > best[0]):
                best = (per_step, index, time_ps, float(trial[index]))
        if best is None:
            break
        _, index, times[index], variances[index] = best
    return times


def _next_time(item: Known, time_ps: float, rule: StopRule) -> float | None:
    """Length after the next move, ps; ``None`` if the run cannot be extended."""
    if not item.can_go_on or time_ps >= rule.max_time_ps:
        return None
    further = time_ps + MOVE * max(rule.analysed_ps(time_ps), MOVE * rule.max_time_ps)
    if item.relative_error is None and item.diffusivity_cm2_s is not None:
        enough = time_for_hops(HOP_MARGIN * rule.min_n_eff, item.diffusivity_cm2_s, item.n_ions, rule)
        further = max(further, enough)
    return min(further, rule.max_time_ps)


def _predicted(item: Known, time_ps: float, scatter: float, rule: StopRule) -> float:
    """Predicted variance of ln D for runs of this length."""
    if item.relative_error is not None:
        part = rule.analysed_ps(item.time_ps) / rule.analysed_ps(time_ps)
        return float(max(item.relative_error**2 * part, LEAST_ERROR**2))
    hops = expected_hops(item.diffusivity_cm2_s or 0.0, item.n_ions, time_ps, rule)
    return float(max(scatter**2 / hops, LEAST_ERROR**2))


def _error_per_hop(candidates: Sequence[Known]) -> float:
    """Median of relative error times the root of effective hops over the measured temperatures; at least one."""
    errors = [
        item.relative_error * np.sqrt(item.n_eff)
        for item in candidates
        if item.relative_error is not None and item.n_eff
    ]
    return max(1.0, float(np.median(errors))) if errors else 1.0


def _n_different(temperatures_K: Sequence[float]) -> int:
    ordered = sorted(temperatures_K)
    return sum(index == 0 or after - ordered[index - 1] > SAME_TEMPERATURE_K for index, after in enumerate(ordered))
