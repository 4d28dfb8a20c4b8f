"""Training, validation and test: by whole runs, by blocks of a run, as given, or at random where that is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from aiida_ion.training.frames import SPLITS
from aiida_ion.training.runs import LabelledRun
from aiida_ion.training.settings import BY_BLOCK, BY_RUN, GIVEN, INTERPOLATED, DatasetSettings
from aiida_ion.training.whole_runs import FEWEST_RUNS, SHARES, TEST, TRAIN, VALIDATION, Rows, Splits, by_run

#: The split of a frame that belongs to none, since it lies between two.
BETWEEN = -1
#: Least time between two splits of one run, and in units of the correlation time, fs.
LEAST_GAP_FS, GAP_CORRELATION_TIMES = 200.0, 2.0


def gap_fs(correlation_fs: float | None) -> float:
    """Return the time between two splits of one run, fs."""
    return max(LEAST_GAP_FS, GAP_CORRELATION_TIMES * (correlation_fs or 0.0))


def assign_splits(
    sources: Sequence[LabelledRun],
    keys: Sequence[str],
    source: Rows,
    row: Rows,
    settings: DatasetSettings,
    correlation_fs: Mapping[int, float | None],
) -> tuple[Splits, str]:
    """Return the split of each frame, :data:`BETWEEN` for none, and the rule.

    :param sources: the runs.
    :param keys: name of each source among the inputs.
    :param source: shape (n,), the source of each chosen frame.
    :param row: shape (n,), its row there.
    :param correlation_fs: of each run.
    :raises ValueError: where a split would be empty; the message says what to do.
    """
    runs = np.array([sources[index].run for index in source], dtype=np.int64)
    times = np.array([sources[index].times_fs[number] for index, number in zip(source, row, strict=True)])
    rule = settings.split or (BY_RUN if len(np.unique(runs)) >= FEWEST_RUNS else BY_BLOCK)
    if rule == BY_RUN:
        split = by_run(sources, runs, settings.test_temperature_K)
    elif rule == INTERPOLATED:
        split = _at_random(len(row), settings.seed)
    elif rule == GIVEN:
        split = _given(keys, source, runs, times, settings.splits, correlation_fs)
    else:
        if settings.test_temperature_K is not None:
            raise ValueError(
                f"{len(np.unique(runs))} runs: a test temperature needs at least {FEWEST_RUNS}; leave it out to split "
                "each run in blocks, or add runs"
            )
        split = _by_block(runs, times, correlation_fs)
    _check_filled(split, rule, sources, correlation_fs)
    return split, rule


def _by_block(runs: Rows, times: NDArray[np.float64], correlation_fs: Mapping[int, float | None]) -> Splits:
    """The first 70 % of each run train, a gap, 10 % validate, a gap, 20 % test; a run too short for that trains."""
    split = np.full(len(runs), TRAIN, dtype=np.int8)
    for run in np.unique(runs):
        mine = runs == run
        blocks = block_splits(times[mine], gap_fs(correlation_fs.get(int(run))))
        if {TRAIN, VALIDATION, TEST} <= set(blocks.tolist()):
            split[mine] = blocks
    return split


def block_splits(times: NDArray[np.float64], gap: float) -> Splits:
    """Return the splits of frames of one run.

    :param times: shape (n,), fs.
    :param gap: time between two splits, fs.
    """
    first, length = float(times.min()), float(np.ptp(times)) - 2.0 * gap
    split = np.full(len(times), BETWEEN, dtype=np.int8)
    if length <= 0:
        return split
    train_end = first + (1.0 - SHARES[VALIDATION] - SHARES[TEST]) * length
    validation_end = train_end + gap + SHARES[VALIDATION] * length
    split[times <= train_end] = TRAIN
    split[(times >= train_end + gap) & (times <= validation_end)] = VALIDATION
    split[times >= validation_end + gap] = TEST
    return split


def _at_random(n: int, seed: int) -> Splits:
    """Frames at random: the errors on them are those of frames that were nearly seen."""
    split = np.full(n, TRAIN, dtype=np.int8)
    order = np.random.default_rng(seed).permutation(n)
    n_test, n_validation = (max(1, round(SHARES[number] * n)) for number in (TEST, VALIDATION))
    split[order[:n_test]] = TEST
    split[order[n_test : n_test + n_validation]] = VALIDATION
    return split


def _given(
    keys: Sequence[str],
    source: Rows,
    runs: Rows,
    times: NDArray[np.float64],
    splits: Mapping[str, str],
    correlation_fs: Mapping[int, float | None],
) -> Splits:
    """The split of each source as the settings say; refused where two splits of one run touch."""
    unknown, missing = sorted(set(splits) - set(keys)), sorted(set(keys) - set(splits))
    if unknown or missing:
        text = f"splits names {', '.join(unknown)}, not a source" if unknown else f"splits lacks {', '.join(missing)}"
        raise ValueError(f"{text}; name each of {', '.join(keys)}")
    by_block = np.isin(source, [index for index, key in enumerate(keys) if splits[key] == BY_BLOCK])
    split = np.full(len(source), BETWEEN, dtype=np.int8)
    if by_block.any():
        split[by_block] = _by_block(runs[by_block], times[by_block], correlation_fs)
    for index, key in enumerate(keys):
        if splits[key] != BY_BLOCK:
            split[source == index] = SPLITS.index(splits[key])
    for run in np.unique(runs):
        closest = closest_splits_fs(times[runs == run], split[runs == run])
        if closest < LEAST_GAP_FS:
            raise ValueError(
                f"two splits of run {run} are only {closest:.4g} fs apart, and {LEAST_GAP_FS:g} fs are needed: frames "
                "that follow each other are almost the same; give sources of one run the same split"
            )
    return split


def closest_splits_fs(times: NDArray[np.float64], split: Splits) -> float:
    """Return the shortest time between two frames of different splits, fs; infinite where there is one split."""
    used = split != BETWEEN
    order = np.argsort(times[used], kind="stable")
    changes = np.diff(split[used][order]) != 0
    apart = np.diff(times[used][order])[changes]
    return float(apart.min()) if len(apart) else float("inf")


def _check_filled(
    split: Splits, rule: str, sources: Sequence[LabelledRun], correlation_fs: Mapping[int, float | None]
) -> None:
    """Refuse a split without frames.

    :raises ValueError: saying what to do.
    """
    needed = (TRAIN, VALIDATION) if rule == GIVEN else (TRAIN, VALIDATION, TEST)
    empty = [SPLITS[number] for number in needed if not (split == number).any()]
    if not empty:
        return
    times: dict[int, list[float]] = {}
    for source in sources:
        times.setdefault(source.run, []).extend(source.times_fs[[0, -1]] if len(source) else [])
    lengths = [max(both) - min(both) for both in times.values() if both]
    gaps = [gap_fs(correlation_fs.get(run)) for run in times]
    text = f"no frame is left for {' and '.join(empty)} (split {rule})"
    if rule == BY_BLOCK:
        text += (
            f": the longest run has {max(lengths, default=0.0):g} fs, of which two gaps of {max(gaps, default=0.0):g} "
            "fs are left out"
        )
    raise ValueError(
        f"{text}; add longer runs or more of them, or a shorter stride_fs; a random split, whose errors are too small, "
        "must be named: interpolated"
    )
