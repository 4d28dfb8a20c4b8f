"""Frames collected one by one in an array, within the available memory."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

#: Fraction of the machine's memory that the positions of one file may use.
MEMORY_PART = 0.25


def memory_bytes() -> int:
    """Return the memory of this machine, bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


class GrowingFrames:
    """A growing array of shape (n, N, 3); doubling keeps the time linear."""

    def __init__(self, n_atoms: int) -> None:
        self._array = np.empty((16, n_atoms, 3))
        self._n = 0

    def __len__(self) -> int:
        return self._n

    def append(self, frame: NDArray[np.float64]) -> None:
        """Add a frame, shape (N, 3).

        :raises ValueError: if memory would not suffice.
        """
        if self._n == len(self._array):
            if 2 * self._array.nbytes > MEMORY_PART * memory_bytes():
                raise ValueError(
                    f"its positions need more than {MEMORY_PART:.0%} of this machine's memory after {self._n:,} "
                    "frames; keep every tenth frame, or give it in parts"
                )
            self._array = np.concatenate([self._array, np.empty_like(self._array)])
        self._array[self._n] = frame
        self._n += 1

    def finish(self) -> NDArray[np.float64]:
        """Return the frames, shape (n, N, 3)."""
        return self._array[: self._n]
