from __future__ import annotations

from typing import Any

import pytest
from aiida import orm

from aiida_ion.units import S_PER_HOUR
from aiida_ion.workchains.student.loop import has_diverged, next_step, survival
from aiida_ion.workchains.student.parameters import CHECK, StudentParameters
from aiida_ion.workchains.student.runs import pick_settings, seen, share

SURVIVED = {"has_exploded": False, "ended": "survived"}
PARAMETERS = StudentParameters(max_temperature_K=1000.0, max_loops=3, max_cpu_hours=1.0)


def run(ended: str = "survived") -> dict[str, Any]:
    return {"ended": ended, "survived_ps": 5.0 if ended == "survived" else 1.25, "length_ps": 5.0}


def loop(*ended: str, stage: str = "explore", training: int = 1, mae: float = 0.05) -> dict[str, Any]:
    return {
        "stage": stage,
        "training": training,
        "force_mae_eV_A": mae,
        "target_eV_A": 0.06,
        "runs": [run(word) for word in ended],
    }


@pytest.mark.parametrize(
    ("last", "cpu_s", "expected"),
    [
        (loop("survived", "survived"), 0.0, "run_longer"),
        (loop("survived", "survived", stage="accept"), 0.0, "accepted"),
        (loop("survived", "exploded", stage="accept"), 0.0, "retrain"),
        (loop("survived", "close_pair"), 0.0, "retrain"),
        (loop("survived", "survived", mae=0.07), 0.0, "retrain"),
        (loop("survived", "survived", stage="accept", mae=0.07), 0.0, "retrain"),
        (loop("exploded", training=3), 0.0, "out_of_loops"),
        (loop("exploded"), S_PER_HOUR, "out_of_budget"),
        # What passes is accepted however much it took.
        (loop("survived", stage="accept", training=9), 9 * S_PER_HOUR, "accepted"),
    ],
)
def test_a_loop_decides(last: dict[str, Any], cpu_s: float, expected: str) -> None:
    assert next_step([last], cpu_s, PARAMETERS) == expected


def test_errors_that_grow_end_the_loop() -> None:
    history = [loop("exploded", mae=0.1), loop("exploded", mae=0.05, training=2), loop("exploded", mae=0.11)]
    assert next_step(history, 0.0, PARAMETERS) == "diverged"
    assert not has_diverged([0.1, 0.05, 0.09], 2.0)
    assert not has_diverged([0.1], 2.0)


def test_how_runs_ended_is_said_in_a_few_words() -> None:
    assert survival([run(), run("exploded")]) == "5 of 5 ps, 1.25 of 5 ps (exploded)"


def test_the_last_frames_of_an_explosion_are_labelled() -> None:
    exploded = {"has_exploded": True, "ended": "exploded"}
    assert pick_settings(exploded, [], 5, PARAMETERS) == {"last": 4, "spread": 5, "indices": {}}
    assert pick_settings(SURVIVED, [], 5, PARAMETERS)["last"] == 0
    stopped = {"has_exploded": False, "ended": "close_pair"}
    assert pick_settings(stopped, [], 5, PARAMETERS)["last"] == 4


def test_flagged_frames_are_labelled_but_not_all_of_a_long_row() -> None:
    flagged = [{"segment": index // 20, "frame": index % 20} for index in range(40)]
    chosen = pick_settings(SURVIVED, flagged, 0, PARAMETERS)
    assert chosen["indices"] == {"trajectory_000": [0, 10], "trajectory_001": [0, 10]}
    assert pick_settings(SURVIVED, flagged[7:8], 0, PARAMETERS)["indices"] == {"trajectory_000": [7]}


def watch(*reasons: str) -> orm.ArrayData:
    node = orm.ArrayData()
    flagged = [
        {"reason": reason, "pair": "Li-N", "value": 1.2, "bound": 1.3, "step": 100 * row, "segment": 0, "frame": row}
        for row, reason in enumerate(reasons, 1)
    ]
    counts = {reason: reasons.count(reason) for reason in reasons}
    node.base.attributes.set_many({"flagged": flagged, "flagged_by": counts})
    return node


def test_a_close_pair_ends_a_run_and_new_surroundings_do_not() -> None:
    survived = run() | {"timestep_fs": 2.0}
    new = seen(survived, watch("environment", "environment"))
    assert (new["ended"], new["n_flagged"], new["flagged_by"]) == ("survived", 2, {"environment": 2})
    close = seen(survived, watch("environment", "closest_pair"))
    assert (close["ended"], close["survived_ps"], close["pair"]) == ("close_pair", 0.4, "Li-N")
    stopped = seen(run("close_pair") | {"timestep_fs": 2.0}, watch("closest_pair"))
    assert (stopped["ended"], stopped["distance_A"], stopped["has_exploded"]) == ("close_pair", 1.2, False)
    exploded = seen(run("exploded") | {"timestep_fs": 2.0}, watch("closest_pair"))
    assert (exploded["ended"], exploded["survived_ps"]) == ("exploded", 1.25)


def test_shares_add_up() -> None:
    assert share(12, 3) == [4, 4, 4]
    assert share(4, 3) == [2, 1, 1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"explore_ps": 200.0}, "explore_ps must not be above acceptance_ps"),
        ({"n_test_steps": 14}, "n_test_steps is 14: the teacher's test has fewer than 4 frames, one in 5 steps"),
        ({"explore_ps": 0.001}, "explore_ps is shorter than"),
        ({"max_loop": 3}, "max_loops"),
        ({"teacher_temperature_ratio": 10.0}, "teacher_temperature_ratio"),
    ],
)
def test_parameters_that_cannot_be_used_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StudentParameters.from_dict({"max_temperature_K": 1000.0, **changes})


def test_no_two_runs_have_one_seed() -> None:
    loops = (0, 1, 2, 100, CHECK)
    seeds = [
        StudentParameters(max_temperature_K=1000.0, seed=seed).seed_of(loop, number)
        for seed in (1, 2)
        for loop in loops
        for number in range(20)
    ]
    assert len(set(seeds)) == 2 * len(loops) * 20


def test_runs_have_whole_frames() -> None:
    parameters = StudentParameters(max_temperature_K=1000.0, explore_ps=0.1, timestep_fs=2.0, student_sample_every=7)
    assert parameters.n_student_steps("explore") == 49
    assert parameters.student_temperature_K == pytest.approx(1100.0)
