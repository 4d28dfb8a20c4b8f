"""Atoms that cross a cell face: each is followed to the image nearest to its previous position."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.crystals.cell import reduction

FloatArray = npt.NDArray[np.float64]

#: A longer step between two frames, as a fraction of a cell vector, is a change of image, not motion.
CROSSING_STEP = 0.5


class ImageFollower:
    """Undoes crossings of cell faces block by block, so that memory-mapped positions stay on disk.

    Programs that wrap positions only occasionally leave atoms on a face sometimes on one side of the cell and sometimes
    on the other. Unwrapped positions are returned unchanged.
    """

    def __init__(self) -> None:
        self._last: FloatArray | None = None
        self._shift: FloatArray | None = None
        self._reduction: npt.NDArray[np.int64] | None = None

    def follow(self, positions: npt.NDArray[Any], cells: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the next frames without crossings; the same array if there are none.

        :param positions: of the same atoms as in the previous block, angstrom, (n, K, 3).
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
