"""Rows of numbers in text files, whose columns may touch."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Fortran's fixed fields with eight decimals; then numbers separated only by sign or exponent.
FIXED = re.compile(rb"[-+]?\d*\.\d{8}(?!\d*[eEdD])")
SIGNED = re.compile(rb"[-+]?\d+(?:\.\d*)?(?:[eEdD][-+]?\d+)?|[-+]?\.\d+(?:[eEdD][-+]?\d+)?")


def three_numbers(line: bytes) -> list[float] | None:
    """Return the first three numbers of a line, whose columns may touch; None if there are not three."""
    words = line.split()
    try:
        return [float(word) for word in words[:3]] if len(words) >= 3 else _touching(line)
    except ValueError:
        return _touching(line)


def _touching(line: bytes) -> list[float] | None:
    for pattern in (FIXED, SIGNED):
        numbers = pattern.findall(line)
        if len(numbers) == 3 and not pattern.sub(b"", line).strip():
            return [float(number.replace(b"d", b"e").replace(b"D", b"e")) for number in numbers]
    return None


def positions_of(rows: Sequence[bytes]) -> NDArray[np.float64] | int:
    """Return the first three numbers of each row, shape (N, 3), or the index of the first row without three."""
    words = [row.split() for row in rows]
    if all(len(row) == 3 for row in words):
        try:
            return np.array([[float(word) for word in row] for row in words])
        except ValueError:
            pass
    numbers = []
    for index, row in enumerate(rows):
        position = three_numbers(row)
        if position is None:
            return index
        numbers.append(position)
    return np.array(numbers)
