"""Detection and removal of jumps by lattice vectors between frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

#: Frames processed at a time.
CHUNK_FRAMES = 500
#: A step within this of half the cell is ambiguous, in fractions of the cell.
AMBIGUOUS_STEP = 0.4
#: Steps closer than this to a whole number of cells are certainly jumps by lattice vectors.
CLEAR_STEP = 0.35
#: Atoms of a wrapped file may leave the cell by this, in fractions of it.
STRAY = 0.3
#: Ratio of counts in the outer to the inner bin of step lengths from which many steps must have been longer than half
#: the cell.
ALIASED_PART = 0.25
#: Fewest steps in the outer bin for this check.
ALIASED_STEPS = 10
BINS = np.linspace(0.0, 0.5, 21)


@dataclass
class Steps:
    """Steps between consecutive frames of a file, in fractions of the cell.

    :param largest: largest component.
    :param largest_residual: the same after subtraction of lattice vectors.
    :param histogram: counts of the components after subtraction of lattice vectors, over ``BINS``.
    :param jumps: rows t for which the step from t to t + 1 jumps by half a cell or more.
    :param low: shape (3,), smallest fractional coordinates.
    :param high: shape (3,), largest.
    :param rms_A: root mean square over atoms of each step after subtraction of lattice vectors, angstrom, (n - 1,).
    :param largest_A: largest component of each step after subtraction of lattice vectors, angstrom, (n - 1,).
    """

    largest: float = 0.0
    largest_residual: float = 0.0
    histogram: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(BINS) - 1, dtype=np.int64))
    jumps: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    low: NDArray[np.float64] = field(default_factory=lambda: np.full(3, np.inf))
    high: NDArray[np.float64] = field(default_factory=lambda: np.full(3, -np.inf))
    rms_A: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    largest_A: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    @property
    def in_cell(self) -> bool:
        """Whether all atoms stay in one cell, within a tolerance."""
        return bool((self.high - self.low < 1 + 2 * STRAY).all())

    @property
    def aliased(self) -> bool:
        """Whether steps near half the cell are so frequent that many longer ones must have been aliased."""
        outer, inner = int(self.histogram[-2:].sum()), int(self.histogram[-8:-6].sum())
        return outer >= ALIASED_STEPS and outer > ALIASED_PART * inner


def fractions(positions: NDArray[np.float64], cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return fractional coordinates, shape (n, N, 3)."""
    result: NDArray[np.float64] = positions @ np.linalg.inv(cells)
    return result


def measure_steps(positions: NDArray[np.float64], cells: NDArray[np.float64], skipped: Sequence[int] = ()) -> Steps:
    """Measure the steps between consecutive frames, a few hundred frames at a time.

    :param positions: shape (n, N, 3), angstrom.
    :param cells: shape (n, 3, 3), angstrom.
    :param skipped: rows t for which the step from t to t + 1 is skipped.
    """
    steps, left_out = Steps(), np.zeros(len(positions), dtype=bool)
    left_out[list(skipped)] = True
    jumps, rms, largest_A = [], [], []
    for low in range(0, len(positions), CHUNK_FRAMES):
        chunk = slice(low, low + CHUNK_FRAMES + 1)
        inside = fractions(positions[chunk], cells[chunk])
        steps.low, steps.high = np.minimum(steps.low, inside.min((0, 1))), np.maximum(steps.high, inside.max((0, 1)))
        moved = np.diff(inside, axis=0)[~left_out[low : low + len(inside) - 1]]
        if not len(moved):
            continue
        steps.largest = max(steps.largest, float(np.abs(moved).max()))
        looked_at = low + np.flatnonzero(~left_out[low : low + len(inside) - 1])
        jumps.append(looked_at[(np.abs(moved) >= 0.5).any(axis=(1, 2))])
        moved -= np.round(moved)
        steps.largest_residual = max(steps.largest_residual, float(np.abs(moved).max()))
        steps.histogram += np.histogram(np.abs(moved), BINS)[0]
        moved = moved @ cells[looked_at + 1]
        rms.append(np.sqrt((moved**2).sum(axis=2).mean(axis=1)))
        largest_A.append(np.abs(moved).max(axis=(1, 2)))
    if jumps:
        steps.jumps, steps.rms_A, steps.largest_A = map(np.concatenate, (jumps, rms, largest_A))
    return steps


def apart(before: NDArray[np.float64], after: NDArray[np.float64], cell: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the vectors, angstrom, from one frame to the nearest images of another, shape (..., N, 3)."""
    moved = (after - before) @ np.linalg.inv(cell)
    result: NDArray[np.float64] = (moved - np.round(moved)) @ cell
    return result


def unwrap_in_place(positions: NDArray[np.float64], cells: NDArray[np.float64], by_image: NDArray[np.bool_]) -> None:
    """Remove jumps by lattice vectors from chosen steps; all later frames are shifted along.

    :param positions: shape (n, N, 3), angstrom; modified in place.
    :param cells: shape (n, 3, 3), angstrom.
    :param by_image: shape (n - 1,), whether the step from t to t + 1 goes to the nearest image.
    """
    images = np.zeros(positions.shape[1:])
    before = fractions(positions[:1], cells[:1])[0]
    for low in range(1, len(positions), CHUNK_FRAMES):
        chunk = slice(low, low + CHUNK_FRAMES)
        inside = fractions(positions[chunk], cells[chunk])
        moved = np.diff(np.concatenate([before[None], inside]), axis=0)
        moved[~by_image[low - 1 : low - 1 + len(inside)]] = 0.0
        offsets = images - np.cumsum(np.round(moved), axis=0)
        before, images = inside[-1], offsets[-1]
        positions[chunk] += offsets @ cells[chunk]
