"""XDATCAR of VASP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aiida_ion.trajectory_files.frames import Frames
from aiida_ion.trajectory_files.opening import open_binary


def read_xdatcar(path: Path, symbols: Sequence[str] | None) -> Frames:
    """Read an XDATCAR; a last frame that was cut off when the run was killed is left out."""
    positions, cells = [], []
    cell, own_symbols = np.empty((3, 3)), list(symbols or ())
    with open_binary(path) as raw:
        lines = (line.decode() for line in raw)
        for line in lines:
            if "configuration=" not in line:
                cell, own_symbols = _xdatcar_header(lines, own_symbols)
                continue
            rows = [row.split() for _, row in zip(range(len(own_symbols)), lines, strict=False)]
            if len(rows) < len(own_symbols) or len(rows[-1]) < 3:
                break
            positions.append(np.array([row[:3] for row in rows], dtype=float) @ cell)
            cells.append(cell)
    if not positions:
        raise ValueError("it holds no whole frame")
    return Frames(own_symbols, np.array(positions), np.array(cells))


def _xdatcar_header(lines: Iterator[str], symbols: list[str]) -> tuple[NDArray[np.float64], list[str]]:
    """Return cell and elements; the line before, the comment, is read already."""
    scale = float(next(lines))
    cell = scale * np.array([next(lines).split()[:3] for _ in range(3)], dtype=float)
    names = next(lines).split()
    if names[0].isdigit():  # VASP 4 writes no elements
        if sum(map(int, names)) != len(symbols):
            raise ValueError("it names no elements; give the structure whose atoms it follows")
        return cell, symbols
    counts = [int(number) for number in next(lines).split()]
    # VASP 6.4 and later add a hash of the pseudopotential to the name: Li_sv/1a2b3c.
    elements = [name.partition("/")[0].partition("_")[0] for name in names]
    return cell, list(chain.from_iterable(repeat(name, count) for name, count in zip(elements, counts, strict=True)))
