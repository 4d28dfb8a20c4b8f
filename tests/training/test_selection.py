"""Thinning and splits: nothing that was nearly seen tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from aiida_ion.training.correlation import correlation_time_fs, force_autocorrelation
from aiida_ion.training.frames import SPLITS
from aiida_ion.training.runs import LabelledRun
from aiida_ion.training.selection import Selection, select
from aiida_ion.training.settings import DatasetSettings
from aiida_ion.training.splitting import block_splits, closest_splits_fs
from tests.training.md import labelled, run_md

LONG = labelled(run_md())


def chosen(sources: list[LabelledRun], **settings: Any) -> Selection:
    keys = [f"trajectory_{number:03d}" for number in range(len(sources))]
    return select(sources, keys, DatasetSettings.from_dict(settings))


def times_of(sources: list[LabelledRun], selection: Selection) -> Any:
    pairs = zip(selection.source, selection.row, strict=True)
    return np.array([sources[number].times_fs[row] for number, row in pairs])


def artificial(correlation_fs: float, n: int = 2000, spacing_fs: float = 10.0) -> LabelledRun:
    """Forces of an Ornstein-Uhlenbeck process, whose autocorrelation is known: exp(-t/tau)."""
    rng = np.random.default_rng(5)
    decay = np.exp(-spacing_fs / correlation_fs)
    forces = np.zeros((n, 8, 3))
    for row in range(1, n):
        forces[row] = decay * forces[row - 1] + np.sqrt(1 - decay**2) * rng.normal(size=(8, 3))
    base = labelled(run_md(n_frames=120)).rows(np.zeros(n, dtype=int))
    return replace(base, forces=forces, times_fs=spacing_fs * np.arange(n), frames=np.arange(n))


def test_the_correlation_time_is_that_of_the_process() -> None:
    assert correlation_time_fs(artificial(120.0)) == pytest.approx(120.0, rel=0.1)
    assert force_autocorrelation(artificial(120.0).forces, 6) == pytest.approx(np.exp(-0.5), abs=0.05)
    assert correlation_time_fs(LONG.rows(np.array([0, 1, 5, 30]))) is None


def test_frames_are_as_far_apart_as_the_forces_remember() -> None:
    slow, fast = artificial(120.0), artificial(20.0)
    for run, least in ((slow, 100.0), (fast, 50.0)):
        times = times_of([run], selection := chosen([run]))
        assert np.diff(times).min() >= selection.strides_fs[0] - 1e-6
        assert selection.strides_fs[0] >= least
    assert chosen([fast]).strides_fs[0] == 50.0
    assert np.diff(times_of([fast], chosen([fast], stride_fs=30.0))).min() == 30.0


def test_segments_of_one_run_are_thinned_together() -> None:
    parts = [LONG.rows(np.arange(0, 200)), LONG.rows(np.arange(200, 400))]
    together = np.sort(times_of(parts, chosen(parts)))
    assert np.diff(together).min() >= 50.0
    assert chosen(parts).split_rule == "by_block"


def test_blocks_have_gaps_of_two_correlation_times() -> None:
    run = artificial(120.0)
    selection = chosen([run])
    times, split = times_of([run], selection), selection.split
    assert closest_splits_fs(times, split) >= 2 * 0.9 * 120.0
    shares = [(split == number).sum() / len(split) for number in range(3)]
    assert shares == pytest.approx([0.7, 0.1, 0.2], abs=0.05)
    assert list(selection.block) == [0] * (split == 0).sum() + [1] * (split == 1).sum() + [2] * (split == 2).sum()
    assert sum(selection.left_out.values()) + len(split) == len(run)


def test_a_short_run_cannot_be_split_in_blocks() -> None:
    assert set(block_splits(np.arange(0.0, 300.0, 50.0), 200.0)) == {-1}
    with pytest.raises(ValueError, match="two gaps of .* add longer runs .* interpolated"):
        chosen([LONG.rows(np.arange(60))])


def runs(*temperatures: float | None) -> list[LabelledRun]:
    rows = np.arange(0, 400, 20)
    return [replace(LONG.rows(rows), run=number, temperature_K=kelvin) for number, kelvin in enumerate(temperatures)]


@pytest.mark.parametrize(
    ("temperatures", "settings", "expected"),
    [
        ([300, 600, 900], {}, ["validation", "train", "test"]),
        ([300, 600, 900, 900], {}, ["validation", "train", "test", "test"]),
        ([300, 450, 600, 900], {}, ["train", "validation", "train", "test"]),
        ([300, 600, 900], {"test_temperature_K": 600}, ["validation", "test", "train"]),
        ([600, 600, 600, 600], {}, ["train", "validation", "train", "test"]),
        ([None, None, None], {}, ["validation", "train", "test"]),
    ],
)
def test_whole_runs_are_set_aside(temperatures: list[Any], settings: dict[str, Any], expected: list[str]) -> None:
    selection = chosen(runs(*temperatures), **settings)
    of_run = [{SPLITS[one] for one in selection.split[selection.source == number]} for number in range(len(expected))]
    assert of_run == [{name} for name in expected]
    assert selection.split_rule == "by_run"


def test_test_temperatures_must_exist_and_leave_something() -> None:
    with pytest.raises(ValueError, match="no run has the test temperature 500 K; choose from 300, 600, 900"):
        chosen(runs(300, 600, 900), test_temperature_K=500)
    with pytest.raises(ValueError, match="all runs but one"):
        chosen(runs(300, 900, 900), test_temperature_K=900)
    with pytest.raises(ValueError, match="needs at least 3"):
        chosen(runs(300, 900), test_temperature_K=900)


def test_random_splits_must_be_named() -> None:
    selection = chosen([LONG], split="interpolated")
    assert selection.split_rule == "interpolated"
    assert [(selection.split == number).sum() > 0 for number in range(3)] == [True] * 3
    assert (selection.split == chosen([LONG], split="interpolated").split).all()
    with pytest.raises(ValueError, match="random"):
        chosen([LONG], split="random")


def test_given_splits() -> None:
    sources = runs(600, 600, 600)
    names = {"trajectory_000": "by_block", "trajectory_001": "train", "trajectory_002": "validation"}
    selection = chosen(sources, split="given", splits=names)
    assert set(selection.split[selection.source == 0]) == {0, 1, 2}
    assert set(selection.split[selection.source == 1]) == {0}
    with pytest.raises(ValueError, match="splits lacks trajectory_002"):
        chosen(sources, split="given", splits={"trajectory_000": "train", "trajectory_001": "test"})
    one_run = [
        replace(source, run=0, times_fs=source.times_fs + 60.0 * number) for number, source in enumerate(sources)
    ]
    with pytest.raises(ValueError, match="fs apart"):
        chosen(one_run, split="given", splits=names | {"trajectory_000": "train"}, stride_fs=10.0)


def test_picked_frames_whose_split_is_given_are_all_used() -> None:
    first, second, _ = runs(600, 600, 600)
    crash = replace(LONG.rows(np.arange(10)), run=7, picked=True)
    sources = [first, second, crash]
    names = {"trajectory_000": "train", "trajectory_001": "validation", "trajectory_002": "train"}
    selection = chosen(sources, split="given", splits=names)
    assert (selection.source == 2).sum() == 10
    assert np.diff(times_of(sources, selection)[selection.source == 0]).min() >= 50.0
    unpicked = [first, second, replace(crash, picked=False)]
    assert (chosen(unpicked, split="given", splits=names).source == 2).sum() == 1


def test_a_run_too_short_for_blocks_trains() -> None:
    short = replace(LONG.rows(np.arange(60)), run=1)
    selection = chosen([LONG, short])
    assert set(selection.split[selection.source == 1]) == {0}
    assert set(selection.split[selection.source == 0]) == {0, 1, 2}


def test_max_frames_keeps_every_split() -> None:
    selection = chosen([artificial(20.0)], max_frames=20)
    assert len(selection.split) <= 20
    assert set(selection.split) == {0, 1, 2}
    assert selection.left_out["more than max_frames"] > 100
