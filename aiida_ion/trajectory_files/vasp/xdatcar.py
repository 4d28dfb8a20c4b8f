"""XDATCAR of VASP."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aiida_ion.trajectory_files.frames import FileFrames
from aiida_ion.trajectory_files.growing import GrowingFrames
from aiida_ion.trajectory_files.lines import Lines
from aiida_ion.trajectory_files.rows import positions_of, three_numbers
from aiida_ion.trajectory_files.timeline.step_numbers import MAX_STEP
from aiida_ion.trajectory_files.vasp.xdatcar_header import CONFIGURATION, Header, floats_of, read_header

#: Fewest rows of a frame to distinguish a truncated row from numbers of varying length.
FEWEST_ROWS = 4


@dataclass
class _XdatcarContent:
    """Contents read so far."""

    header: Header | None = None
    positions: GrowingFrames | None = None
    cells: list[NDArray[np.float64]] = field(default_factory=list)
    numbers: list[int | None] = field(default_factory=list)
    breaks: set[int] = field(default_factory=set)
    remarks: list[str] = field(default_factory=list)
    n_left_out: int = 0

    def remark(self, text: str) -> None:
        if text not in self.remarks:
            self.remarks.append(text)

    def leave_out(self, line: int) -> None:
        """Note that a frame was cut off."""
        n_frames = len(self.positions or ())
        self.n_left_out += 1
        self.breaks.add(n_frames)
        self.remarks.append(f"After {n_frames} frames one was cut off (line {line}) and is left out.")


def read_xdatcar(path: Path, symbols: Sequence[str] | None) -> FileFrames:
    """Read an XDATCAR; frames truncated because the run was killed are left out.

    :param symbols: element of each atom, for files of VASP 4, which do not name them.
    :raises ValueError: if it is not valid; the message says where.
    """
    content = _XdatcarContent()
    with Lines(path) as lines:
        while (line := lines.next()) is not None:
            begin = CONFIGURATION.match(line)
            if begin is not None:
                _read_frame(lines, content, begin)
            elif line.strip() or content.header is None or _is_scale(lines):
                _take_header(lines, content, line, symbols)
            elif _next_is_row(lines):
                _read_frame(lines, content, None)  # VASP before 5.2.12 separates frames by an empty line
        if lines.cut:
            content.remarks.append("The compressed file ends early; complete frames are read.")
    if content.header is None or not content.positions:
        raise ValueError("it holds no complete frame")
    return _as_frames(content)


def _as_frames(content: _XdatcarContent) -> FileFrames:
    assert content.header is not None and content.positions is not None
    steps: NDArray[np.int64] | None = None
    if all(number is not None for number in content.numbers):
        steps = np.array(content.numbers, dtype=np.int64)
    elif any(number is not None for number in content.numbers):
        content.remark("WARNING: not all configurations are numbered; gaps between them cannot be detected.")
    spacing = 1 if steps is None or len(steps) < 2 else int(np.median(np.diff(steps)))
    return FileFrames(
        content.header.symbols,
        content.positions.finish(),
        np.array(content.cells),
        steps,
        {"program": "VASP"},
        content.remarks,
        # VASP numbers steps, other programs (and joined files) frames: a spacing of one is ambiguous.
        numbering="steps" if spacing > 1 else "frames",
        breaks=tuple(sorted(content.breaks)),
        n_left_out=content.n_left_out,
    )


def _take_header(lines: Lines, content: _XdatcarContent, comment: bytes, symbols: Sequence[str] | None) -> None:
    first = lines.number
    header = read_header(lines, comment, symbols)
    if header is None:  # the end of the file
        content.remarks.append(f"The file ends within a header (line {first}).")
        return
    if content.header is not None and content.header.symbols != header.symbols:
        raise ValueError(f"line {first}: the atoms change here; give the two runs as two files")
    for text in header.remarks:
        content.remark(text)
    content.header = header
    if content.positions is None:
        content.positions = GrowingFrames(len(header.symbols))


def _read_frame(lines: Lines, content: _XdatcarContent, begin: re.Match[bytes] | None) -> None:
    if content.header is None or content.positions is None:
        raise ValueError(f"line {lines.number}: a configuration begins before cell and atoms are named")
    first, header = lines.number, content.header
    rows = lines.block(len(header.symbols))
    if len(rows) < len(header.symbols) or _is_cut_short(rows):
        _interrupted(lines, content, rows, first)
        return
    numbers = positions_of(rows)
    if isinstance(numbers, int):
        _interrupted(lines, content, rows, first)
        return
    if not np.isfinite(numbers).all():
        raise ValueError(f"positions of frame {len(content.positions)} are not finite: the run has exploded")
    short = _short_row(rows)
    if short is not None:
        raise ValueError(f"line {first + short + 1}: a number lacks digits that all others have")
    cartesian = begin is not None and (begin[1] or b"").lower() == b"cartesian"
    content.positions.append(numbers * header.scale if cartesian else numbers @ header.cell)
    content.cells.append(header.cell)
    text = b"" if begin is None else begin[2]
    number = int(text) if text.isdigit() else None
    if number is not None and number > MAX_STEP:
        raise ValueError(f"line {first}: the number {number} is not possible")
    content.numbers.append(number)


def _interrupted(lines: Lines, content: _XdatcarContent, rows: list[bytes], first: int) -> None:
    """Leave out a frame that is interrupted by the end of the file, a header or the next frame.

    :raises ValueError: if a row lacks three numbers for another reason.
    """
    bad = next((index for index, row in enumerate(rows) if three_numbers(row) is None), None)
    if bad is None:
        content.leave_out(first)
        return
    rest = rows[bad:]
    ends = next((index for index, row in enumerate(rest) if CONFIGURATION.match(row)), None)
    if ends is None and _at_end(lines):
        if all(not row.strip() or index == 0 for index, row in enumerate(rest)):
            content.leave_out(first)
            return
    elif ends is None:
        following = lines.block(12)
        lines.push_back(following)
        ends = next((index for index, row in enumerate([*rest, *following]) if CONFIGURATION.match(row)), None)
    if ends is None or (ends > 12 and len(rest) > 12):
        text = rest[0].decode(errors="replace").strip()[:60]
        raise ValueError(f"line {first + bad + 1}: expected the three numbers of an atom, got {text!r}")
    content.leave_out(first)
    lines.push_back(rest[_header_begins(rest[:ends]) :] if ends < len(rest) else rest[_header_begins(rest) :])


def _at_end(lines: Lines) -> bool:
    """Whether this is the end of the file."""
    following = lines.block(1)
    lines.push_back(following)
    return not following


def _header_begins(rows: Sequence[bytes]) -> int:
    """Return where a header begins among the rows of an interrupted frame: one line before its scale."""
    for index in range(len(rows) - 1):
        scale, cell = rows[index + 1].split(), rows[index + 2 : index + 5]
        if len(scale) in (1, 3) and floats_of(rows[index + 1]) and all(three_numbers(row) is not None for row in cell):
            return index
    return len(rows)


def _short_row(rows: Sequence[bytes]) -> int | None:
    """Return the only row whose last number has fewer decimals than all others; None if decimals vary."""
    decimals = [len(row.rpartition(b".")[2].strip()) for row in rows]
    usual = max(decimals)
    odd = [index for index, number in enumerate(decimals) if number != usual]
    return odd[0] if len(odd) == 1 and len(rows) >= FEWEST_ROWS else None


def _is_cut_short(rows: Sequence[bytes]) -> bool:
    """Whether the last line of a file lacks digits: VASP writes all numbers with the same precision."""
    decimals = [len(row.rpartition(b".")[2].strip()) for row in rows[-2:]]
    return not rows[-1].endswith(b"\n") and decimals[-1] < decimals[0]


def _is_scale(lines: Lines) -> bool:
    following = lines.block(1)
    lines.push_back(following)
    return bool(following) and len(following[0].split()) == 1


def _next_is_row(lines: Lines) -> bool:
    following = lines.block(1)
    lines.push_back(following)
    return bool(following) and three_numbers(following[0]) is not None
