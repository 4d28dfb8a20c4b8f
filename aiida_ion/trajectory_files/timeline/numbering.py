"""Frames whose numbers say something: an even line, but for a first or last frame that is written besides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aiida_ion.trajectory_files.frames import FileFrames
from aiida_ion.trajectory_files.timeline.step_numbers import spacing_of

#: Frames of a file before an odd first or last one is told from an uneven line.
FEWEST_FRAMES = 5


def numbered(part: FileFrames, name: str) -> tuple[FileFrames, list[str]]:
    """Return frames without numbers that say nothing and without odd ends, and remarks on both.

    LAMMPS writes a first frame where a run starts and some programs a last one where it ends, nearer to the next frame
    than all others.

    :raises ValueError: if the numbers fall throughout.
    """
    if part.steps is None or len(part.steps) < 2:
        return part, []
    spacing = spacing_of(part.steps)
    if spacing is None:
        if (np.diff(part.steps) < 0).all():
            raise ValueError(f"{name}: the frames are out of order: their numbers fall")
        return replace(part, steps=None), [f"{name}: all frames have the number {part.steps[0]}, which says nothing."]
    if part.dft is not None or len(part) < FEWEST_FRAMES:
        return part, []
    distances = np.diff(part.steps)
    first, last = (int(0 < distances[end] < spacing) for end in (0, -1))
    odd = [int(part.steps[end]) for end, is_odd in ((0, first), (-1, last)) if is_odd]
    remarks = [f"{name}: frame {number} is nearer than {spacing} to the next; it is left out." for number in odd]
    return (_without_ends(part, first, last) if odd else part), remarks


def _without_ends(part: FileFrames, first: int, last: int) -> FileFrames:
    assert part.steps is not None
    rows = slice(first, len(part) - last)
    return replace(
        part,
        positions=part.positions[rows],
        cells=part.cells[rows],
        steps=part.steps[rows],
        breaks=tuple(row - first for row in part.breaks if row >= first),
        n_left_out=part.n_left_out + first + last,
    )
