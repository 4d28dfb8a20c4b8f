"""The decision after each round: who continues and how long, who stops and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from aiida_ion.analysis.convergence.conductivity import variance_at_target
from aiida_ion.analysis.convergence.decide import Outlook, Step, StopRule, decide
from aiida_ion.analysis.convergence.rules import MAX_GROWTH, MIN_GROWTH, SAFETY, expected_hops, needed_time_ps
from aiida_ion.units import BOLTZMANN_EV_K

RULE = StopRule(target_relative_error=0.2, max_time_ps=500.0, equilibration_ps=5.0)
SIGMA = replace(RULE, target_quantity="ionic_conductivity", target_relative_error=0.5)
#: D of a good conductor over temperature: 0.25 eV.
PREFACTOR_CM2_S, ENERGY_EV = 1e-3, 0.25


def measured(temperature_K: float, error: float, time_ps: float = 20.0, **more: Any) -> Outlook:
    diffusivity = PREFACTOR_CM2_S * float(np.exp(-ENERGY_EV / (BOLTZMANN_EV_K * temperature_K)))
    known = Outlook(temperature_K, time_ps, n_ions=40, diffusivity_cm2_s=diffusivity, relative_error=error, n_eff=60.0)
    return replace(known, **more)


def bound(temperature_K: float, upper_cm2_s: float, time_ps: float = 20.0, **more: Any) -> Outlook:
    return replace(Outlook(temperature_K, time_ps, n_ions=40, upper_bound_cm2_s=upper_cm2_s, n_eff=1.0), **more)


def one(outlook: Outlook, rule: StopRule = RULE, number: int = 1) -> Step:
    return decide([outlook], rule, number).steps[0]


def test_what_is_known_well_enough_stops() -> None:
    decision = decide([measured(800, 0.15), measured(900, 0.2)], RULE, 1)
    assert [step.reason for step in decision.steps] == ["converged", "converged"]
    assert (decision.reason, decision.relative_error) == ("converged", 0.2)


def test_the_error_falls_as_one_over_the_root_of_what_is_analysed() -> None:
    step = one(measured(800, 0.25))
    assert step.action == "extend"
    assert step.next_time_ps == pytest.approx(5.0 + SAFETY * 15.0 * 1.25**2)
    assert needed_time_ps(20.0, 0.4, RULE) == pytest.approx(5.0 + SAFETY * 60.0)


def test_a_round_grows_a_run_neither_too_much_nor_too_little() -> None:
    assert one(measured(800, 5.0)).next_time_ps == pytest.approx(MAX_GROWTH * 20.0)
    assert one(measured(800, 0.201)).next_time_ps == pytest.approx(MIN_GROWTH * 20.0)
    assert one(measured(800, 5.0, 400.0)).next_time_ps == 500.0
    # What would be left for another round is taken at once.
    assert one(measured(800, 0.2001 * np.sqrt(2), 210.0)).next_time_ps == 500.0


def test_the_budget_of_a_run_ends_it() -> None:
    decision = decide([measured(800, 0.3, 500.0), measured(900, 0.1, 20.0)], RULE, 3)
    assert [step.reason for step in decision.steps] == ["budget", "converged"]
    assert decision.reason == "budget"
    assert "max_time_ps = 500 is used up" in decision.steps[0].message


def test_the_last_round_is_the_last() -> None:
    decision = decide([measured(800, 0.3), measured(900, 0.1)], RULE, RULE.max_rounds)
    assert [step.reason for step in decision.steps] == ["budget", "converged"]
    assert "max_rounds = 8" in decision.steps[0].message


def test_the_budget_of_all_runs_is_shared_and_then_used_up() -> None:
    runs = [measured(800, 5.0, n_runs=2), measured(900, 5.0)]
    rule = replace(RULE, max_total_time_ps=120.0)
    decision = decide(runs, rule, 1)  # 60 ps are used, 120 asked for, 60 are left
    assert [step.next_time_ps for step in decision.steps] == pytest.approx([40.0, 40.0])
    over = decide(runs, replace(RULE, max_total_time_ps=70.0), 1)
    assert over.reason == "budget"
    assert all("max_total_time_ps = 70" in step.message for step in over.steps)


def test_where_even_the_bound_promises_too_few_hops_nothing_more_is_run() -> None:
    just_enough = RULE.min_n_eff / expected_hops(1.0, 40, RULE.max_time_ps, RULE)
    assert one(bound(600, 0.99 * just_enough)).reason == "not_diffusive"
    assert one(bound(600, 1.01 * just_enough)).next_time_ps == pytest.approx(MAX_GROWTH * 20.0)
    assert one(bound(600, 1.01 * just_enough, 500.0)).reason == "budget"


@pytest.mark.parametrize("ended", ["melted", "exploded", "refused", "failed"])
@pytest.mark.parametrize("rule", [RULE, SIGMA])
def test_what_no_time_can_cure_stops_and_the_others_go_on(ended: str, rule: StopRule) -> None:
    hot = measured(1000, 0.9, ended=ended, ended_because="The framework moved.", refused_because="The framework moved.")
    decision = decide([hot, *(measured(temperature, 0.4) for temperature in (600, 700, 800))], rule, 1)
    assert (decision.steps[0].reason, decision.steps[0].message) == (ended, "The framework moved.")
    assert any(step.action == "extend" for step in decision.steps[1:])
    assert decision.reason is None


def test_what_a_check_refuses_gets_more_time() -> None:
    step = one(measured(800, 0.1, refused_because="The fits disagree."))
    assert (step.action, step.next_time_ps) == ("extend", pytest.approx(MAX_GROWTH * 20.0))
    assert "The fits disagree" in step.message


def test_the_variance_at_the_target_is_that_of_least_squares() -> None:
    temperatures = np.array([600.0, 800.0, 1000.0])
    x = 1.0 / (BOLTZMANN_EV_K * temperatures)
    errors = np.array([0.3, 0.2, 0.1])
    generator = np.random.default_rng(1)
    at_target = []
    for _ in range(4000):
        slope, intercept = np.polyfit(x, generator.normal(0.0, errors), 1, w=1.0 / errors)
        at_target.append(intercept + slope / (BOLTZMANN_EV_K * SIGMA.target_temperature_K))
    expected = np.sqrt(variance_at_target(list(x), errors**2, SIGMA))
    assert np.std(at_target) == pytest.approx(expected, rel=0.05)
    # A temperature that says nothing changes nothing.
    more = variance_at_target([*x, 5.0], [*errors**2, np.inf], SIGMA)
    assert np.sqrt(more) == pytest.approx(expected)


def test_steps_go_where_they_lower_the_error_of_the_conductivity_most() -> None:
    runs = [measured(600, 0.4), measured(800, 0.15), measured(1000, 0.15)]
    decision = decide(runs, SIGMA, 1)
    assert decision.relative_error is not None
    assert decision.relative_error > 0.5
    steps = {step.temperature_K: step for step in decision.steps}
    # The lowest temperature is nearest the target and known worst; the middle one says little about the slope.
    assert steps[600].action == "extend"
    assert steps[800].action == "wait"
    enough = decide([replace(run, relative_error=0.05) for run in runs], SIGMA, 2)
    assert {step.reason for step in enough.steps} == {"converged"}
    assert enough.relative_error is not None
    assert enough.relative_error < 0.5


def test_runs_that_cost_twice_as_much_get_fewer_steps() -> None:
    runs = [measured(600, 0.4), measured(700, 0.3), measured(1000, 0.3)]
    costly = [replace(runs[0], n_runs=4), *runs[1:]]
    rule = replace(SIGMA, target_relative_error=1.0)

    def total(outlooks: list[Outlook]) -> float:
        return sum((step.next_time_ps or step.time_ps) for step in decide(outlooks, rule, 1).steps[1:])

    assert total(costly) > total(runs)


def test_a_temperature_that_the_line_promises_too_little_of_is_left_alone() -> None:
    line = [measured(temperature, 0.3) for temperature in (700, 850, 1000)]
    hopeless = bound(300, 1e-5)
    assert decide([hopeless, *line], SIGMA, 1).steps[0].action == "wait"
    promising = decide([bound(600, 1e-5), *line], SIGMA, 1)
    assert promising.steps[0].action == "extend"


def test_without_a_line_only_what_may_still_move_goes_on() -> None:
    decision = decide([bound(600, 1e-5), measured(800, 0.9), measured(1000, 0.1)], SIGMA, 1)
    assert [step.action for step in decision.steps] == ["extend", "wait", "wait"]
    assert decision.relative_error is None
    never = decide([bound(600, 1e-9), measured(800, 0.9), measured(1000, 0.1)], SIGMA, 1)
    assert [step.reason for step in never.steps] == ["not_diffusive", "no_gain", "no_gain"]
    assert never.reason == "not_diffusive"


def test_a_target_beyond_what_any_run_knows_is_given_up() -> None:
    rule = replace(SIGMA, target_relative_error=0.01, max_time_ps=1e6)
    decision = decide([measured(temperature, 0.05, 1e4) for temperature in (600, 800, 1000)], rule, 1)
    assert decision.reason == "no_gain"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"target_relative_error": 0.0}, "target_relative_error must be a number above 0"),
        ({"target_quantity": "haven_ratio"}, "one of tracer_diffusivity, ionic_conductivity, got"),
        ({"max_time_ps": 5.0}, "leaves nothing after equilibration"),
        ({"max_rounds": 0}, "max_rounds must be a whole number from 1"),
        ({"max_total_time_ps": 0.0}, "max_total_time_ps must be a number above 0"),
    ],
)
def test_impossible_rules_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(RULE, **wrong)


def test_no_temperature_is_no_question() -> None:
    with pytest.raises(ValueError, match="at least one temperature"):
        decide([], RULE, 1)
