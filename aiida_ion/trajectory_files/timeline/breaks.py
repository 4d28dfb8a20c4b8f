"""Steps too long for a single run, from positions: between and within blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aiida_ion.trajectory_files.run_facts import OVERRIDE
from aiida_ion.trajectory_files.timeline.blocks import Source, Timeline
from aiida_ion.trajectory_files.wrapping import apart

#: Ratio to the 90th percentile of the other steps from which a step is odd, or a break.
ODD_STEP, BROKEN_STEP = 1.5, 3.0
#: An atom moves far if it moves this many times the root mean square of a usual step; in a break many atoms do, in a
#: hop only one or two.
FAR_STEP = 4.0
FEWEST_FAR, FAR_PART = 4, 1 / 6
#: Fewest steps within blocks for this check.
FEWEST_STEPS = 10
#: A move this many times the usual largest is checked, in at most this many steps; two atoms have swapped places if
#: each is closer to the other's old position than this fraction of its move.
ODD_MOVE, MOST_LOOKED_AT, EXCHANGED_PART = 4.0, 200, 0.35


def check_seam(timeline: Timeline, sources: Sequence[Source], file: int, rows: range, override_file: bool) -> None:
    """Compare the step from one block to the next with those within blocks.

    :raises ValueError: if the second does not continue where the first ends.
    """
    before, source = sources[timeline.file[-1]], sources[file]
    moved_A = apart(timeline.frame(sources, -1), source.frames.positions[rows[0]], source.frames.cells[rows[0]])
    where = f"{before.name} and {source.name}"
    if before is source:
        where = f"frames {timeline.row[-1]} and {rows[0]} of {source.name}"
    usual_A = np.concatenate([before.usual_steps, source.usual_steps])
    odd, text = _oddity(moved_A, usual_A, where)
    if odd >= BROKEN_STEP and not override_file:
        raise ValueError(
            f"{text}: the second does not continue where the first ends; frames are missing, or the order is wrong"
        )
    if odd >= ODD_STEP:
        timeline.remarks.append(f"WARNING: {text}; frames may be missing there.")


def _oddity(moved_A: NDArray[np.float64], usual_A: NDArray[np.float64], where: str) -> tuple[float, str]:
    """Return the ratio of a step to the 90th percentile of usual ones, 0 if few atoms move far, and a description."""
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
    """Look for breaks within blocks, which would go unnoticed in a file without frame numbers.

    :raises ValueError: naming the first one.
    """
    if source.frames.unwrapped or len(source.usual_steps) < FEWEST_STEPS:
        return
    begins = {rows[0] for rows in source.blocks}
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
                f"{text}: the run does not continue there; frames are missing, or two runs are joined. Give one run, "
                f"or add {OVERRIDE}"
            )


def exchanges(source: Source) -> list[str]:
    """Return a warning if two atoms of an element swap places between frames.

    In a crystal this means that the order of the atoms changed, not their positions; ids would show it.
    """
    largest = source.within.largest_A
    if len(largest) < FEWEST_STEPS or source.frames.dft is not None:
        return []
    begins = {rows[0] for rows in source.blocks}
    exchanged = []
    for row in np.flatnonzero(source.steps.largest_A > ODD_MOVE * np.median(largest))[:MOST_LOOKED_AT] + 1:
        if row not in begins and _exchanged(source, int(row)):
            exchanged.append(int(row))
    if not exchanged:
        return []
    return [
        f"WARNING: {source.name}: two atoms of one element swap places at frame {exchanged[0]}"
        f"{f', and at {len(exchanged) - 1} more' if len(exchanged) > 1 else ''}: does their order change?"
    ]


def _exchanged(source: Source, row: int) -> bool:
    before, after, cell = source.frames.positions[row - 1], source.frames.positions[row], source.frames.cells[row]
    moved_A = np.linalg.norm(apart(before, after, cell), axis=1)
    far = np.flatnonzero(moved_A > ODD_MOVE * np.median(moved_A))
    for atom in far:
        for other in far[far > atom]:
            if source.frames.symbols[atom] != source.frames.symbols[other]:
                continue
            crossed = np.linalg.norm(apart(before[[atom, other]], after[[other, atom]], cell), axis=1)
            if (crossed < EXCHANGED_PART * moved_A[[atom, other]]).all():
                return True
    return False
