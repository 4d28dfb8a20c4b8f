"""Which labelled frames a dataset has, and which of them train, validate and test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from aiida_ion.training.correlation import correlation_time_fs, stride_fs
from aiida_ion.training.runs import LabelledRun
from aiida_ion.training.settings import BY_BLOCK, DatasetSettings
from aiida_ion.training.splitting import BETWEEN, assign_splits

#: Rounding error of a stored time, fs.
TIME_NOISE_FS = 1e-6
CORRELATED = "closer in time than the stride"
BEYOND_MAXIMUM = "more than max_frames"
GAP = "in the gap between splits"


@dataclass(frozen=True)
class Selection:
    """The chosen frames, sorted by source and frame: n rows.

    :param source: shape (n,), index among the runs.
    :param row: shape (n,), row in that run.
    :param split: shape (n,), as in ``SPLITS``.
    :param block: shape (n,), number of the contiguous part of a run, of one split, that a frame belongs to.
    :param split_rule: what separates the splits.
    :param left_out: reason -> frames that were left out.
    :param correlation_fs: of each run, the decay of its forces; ``None`` where unknown.
    :param strides_fs: of each run, the least time between two of its frames.
    """

    source: NDArray[np.int64]
    row: NDArray[np.int64]
    split: NDArray[np.int8]
    block: NDArray[np.int64]
    split_rule: str
    left_out: dict[str, int] = field(default_factory=dict)
    correlation_fs: dict[int, float | None] = field(default_factory=dict)
    strides_fs: dict[int, float] = field(default_factory=dict)


def select(sources: Sequence[LabelledRun], keys: Sequence[str], settings: DatasetSettings) -> Selection:
    """Thin the frames of sources and split them.

    :param sources: the frames that can be used.
    :param keys: name of each source among the inputs.
    :raises ValueError: where no split is possible; the message says what to do.
    """
    correlation = {run: _of_run(sources, run) for run in sorted({one.run for one in sources})}
    strides = {
        run: settings.stride_fs or _stride(sources, keys, run, settings, correlation[run]) for run in correlation
    }
    left_out: Counter[str] = Counter()
    chosen: list[NDArray[np.int64]] = [np.zeros(0, dtype=np.int64) for _ in sources]
    for run, stride in strides.items():
        _thin([index for index, one in enumerate(sources) if one.run == run], sources, stride, chosen)
    left_out[CORRELATED] = sum(len(one) for one in sources) - sum(map(len, chosen))
    source = np.concatenate([np.full(len(rows), index) for index, rows in enumerate(chosen)]).astype(np.int64)
    row = np.concatenate(chosen)
    split, rule = assign_splits(sources, keys, source, row, settings, correlation)
    left_out[GAP] = int((split == BETWEEN).sum())
    source, row, split = source[split != BETWEEN], row[split != BETWEEN], split[split != BETWEEN]
    if settings.max_frames is not None and len(row) > settings.max_frames:
        kept = _evenly(split, settings.max_frames)
        left_out[BEYOND_MAXIMUM] = len(row) - len(kept)
        source, row, split = source[kept], row[kept], split[kept]
    block = _blocks(sources, source, row, split)
    counts = {reason: count for reason, count in left_out.items() if count}
    return Selection(source, row, split, block, rule, counts, correlation, strides)


def _of_run(sources: Sequence[LabelledRun], run: int) -> float | None:
    """Return the correlation time of a run: that of the longest of its segments."""
    segments = [one for one in sources if one.run == run]
    return correlation_time_fs(max(segments, key=len))


def _stride(
    sources: Sequence[LabelledRun], keys: Sequence[str], run: int, settings: DatasetSettings, time: float | None
) -> float:
    """Return the time between two frames of a run; none where all of them were picked, and their split is given."""
    segments = [(key, one) for key, one in zip(keys, sources, strict=True) if one.run == run]
    if all(one.picked and settings.splits.get(key, BY_BLOCK) != BY_BLOCK for key, one in segments):
        return 0.0
    return stride_fs(time)


def _thin(
    indices: Sequence[int], sources: Sequence[LabelledRun], stride: float, chosen: list[NDArray[np.int64]]
) -> None:
    """Choose frames of the segments of a run that are at least the stride apart."""
    last = -np.inf
    for index in sorted(indices, key=lambda one: float(sources[one].times_fs[0]) if len(sources[one]) else 0.0):
        rows = []
        for row, time in enumerate(sources[index].times_fs):
            if time - last >= stride - TIME_NOISE_FS:
                rows.append(row)
                last = float(time)
        chosen[index] = np.array(rows, dtype=np.int64)


def _evenly(split: NDArray[np.int8], most: int) -> NDArray[np.int64]:
    """Return which rows to keep: of each split its share, at least one, spread evenly."""
    kept = []
    for number in np.unique(split):
        rows = np.flatnonzero(split == number)
        share = max(1, int(most * len(rows) / len(split)))
        kept.append(rows[(2 * np.arange(share) + 1) * len(rows) // (2 * share)])
    return np.sort(np.concatenate(kept))


def _blocks(
    sources: Sequence[LabelledRun], source: NDArray[np.int64], row: NDArray[np.int64], split: NDArray[np.int8]
) -> NDArray[np.int64]:
    """Number the contiguous parts of runs that have one split."""
    block = np.zeros(len(row), dtype=np.int64)
    runs = np.array([sources[index].run for index in source], dtype=np.int64)
    times = np.array([sources[index].times_fs[number] for index, number in zip(source, row, strict=True)])
    count = 0
    for run in np.unique(runs):
        mine = np.flatnonzero(runs == run)
        mine = mine[np.argsort(times[mine], kind="stable")]
        changes = np.concatenate([[0], np.cumsum(np.diff(split[mine]) != 0)])
        block[mine] = count + changes
        count += int(changes[-1]) + 1
    return block
