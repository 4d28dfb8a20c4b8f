"""Which frames of stored trajectories are evaluated, and their geometries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from aiida import orm
from ase.data import atomic_numbers
from numpy.typing import NDArray

from aiida_ion.units import FS_PER_PS

#: Name of a segment among the inputs, and index of the frame in it.
Frame = tuple[str, int]
#: Rounding error of a time that is stored in ps, fs.
TIME_NOISE_FS = 1e-6
NEEDED_ARRAYS = ("positions", "cells", "times", "steps")


def validate_trajectories(trajectories: Mapping[str, orm.TrajectoryData]) -> str | None:
    """Return why segments are not frames of the same atoms; ``None`` if they are."""
    if not trajectories:
        return "no trajectory is given"
    for key, node in trajectories.items():
        missing = [name for name in NEEDED_ARRAYS if name not in node.get_arraynames()]
        if missing:
            return f"{key} has no {', '.join(missing)}"
    symbols = {key: node.base.attributes.get("symbols") for key, node in trajectories.items()}
    first = min(symbols)
    unknown = sorted(set(symbols[first]) - set(atomic_numbers))
    if unknown:
        return f"{first} names {', '.join(unknown)}, which is not an element"
    for key, names in symbols.items():
        if names != symbols[first]:
            what = (
                "the atoms of {} in another order" if sorted(names) == sorted(symbols[first]) else "other atoms than {}"
            )
            return f"{key} has {what.format(first)}; give segments of the same atoms in the same order"
    return None


def choose_frames(
    trajectories: Mapping[str, orm.TrajectoryData], max_frames: int, equilibration_fs: float
) -> list[Frame]:
    """Choose frames evenly over all segments, in such an order that any first part of them is spread evenly, too.

    A job that ends early has then sampled the whole run, only more coarsely. The same inputs give the same frames.

    :param trajectories: segments by name; names sort in the order of time.
    :param max_frames: most frames to choose.
    :param equilibration_fs: frames at earlier times of their run are left out, fs.
    """
    eligible: list[Frame] = []
    for key in sorted(trajectories):
        times_fs = np.asarray(trajectories[key].get_array("times"), dtype=float) * FS_PER_PS
        eligible += [(key, int(frame)) for frame in np.flatnonzero(times_fs >= equilibration_fs - TIME_NOISE_FS)]
    n_chosen = min(max_frames, len(eligible))
    # Each chosen frame is the middle one of its share of the run.
    chosen = [eligible[(2 * i + 1) * len(eligible) // (2 * n_chosen)] for i in range(n_chosen)]
    return [chosen[i] for i in coarse_to_fine(n_chosen)]


def coarse_to_fine(n: int) -> list[int]:
    """Return 0 .. n-1 in the order of their bits read backwards: 0, 4, 2, 6, 1, 5, 3, 7."""
    n_bits = max(n - 1, 1).bit_length()
    return sorted(range(n), key=lambda i: int(f"{i:0{n_bits}b}"[::-1], 2))


def frame_arrays(
    trajectories: Mapping[str, orm.TrajectoryData], frames: Sequence[Sequence[Any]]
) -> dict[str, NDArray[Any]]:
    """Return the geometries of frames.

    :param trajectories: segments of the same atoms, by name.
    :param frames: segment and index of each of n frames.
    :returns: ``numbers`` (N,), ``positions`` (n, N, 3) and ``cells`` (n, 3, 3), float64, angstrom.
    """
    symbols = next(iter(trajectories.values())).base.attributes.get("symbols")
    positions, cells = np.empty((len(frames), len(symbols), 3)), np.empty((len(frames), 3, 3))
    for key in {key for key, _ in frames}:
        rows = [row for row, (segment, _) in enumerate(frames) if segment == key]
        indices = [frames[row][1] for row in rows]
        positions[rows] = trajectories[key].get_array("positions")[indices]
        cells[rows] = trajectories[key].get_array("cells")[indices]
    return {"numbers": np.array([atomic_numbers[name] for name in symbols]), "positions": positions, "cells": cells}
