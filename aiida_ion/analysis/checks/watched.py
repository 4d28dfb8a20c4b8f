"""Frames of a whole run, evenly spread: what the checks look at, from the first frame to the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pymatgen.optimization.neighbors import find_points_in_spheres

from aiida_ion.analysis.trajectory import Segment

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Frames looked at in each replica.
MAX_FRAMES = 400


@dataclass(frozen=True)
class Watched:
    """Frames of one replica, all atoms.

    :param times_ps: from the first frame of the run on, ps, (n,).
    :param positions: unwrapped, angstrom, (n, N, 3), less the drift of the framework.
    :param cells: angstrom, (n, 3, 3).
    :param symbols: element of each atom, (N,).
    :param is_mobile: (N,).
    :param first: the first frame after equilibration.
    """

    times_ps: FloatArray
    positions: FloatArray
    cells: FloatArray
    symbols: tuple[str, ...]
    is_mobile: npt.NDArray[np.bool_]
    first: int

    @property
    def cell(self) -> FloatArray:
        """Mean cell, angstrom, (3, 3)."""
        mean: FloatArray = self.cells.mean(axis=0)
        return mean

    @property
    def production(self) -> slice:
        """The frames after equilibration."""
        return slice(self.first, None)


def watch(
    segments: Sequence[Segment],
    symbols: Sequence[str],
    mobile_species: str,
    equilibration_fs: float,
    max_frames: int = MAX_FRAMES,
) -> Watched:
    """Read frames of a run, evenly spread over all of it; positions stay on disk otherwise.

    :param segments: of one replica in order, unwrapped.
    :param symbols: element of each atom, (N,).
    :param equilibration_fs: from the first frame on, fs.
    """
    ends = np.cumsum([len(segment.positions) for segment in segments])
    chosen = np.unique(np.linspace(0, ends[-1] - 1, min(max_frames, int(ends[-1]))).round().astype(int))
    times, positions, cells = [], [], []
    for segment, end in zip(segments, ends, strict=True):
        start = end - len(segment.positions)
        rows = chosen[(chosen >= start) & (chosen < end)] - start
        if not len(rows):
            continue
        times.append(np.asarray(segment.times_ps, dtype=float)[rows])
        positions.append(np.asarray(segment.positions[rows], dtype=float))
        cell = np.asarray(segment.cells, dtype=float)
        cells.append(cell[rows] if cell.ndim == 3 else np.broadcast_to(cell, (len(rows), 3, 3)))
    is_mobile = np.array([symbol == mobile_species for symbol in symbols], dtype=bool)
    joined, time_ps = np.concatenate(positions), np.concatenate(times)
    if not is_mobile.all():
        centre = joined[:, ~is_mobile].mean(axis=1, keepdims=True)
        joined -= centre - centre[0]
    later = (time_ps - time_ps[0]) * 1000.0 >= equilibration_fs - 1e-6
    return Watched(time_ps, joined, np.concatenate(cells), tuple(symbols), is_mobile, int(np.argmax(later)))


def neighbours(
    positions: FloatArray, cell: FloatArray, radius_A: float
) -> tuple[IntArray, IntArray, IntArray, FloatArray]:
    """Find all ordered pairs of atoms within a distance, periodic images included, no atom paired with itself.

    :param positions: wrapped or not, angstrom, (N, 3).
    :returns: first atoms, second atoms, the cell vectors to add to the second (p, 3), distances (angstrom); (p,) each.
    """
    points = np.ascontiguousarray(positions, dtype=float)
    found = find_points_in_spheres(points, points, r=radius_A, pbc=np.ones(3, dtype=np.int64), lattice=np.array(cell))
    first, second, images, distances = (np.asarray(part) for part in found)
    others = (first != second) | np.any(np.abs(images) > 0.5, axis=1)
    return first[others], second[others], np.rint(images[others]).astype(np.int64), distances[others]


def onset_ps(times_ps: FloatArray, series: FloatArray) -> float:
    """When a series that was flat begins to rise: the kink of the best flat-then-straight line, ps.

    By least squares over 60 places of the kink; for a series that rises from the first, its first time.

    :param series: any unit, (n,), n >= 3.
    """
    best, kink = np.inf, float(times_ps[0])
    for candidate in np.linspace(times_ps[0], times_ps[-1], 60, endpoint=False):
        rise = np.maximum(0.0, times_ps - candidate)
        design = np.stack([np.ones_like(rise), rise], axis=1)
        _, residual, rank, _ = np.linalg.lstsq(design, series, rcond=None)
        if rank == 2 and residual.size and residual[0] < best:
            best, kink = float(residual[0]), float(candidate)
    return kink
