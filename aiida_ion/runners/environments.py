"""The distances of frames of a run to the environments of a training set, and their bound from what was held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import chemical_symbols
from numpy.typing import NDArray

from aiida_ion.training.bounds import LEAST_HELD_OUT, upper_level
from aiida_ion.training.environments import Environments
from aiida_ion.training.frames import SPLITS

TRAIN = SPLITS.index("train")
Frame = tuple[list[str], NDArray[Any], NDArray[Any]]


def read_training_set(path: Path) -> tuple[list[Frame], NDArray[Any], NDArray[Any]]:
    """Return the frames of a dataset, the split of each, and its source.

    :param path: an archive with ``numbers`` and ``positions`` of all atoms, ``offsets``, ``cells``, ``split`` and
        ``source``.
    :raises ValueError: if it cannot be read.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        parts = list(pairwise(arrays["offsets"].tolist()))
        symbols = [chemical_symbols[number] for number in arrays["numbers"]]
        frames = [
            (symbols[start:stop], arrays["positions"][start:stop], cell)
            for (start, stop), cell in zip(parts, arrays["cells"], strict=True)
        ]
    except (OSError, KeyError, EOFError) as error:
        raise ValueError(f"{path.name} does not hold the frames of a dataset: {error}") from error
    return frames, arrays["split"], arrays["source"]


def watch_environments(
    path: Path, symbols: Sequence[str], frames: Mapping[int, tuple[NDArray[Any], NDArray[Any]]], n_frames: int
) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Return the distance of the farthest atom of frames of a run to the training atoms, and what it is judged by.

    :param path: the frames of the dataset.
    :param symbols: elements of the atoms of the run.
    :param frames: row -> positions (N, 3) and cell (3, 3), angstrom.
    :param n_frames: frames of the run.
    :returns: shape (n_frames,), NaN where it was not computed; ``environment_bound``, ``None`` with too few frames that
        were held out, and ``environment_held_out``, the distances of these.
    """
    known, split, source = read_training_set(path)
    space = Environments([frame for frame, use in zip(known, split, strict=True) if use == TRAIN])
    rows = [row for row, use in enumerate(split) if use != TRAIN and set(known[row][0]) <= set(space.elements)]
    held_out = np.array([space.largest(*known[row]) for row in rows])
    enough = len(held_out) >= LEAST_HELD_OUT
    values = np.full(n_frames, np.nan)
    for row, (positions, cell) in frames.items():
        values[row] = space.largest(symbols, positions, cell)
    return values, {
        "environment_bound": upper_level(held_out, runs=source[rows].tolist()) if enough else None,
        "environment_held_out": held_out.tolist(),
    }


def chosen_rows(n_frames: int, flagged: Sequence[int], most: int, last: int) -> list[int]:
    """Return the rows that are looked at: evenly spread ones, the last ones, and those that are flagged already.

    :param most: how many of them are spread evenly.
    :param last: how many of the last.
    """
    spread = np.unique(np.linspace(0, n_frames - 1, min(most, n_frames)).round().astype(int)).tolist()
    return sorted({*spread, *range(max(0, n_frames - last), n_frames), *flagged[:most]})
