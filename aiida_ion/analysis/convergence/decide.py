"""Decide after a round of runs: which temperatures have converged, which continue and for how long, which stop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from aiida_ion.analysis.convergence.conductivity import ExtensionPlan, Known, plan_conductivity
from aiida_ion.analysis.convergence.rules import (
    MAX_GROWTH,
    MIN_GROWTH,
    expected_hops,
    needed_time_ps,
)
from aiida_ion.analysis.convergence.targets import StopRule

__all__ = ["Outlook", "Round", "Step", "StopRule", "decide"]

#: Reasons to stop without convergence, the most important first.
SHORTCOMINGS = ("budget", "not_diffusive", "no_gain", "melted", "exploded", "left_training", "refused", "failed")


@dataclass(frozen=True)
class Outlook:
    """State of one temperature after a round.

    :param temperature_K: target temperature of the runs, K.
    :param time_ps: length of each of its runs so far, ps.
    :param n_runs: number of runs that can continue.
    :param n_ions: mobile ions in all of them.
    :param diffusivity_cm2_s: tracer diffusivity, cm^2/s; ``None`` without detected diffusion or a usable fit.
    :param relative_error: its relative standard deviation.
    :param upper_bound_cm2_s: upper bound where no diffusion was detected, cm^2/s.
    :param n_eff: effective hops.
    :param measured_temperature_K: measured mean, K; the target if unknown.
    :param refused_because: reason to exclude the result from all fits, which a longer run may resolve.
    :param ended: ``melted``, ``exploded``, ``left_training``, ``refused`` or ``failed`` where a longer run cannot help.
    :param ended_because: the reason, in a sentence.
    """

    temperature_K: float
    time_ps: float
    n_runs: int = 1
    n_ions: int = 1
    diffusivity_cm2_s: float | None = None
    relative_error: float | None = None
    upper_bound_cm2_s: float | None = None
    n_eff: float | None = None
    measured_temperature_K: float | None = None
    refused_because: str | None = None
    ended: str | None = None
    ended_because: str | None = None

    @property
    def measured(self) -> bool:
        """Whether there is a diffusivity that can be fitted."""
        return self.diffusivity_cm2_s is not None and bool(self.relative_error) and self.refused_because is None


@dataclass(frozen=True)
class Step:
    """Next step of one temperature: ``extend`` to ``next_time_ps``, ``wait``, or ``stop`` for a reason.

    Reasons to stop are ``converged``, ``budget``, ``not_diffusive``, ``no_gain``, ``melted``, ``exploded``,
    ``left_training``, ``refused`` and ``failed``.
    """

    temperature_K: float
    time_ps: float
    action: str
    reason: str | None
    message: str
    next_time_ps: float | None = None


@dataclass(frozen=True)
class Round:
    """The decision after a round.

    :param steps: one for each temperature, in the order given.
    :param reason: why everything stops; ``None`` while any temperature continues.
    :param relative_error: error of the target quantity: the largest of D among the temperatures that count, or the
        standard deviation of ln sigma at the target temperature; ``None`` if unknown.
    """

    steps: list[Step]
    reason: str | None
    relative_error: float | None


def decide(outlooks: Sequence[Outlook], rule: StopRule, number: int) -> Round:
    """Decide the next step of each temperature.

    :param outlooks: the state of each temperature.
    :param rule: the target and the budget.
    :param number: number of rounds completed, at least one.
    :raises ValueError: for no temperature.
    """
    if not outlooks:
        raise ValueError("a decision needs at least one temperature")
    if rule.target_quantity == "ionic_conductivity":
        steps, error = _for_conductivity(outlooks, rule)
    else:
        steps, error = [_for_diffusivity(outlook, rule) for outlook in outlooks], _largest_error(outlooks)
    steps = _within_budget(outlooks, steps, rule, number)
    return Round(steps, None if any(step.action == "extend" for step in steps) else _overall(steps), error)


def _for_diffusivity(outlook: Outlook, rule: StopRule) -> Step:
    """The decision on a temperature when D at each temperature is the target."""
    if outlook.ended is not None:
        return _ended(outlook)
    if not outlook.measured:
        return _without_a_value(outlook, rule)
    error = outlook.relative_error or math.inf
    text = f"D is known to {error:.0%}, the target is {rule.target_relative_error:.0%}"
    if error <= rule.target_relative_error:
        return _stop(outlook, "converged", f"{text}.")
    return _extend(outlook, rule, needed_time_ps(outlook.time_ps, error, rule), text)


def _without_a_value(outlook: Outlook, rule: StopRule) -> Step:
    """Continue where a bound or a refused result may become a value."""
    if outlook.refused_because is not None:
        return _extend(outlook, rule, math.inf, f"Refused so far: {outlook.refused_because.rstrip('.')}")
    reachable = _reachable_hops(outlook, rule)
    text = (
        f"The bound allows {reachable:.1f} effective hops in max_time_ps = {rule.max_time_ps:g}, but "
        f"{rule.min_n_eff:g} are needed."
    )
    if reachable < rule.min_n_eff:
        return _stop(outlook, "not_diffusive", text)
    return _extend(outlook, rule, math.inf, "No diffusion has been detected yet")


def _reachable_hops(outlook: Outlook, rule: StopRule) -> float:
    """Effective hops that the bound allows within the budget."""
    bound = math.inf if outlook.upper_bound_cm2_s is None else outlook.upper_bound_cm2_s
    return expected_hops(bound, outlook.n_ions, rule.max_time_ps, rule)


def _for_conductivity(outlooks: Sequence[Outlook], rule: StopRule) -> tuple[list[Step], float | None]:
    """The decision where only the conductivity at the target temperature counts."""
    plan = plan_conductivity([_known(outlook) for outlook in outlooks], rule)
    if plan.error is not None and plan.error <= rule.target_relative_error:
        message = f"ln sigma is known to {plan.error:.2g}, the target is {rule.target_relative_error:g}."
        steps = [_ended(item) if item.ended else _stop(item, "converged", message) for item in outlooks]
        return steps, plan.error
    if plan.error is None:
        return _more_temperatures(outlooks, rule), None
    return [_planned(item, plan, rule) for item in outlooks], plan.error


def _planned(outlook: Outlook, plan: ExtensionPlan, rule: StopRule) -> Step:
    if outlook.ended is not None:
        return _ended(outlook)
    text = f"ln sigma is known to {plan.error:.2g}, the target is {rule.target_relative_error:g}"
    planned_ps = plan.times_ps.get(outlook.temperature_K)
    if planned_ps is not None:
        return _extend(outlook, rule, planned_ps, text)
    if outlook.time_ps >= rule.max_time_ps:
        return _stop(outlook, "budget", f"{text}, and max_time_ps = {rule.max_time_ps:g} is used up.")
    if not outlook.measured and outlook.refused_because is None and _reachable_hops(outlook, rule) < rule.min_n_eff:
        return _without_a_value(outlook, rule)
    if not plan.times_ps:
        return _stop(outlook, "no_gain", f"{text}, and more steps at any temperature would not lower it.")
    return Step(outlook.temperature_K, outlook.time_ps, "wait", None, f"{text}; other temperatures reduce it more.")


def _more_temperatures(outlooks: Sequence[Outlook], rule: StopRule) -> list[Step]:
    """No line yet: temperatures that may become diffusive continue until enough are diffusive."""
    steps = [
        _ended(item)
        if item.ended
        else Step(item.temperature_K, item.time_ps, "wait", None, "D is known; there is no line yet.")
        if item.measured
        else _without_a_value(item, rule)
        for item in outlooks
    ]
    moved = sum(item.measured for item in outlooks)
    going_on = sum(step.action == "extend" for step in steps)
    if moved + going_on >= rule.min_temperatures:
        return steps
    message = (
        f"{moved + going_on} temperatures are or can become diffusive, {rule.min_temperatures} are needed for a "
        f"conductivity at {rule.target_temperature_K:g} K."
    )
    return [
        step if step.action == "stop" else replace(step, action="stop", reason="no_gain", message=message)
        for step in steps
    ]


def _known(outlook: Outlook) -> Known:
    return Known(
        temperature_K=outlook.temperature_K,
        measured_temperature_K=outlook.measured_temperature_K or outlook.temperature_K,
        time_ps=outlook.time_ps,
        n_runs=outlook.n_runs,
        n_ions=outlook.n_ions,
        diffusivity_cm2_s=outlook.diffusivity_cm2_s if outlook.measured else None,
        relative_error=outlook.relative_error if outlook.measured else None,
        n_eff=outlook.n_eff,
        can_go_on=outlook.ended is None,
    )


def _ended(outlook: Outlook) -> Step:
    return _stop(outlook, outlook.ended or "failed", outlook.ended_because or "The runs cannot continue.")


def _stop(outlook: Outlook, reason: str, message: str) -> Step:
    return Step(outlook.temperature_K, outlook.time_ps, "stop", reason, message)


def _extend(outlook: Outlook, rule: StopRule, wanted_ps: float, text: str) -> Step:
    """Continue to a time, within the limits of a round and a run."""
    if outlook.time_ps * (1.0 + 1e-9) >= rule.max_time_ps:
        return _stop(outlook, "budget", f"{text}, and max_time_ps = {rule.max_time_ps:g} is used up.")
    next_ps = min(max(wanted_ps, MIN_GROWTH * outlook.time_ps), MAX_GROWTH * outlook.time_ps, rule.max_time_ps)
    if rule.max_time_ps < MIN_GROWTH * next_ps:
        next_ps = rule.max_time_ps  # too little would remain for another round
    return Step(outlook.temperature_K, outlook.time_ps, "extend", None, f"{text}.", next_ps)


def _within_budget(outlooks: Sequence[Outlook], steps: list[Step], rule: StopRule, number: int) -> list[Step]:
    """Stop runs beyond the last round, and share the remaining total time among the others."""
    n_runs = [item.n_runs for item in outlooks]
    added = [
        count * ((step.next_time_ps or step.time_ps) - step.time_ps) for count, step in zip(n_runs, steps, strict=True)
    ]
    if not any(added):
        return steps
    if number >= rule.max_rounds:
        return _all_stopped(steps, f"max_rounds = {rule.max_rounds} are used up.")
    if rule.max_total_time_ps is None:
        return steps
    left = rule.max_total_time_ps - sum(count * step.time_ps for count, step in zip(n_runs, steps, strict=True))
    share = left / sum(added)
    if share >= 1.0:
        return steps
    going_on = sum(count * step.time_ps for count, step in zip(n_runs, steps, strict=True) if step.action == "extend")
    if left < (MIN_GROWTH - 1.0) * going_on:
        return _all_stopped(steps, f"max_total_time_ps = {rule.max_total_time_ps:g} is used up.")
    return [_shared(step, share) for step in steps]


def _shared(step: Step, share: float) -> Step:
    if step.next_time_ps is None:
        return step
    return replace(step, next_time_ps=step.time_ps + share * (step.next_time_ps - step.time_ps))


def _all_stopped(steps: list[Step], because: str) -> list[Step]:
    """Stop everything that continues because the budget is used up."""
    return [
        step
        if step.action == "stop"
        else replace(step, action="stop", reason="budget", next_time_ps=None, message=f"{step.message} {because}")
        for step in steps
    ]


def _largest_error(outlooks: Sequence[Outlook]) -> float | None:
    return max((item.relative_error or 0.0 for item in outlooks if item.measured), default=None)


def _overall(steps: Sequence[Step]) -> str:
    """The overall reason: the most important shortcoming, or converged if there is none."""
    reasons = {step.reason for step in steps}
    return next((word for word in SHORTCOMINGS if word in reasons), "converged")
