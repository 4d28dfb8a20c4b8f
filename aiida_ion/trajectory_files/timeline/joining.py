"""Join the blocks of a run to a single timeline; frames written twice are kept once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from aiida_ion.trajectory_files.timeline.blocks import Source, Timeline
from aiida_ion.trajectory_files.timeline.breaks import check_seam
from aiida_ion.trajectory_files.timeline.repeats import same_frame, same_within
from aiida_ion.trajectory_files.timeline.step_numbers import spacing_of
from aiida_ion.trajectory_files.wrapping import apart

#: Placeholder of an unknown number.
NO_NUMBER = -(1 << 61)
#: Number of frames before the end in which the start of a block is searched.
SEARCHED_FRAMES = 5000


def join(sources: Sequence[Source], override_file: bool = False) -> Timeline:
    """Join the blocks of all files.

    A block ends where frame numbers restart or a frame appears again.

    :param override_file: treat frames as consecutive even if their numbers are not.
    :raises ValueError: if frames are missing, out of order, or not continuous between blocks.
    """
    timeline, counts = Timeline(), _Counts()
    for file, source in enumerate(sources):
        before = len(timeline.row)
        for rows in source.blocks:
            _append(timeline, sources, file, rows, counts, override_file)
        if len(timeline.row) <= before and file:
            raise ValueError(f"{source.name} adds nothing: its frames are in earlier files; is it given twice?")
        timeline.remarks += counts.sentences(source.name)
        counts = _Counts()
    return timeline


@dataclass
class _Counts:
    """Counts of what was left out of a file."""

    repeated_starts: int = 0
    overlaps: list[int] = field(default_factory=list)
    abandoned: list[tuple[int, float]] = field(default_factory=list)
    restarts: int = 0

    def sentences(self, name: str) -> list[str]:
        texts = []
        if self.repeated_starts:
            times = f"{self.repeated_starts} frames repeat" if self.repeated_starts > 1 else "a frame repeats"
            texts.append(f"{name}: {times} the previous frame, as restarts do; each is kept once.")
        if self.overlaps:
            texts.append(f"{name}: {sum(self.overlaps)} frames repeat earlier ones and are kept once.")
        for n_frames, distance_A in self.abandoned:
            texts.append(
                f"WARNING: {name}: the run was continued from an earlier frame; the {n_frames} frames after that, "
                f"which differed (by up to {distance_A:.2g} angstrom), are left out."
            )
        if self.restarts:
            times = "once" if self.restarts == 1 else f"{self.restarts} times"
            texts.append(f"{name}: its frame numbers restart {times}: several runs joined in one file.")
        return texts


def _append(
    timeline: Timeline, sources: Sequence[Source], file: int, rows: range, counts: _Counts, override_file: bool
) -> None:
    """Append a block."""
    if not timeline.row:
        timeline.add(file, rows)
        return
    if not _numbered_on(timeline, sources, file, rows, counts):
        rows = _without_overlap(timeline, sources, file, rows, counts)
    if not len(rows):
        return
    check_seam(timeline, sources, file, rows, override_file)
    timeline.add(file, rows)


def _numbered_on(timeline: Timeline, sources: Sequence[Source], file: int, rows: range, counts: _Counts) -> bool:
    """Cut the frames that a block numbered from an earlier frame replaces; return whether there were any.

    :raises ValueError: if its frames are out of order.
    """
    mine, theirs = sources[file].frames.steps, sources[timeline.file[-1]].frames.steps
    if mine is None or theirs is None:
        return False
    begin, end, last = int(mine[rows[0]]), int(mine[rows[-1]]), int(theirs[timeline.row[-1]])
    if begin > last:
        return False
    numbers = _kept_numbers(timeline, sources)
    if begin <= max(int(numbers[numbers > NO_NUMBER][0]), spacing_of(mine) or 1):  # numbering restarts
        first = int(numbers[numbers > NO_NUMBER][0])
        if file != timeline.file[-1] and end < first and first > (spacing_of(mine) or 1):
            other = sources[timeline.file[-1]].name
            raise ValueError(f"{sources[file].name} ends at {end}, before {other} begins at {first}: give it first")
        counts.restarts += file == timeline.file[-1]
        return False
    at = np.flatnonzero(numbers == begin)
    name = sources[file].name
    if not len(at) or end < last:
        before = f"{sources[timeline.file[-1]].name} ends at {last}" if timeline.file[-1] != file else f"{last}"
        raise ValueError(
            f"{name}: the frames are out of order: number {begin} follows {before}; "
            "give the files in chronological order"
            if timeline.file[-1] != file
            else f"{name}: the frames are out of order: number {begin} follows {before}"
        )
    first = int(at[-1])
    n_frames = len(timeline.row) - first
    distance_A = _distance(timeline, sources, first, file, rows, n_frames)
    if distance_A > same_within(sources[file].steps):
        counts.abandoned.append((n_frames, distance_A))
    elif n_frames == 1:
        _count_repeat(timeline, sources, file, counts)
    else:
        counts.overlaps.append(n_frames)
    timeline.cut(first)
    return True


def _count_repeat(timeline: Timeline, sources: Sequence[Source], file: int, counts: _Counts) -> None:
    before = timeline.file[-1]
    if before == file:
        counts.repeated_starts += 1
    else:
        remark = f"{sources[file].name} repeats the last frame of {sources[before].name}; it is kept once."
        timeline.remarks.append(remark)


def _kept_numbers(timeline: Timeline, sources: Sequence[Source]) -> NDArray[np.int64]:
    """Return the numbers of the kept frames; before a restart of the numbering, or without any, far below zero."""
    files, rows = np.array(timeline.file), np.array(timeline.row)
    numbers = np.full(len(rows), NO_NUMBER)
    for file in np.unique(files):
        steps, mine = sources[file].frames.steps, files == file
        if steps is not None:
            numbers[mine] = steps[rows[mine]]
    falls = np.flatnonzero(np.diff(numbers) <= 0)
    if len(falls):
        numbers[: falls[-1] + 1] = NO_NUMBER
    return numbers


def _distance(
    timeline: Timeline, sources: Sequence[Source], first: int, file: int, rows: range, n_frames: int
) -> float:
    """Return the largest distance between the kept frames from ``first`` on and those of a block, angstrom."""
    part, largest = sources[file].frames, 0.0
    for index in range(min(n_frames, len(rows), len(timeline.row) - first)):
        vectors = apart(timeline.frame(sources, first + index), part.positions[rows[index]], part.cells[rows[index]])
        largest = max(largest, float(np.abs(vectors).max()))
    return largest


def _without_overlap(timeline: Timeline, sources: Sequence[Source], file: int, rows: range, counts: _Counts) -> range:
    """Return a block without frames that are already there, identified by their positions.

    :raises ValueError: if it is another run from the same start.
    """
    part = sources[file].frames
    tolerance = same_within(sources[file].steps)
    at = _same_kept(timeline, sources, part.positions[rows[0]], part.cells[rows[0]], tolerance)
    if at is None:
        return rows
    n_kept = len(timeline.row) - at
    shared = min(n_kept, len(rows))
    distance_A = _distance(timeline, sources, at, file, rows, shared)
    if n_kept == 1:
        _count_repeat(timeline, sources, file, counts)
        return rows[1:]
    if distance_A < tolerance:
        counts.overlaps.append(shared)
        return rows[shared:]
    if at == 0:
        raise ValueError(
            f"{sources[file].name}: at frame {rows[0]} the run starts again from its first frame, and then "
            "differs; these are two runs, not parts of one: import each separately"
        )
    counts.abandoned.append((n_kept - 1, distance_A))
    timeline.cut(at + 1)
    return rows[1:]


def _same_kept(
    timeline: Timeline, sources: Sequence[Source], frame: NDArray[np.float64], cell: NDArray[np.float64], tol: float
) -> int | None:
    """Return the kept frame that equals another, searching the last ones, newest first."""
    high = len(timeline.row)
    for low in reversed([0, *timeline.seams]):
        rows = timeline.row[low:high]
        is_same = same_frame(sources[timeline.file[low]].frames.positions[rows[0] : rows[-1] + 1], frame, cell, tol)
        if is_same is not None:
            return low + is_same
        high = low
        if len(timeline.row) - high > SEARCHED_FRAMES:
            break
    return None
