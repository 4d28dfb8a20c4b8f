"""Missing frames, from the numbers of the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aiida_ion.trajectory_files.run_facts import OVERRIDE
from aiida_ion.trajectory_files.timeline.blocks import Source, Timeline
from aiida_ion.trajectory_files.timeline.step_numbers import gap_sentence, spacing_of


def check_gaps(timeline: Timeline, sources: Sequence[Source], override_file: bool = False) -> list[str]:
    """Compare the numbers of the kept frames with an even spacing.

    :returns: remarks on gaps that are ignored.
    :raises ValueError: if frames are missing.
    """
    remarks: list[str] = []
    files, rows, seams = np.array(timeline.file), np.array(timeline.row), set(timeline.seams)
    for file, source in enumerate(sources):
        steps, spacing = source.frames.steps, spacing_of(source.frames.steps)
        mine = np.flatnonzero(files == file)
        for missing in (row for row in source.frames.breaks if 0 < row < len(source.frames)):
            remarks.append(
                f"WARNING: {source.name}: a frame is missing after the first {missing}; its neighbours are treated "
                "as consecutive."
            )
        if steps is None or spacing is None or not len(mine):
            continue
        for at in mine[1:][np.diff(steps[rows[mine]]) != spacing]:
            before, after = int(steps[rows[at - 1]]), int(steps[rows[at]])
            at_break = int(rows[at]) in source.frames.breaks and after - before == 2 * spacing  # reported above
            counted = after - before == (rows[at] - rows[at - 1]) * spacing  # the omitted frame had a number
            if at_break or (int(at) in seams and (after <= before or counted)):
                continue
            remarks += _gap(source.name, gap_sentence(before, after, spacing, source.frames.numbering), override_file)
    for seam in timeline.seams:
        remarks += _gap_between(sources, timeline, seam, override_file)
    return remarks


def _gap_between(sources: Sequence[Source], timeline: Timeline, seam: int, override_file: bool) -> list[str]:
    """Compare the numbers on both sides of the seam between two files."""
    left, right = timeline.file[seam - 1], timeline.file[seam]
    before, after = sources[left].frames.steps, sources[right].frames.steps
    spacing = spacing_of(after) or spacing_of(before)
    if left == right or before is None or after is None or spacing is None:
        return []
    last, first = int(before[timeline.row[seam - 1]]), int(after[timeline.row[seam]])
    skipped = timeline.row[seam] * spacing
    if first <= last or first - last in (spacing, spacing + skipped):
        return []
    name = f"{sources[left].name} and {sources[right].name}"
    return _gap(name, gap_sentence(last, first, spacing, sources[right].frames.numbering), override_file)


def _gap(name: str, sentence: str, override_file: bool) -> list[str]:
    if not override_file:
        raise ValueError(
            f"{name}: {sentence}; import the longest part without a gap, or add {OVERRIDE} to treat them as consecutive"
        )
    return [f"WARNING: {name}: {sentence}; they are treated as consecutive ({OVERRIDE})."]
