"""Files in blocks, and the kept frames in chronological order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from aiida_ion.trajectory_files.frames import FileFrames
from aiida_ion.trajectory_files.timeline.repeats import adjacent_repeats, earlier_repeats
from aiida_ion.trajectory_files.timeline.step_numbers import rewinds
from aiida_ion.trajectory_files.wrapping import Steps, measure_steps

#: Largest fraction of repeated rows in a trajectory file.
MOST_REPEATED = 0.9
#: Largest number of blocks per frame of a file.
MOST_BLOCKS = 0.34


@dataclass(frozen=True)
class Source:
    """A file and statistics of its frames.

    :param name: of the file.
    """

    name: str
    frames: FileFrames
    steps: Steps

    @cached_property
    def blocks(self) -> list[range]:
        """The rows of the file in blocks, each of which is consecutive according to the file."""
        return blocks_of(self)

    @cached_property
    def within(self) -> Steps:
        """Statistics of the steps within blocks."""
        begins = [rows[0] - 1 for rows in self.blocks[1:]]
        return measure_steps(self.frames.positions, self.frames.cells, begins) if begins else self.steps

    @cached_property
    def usual_steps(self) -> NDArray[np.float64]:
        """Root mean square of the steps within blocks, angstrom."""
        return self.within.rms_A


@dataclass
class Timeline:
    """The kept frames, in chronological order.

    :param file: index of the file of each frame.
    :param row: row of each frame in its file.
    :param seams: frames at which another block begins.
    :param remarks: sentences on what was left out.
    """

    file: list[int] = field(default_factory=list)
    row: list[int] = field(default_factory=list)
    seams: list[int] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def add(self, file: int, rows: range) -> None:
        """Add rows of a file as a block."""
        if self.row and len(rows):
            self.seams.append(len(self.row))
        self.file += [file] * len(rows)
        self.row += rows

    def cut(self, length: int) -> None:
        """Keep only the first frames."""
        del self.file[length:], self.row[length:]
        self.seams = [seam for seam in self.seams if seam < length]

    def frame(self, sources: Sequence[Source], index: int) -> NDArray[np.float64]:
        """Return the positions of a kept frame, shape (N, 3), angstrom."""
        frame: NDArray[np.float64] = sources[self.file[index]].frames.positions[self.row[index]]
        return frame


def blocks_of(source: Source) -> list[range]:
    """Return the rows of a file in blocks.

    :raises ValueError: if nearly all rows are the same.
    """
    n_frames, adjacent = len(source.frames), adjacent_repeats(source.steps)
    if n_frames > 2 and len(adjacent) > MOST_REPEATED * (n_frames - 1):
        raise ValueError(f"{source.name}: {len(adjacent)} of {n_frames} frames are the same as the frame before")
    begins = {*adjacent, *rewinds(source.frames.steps), *earlier_repeats(source.frames.positions)}
    begins |= set(source.frames.breaks)
    ends = [*sorted(begins - {0, n_frames}), n_frames]
    if len(ends) > max(3, MOST_BLOCKS * n_frames):
        raise ValueError(
            f"{source.name}: {len(ends) - 1} of {n_frames} frames repeat an earlier one or are numbered out of order"
        )
    return [range(low, high) for low, high in zip([0, *ends], ends, strict=False)]
