"""Input of the jump analysis: fractional positions of the mobile ions in one cell, from segments of replicas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.jumps.settings import JumpSettings
from aiida_ion.analysis.trajectories.trajectory import (
    FloatArray,
    IntArray,
    Replica,
    Segment,
    check_spacing,
    common_stride,
    join_segments,
)
from aiida_ion.units import BYTES_PER_MB, FS_PER_PS

#: Peak memory of GEMDAT and its search tree per ion and frame, bytes; measured.
BYTES_PER_POSITION = 700.0
#: A cell is constant if its entries change by less than this fraction of its size.
CELL_TOLERANCE = 1e-5


@dataclass(frozen=True)
class JumpFrames:
    """The mobile ions of all replicas in one cell.

    :param cell: mean cell over all frames, angstrom, (3, 3).
    :param mobile: fractional, unwrapped, minus the framework's drift, for each replica, (n, M, 3).
    :param framework: mean fractional positions of the framework atoms of each replica, (F, 3).
    :param vibration: like ``mobile``, but the first stored frames of the first replica without thinning.
    :param interval_fs: time between two frames, fs.
    :param stored_interval_fs: time between two frames of ``vibration``, fs.
    :param stride: one in this many stored frames was kept.
    :param n_frames_stored: frames before equilibration and thinning.
    :param drift_A: largest drift of the framework that was removed, angstrom.
    """

    cell: FloatArray
    mobile: list[FloatArray]
    framework: list[FloatArray]
    vibration: FloatArray
    interval_fs: float
    stored_interval_fs: float
    stride: int
    n_frames_stored: int
    drift_A: float

    @property
    def n_ions(self) -> int:
        """Mobile ions in the cell."""
        return int(self.mobile[0].shape[1])

    @property
    def time_ps(self) -> float:
        """Total length of all replicas, ps."""
        return sum(len(positions) - 1 for positions in self.mobile) * self.interval_fs / FS_PER_PS


def read_jump_frames(
    replicas: Sequence[Sequence[Segment]], mobile: IntArray, framework: IntArray, settings: JumpSettings
) -> JumpFrames:
    """Join the segments of every replica, remove drift, thin as ``settings`` require, and convert to fractions.

    :raises ValueError: as :func:`aiida_ion.analysis.trajectories.trajectory.join_segments`; for replicas stored at
        different intervals; for a changing cell with more frames than fit in the allowed memory.
    """
    segments = [list(replica) for replica in replicas]
    if not segments or not all(segments):
        raise ValueError("there is no trajectory, or a replica has no segments")
    cell = _mean_cell(segments)
    segments = [[_in_cell(segment, cell, settings) for segment in replica] for replica in segments]
    max_frames = frames_allowed(settings, len(mobile) * len(segments))
    max_frames = max(10, min(settings.max_frames, max_frames))
    longest = max(sum(len(segment.times_ps) for segment in replica) for replica in segments)
    equilibration_fs = settings.equilibration_fs
    stride = common_stride(segments, equilibration_fs, max_frames)
    others = _others(segments[0][0], mobile, framework)
    joined = [
        join_segments(replica, mobile, framework, equilibration_fs, other_indices=others, stride=stride)
        for replica in segments
    ]
    _check_same_interval(joined)
    inverse = np.linalg.inv(cell)
    return JumpFrames(
        cell=cell,
        mobile=[replica.mobile @ inverse for replica in joined],
        framework=[replica.framework.mean(axis=0, dtype=float) @ inverse for replica in joined],
        vibration=_vibration(segments[0], mobile, framework, settings, len(joined[0].mobile)) @ inverse,
        interval_fs=joined[0].interval_fs,
        stored_interval_fs=joined[0].interval_fs / joined[0].stride,
        stride=joined[0].stride,
        n_frames_stored=longest,
        drift_A=max(replica.drift_A for replica in joined),
    )


def frames_allowed(settings: JumpSettings, n_ions: int) -> int:
    """Number of frames that fit in the allowed memory."""
    return int(settings.max_memory_MB * BYTES_PER_MB / (BYTES_PER_POSITION * max(n_ions, 1)))


def _mean_cell(replicas: Sequence[Sequence[Segment]]) -> FloatArray:
    """Mean over all frames of all replicas, angstrom."""
    total, count = np.zeros((3, 3)), 0
    for segment in (segment for replica in replicas for segment in replica):
        cells = np.asarray(segment.cells, dtype=float)
        total += cells.sum(axis=0) if cells.ndim == 3 else cells * len(segment.times_ps)
        count += len(segment.times_ps)
    cell: FloatArray = total / count
    if not np.isfinite(cell).all() or abs(np.linalg.det(cell)) < 1e-3:
        raise ValueError("the cell has no volume: jumps need a periodic crystal")
    return cell


def _in_cell(segment: Segment, cell: FloatArray, settings: JumpSettings) -> Segment:
    """Return the segment, converted to the mean cell at fixed fractions if its cell changes."""
    cells = np.asarray(segment.cells, dtype=float)
    if np.abs(cells - cell).max() < CELL_TOLERANCE * np.abs(cell).max():
        return segment
    if segment.positions.size * 12 > settings.max_memory_MB * BYTES_PER_MB:
        raise ValueError(
            f"the cell changes over {len(segment.times_ps)} frames, more than fit in max_memory_MB: raise it, or give "
            "shorter segments"
        )
    cells = np.broadcast_to(cells, (len(segment.times_ps), 3, 3))
    scaled = np.empty(segment.positions.shape, dtype=np.float32)
    for frame, positions in enumerate(segment.positions):
        scaled[frame] = np.asarray(positions, dtype=float) @ np.linalg.inv(cells[frame]) @ cell
    return Segment(scaled, segment.times_ps, cell)


def _check_same_interval(joined: Sequence[Replica]) -> None:
    intervals = [replica.interval_fs for replica in joined]
    if max(intervals) - min(intervals) > 0.01 * min(intervals):
        raise ValueError(
            f"the replicas have frames every {min(intervals):g} fs and every {max(intervals):g} fs: give replicas of "
            "the same sampling, or analyse them one by one"
        )


def _vibration(
    replica: Sequence[Segment], mobile: IntArray, framework: IntArray, settings: JumpSettings, n_frames: int
) -> FloatArray:
    """Positions at every stored frame, angstrom, for as many frames as the thinned trajectory has."""
    times = np.concatenate([np.asarray(segment.times_ps, dtype=float) for segment in replica])
    first = int(np.ceil(settings.equilibration_fs / (check_spacing(times) * FS_PER_PS) - 1e-6))
    rows, offset, parts = slice(first, first + n_frames), 0, []
    for segment in replica:
        low, high = max(rows.start - offset, 0), min(rows.stop - offset, len(segment.times_ps))
        if low < high:
            parts.append(_slice(segment, low, high))
        offset += len(segment.times_ps)
    others = _others(replica[0], mobile, framework)
    return join_segments(parts, mobile, framework, 0.0, n_frames, other_indices=others).mobile


def _others(segment: Segment, mobile: IntArray, framework: IntArray) -> IntArray:
    """Atoms that are neither mobile nor framework: ions of other mobile species."""
    others: IntArray = np.setdiff1d(np.arange(segment.positions.shape[1]), np.concatenate([mobile, framework]))
    return others


def _slice(segment: Segment, low: int, high: int) -> Segment:
    cells: npt.NDArray[np.float64] = segment.cells if segment.cells.ndim == 2 else segment.cells[low:high]
    return Segment(segment.positions[low:high], segment.times_ps[low:high], cells)
