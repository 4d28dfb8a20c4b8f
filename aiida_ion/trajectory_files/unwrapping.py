"""Whether a file is wrapped, and how its steps are interpreted."""

from __future__ import annotations

import numpy as np

from aiida_ion.trajectory_files.timeline.blocks import Source
from aiida_ion.trajectory_files.wrapping import AMBIGUOUS_STEP, CLEAR_STEP, STRAY, Steps, fractions

#: Largest fraction of steps with jumps in an unwrapped file that was joined from blocks.
FEW_JUMPS = 10
#: Tolerance of a jump by lattice vectors, in fractions of the cell.
WHOLE_CELL = 0.2


def wrapping_of(source: Source, interval_fs: float) -> tuple[bool, str, list[str]]:
    """Return whether steps within a file use the nearest image, a description, and remarks.

    Jumps by lattice vectors decide, not the range of positions: atoms of a wrapped file leave the cell until LAMMPS
    builds its next neighbour list, and an unwrapped file may be joined from blocks.

    :raises ValueError: if frames are too far apart to follow the atoms.
    """
    steps, name = source.within, source.name
    if not len(steps.jumps):
        words = (
            "positions not wrapped" if source.frames.unwrapped else "no atom jumps across the cell between two frames"
        )
        return False, words, []
    crossings = f"{len(steps.jumps)} of {len(source.frames) - 1} steps"
    if _in_blocks(source):
        at = ", ".join(str(row + 1) for row in steps.jumps)
        remark = f"{name}: at frame {at} atoms jump by whole cells, as if a run continued from wrapped positions."
        return True, "positions not wrapped, in blocks joined here", [remark, *_ambiguous(steps, name, interval_fs)]
    if not source.frames.unwrapped and (steps.largest_residual < CLEAR_STEP or steps.in_cell):
        words = "wrapped positions, unwrapped here"
        remark = f"{name}: atoms jump by whole cells in {crossings}: the positions were wrapped and are unwrapped."
        if not steps.in_cell:
            remark += _beyond(source)
        return True, words, [remark, *_ambiguous(steps, name, interval_fs)]
    _check_restarts(source)
    remark = f"{name}: atoms move up to {steps.largest:.2f} of the cell between two frames; the file is not wrapped."
    return False, "positions not wrapped", [remark]


def _in_blocks(source: Source) -> bool:
    """Whether an unwrapped file has jumps by lattice vectors in a few steps."""
    steps = source.within
    if len(steps.jumps) > FEW_JUMPS or steps.in_cell or steps.largest_residual >= CLEAR_STEP:
        return False
    for row in steps.jumps:
        (moved,) = np.diff(
            fractions(source.frames.positions[row : row + 2], source.frames.cells[row : row + 2]), axis=0
        )
        jumping = moved[np.abs(moved) >= 0.5]
        if np.abs(jumping - np.round(jumping)).max() > WHOLE_CELL:
            return False
    return True


def _beyond(source: Source) -> str:
    steps = source.within
    span = float((steps.high - steps.low).max())
    return f" They span {span:.3g} cells: some atoms left the cell, or blocks were unwrapped before."


def _ambiguous(steps: Steps, name: str, interval_fs: float) -> list[str]:
    """Return a warning if steps approach half the cell.

    :raises ValueError: if many do.
    """
    if steps.largest_residual <= AMBIGUOUS_STEP:
        return []
    text = (
        f"atoms move up to {steps.largest_residual:.2f} of the cell in the {interval_fs:g} fs between two "
        "frames; from 0.5 on the direction cannot be known"
    )
    if steps.aliased:
        raise ValueError(f"{name}: {text}, and many steps are that long. Store frames more often, or unwrapped.")
    return [f"WARNING: {name}: {text}. Store frames more often."]


def _check_restarts(source: Source) -> None:
    """Refuse a file with long steps that seems to restart from wrapped positions.

    :raises ValueError: naming the frame.
    """
    for row in source.within.jumps[:1000]:
        before, after = fractions(source.frames.positions[row : row + 2], source.frames.cells[row : row + 2])
        inside = [bool(((frame > -STRAY) & (frame < 1 + STRAY)).all()) for frame in (before, after)]
        if inside == [False, True]:
            raise ValueError(
                f"{source.name}: at frame {row + 1} all atoms are back in the cell, and steps are too long to follow "
                "them; give the parts before and after as separate files"
            )
