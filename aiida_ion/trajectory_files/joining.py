"""Pieces of a run -> one line of time: what was written twice is kept once, what is missing is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from aiida_ion.trajectory_files.frames import Frames
from aiida_ion.trajectory_files.repeats import adjacent_repeats, earlier_repeats, same_frame, same_within
from aiida_ion.trajectory_files.run_facts import OVERRIDE
from aiida_ion.trajectory_files.step_numbers import gap_sentence, rewinds, spacing_of
from aiida_ion.trajectory_files.wrapping import Steps, apart, measure_steps

#: A step so many times longer than nine in ten of the others is odd, or a break.
ODD_STEP, BROKEN_STEP = 1.5, 3.0
#: An atom moves far if it moves so many times the root mean square of a usual step; in a break many atoms do, where a
#: hop moves one or two.
FAR_STEP = 4.0
FEWEST_FAR, FAR_PART = 4, 1 / 6
#: Stands for a number that is not known.
NO_NUMBER = -(1 << 61)
#: A file may consist of so many pieces for each frame.
MOST_PIECES = 0.34
#: Steps within pieces before that is judged.
FEWEST_STEPS = 10
#: More repeated rows than this part of a file: the file is something else.
MOST_REPEATED = 0.9


@dataclass(frozen=True)
class Source:
    """A file and what was measured of its frames.

    :param name: of the file.
    """

    name: str
    frames: Frames
    steps: Steps

    @cached_property
    def pieces(self) -> list[range]:
        """The rows of the file in pieces, each of which is consecutive by what the file says."""
        return _pieces(self)

    @cached_property
    def within(self) -> Steps:
        """What is measured of the steps within pieces alone."""
        begins = [rows[0] - 1 for rows in self.pieces[1:]]
        return measure_steps(self.frames.positions, self.frames.cells, begins) if begins else self.steps

    @cached_property
    def usual_steps(self) -> NDArray[np.float64]:
        """Root mean square of the steps within pieces, angstrom."""
        return self.within.rms_A


@dataclass
class Timeline:
    """The frames that are kept, in the order of time.

    :param file: index of the file of each frame.
    :param row: row of each frame in its file.
    :param seams: frames at which another piece begins.
    :param remarks: sentences on what was left out.
    """

    file: list[int] = field(default_factory=list)
    row: list[int] = field(default_factory=list)
    seams: list[int] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def add(self, file: int, rows: range) -> None:
        """Add rows of a file as a piece."""
        if self.row and len(rows):
            self.seams.append(len(self.row))
        self.file += [file] * len(rows)
        self.row += rows

    def cut(self, length: int) -> None:
        """Keep the first frames only."""
        del self.file[length:], self.row[length:]
        self.seams = [seam for seam in self.seams if seam < length]


def join(sources: Sequence[Source], override_file: bool = False) -> Timeline:
    """Put the pieces of all files one after the other.

    A piece ends where the numbers of the frames begin again or a frame appears that was there before.

    :param override_file: take frames as consecutive where their numbers say otherwise.
    :raises ValueError: if frames are missing, out of order, or do not go on from one piece to the next.
    """
    timeline, counts = Timeline(), _Counts()
    for file, source in enumerate(sources):
        before = len(timeline.row)
        for rows in source.pieces:
            _append(timeline, sources, file, rows, counts, override_file)
        if len(timeline.row) <= before and file:
            raise ValueError(f"{source.name} adds nothing: its frames are in the files before; is it given twice?")
        timeline.remarks += counts.sentences(source.name)
        counts = _Counts()
    return timeline


@dataclass
class _Counts:
    """What was left out of a file, counted."""

    repeated_starts: int = 0
    overlaps: list[int] = field(default_factory=list)
    abandoned: list[tuple[int, float]] = field(default_factory=list)
    restarts: int = 0

    def sentences(self, name: str) -> list[str]:
        texts = []
        if self.repeated_starts:
            times = f"{self.repeated_starts} frames repeat" if self.repeated_starts > 1 else "a frame repeats"
            texts.append(f"{name}: {times} the frame before, as a restart writes it; each is kept once.")
        if self.overlaps:
            texts.append(f"{name}: {sum(self.overlaps)} frames were there already and are kept once.")
        for n_frames, distance_A in self.abandoned:
            texts.append(
                f"WARNING: {name}: the run was continued from an earlier frame; the {n_frames} frames after that, "
                f"which went another way (up to {distance_A:.2g} angstrom apart), are left out."
            )
        if self.restarts:
            times = "once" if self.restarts == 1 else f"{self.restarts} times"
            texts.append(f"{name}: the numbers of its frames begin again {times}: runs that were joined in one file.")
        return texts


def _pieces(source: Source) -> list[range]:
    """Return the rows of a file in pieces.

    :raises ValueError: if nearly all rows are the same.
    """
    n_frames, adjacent = len(source.frames), adjacent_repeats(source.steps)
    if n_frames > 2 and len(adjacent) > MOST_REPEATED * (n_frames - 1):
        raise ValueError(f"{source.name}: {len(adjacent)} of {n_frames} frames are the same as the frame before")
    begins = {*adjacent, *rewinds(source.frames.steps), *earlier_repeats(source.frames.positions)}
    begins |= set(source.frames.breaks)
    ends = [*sorted(begins - {0, n_frames}), n_frames]
    if len(ends) > max(3, MOST_PIECES * n_frames):
        raise ValueError(
            f"{source.name}: among {n_frames} frames {len(ends) - 1} repeat an earlier one or are numbered out of order"
        )
    return [range(low, high) for low, high in zip([0, *ends], ends, strict=False)]


def _append(
    timeline: Timeline, sources: Sequence[Source], file: int, rows: range, counts: _Counts, override_file: bool
) -> None:
    """Add a piece to what is there."""
    if not timeline.row:
        timeline.add(file, rows)
        return
    if not _numbered_on(timeline, sources, file, rows, counts):
        rows = _without_overlap(timeline, sources, file, rows, counts)
    if not len(rows):
        return
    _check_seam(timeline, sources, file, rows, override_file)
    timeline.add(file, rows)


def _steps(sources: Sequence[Source], file: int) -> NDArray[np.int64] | None:
    return sources[file].frames.steps


def _numbered_on(timeline: Timeline, sources: Sequence[Source], file: int, rows: range, counts: _Counts) -> bool:
    """Cut what a piece that is numbered on from earlier frames replaces; return whether that was so.

    :raises ValueError: if its frames are out of order.
    """
    mine, theirs = _steps(sources, file), _steps(sources, timeline.file[-1])
    if mine is None or theirs is None:
        return False
    begin, end, last = int(mine[rows[0]]), int(mine[rows[-1]]), int(theirs[timeline.row[-1]])
    if begin > last:
        return False
    numbers = _kept_numbers(timeline, sources)
    if begin <= max(int(numbers[numbers > NO_NUMBER][0]), spacing_of(mine) or 1):  # numbered from the start again
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
            f"{name}: the frames are out of order: number {begin} follows {before}; give the files in the order of time"
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
    """Return the numbers of the kept frames; those from before they began anew, or without any, are far below zero."""
    files, rows = np.array(timeline.file), np.array(timeline.row)
    numbers = np.full(len(rows), NO_NUMBER)
    for file in np.unique(files):
        steps, mine = _steps(sources, int(file)), files == file
        if steps is not None:
            numbers[mine] = steps[rows[mine]]
    falls = np.flatnonzero(np.diff(numbers) <= 0)
    if len(falls):
        numbers[: falls[-1] + 1] = NO_NUMBER
    return numbers


def _frame(timeline: Timeline, sources: Sequence[Source], index: int) -> NDArray[np.float64]:
    frame: NDArray[np.float64] = sources[timeline.file[index]].frames.positions[timeline.row[index]]
    return frame


def _distance(
    timeline: Timeline, sources: Sequence[Source], first: int, file: int, rows: range, n_frames: int
) -> float:
    """Return how far the kept frames from ``first`` on are from those of a piece, angstrom."""
    part, largest = sources[file].frames, 0.0
    for index in range(min(n_frames, len(rows), len(timeline.row) - first)):
        vectors = apart(_frame(timeline, sources, first + index), part.positions[rows[index]], part.cells[rows[index]])
        largest = max(largest, float(np.abs(vectors).max()))
    return largest


def _without_overlap(timeline: Timeline, sources: Sequence[Source], file: int, rows: range, counts: _Counts) -> range:
    """Return a piece without the frames that are there already, which are found by their positions.

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
            f"{sources[file].name}: at frame {rows[0]} the run begins once more from its first frame, and goes another "
            "way; these are two runs, not parts of one: import each alone"
        )
    counts.abandoned.append((n_kept - 1, distance_A))
    timeline.cut(at + 1)
    return rows[1:]


def _same_kept(
    timeline: Timeline, sources: Sequence[Source], frame: NDArray[np.float64], cell: NDArray[np.float64], tol: float
) -> int | None:
    """Return the kept frame that is the same as another; the last ones are looked at, newest first."""
    high = len(timeline.row)
    for low in reversed([0, *timeline.seams]):
        rows = timeline.row[low:high]
        found = same_frame(sources[timeline.file[low]].frames.positions[rows[0] : rows[-1] + 1], frame, cell, tol)
        if found is not None:
            return low + found
        high = low
        if len(timeline.row) - high > 5000:
            break
    return None


def _check_seam(timeline: Timeline, sources: Sequence[Source], file: int, rows: range, override_file: bool) -> None:
    """Compare the step from one piece to the next with those within pieces.

    :raises ValueError: if the second does not go on where the first ends.
    """
    before, source = sources[timeline.file[-1]], sources[file]
    moved_A = apart(_frame(timeline, sources, -1), source.frames.positions[rows[0]], source.frames.cells[rows[0]])
    where = f"{before.name} and {source.name}"
    if before is source:
        where = f"frames {timeline.row[-1]} and {rows[0]} of {source.name}"
    usual_A = np.concatenate([before.usual_steps, source.usual_steps])
    odd, text = _oddity(moved_A, usual_A, where)
    if odd >= BROKEN_STEP and not override_file:
        raise ValueError(
            f"{text}: the second does not go on where the first ends; frames are missing, or the order is wrong"
        )
    if odd >= ODD_STEP:
        timeline.remarks.append(f"WARNING: {text}; frames may be missing there.")


def _oddity(moved_A: NDArray[np.float64], usual_A: NDArray[np.float64], where: str) -> tuple[float, str]:
    """Return how many times longer a step is than nine in ten of the usual ones, 0 if few atoms move far, and words."""
    if len(usual_A) < FEWEST_STEPS or float(np.median(usual_A)) == 0.0:
        return 0.0, ""
    usual = float(np.median(usual_A))
    far = int((np.linalg.norm(moved_A, axis=1) > FAR_STEP * usual).sum())
    rms = float(np.sqrt((moved_A**2).sum(axis=1).mean()))
    text = f"atoms move {rms:.2g} angstrom (rms) between {where}, {usual:.2g} elsewhere"
    if far < max(FEWEST_FAR, FAR_PART * len(moved_A)):
        return 0.0, text
    return rms / float(np.quantile(usual_A, 0.9)), text


def check_breaks(source: Source) -> None:
    """Look for breaks within pieces, which a file without numbers does not show otherwise.

    :raises ValueError: naming the first.
    """
    if source.frames.unwrapped or len(source.usual_steps) < FEWEST_STEPS:
        return
    begins = {rows[0] for rows in source.pieces}
    limit = BROKEN_STEP * float(np.quantile(source.usual_steps, 0.9))
    for row in np.flatnonzero(source.steps.rms_A > limit) + 1:
        if row in begins:
            continue
        positions, cell = source.frames.positions, source.frames.cells[row]
        odd, text = _oddity(
            apart(positions[row - 1], positions[row], cell),
            source.usual_steps,
            f"frames {row - 1} and {row} of {source.name}",
        )
        if odd >= BROKEN_STEP:
            raise ValueError(
                f"{text}: the run does not go on there; frames are missing, or two runs are joined. Give one run, or "
                f"add {OVERRIDE}"
            )


def check_gaps(timeline: Timeline, sources: Sequence[Source], override_file: bool = False) -> list[str]:
    """Compare the numbers of the frames that are kept with an even spacing.

    :returns: remarks on gaps that are passed over.
    :raises ValueError: if frames are missing.
    """
    remarks: list[str] = []
    files, rows, seams = np.array(timeline.file), np.array(timeline.row), set(timeline.seams)
    for file, source in enumerate(sources):
        steps, spacing = source.frames.steps, spacing_of(source.frames.steps)
        mine = np.flatnonzero(files == file)
        for missing in (row for row in source.frames.breaks if 0 < row < len(source.frames)):
            remarks.append(
                f"WARNING: {source.name}: a frame is missing after the first {missing}; the frames around it are taken "
                "as consecutive."
            )
        if steps is None or spacing is None or not len(mine):
            continue
        for at in mine[1:][np.diff(steps[rows[mine]]) != spacing]:
            before, after = int(steps[rows[at - 1]]), int(steps[rows[at]])
            at_break = int(rows[at]) in source.frames.breaks and after - before == 2 * spacing  # said above
            counted = after - before == (rows[at] - rows[at - 1]) * spacing  # the frame that is left out had a number
            if at_break or (int(at) in seams and (after <= before or counted)):
                continue
            remarks += _gap(source.name, gap_sentence(before, after, spacing, source.frames.numbering), override_file)
    for seam in timeline.seams:
        remarks += _gap_between(sources, timeline, seam, override_file)
    return remarks


def _gap_between(sources: Sequence[Source], timeline: Timeline, seam: int, override_file: bool) -> list[str]:
    """Compare the numbers on both sides of the seam between two files."""
    one, two = timeline.file[seam - 1], timeline.file[seam]
    before, after = _steps(sources, one), _steps(sources, two)
    spacing = spacing_of(after) or spacing_of(before)
    if one == two or before is None or after is None or spacing is None:
        return []
    last, first = int(before[timeline.row[seam - 1]]), int(after[timeline.row[seam]])
    skipped = timeline.row[seam] * spacing
    if first <= last or first - last in (spacing, spacing + skipped):
        return []
    name = f"{sources[one].name} and {sources[two].name}"
    return _gap(name, gap_sentence(last, first, spacing, sources[two].frames.numbering), override_file)


def _gap(name: str, sentence: str, override_file: bool) -> list[str]:
    if not override_file:
        raise ValueError(
            f"{name}: {sentence}; import the longest part without a gap, or add {OVERRIDE} to take them as consecutive"
        )
    return [f"WARNING: {name}: {sentence}; they are taken as consecutive ({OVERRIDE})."]
