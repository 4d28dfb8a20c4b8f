"""What a file says of its run, what the user says, and who wins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aiida_ion.trajectory_files.frames import FileFrames
from aiida_ion.trajectory_files.run_facts import RunFacts, complete_facts
from tests.trajectory_files.runs import FACTS


def frames(**facts: Any) -> FileFrames:
    return FileFrames(["Li"], np.zeros((2, 1, 3)), np.tile(np.eye(3), (2, 1, 1)), facts=facts)


@pytest.mark.parametrize(
    ("name", "stated", "words"),
    [
        ("timestep_fs", 1.0, "Time step: the file says 1 fs, --timestep-fs 2 fs"),
        ("sample_every", 5, "Steps between two frames: the file says 5, --sample-every 10"),
        ("target_temperature_K", 700.0, "Temperature: the file says 700 K, --temperature-K 800 K"),
    ],
)
def test_the_file_wins_unless_overridden(name: str, stated: float, words: str) -> None:
    facts, remarks = complete_facts(FACTS, [frames(**{name: stated})], ["a"])
    assert getattr(facts, name) == stated
    assert remarks == [f"WARNING: {words}; the file is used; --override-file uses the option."]
    facts, remarks = complete_facts(FACTS, [frames(**{name: stated})], ["a"], override_file=True)
    assert getattr(facts, name) == FACTS[name]
    assert remarks == [f"WARNING: {words}; the option is used (--override-file)."]


def test_the_level_of_theory_is_a_name_that_the_user_may_give() -> None:
    facts, remarks = complete_facts(FACTS, [frames(level_of_theory="VASP PBE")], ["a"])
    assert facts.level_of_theory == "LJ"
    assert remarks == ["Level of theory: the file says VASP PBE, --level-of-theory LJ; the option is used, as a name."]


def test_what_both_say_is_not_remarked_on() -> None:
    stated = frames(timestep_fs=2.0004, sample_every=10, target_temperature_K=800.0)
    assert complete_facts(FACTS, [stated], ["a"])[1] == []


def test_files_that_differ_are_refused_whoever_asks() -> None:
    parts = [frames(target_temperature_K=300.0), frames(target_temperature_K=800.0)]
    with pytest.raises(ValueError, match="--temperature-K: the files differ: 300, 800"):
        complete_facts(FACTS, parts, ["a", "b"])
    facts, _ = complete_facts(FACTS, parts, ["a", "b"], override_file=True)
    assert facts.target_temperature_K == 800.0


def test_what_nobody_says_is_asked_for() -> None:
    with pytest.raises(ValueError, match="give --temperature-K: a does not state it"):
        complete_facts(FACTS | {"target_temperature_K": None}, [frames()], ["a"])


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf"), 1e-300, 1e9])
@pytest.mark.parametrize("name", ["timestep_fs", "target_temperature_K"])
def test_what_no_run_has_is_refused_whoever_says_it(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be"):
        RunFacts(**(FACTS | {name: value}))
    with pytest.raises(ValueError, match=f"^a: according to the file, {name} must be"):
        complete_facts(FACTS, [frames(**{name: value})], ["a"])


def test_a_mean_temperature_far_from_the_target_is_named() -> None:
    for mean, count in ((805.0, 0), (557.0, 1)):
        assert len(complete_facts(FACTS, [frames(mean_temperature_K=mean)], ["a"])[1]) == count


def test_a_long_time_step_is_named() -> None:
    (remark,) = complete_facts(FACTS | {"timestep_fs": 20.0}, [frames()], ["a"])[1]
    assert "a time step of 20 fs is long for Li, which usually needs 2.6 fs" in remark
    assert complete_facts(FACTS | {"timestep_fs": 3.0}, [frames()], ["a"])[1] == []
