"""Frames written twice by a file or a restart, identified by their positions."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from aiida_ion.trajectory_files.wrapping import Steps, apart

#: Frames that differ by less than this are equal, angstrom,
REPEATED_A = 1e-6
#: or by less than this fraction of the usual step between frames, since programs write different numbers of digits.
REPEATED_PART = 1e-3
#: Number of frames before the end of a run in which the start of the next is searched.
SEARCHED_FRAMES = 5000


def same_within(steps: Steps) -> float:
    """Return the tolerance of equal frames, angstrom."""
    moving = steps.largest_A[steps.largest_A > REPEATED_A]
    return max(REPEATED_A, REPEATED_PART * float(np.median(moving))) if len(moving) else REPEATED_A


def adjacent_repeats(steps: Steps) -> list[int]:
    """Return the rows that repeat the previous one."""
    return (np.flatnonzero(steps.largest_A < same_within(steps)) + 1).tolist()


def earlier_repeats(positions: NDArray[np.float64]) -> list[int]:
    """Return the rows at which frames begin to repeat earlier ones of the file exactly."""
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
    """Return the last row that equals a frame up to lattice vectors, among the last few thousand."""
    first = max(0, len(positions) - SEARCHED_FRAMES)
    for high in range(len(positions), first, -500):
        low = max(first, high - 500)
        largest = np.abs(apart(positions[low:high], frame, cell)).max(axis=(1, 2))
        rows = np.flatnonzero(largest < tolerance)
        if len(rows):
            return int(low + rows[-1])
    return None
