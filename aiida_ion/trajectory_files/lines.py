"""The lines of a file, read in order: bounded in memory, numbered, and with push-back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from aiida_ion.trajectory_files.opening import UNPACKING_ERRORS, is_packed, open_binary

#: Longest line of a trajectory file.
MAX_LINE_BYTES = 1_000_000
#: Largest number of atoms in a frame.
MAX_ATOMS = 20_000_000
#: The shortest line of an atom: three digits, two spaces, a line break.
ATOM_BYTES = 6


class Lines:
    """The lines of a text file, which may be compressed.

    ``number`` is that of the last line read; ``cut`` is true if a compressed file ended early.
    """

    def __init__(self, path: Path) -> None:
        self._stream = open_binary(path)
        self._waiting: list[bytes] = []
        self._n_bytes = None if is_packed(path) else path.stat().st_size
        self.number = 0
        self.cut = False

    def __enter__(self) -> Lines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def next(self) -> bytes | None:
        """Return the next line with its line break, empty at the end.

        :raises ValueError: for a line too long for a text file.
        """
        if self._waiting:
            self.number += 1
            return self._waiting.pop()
        try:
            line = self._stream.readline(MAX_LINE_BYTES)
        except UNPACKING_ERRORS:
            self.cut = True
            return None
        if not line:
            return None
        self.number += 1
        if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
            raise ValueError(f"line {self.number} is longer than {MAX_LINE_BYTES:,} characters: it is not a text file")
        return line

    def push_back(self, lines: Sequence[bytes]) -> None:
        """Push lines back, to be read again in the given order."""
        self._waiting += reversed(lines)
        self.number -= len(lines)

    def block(self, n_lines: int) -> list[bytes]:
        """Return up to this many lines, fewer at the end of the file."""
        rows = []
        for _ in range(n_lines):
            line = self.next()
            if line is None:
                break
            rows.append(line)
        return rows

    def check_count(self, n_atoms: int) -> None:
        """Refuse a number of atoms that is impossible for the size of the file, before allocating memory.

        :raises ValueError: naming both.
        """
        if n_atoms < 1:
            raise ValueError(f"line {self.number}: it states {n_atoms} atoms")
        if n_atoms > MAX_ATOMS:
            raise ValueError(f"line {self.number}: it states {n_atoms:.4g} atoms, more than {MAX_ATOMS:,}")
        if self._n_bytes is not None and n_atoms * ATOM_BYTES > self._n_bytes:
            raise ValueError(
                f"line {self.number}: it states {n_atoms:,} atoms, for which a file of {self._n_bytes:,} bytes is "
                "too small"
            )
