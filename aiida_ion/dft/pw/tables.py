"""Tables in pw.x's standard output: forces, stress and positions, checked row by row."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Columns of forces may touch.
_FORCE = re.compile(r"atom *(\d+) .*force =\s*(-?\d+\.\d{8})\s*(-?\d+\.\d{8})\s*(-?\d+\.\d{8})\s*$")

_EIGHT_DIGITS = r"-?\d+\.\d{8}"
_STRESS = re.compile(rf"\s*(?:{_EIGHT_DIGITS}\s*){{3}}")


class Lines(Iterator[str]):
    """The complete lines of a text; the last one read can be pushed back."""

    def __init__(self, text: Iterable[str]) -> None:
        self._lines = iter(text)
        self._back: list[str] = []

    def __next__(self) -> str:
        line = self._back.pop() if self._back else next(self._lines)
        if not line.endswith("\n"):
            raise StopIteration
        return line

    def back(self, line: str) -> None:
        """Push a line back: it is read again next."""
        self._back.append(line)


@dataclass(frozen=True)
class PositionTable:
    """A card of positions.

    :param unit: ``angstrom``, ``bohr``, ``alat`` or ``crystal``; empty if none is written.
    :param labels: of each atom.
    :param positions: shape (N, 3), in that unit.
    :param frozen: shape (N, 3), whether a component of an atom is fixed.
    """

    unit: str
    labels: list[str]
    positions: FloatArray
    frozen: NDArray[np.bool_]


class TableError(ValueError):
    """A malformed table; the message follows the name of a step."""


def read_forces(lines: Lines, n_atoms: int) -> FloatArray | None:
    """Return forces, shape (N, 3), Ry/bohr; None if the text ends within them.

    :raises TableError: unless there is one row for each atom, in order.
    """
    rows: list[tuple[str, ...]] = []
    for line in lines:
        match = _FORCE.search(line)
        if match is not None and int(match[1]) == len(rows) + 1:
            rows.append(match.groups()[1:])
        elif line.strip() or rows:
            lines.back(line)
            if "***" in line:
                raise TableError("its forces contain asterisks: the numbers were too wide for Fortran's format")
            raise TableError(f"its table of forces has {len(rows)} rows in order for {n_atoms} atoms")
        if len(rows) == n_atoms:
            return np.array(rows, dtype=float)
    return None


def read_stress(lines: Lines) -> FloatArray | None:
    """Return the stress as pw.x prints it, shape (3, 3), Ry/bohr^3, positive in a compressed crystal.

    Nothing where the text ends within it. The columns in Ry/bohr^3 have more digits than those in kbar.

    :raises TableError: for other rows than three of numbers.
    """
    rows: list[str] = []
    for line in lines:
        match = _STRESS.match(line)
        if match is None:
            lines.back(line)
            raise TableError("its stress is not three rows of numbers")
        rows.append(match[0])
        if len(rows) == 3:
            return np.array([re.findall(_EIGHT_DIGITS, row)[:3] for row in rows], dtype=float)
    return None


def read_positions(card: str, lines: Lines, n_atoms: int) -> PositionTable | None:
    """Return a card of positions whose first line was already read; None if the text ends within it.

    A row has a label, three numbers and, for a constrained atom, three flags.

    :raises TableError: for invalid rows, or not one for each atom.
    """
    rows: list[list[str]] = []
    for line in lines:
        words = line.split()
        if len(words) not in (4, 7) or len(rows) > n_atoms:
            lines.back(line)
            break
        rows.append(words)
    else:
        return None
    if len(rows) != n_atoms:
        raise TableError(f"its table of positions has {len(rows)} rows for {n_atoms} atoms")
    try:
        positions = np.array([words[1:4] for words in rows], dtype=float)
    except ValueError as error:
        raise TableError("its positions contain something other than numbers, such as Fortran's asterisks") from error
    if not np.isfinite(positions).all():
        raise TableError("its positions contain something other than numbers")
    frozen = np.array([words[4:] or ["1", "1", "1"] for words in rows]) == "0"
    words = re.findall(r"[a-z_]+", card.partition("ATOMIC_POSITIONS")[2].lower())
    return PositionTable(words[0] if words else "", [words[0] for words in rows], positions, frozen)
