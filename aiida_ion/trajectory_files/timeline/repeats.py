"""Frames that a file or a restart wrote twice, found by their positions."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from aiida_ion.trajectory_files.wrapping import Steps, apart

#: Two frames that differ by less are the same, angstrom.
REPEATED_A = 1e-6
#: ... or by less than this part of what atoms usually move between two frames: digits differ between programs.
REPEATED_PART = 1e-3
#: Frames before the end of a run among which the start of the next is looked for.
SEARCHED_FRAMES = 5000


def same_within(steps: Steps) -> float:
    """Return how far two frames that are the same may differ, angstrom."""
    moving = steps.largest_A[steps.largest_A > REPEATED_A]
    return max(REPEATED_A, REPEATED_PART * float(np.median(moving))) if len(moving) else REPEATED_A


def adjacent_repeats(steps: Steps) -> list[int]:
    """Return the rows that repeat the row before."""
    return (np.flatnonzero(steps.largest_A < same_within(steps)) + 1).tolist()


def earlier_repeats(positions: NDArray[np.float64]) -> list[int]:
    """Return the rows at which frames begin that the file holds before already, to the last digit."""
    seen: dict[bytes, int] = {}
    begins, previous = [], None
    for row, frame in enumerate(positions):
        key = hashlib.blake2b(frame.tobytes(), digest_size=16).digest()
        first = seen.setdefault(key, row)
        if first != row and (previous is None or first != previous + 1):
            begins.append(row)
        previous = first if first != row else None
    return begins


def same_frame(
    positions: NDArray[np.float64], frame: NDArray[np.float64], cell: NDArray[np.float64], tolerance: float
) -> int | None:
    """Return the last row that is the same as a frame but for whole cells, among the last few thousand."""
    first = max(0, len(positions) - SEARCHED_FRAMES)
    for high in range(len(positions), first, -500):
        low = max(first, high - 500)
        largest = np.abs(apart(positions[low:high], frame, cell)).max(axis=(1, 2))
        rows = np.flatnonzero(largest < tolerance)
        if len(rows):
            return int(low + rows[-1])
    return None
