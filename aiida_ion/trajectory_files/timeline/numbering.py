"""Frame numbers, without meaningless ones and without an extra first or last frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aiida_ion.trajectory_files.frames import FileFrames
from aiida_ion.trajectory_files.timeline.step_numbers import spacing_of

#: Fewest frames to distinguish an odd first or last one from uneven spacing.
FEWEST_FRAMES = 5


def numbered(part: FileFrames, name: str) -> tuple[FileFrames, list[str]]:
    """Return frames without meaningless numbers and odd ends, and remarks on both.

    LAMMPS writes an extra first frame at the start of a run, and some programs an extra last one, at a shorter interval
    than all others.

    :raises ValueError: if the numbers decrease throughout.
    """
    if part.steps is None or len(part.steps) < 2:
        return part, []
    spacing = spacing_of(part.steps)
    if spacing is None:
        if (np.diff(part.steps) < 0).all():
            raise ValueError(f"{name}: the frames are out of order: their numbers decrease")
        return replace(part, steps=None), [f"{name}: all frames have the number {part.steps[0]}, which is ignored."]
    if part.dft is not None or len(part) < FEWEST_FRAMES:
        return part, []
    distances = np.diff(part.steps)
    first, last = (int(0 < distances[end] < spacing) for end in (0, -1))
    odd = [int(part.steps[end]) for end, is_odd in ((0, first), (-1, last)) if is_odd]
    remarks = [f"{name}: frame {number} is closer than {spacing} to its neighbour; it is left out." for number in odd]
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
