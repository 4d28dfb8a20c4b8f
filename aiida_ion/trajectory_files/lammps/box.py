"""The box of a frame of a LAMMPS dump: orthogonal, restricted triclinic or general triclinic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aiida_ion.trajectory_files.lines import Lines


@dataclass(frozen=True)
class Box:
    """A box, in the units of the dump.

    :param cell: shape (3, 3), rows are the vectors.
    :param origin: shape (3,).
    :param pbc: the directions in which it is periodic.
    """

    cell: NDArray[np.float64]
    origin: NDArray[np.float64]
    pbc: tuple[bool, bool, bool]


def read_box(lines: Lines, words: Sequence[str]) -> Box | None:
    """Read the three lines after ``ITEM: BOX BOUNDS`` (LAMMPS manual, ``dump``); None at the end of the file.

    :param words: the words after ``BOX BOUNDS``.
    :raises ValueError: if they do not match these words.
    """
    first = lines.number
    rows = lines.block(3)
    if len(rows) < 3 or not rows[-1].endswith(b"\n"):
        return None
    flags = [word for word in words if len(word) == 2 and set(word) <= set("pfsm")]
    pbc = (flags[0] == "pp", flags[1] == "pp", flags[2] == "pp") if len(flags) == 3 else (True, True, True)
    width = 4 if "abc" in words else 3 if "xy" in words else 2
    try:
        numbers = np.array([[float(word) for word in row.split()] for row in rows])
    except ValueError:
        numbers = np.empty((0, 0))
    if numbers.shape != (3, width) or not np.isfinite(numbers).all():
        raise ValueError(f"line {first}: the three lines after it are not the {width} columns of a box")
    if width == 4:
        return Box(numbers[:, :3], numbers[:, 3], pbc)
    xy, xz, yz = numbers[:, 2] if width == 3 else (0.0, 0.0, 0.0)
    # A triclinic box is given by the bounds of the enclosing cuboid.
    low = numbers[:, 0] - [min(0.0, xy, xz, xy + xz), min(0.0, yz), 0.0]
    high = numbers[:, 1] - [max(0.0, xy, xz, xy + xz), max(0.0, yz), 0.0]
    if not (high > low).all():
        raise ValueError(f"line {first}: the box has no volume")
    (lx, ly, lz) = high - low
    return Box(np.array([[lx, 0.0, 0.0], [xy, ly, 0.0], [xz, yz, lz]]), low, pbc)
