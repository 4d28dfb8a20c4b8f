"""Frame numbers of a file: their spacing, gaps, and restarts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Largest valid number.
MAX_STEP = 1 << 60


def spacing_of(steps: NDArray[np.int64] | None) -> int | None:
    """Return the usual spacing of the numbers, None if there is none."""
    if steps is None or len(steps) < 2:
        return None
    forward = np.diff(steps)
    forward = forward[forward > 0]
    if not len(forward):
        return None
    values, counts = np.unique(forward, return_counts=True)
    return int(values[np.argmax(counts)])


def rewinds(steps: NDArray[np.int64] | None) -> list[int]:
    """Return the rows whose number does not exceed the previous one."""
    return [] if steps is None else (np.flatnonzero(np.diff(steps) <= 0) + 1).tolist()


def gap_sentence(before: int, after: int, spacing: int, numbering: str) -> str:
    """Describe what is missing between two frames."""
    what = "configurations" if numbering == "frames" else "steps"
    missing = (after - before) / spacing - 1
    if missing > 0:
        count = f"{missing:g}" if missing == int(missing) else f"about {missing:.3g}"
        return f"{what} {before} and {after} follow each other, but are {spacing} elsewhere: {count} frames are missing"
    return f"{what} {before} and {after} follow each other, but are {spacing} apart elsewhere"
