"""Report on a trajectory file, in words and as attributes of its node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aiida_ion.units import FS_PER_PS


@dataclass(frozen=True)
class ReadReport:
    """Report on one file.

    :param file: its name.
    :param source_format: a key of ``FORMATS``.
    :param program: the program that wrote it, if stated.
    :param formula: elements and how many atoms of each.
    :param n_atoms: atoms of a frame.
    :param n_frames: frames that are used.
    :param n_left_out: frames that are not used: cut off, repeated, or replaced by a continuation.
    :param numbers: the numbers of the frames used, in words.
    :param interval_fs: time between two frames, fs.
    :param span_ps: time from the first to the last, ps.
    :param units: the unit of length of the file.
    :param cell: whether it is fixed, and its volume, in words.
    :param wrapping: whether the positions were wrapped, in words.
    """

    file: str
    source_format: str
    program: str | None
    formula: str
    n_atoms: int
    n_frames: int
    n_left_out: int
    numbers: str
    interval_fs: float
    span_ps: float
    units: str
    cell: str
    wrapping: str

    def lines(self) -> list[str]:
        """Return the report in lines."""
        left_out = f", {self.n_left_out} left out" if self.n_left_out else ""
        source = f"{self.source_format}{f' ({self.program})' if self.program else ''}"
        return [
            f"{self.file}: {source}, {self.n_frames} frames of {self.n_atoms} atoms ({self.formula}){left_out}; "
            f"{self.numbers}",
            f"  every {self.interval_fs:g} fs, {self.span_ps:g} ps in total; lengths in {self.units}; {self.cell}; "
            f"{self.wrapping}",
        ]

    def attributes(self) -> dict[str, Any]:
        """Return the report as attributes; their names begin with ``source_``."""
        return {f"source_{name.removeprefix('source_')}": value for name, value in asdict(self).items()}


def formula_of(symbols: list[str]) -> str:
    """Return elements and how many atoms of each: ``Li16 O8``."""
    return " ".join(f"{symbol}{count}" for symbol, count in Counter(symbols).items())


def span_ps(n_frames: int, interval_fs: float) -> float:
    """Return the time from the first frame to the last, ps."""
    return (n_frames - 1) * interval_fs / FS_PER_PS


def program_of(facts: Mapping[str, Any]) -> str | None:
    """Return the program that wrote a file, if stated."""
    program = facts.get("program")
    return None if program is None else str(program)
