"""The bookkeeping of runs: what counts of one that ended, and what of it reaches the decision."""

from __future__ import annotations

from aiida.orm.utils.serialize import deserialize_unsafe, serialize

from aiida_ion.workchains.conductivity.runs import (
    EXPLODED,
    LEFT_TRAINING,
    Run,
    RunResult,
    expand_runs,
    extend_runs,
    record_result,
    replicas_by_temperature,
    run_of,
    summarise_runs,
    temperature_label,
    total_steps,
)

#: Exit code of a run whose engine gave up.
GAVE_UP = 500


def fine(run: Run, pk: int, n_steps: int = 100) -> Run:
    return record_result(run, RunResult(pk, 0, None, has_state=True), n_steps)


def failed(run: Run, pk: int, exit_status: int, reason: str, n_steps: int = 300) -> Run:
    return record_result(run, RunResult(pk, exit_status, reason, has_state=False), n_steps)


def runs_of(temperatures_K: list[int], seeds: list[int]) -> list[Run]:
    return expand_runs({"temperatures_K": temperatures_K, "seeds": seeds}, 100)


def test_temperatures_label_outputs() -> None:
    assert temperature_label(800.0) == "T_0800K"
    assert temperature_label(312.5) == "T_0312_50K"


def test_the_hottest_run_of_each_seed_is_first_and_a_queued_one_is_found_again() -> None:
    runs = runs_of([700, 900, 800], [2, 1])
    assert [(run["seed"], run["temperature_K"]) for run in runs] == [(s, t) for s in (2, 1) for t in (900, 800, 700)]
    assert run_of(runs, {"temperature_K": 800.0, "seed": 1, "n_steps": 7, "pk": 3}) == 4


def test_what_explodes_later_is_dropped_whole_and_what_fails_keeps_its_frames() -> None:
    runs = [fine(run, pk) for pk, run in enumerate(runs_of([700, 800], [1, 2]))]
    assert replicas_by_temperature(runs) == {700.0: [[1], [3]], 800.0: [[0], [2]]}
    runs[0] = failed(runs[0], 10, EXPLODED, "it exploded")
    runs[1] = failed(runs[1], 11, GAVE_UP, "the node died")
    assert replicas_by_temperature(runs) == {700.0: [[1], [3]], 800.0: [[2]]}
    assert [run["n_steps"] for run in runs] == [100] * 4
    entries = {entry["temperature_K"]: entry for entry in summarise_runs(runs, 2.0, {})}
    assert (entries[800.0]["ended"], entries[800.0]["ended_because"]) == ("exploded", "it exploded")
    assert (entries[700.0]["ended"], entries[700.0]["ended_because"]) == ("failed", "the node died")


def test_a_run_that_left_the_training_frames_is_dropped_whole_and_said_so() -> None:
    runs = [fine(run, pk) for pk, run in enumerate(runs_of([800], [1, 2]))]
    runs[0] = failed(runs[0], 10, LEFT_TRAINING, "Li-N came too close")
    assert replicas_by_temperature(runs) == {800.0: [[1]]}
    (entry,) = summarise_runs(runs, 2.0, {})
    assert (entry["ended"], entry["ended_because"]) == ("left_training", "Li-N came too close")


def test_a_temperature_without_usable_runs_is_not_among_the_replicas() -> None:
    runs = runs_of([700, 10_000], [1])
    runs = [failed(runs[0], 1, EXPLODED, "it exploded"), fine(runs[1], 2)]
    assert replicas_by_temperature(runs) == {700.0: [[2]]}
    hottest = summarise_runs(runs, 2.0, {})[-1]
    assert (hottest["label"], hottest["ended"], hottest["n_runs"]) == ("T_10000K", "exploded", 1)


def test_a_seed_that_never_started_does_not_stop_the_others() -> None:
    runs = runs_of([700], [1, 2])
    runs = [failed(runs[0], 1, GAVE_UP, "no such code"), fine(runs[1], 2)]
    (entry,) = summarise_runs(runs, 2.0, {})
    assert "ended" not in entry
    assert (entry["n_runs"], entry["time_ps"]) == (1, 0.2)
    (entry,) = summarise_runs(runs, 2.0, {"T_0700K": "no window"})
    assert (entry["ended"], entry["ended_because"]) == ("failed", "no window")


def test_a_run_without_a_state_cannot_be_continued() -> None:
    (run,) = runs_of([700], [1])
    run = record_result(run, RunResult(1, 0, None, has_state=False), 100)
    (entry,) = summarise_runs([run], 2.0, {})
    assert entry["ended"] == "failed"
    assert "state" in entry["ended_because"]
    assert run["pks"] == [1]


def test_runs_end_with_a_frame_and_are_no_shorter_than_asked_for() -> None:
    assert total_steps(8.0, 2.0, 10) == 4000
    assert total_steps(8.001, 2.0, 10) == 4010
    assert total_steps(0.3, 0.1, 7) == 3003


def test_only_runs_that_have_not_ended_are_extended() -> None:
    runs = [fine(run, pk) for pk, run in enumerate(runs_of([700, 800], [1, 2]))]
    runs[0] = failed(runs[0], 10, GAVE_UP, "the node died")
    extended = extend_runs(runs, {800.0: 250})
    assert [(run["temperature_K"], run["seed"], run["n_steps"], run["pks"]) for run in extended] == [
        (800.0, 2, 250, [2])
    ]
    assert runs[2]["n_steps"] == 100, "a run is as long as what was run, until the next round has ended"
    after = fine(extended[0], 12, 250)
    assert (after["pks"], after["n_steps"]) == ([2, 12], 250)


def test_runs_survive_a_restart_of_the_daemon() -> None:
    runs = [fine(run, pk) for pk, run in enumerate(runs_of([700, 800], [1, 2]))]
    again = deserialize_unsafe(serialize({"runs": runs}))["runs"]
    assert again == runs
    assert extend_runs(again, {800.0: 250}) == extend_runs(runs, {800.0: 250})
