"""Evenly spaced frames of a whole run, used by the checks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pymatgen.optimization.neighbors import find_points_in_spheres

from aiida_ion.analysis.trajectories.images import ImageFollower
from aiida_ion.analysis.trajectories.trajectory import Segment
from aiida_ion.units import FS_PER_PS

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Maximum number of frames per replica.
MAX_FRAMES = 400


@dataclass(frozen=True)
class SampledFrames:
    """Frames of one replica, all atoms.

    :param times_ps: from the first frame of the run on, ps, (n,).
    :param positions: unwrapped, angstrom, (n, N, 3), minus the drift of the framework.
    :param cells: angstrom, (n, 3, 3).
    :param symbols: element of each atom, (N,).
    :param is_mobile: (N,).
    :param is_framework: (N,); atoms that are neither belong to other mobile species.
    :param first: index of the first frame after equilibration.
    :param longest_step_A: longest step of a mobile ion from one of these frames to the next stored one, angstrom.
    """

    times_ps: FloatArray
    positions: FloatArray
    cells: FloatArray
    symbols: tuple[str, ...]
    is_mobile: npt.NDArray[np.bool_]
    is_framework: npt.NDArray[np.bool_]
    first: int
    longest_step_A: float

    @property
    def cell(self) -> FloatArray:
        """Mean cell, angstrom, (3, 3)."""
        mean: FloatArray = self.cells.mean(axis=0)
        return mean

    @property
    def production(self) -> slice:
        """The frames after equilibration."""
        return slice(self.first, None)


def sample_frames(
    segments: Sequence[Segment],
    symbols: Sequence[str],
    mobile_species: str,
    equilibration_fs: float,
    max_frames: int = MAX_FRAMES,
    *,
    framework_species: Collection[str] | None = None,
) -> SampledFrames:
    """Read evenly spaced frames of a run; other positions stay on disk.

    :param segments: of one replica in order, unwrapped, except atoms on a face of the cell.
    :param symbols: element of each atom, (N,).
    :param equilibration_fs: from the first frame on, fs.
    :param framework_species: elements of the framework; all but the mobile species when not given.
    """
    ends = np.cumsum([len(segment.positions) for segment in segments])
    chosen = np.unique(np.linspace(0, ends[-1] - 1, min(max_frames, int(ends[-1]))).round().astype(int))
    is_mobile = np.array([symbol == mobile_species for symbol in symbols], dtype=bool)
    is_framework = ~is_mobile
    if framework_species is not None:
        is_framework &= np.array([symbol in framework_species for symbol in symbols], dtype=bool)
    follower = ImageFollower()
    times, positions, cells, steps = [], [], [], [0.0]
    for segment, end in zip(segments, ends, strict=True):
        start = end - len(segment.positions)
        rows = chosen[(chosen >= start) & (chosen < end)] - start
        if not len(rows):
            continue
        times.append(np.asarray(segment.times_ps, dtype=float)[rows])
        steps.append(_longest_step(segment.positions, rows, is_mobile))
        cell = np.asarray(segment.cells, dtype=float)
        cells.append(cell[rows] if cell.ndim == 3 else np.broadcast_to(cell, (len(rows), 3, 3)))
        frames = np.array(segment.positions[rows], dtype=float)
        frames[:, ~is_mobile] = follower.follow(frames[:, ~is_mobile], cells[-1])
        positions.append(frames)
    joined, time_ps = np.concatenate(positions), np.concatenate(times)
    if is_framework.any():
        centre = joined[:, is_framework].mean(axis=1, keepdims=True)
        joined -= centre - centre[0]
    later = (time_ps - time_ps[0]) * FS_PER_PS >= equilibration_fs - 1e-6
    first = int(np.argmax(later))
    return SampledFrames(
        time_ps, joined, np.concatenate(cells), tuple(symbols), is_mobile, is_framework, first, max(steps)
    )


def _longest_step(positions: npt.NDArray[Any], rows: IntArray, is_mobile: npt.NDArray[np.bool_]) -> float:
    """Longest step of a mobile ion from the chosen frames of a segment to the following ones, angstrom."""
    rows = rows[rows + 1 < len(positions)]
    if not len(rows):
        return 0.0
    steps = np.asarray(positions[rows + 1], dtype=float) - np.asarray(positions[rows], dtype=float)
    return float(np.linalg.norm(steps[:, is_mobile], axis=2).max())


def neighbours(
    positions: FloatArray, cell: FloatArray, radius_A: float
) -> tuple[IntArray, IntArray, IntArray, FloatArray]:
    """Find all ordered pairs of atoms within a distance, including periodic images but no atom with itself.

    :param positions: wrapped or not, angstrom, (N, 3).
    :returns: first atoms, second atoms, the cell vectors to add to the second (p, 3), distances (angstrom); (p,) each.
    """
    cell = np.array(cell, dtype=float)
    shifts = np.floor(positions @ np.linalg.inv(cell))  # the search slows down for atoms far outside the cell
    points = np.ascontiguousarray(positions - shifts @ cell)
    pairs = find_points_in_spheres(points, points, r=radius_A, pbc=np.ones(3, dtype=np.int64), lattice=cell)
    first, second, images, distances = (np.asarray(part) for part in pairs)
    others = (first != second) | np.any(np.abs(images) > 0.5, axis=1)
    first, second, distances = first[others], second[others], distances[others]
    images = np.rint(images[others] - shifts[second] + shifts[first]).astype(np.int64)
    return first, second, images, distances


def onset_ps(times_ps: FloatArray, series: FloatArray) -> float:
    """Time, ps, at which a flat series begins to rise: the kink of the best flat-then-straight line, or the best step.

    By least squares over 60 positions; the first time if the series rises from the start.

    :param series: any unit, (n,), n >= 3.
    """
    best, begin = np.inf, float(times_ps[0])
    for candidate in np.linspace(times_ps[0], times_ps[-1], 60, endpoint=False):
        for rise in (np.maximum(0.0, times_ps - candidate), (times_ps > candidate).astype(float)):
            centred = rise - rise.mean()
            weight = float(centred @ centred)
            height = float(centred @ series) / weight if weight > 0 else 0.0
            residual = series - series.mean() - height * centred
            if height > 0 and residual @ residual < best:
                best, begin = float(residual @ residual), float(candidate)
    return begin
