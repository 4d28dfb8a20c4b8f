"""How far a running conductivity is: temperatures done of those planned, and when its runs will have ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiida import orm

from aiida_ion.dashboards.overview.running import _stage, running
from aiida_ion.queries.running import activity
from aiida_ion.queries.running.temperatures import RunTimes, TemperatureProgress, temperature_progress
from tests.queries.nodes import called, chain, output

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def run(pk: int, temperature: int, begun_min: float, lasted_min: float | None) -> RunTimes:
    """Return a run that began so many minutes ago."""
    begin = NOW - timedelta(minutes=begun_min)
    end = None if lasted_min is None else begin + timedelta(minutes=lasted_min)
    return RunTimes(pk, f"T_{temperature:04d}K", begin, end)


def test_runs_that_wait_take_as_long_as_those_that_ended() -> None:
    begun = (run(1, 900, 60, 20), run(2, 800, 60, 40), run(3, 700, 10, None))
    known = TemperatureProgress(1, 5, 5, begun)
    assert (known.n_done, known.n_ended) == (2, 2)
    # 20 more minutes of the one that runs, then two of 30 minutes, one at a time.
    assert known.seconds_left(NOW, {}) == pytest.approx(60 * (20 + 2 * 30))
    # It says that it needs 50 more: all three last (20 + 40 + 60) / 3 minutes on average.
    assert known.seconds_left(NOW, {3: 3000.0}) == pytest.approx(60 * (50 + 2 * 40))
    both = TemperatureProgress(1, 5, 5, (*begun[:1], run(2, 800, 10, None), run(3, 700, 10, None)))
    assert both.seconds_left(NOW, {}) == pytest.approx(60 * (10 + 10 + 2 * 20) / 2)
    # It takes longer than the one that ended: nobody knows how much.
    late = TemperatureProgress(1, 3, 3, (run(1, 900, 60, 20), run(2, 800, 90, None)))
    assert late.seconds_left(NOW, {}) is None
    assert late.seconds_left(NOW, {2: 600.0}) == pytest.approx(600 + 60 * (20 + 100) / 2)


def test_the_page_says_how_long_it_takes() -> None:
    ended, running_now = run(1, 900, 60, 20), run(2, 800, 10, None)
    for begun, words in (
        ((ended, running_now), "left, until"),
        ((ended, run(2, 800, 55, None)), "longer than the runs that have ended"),
        ((ended, run(2, 800, 60, 20)), "its runs have ended"),
    ):
        assert words in str(_stage("", TemperatureProgress(1, 2, 2, begun), NOW, {}))
    assert "left" not in str(_stage("", TemperatureProgress(1, 2, 2, (running_now,)), NOW, {}))


def test_a_temperature_is_done_when_all_its_seeds_are_and_nothing_is_said_before_a_pace_is_known() -> None:
    two_seeds = TemperatureProgress(1, 2, 4, (run(1, 900, 9, 3), run(2, 800, 9, 3), run(3, 900, 6, 3)))
    assert (two_seeds.n_done, two_seeds.n_ended) == (1, 3)
    begun = TemperatureProgress(1, 3, 3, (run(1, 900, 9, None),))
    assert begun.seconds_left(NOW, {}) is None
    assert begun.seconds_left(NOW, {1: 60.0}) == pytest.approx(60 + 2 * 600)
    assert TemperatureProgress(1, 1, 1, (run(1, 900, 9, 9),)).seconds_left(NOW, {}) == 0.0


def planned(temperatures: list[float], seeds: list[int]) -> Any:
    """Return a stored work chain that is to run these."""
    made = chain(state="waiting")
    parameters = orm.Dict({"temperatures_K": temperatures, "seeds": seeds}).store()
    made.base.links.add_incoming(parameters, link_type=_input(), link_label="parameters")
    return made.store()


def _input() -> Any:
    from aiida.common.links import LinkType

    return LinkType.INPUT_WORK


@pytest.mark.usefixtures("aiida_profile_clean")
def test_runs_of_the_newest_round_are_counted() -> None:
    caller = planned([900.0, 800.5, 700.0], [1, 2])
    for label, state in (
        ("md_T_0900K_seed_1", "finished"),
        ("md_T_0900K_seed_2", "finished"),
        ("md_T_0800_50K_seed_1", "excepted"),
        ("md_T_0700K_seed_1", "waiting"),
    ):
        called(caller, chain("ion.md.mlip", state), label).store()
    called(caller, chain("ion.relax", "finished"), "relax").store()
    (known,) = temperature_progress([int(caller.pk)]).values()
    assert (known.round_number, known.n_temperatures, known.n_runs) == (1, 3, 6)
    assert (known.n_done, known.n_ended, len(known.runs)) == (1, 3, 4)
    shown = str(running(activity.running(), read=False))
    assert "1 of 3 temperatures, 3 of 6 runs" in shown

    decision = orm.CalcFunctionNode()
    decision.base.attributes.set("function_name", "decide_extensions")
    called(caller, decision, "decide").store()
    lengths = [{"next_time_ps": 20.0, "n_runs": 2}, {"next_time_ps": None, "n_runs": 2}, {"next_time_ps": 9.0}]
    output(decision, orm.Dict(), "result", {"round": 1, "temperatures": lengths})
    called(caller, chain("ion.md.mlip", "waiting"), "md_T_0700K_seed_1_round_2").store()
    (known,) = temperature_progress([int(caller.pk)]).values()
    assert (known.round_number, known.n_temperatures, known.n_runs, known.n_ended) == (2, 2, 3, 0)
    assert "0 of 2 temperatures, 0 of 3 runs, extended, round 2" in str(running(activity.running(), read=False))


@pytest.mark.usefixtures("aiida_profile_clean")
def test_inputs_that_cannot_be_read_have_no_progress() -> None:
    assert temperature_progress([]) == {}
    damaged, fresh = planned("<b>", [1]), planned([900.0], [1])  # type: ignore[arg-type]
    found = temperature_progress([int(damaged.pk), int(fresh.pk)])
    assert list(found) == [fresh.pk] and found[fresh.pk].n_done == 0
    assert "0 of 1 temperatures" in str(running(activity.running(), read=False))
