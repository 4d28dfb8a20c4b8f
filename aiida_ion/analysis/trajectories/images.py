"""Atoms that cross a face of the cell: each is followed to the image nearest to where it was the frame before."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.crystals.cell import reduction

FloatArray = npt.NDArray[np.float64]

#: A step longer than this part of a cell vector between two frames is a change of image, not motion.
CROSSING_STEP = 0.5


class ImageFollower:
    """Undoes the crossings of faces block by block, so that memory-mapped positions stay on disk.

    Programs that wrap positions only now and then leave atoms on a face now on one side of the cell, now on the other.
    Positions that are unwrapped already pass through as they are.
    """

    def __init__(self) -> None:
        self._last: FloatArray | None = None
        self._shift: FloatArray | None = None
        self._reduction: npt.NDArray[np.int64] | None = None

    def follow(self, positions: npt.NDArray[Any], cells: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the next frames without crossings; the array itself where there are none.

        :param positions: of the same atoms as in the block before, angstrom, (n, K, 3).
        :param cells: angstrom, (n, 3, 3) or (3, 3).
        """
        if not positions.size:
            return positions
        cells = np.broadcast_to(np.asarray(cells, dtype=float), (len(positions), 3, 3))
        if self._reduction is None:
            self._reduction = reduction(cells[0])
        cells = self._reduction @ cells
        fractional = np.einsum("tni,tij->tnj", np.asarray(positions, dtype=float), np.linalg.inv(cells))
        before = fractional[:1] if self._last is None else self._last
        steps = np.diff(np.concatenate([before, fractional]), axis=0)
        crossed = np.where(np.abs(steps) > CROSSING_STEP, np.round(steps), 0.0)
        shifts = -np.cumsum(crossed, axis=0)
        if self._shift is not None:
            shifts += self._shift
        self._last, self._shift = fractional[-1:], shifts[-1:]
        if not shifts.any():
            return positions
        moved: npt.NDArray[Any] = positions + np.einsum("tni,tij->tnj", shifts, cells).astype(positions.dtype)
        return moved
