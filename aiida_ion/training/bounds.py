"""How close a run may come, from frames that were not trained on: bounds of pairs of elements, and tails of maxima.

A run has many times the frames of a validation block, so its closest pair is closer than that of the block. How much
closer is extrapolated: the smallest distance of a frame is a minimum over many pairs, whose distribution is one of the
three of extreme values (Fisher, Tippett, Proc. Camb. Phil. Soc. 24, 180 (1928)). Its shape cannot be fitted to some ten
frames. It is fixed at the one that Fisher and Tippett give for maxima of n values with a Gaussian tail, 1/(2 ln n), for
the some 500 pairs of neighbours of a training cell. It is near Gumbel's, whose exponential tail would be too long:
atoms repel each other more the closer they are.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from aiida_ion.settings.watch import HELD_OUT, MARGIN, MARGIN_A, bounds_with_margin
from aiida_ion.training.coverage import closest_pairs
from aiida_ion.training.frames import LabelledFrame

#: A bound is passed once in so many frames like those that were held out: 2 ns, stored every 20 fs.
FRAMES_PER_ALARM = 100_000
#: With fewer frames held out the tail is not fitted.
LEAST_HELD_OUT = 10
#: 1/(2 ln n) of n = 500 pairs.
SHAPE = 0.08
#: The scale is the upper end of its one-sided 95 % interval, with Gumbel's standard error, sqrt(6)/(pi sqrt(n)).
ONE_SIDED_95, GUMBEL_ERROR = 1.645, math.sqrt(6.0) / math.pi
#: Largest correlation of neighbouring frames that is believed.
MOST_CORRELATED = 0.95
#: No bound is below this part of the closest distance that was held out: so broad a tail says nothing.
LEAST_PART = 0.5


def upper_level(
    maxima: NDArray[np.floating], n_frames: float = FRAMES_PER_ALARM, runs: Sequence[int] | None = None
) -> float:
    """Return the value that the largest of a frame exceeds once in a number of frames.

    :param maxima: shape (n,), the largest value of each of n frames; at least two.
    :param n_frames: how many frames.
    :param runs: the run of each frame, whose frames follow each other: what one remembers of the one before does not
        count twice. Each frame counts where it is not given.
    """
    values = np.asarray(maxima, dtype=float)
    if np.ptp(values) == 0.0:
        return float(values[0])
    _, place, scale = stats.genextreme.fit(values, fc=SHAPE)
    widened = scale * (1.0 + ONE_SIDED_95 * GUMBEL_ERROR / math.sqrt(independent(values, runs)))
    level = float(stats.genextreme.isf(1.0 / n_frames, SHAPE, loc=place, scale=widened))
    return max(level, float(values.max()))


def independent(values: NDArray[np.floating], runs: Sequence[int] | None) -> float:
    """Return how many independent values a series is worth: n (1 - rho)/(1 + rho), rho the correlation of neighbours.

    :param values: shape (n,).
    :param runs: the run of each; ``None`` where all are independent.
    """
    if runs is None:
        return float(len(values))
    follows = np.flatnonzero(np.diff(np.asarray(runs)) == 0)
    if len(follows) < LEAST_HELD_OUT // 2:
        return float(len(values))
    away = values - values.mean()
    rho = float((away[follows] * away[follows + 1]).mean() / (away**2).mean())
    rho = min(max(rho, 0.0), MOST_CORRELATED)
    return max(2.0, len(values) * (1.0 - rho) / (1.0 + rho))


def lower_level(
    minima: NDArray[np.floating], n_frames: float = FRAMES_PER_ALARM, runs: Sequence[int] | None = None
) -> float:
    """Return the value below which the smallest of a frame falls once in a number of frames; see :func:`upper_level`.

    It is not below half of the smallest value given.
    """
    values = np.asarray(minima, dtype=float)
    return max(-upper_level(-values, n_frames, runs), LEAST_PART * float(values.min()))


def watch_bounds(frames: Sequence[LabelledFrame], pushed: Collection[int] = ()) -> dict[str, Any]:
    """Return how close each pair of elements may come in a run, and where that is from, for the attribute of a dataset.

    The bound is the distance that held-out frames would pass once in :data:`FRAMES_PER_ALARM`, or the closest one of a
    training frame, whichever is smaller: what was labelled is known. Frames with pairs that were pushed together are
    known, too, but no run of the reference comes there; they lower no bound.

    :param frames: all of the dataset.
    :param pushed: the sources whose pairs were pushed together.
    :returns: ``bounds_A`` by pair; ``rule``; ``n_held_out``, the frames of validation and test; ``remarks``.
    """
    seen = [frame for frame in frames if frame.source not in set(pushed)]
    train = closest_pairs([frame for frame in seen if frame.split == "train"])
    others = [frame for frame in seen if frame.split != "train"]
    held_out = [(closest_pairs([frame]), frame.source) for frame in others]
    bounds, short = {}, []
    for pair in sorted({name for closest, _ in held_out for name in closest} | set(train)):
        minima = np.array([closest[pair] for closest, _ in held_out if pair in closest])
        if len(minima) >= LEAST_HELD_OUT:
            runs = [source for closest, source in held_out if pair in closest]
            bounds[pair] = min(lower_level(minima, runs=runs), train.get(pair, np.inf))
        elif pair in train:
            bounds |= bounds_with_margin({pair: train[pair]})
            short.append(pair)
    return {
        "bounds_A": bounds,
        "rule": MARGIN if len(short) == len(bounds) else HELD_OUT,
        "n_held_out": len(held_out),
        "frames_per_alarm": FRAMES_PER_ALARM,
        "remarks": [too_few(short)] if short else [],
    }


def too_few(pairs: Sequence[str]) -> str:
    """Return why pairs of elements have the old bound."""
    return (
        f"{', '.join(pairs)}: fewer than {LEAST_HELD_OUT} frames that were held out have this pair, so a run is "
        f"stopped {MARGIN_A:g} angstrom below the closest one of the training frames"
    )
