"""Trajectories as arrays: joining segments, unwrapping, drift, thinning, and the checks before any fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.crystals.cell import image_room_A, reduction
from aiida_ion.analysis.trajectories.images import ImageFollower
from aiida_ion.units import FS_PER_PS

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Frames converted to double precision at a time, so that memory-mapped input stays on disk.
CHUNK_FRAMES = 500
#: The framework's mean squared displacement needs few frames; more are thinned to this number.
MAX_FRAMEWORK_FRAMES = 500
#: Longest step of an ion followed through a face, as a fraction of half the cell: beyond, its path is ambiguous.
SURE_PART = 0.8
#: Tolerance of equal frame intervals of replicas, as a fraction.
SAME_INTERVAL = 1e-4
#: Tolerance of frame times on a uniform grid, as a fraction of the spacing.
SPACING_TOLERANCE = 0.01


class Unwrapped(NamedTuple):
    """Unwrapped positions (n, N, 3), angstrom, and the largest step in fractions of the reduced cell."""

    positions: FloatArray
    largest_step: float


class DriftFree(NamedTuple):
    """Positions (n, N, 3) minus the framework's drift, angstrom, and the largest drift, angstrom."""

    positions: FloatArray
    drift_A: float


@dataclass(frozen=True)
class Segment:
    """One part of a run, in time order.

    :param positions: unwrapped positions, angstrom, shape (n, N, 3); may be memory-mapped and float32.
    :param times_ps: time of each frame, ps, shape (n,).
    :param cells: cell of each frame, angstrom, shape (n, 3, 3), or one cell (3, 3) for all.
    """

    positions: npt.NDArray[Any]
    times_ps: npt.NDArray[Any]
    cells: npt.NDArray[Any]

    def __post_init__(self) -> None:
        if self.positions.ndim != 3 or self.positions.shape[2] != 3:
            raise ValueError(f"positions must have shape (frames, atoms, 3), got {self.positions.shape}")
        if self.times_ps.shape != (len(self.positions),):
            raise ValueError(f"{len(self.positions)} frames but times of shape {self.times_ps.shape}")
        if self.cells.shape not in ((3, 3), (len(self.positions), 3, 3)):
            raise ValueError(f"cells must be (3, 3) or ({len(self.positions)}, 3, 3), got {self.cells.shape}")


@dataclass(frozen=True)
class Replica:
    """One run after joining, thinning and drift removal.

    :param mobile: positions of the mobile ions minus the framework's drift, angstrom, (n, M, 3), float64.
    :param framework: the same for the framework atoms, at most :data:`MAX_FRAMEWORK_FRAMES` frames, float32.
    :param drift_A: largest displacement of the framework's centre, angstrom; 0 without a framework.
    :param mean_volume_A3: mean cell volume, angstrom^3.
    :param interval_fs: time between two frames kept, fs.
    :param stride: one in this many stored frames was kept.
    :param n_frames_stored: frames before equilibration and thinning.
    :param collective: the vector whose MSD gives the collective diffusivity like that of a single ion, angstrom,
        (n, 3): sum q_i r_i / (q sqrt(M)) over all atoms, or the sum over the mobile ions / sqrt(M).
    """

    mobile: FloatArray
    framework: npt.NDArray[np.float32]
    drift_A: float
    mean_volume_A3: float
    interval_fs: float
    stride: int
    n_frames_stored: int
    collective: FloatArray


def unwrap(positions: npt.NDArray[Any], cells: npt.NDArray[Any]) -> Unwrapped:
    """Undo periodic wrapping by the minimum image of fractional differences between consecutive frames.

    Works for any triclinic cell, however skewed: fractions are those of the reduced cell of the same lattice. An atom
    that moves half a vector of that cell or more between two frames seems to move the other way, so a ``largest_step``
    near 0.5 means that frames were stored too rarely.

    :param positions: wrapped positions, angstrom, (n, N, 3).
    :param cells: rows are cell vectors, angstrom, (n, 3, 3) or (3, 3).
    :raises ValueError: for a cell without volume.
    """
    cells = np.broadcast_to(np.asarray(cells, dtype=float), (len(positions), 3, 3))
    if np.any(np.abs(np.linalg.det(cells)) < 1e-9):
        raise ValueError("a cell has no volume: positions cannot be unwrapped")
    cells = reduction(cells[0]) @ cells
    fractional = np.einsum("tni,tij->tnj", np.asarray(positions, dtype=float), np.linalg.inv(cells))
    steps = np.diff(fractional, axis=0)
    steps -= np.round(steps)
    largest = float(np.abs(steps).max()) if steps.size else 0.0
    fractional[1:] = fractional[0] + np.cumsum(steps, axis=0)
    return Unwrapped(np.einsum("tni,tij->tnj", fractional, cells), largest)


def framework_drift(positions: npt.NDArray[Any], framework_indices: npt.NDArray[Any]) -> FloatArray:
    """Unweighted mean position of the framework, angstrom, (n, 3); zeros without a framework."""
    if len(framework_indices) == 0:
        return np.zeros((len(positions), 3))
    mean: FloatArray = positions[:, framework_indices].mean(axis=1, dtype=float)
    return mean


def remove_drift(positions: npt.NDArray[Any], framework_indices: npt.NDArray[Any]) -> DriftFree:
    """Subtract the unweighted mean displacement of the framework from every atom.

    :param positions: unwrapped positions, angstrom, (n, N, 3).
    :param framework_indices: atoms of the framework; if empty, nothing is subtracted.
    """
    drift = framework_drift(positions, framework_indices)
    drift = drift - drift[:1]
    return DriftFree(positions - drift[:, None], _largest_norm(drift))


def thin(n_frames: int, max_frames: int) -> int:
    """Stride that leaves at most ``max_frames`` of ``n_frames``."""
    return max(1, -(-n_frames // max_frames))


def check_finite(positions: npt.NDArray[Any], what: str = "positions") -> None:
    """Refuse NaN and infinity.

    :raises ValueError: naming the first such frame.
    """
    bad = ~np.isfinite(positions).reshape(len(positions), -1).all(axis=1)
    if bad.any():
        raise ValueError(f"{what} of frame {int(np.argmax(bad))} are not finite: the run has exploded")


def check_spacing(times: npt.NDArray[Any]) -> float:
    """Return the spacing of a uniform time grid, in the unit of ``times``.

    :param times: time of every frame over all segments, shape (n,), n >= 2.
    :raises ValueError: for a duplicate, missing or misplaced frame; the message says which.
    """
    times = np.asarray(times, dtype=float)
    if len(times) < 2:
        raise ValueError(f"a trajectory needs at least 2 frames, got {len(times)}")
    check_finite(times, "times")
    steps = np.diff(times)
    spacing = float(np.median(steps))
    if spacing <= 0:
        raise ValueError("times do not increase: the segments are in the wrong order or frames are doubled")
    wrong = np.abs(steps - spacing) > SPACING_TOLERANCE * spacing + 4 * np.spacing(np.abs(times).max())
    if wrong.any():
        raise ValueError(_describe_spacing(times, int(np.argmax(wrong)), spacing))
    return float((times[-1] - times[0]) / (len(times) - 1))


def _describe_spacing(times: FloatArray, frame: int, spacing: float) -> str:
    step = times[frame + 1] - times[frame]
    where = f"between frames {frame} (t = {times[frame]:g}) and {frame + 1} (t = {times[frame + 1]:g})"
    if abs(step) <= SPACING_TOLERANCE * spacing:
        return f"a frame is doubled {where}: a segment must not repeat the frame that it continues from"
    if step < 0:
        return f"time goes backwards {where}: the segments overlap or are in the wrong order"
    if step > spacing:
        return f"frames are lost {where}: the spacing is {spacing:g} elsewhere"
    return f"the spacing changes {where}: {step:g} instead of {spacing:g}"


def join_segments(
    segments: Sequence[Segment],
    mobile_indices: IntArray,
    framework_indices: IntArray,
    equilibration_fs: float = 0.0,
    max_frames: int = 5000,
    *,
    other_indices: IntArray | None = None,
    stride: int | None = None,
    charges_e: FloatArray | None = None,
    follow_mobile: bool = False,
) -> Replica:
    """Join the segments of a run, drop equilibration (counted from the first frame given), thin, remove drift.

    :param other_indices: atoms that are neither: ions of other mobile species.
    :param stride: keep one in this many frames, instead of thinning to ``max_frames``.
    :param charges_e: charge of each atom, e, (N,), with zero sum; the collective vector is then that of all charges,
        independent of the frame of reference. Without them it is that of the mobile ions in the framework's frame.
    :param follow_mobile: also follow mobile ions through cell faces, unless they move nearly half a cell between two
        frames; for framework atoms analysed as if they were mobile.

    Atoms other than the mobile ones that cross a face of the cell are followed to their nearest image; mobile ions that
    do so are refused. Positions are thinned before they are converted, and only mobile ions, sums over atoms and a few
    hundred framework frames are kept: memory-mapped positions stay on disk.

    :raises ValueError: for an irregular time grid, a different number of atoms, positions that are not finite or that
        jump by half a cell (wrapped), or too few remaining frames.
    """
    if not segments:
        raise ValueError("a replica has no segments")
    others = np.zeros(0, dtype=np.int64) if other_indices is None else other_indices
    _check_atoms(segments, len(np.unique(np.concatenate([mobile_indices, framework_indices, others]))))
    spacing_fs, first, n_frames = _kept_frames(segments, equilibration_fs)
    stride = stride or thin(n_frames - first, max_frames)
    weights = np.zeros(segments[0].positions.shape[1]) if charges_e is None else charges_e
    chosen = (mobile_indices, framework_indices)
    mobile, centre, framework, dipole = _gather(segments, first, stride, *chosen, weights, follow_mobile)
    centre -= centre[0]
    mobile -= centre[:, None]
    collective = mobile.sum(axis=1) if charges_e is None else dipole / charges_e[mobile_indices[0]]
    coarse = thin(len(framework), MAX_FRAMEWORK_FRAMES)
    framework = framework[::coarse] - centre[::coarse, None].astype(np.float32)
    cells = _cells(segments)
    _check_wrapped(mobile, cells, SURE_PART if follow_mobile else 1.0)
    return Replica(
        mobile=mobile,
        framework=framework,
        drift_A=_largest_norm(centre),
        mean_volume_A3=float(np.abs(np.linalg.det(cells)).mean()),
        interval_fs=spacing_fs * stride,
        stride=stride,
        n_frames_stored=n_frames,
        collective=(collective - collective[0]) / np.sqrt(len(mobile_indices)),
    )


def common_stride(replicas: Sequence[Sequence[Segment]], equilibration_fs: float, max_frames: int) -> int:
    """The stride that leaves at most ``max_frames`` of the longest replica, so that all have the same frame interval.

    :raises ValueError: as :func:`join_segments`.
    """
    kept = [_kept_frames(segments, equilibration_fs) for segments in replicas]
    return max(thin(n_frames - first, max_frames) for _, first, n_frames in kept)


def _kept_frames(segments: Sequence[Segment], equilibration_fs: float) -> tuple[float, int, int]:
    """The frame spacing, fs, the first frame after equilibration, and the total number of frames."""
    if not segments:
        raise ValueError("a replica has no segments")
    times = np.concatenate([np.asarray(segment.times_ps, dtype=float) for segment in segments])
    spacing_fs = check_spacing(times) * FS_PER_PS
    first = int(np.ceil(equilibration_fs / spacing_fs - 1e-6))
    if len(times) - first < 10:
        raise ValueError(
            f"{max(len(times) - first, 0)} of {len(times)} frames are left after {equilibration_fs:g} fs of "
            "equilibration; 10 are needed"
        )
    return spacing_fs, first, len(times)


def _check_atoms(segments: Sequence[Segment], n_atoms: int) -> None:
    for number, segment in enumerate(segments):
        if segment.positions.shape[1] != n_atoms:
            raise ValueError(f"segment {number} has {segment.positions.shape[1]} atoms, for {n_atoms} symbols")


def _gather(
    segments: Sequence[Segment],
    first: int,
    stride: int,
    mobile: IntArray,
    framework: IntArray,
    charges_e: FloatArray,
    follow_mobile: bool,
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.float32], FloatArray]:
    """Read every ``stride``-th frame from ``first`` on: mobile ions, framework centre, framework, sum q_i r_i."""
    mobile_parts, centres, framework_parts, dipoles = [], [], [], []
    followed = np.arange(segments[0].positions.shape[1])
    if not follow_mobile:
        followed = np.setdiff1d(followed, mobile)
    follower = ImageFollower()
    offset = 0
    for segment in segments:
        n_frames = len(segment.positions)
        start = first - offset if offset < first else (first - offset) % stride
        offset += n_frames
        for low in range(start, n_frames, CHUNK_FRAMES * stride):
            chosen = slice(low, low + CHUNK_FRAMES * stride, stride)
            block = np.array(segment.positions[chosen])
            check_finite(block)
            cells = segment.cells if segment.cells.ndim == 2 else segment.cells[chosen]
            block[:, followed] = follower.follow(block[:, followed], cells)
            mobile_parts.append(block[:, mobile].astype(float))
            centres.append(framework_drift(block, framework))
            framework_parts.append(block[:, framework].astype(np.float32))
            dipoles.append(np.einsum("i,tix->tx", charges_e, block))
    parts = (np.concatenate(mobile_parts), np.concatenate(centres), np.concatenate(framework_parts))
    return *parts, np.concatenate(dipoles)


def _cells(segments: Sequence[Segment]) -> FloatArray:
    """All distinct cells the volume is averaged over, angstrom, (k, 3, 3)."""
    parts = [np.asarray(segment.cells, dtype=float) for segment in segments]
    cells = np.concatenate(
        [
            part if part.ndim == 3 else np.repeat(part[None], len(s.positions), 0)
            for part, s in zip(parts, segments, strict=True)
        ]
    )
    check_finite(cells, "cells")
    if np.any(np.abs(np.linalg.det(cells)) < 1e-3):
        raise ValueError("a cell has no volume: conductivity needs a periodic crystal")
    return cells


def _check_wrapped(mobile: FloatArray, cells: FloatArray, part: float) -> None:
    half_width = part * image_room_A(cells.mean(axis=0))
    steps = np.abs(np.diff(mobile, axis=0)).max() if len(mobile) > 1 else 0.0
    if steps > half_width:
        how_far = "more than" if part == 1.0 else "nearly"
        raise ValueError(
            f"an ion moves {steps:.1f} angstrom between two frames, {how_far} half the cell: "
            "the positions are wrapped or stored too rarely; unwrap them first"
        )


def _largest_norm(vectors: FloatArray) -> float:
    return float(np.linalg.norm(vectors, axis=-1).max()) if len(vectors) else 0.0
