"""The header of an XDATCAR: cell, elements, and how many atoms of each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

from aiida_ion.trajectory_files.elements import elements_of
from aiida_ion.trajectory_files.lines import Lines
from aiida_ion.trajectory_files.rows import three_numbers

#: The line before the positions; older versions of VASP write ``Konfig=``, or nothing.
CONFIGURATION = re.compile(rb"^\s*(direct|cartesian)?\s*(?:configuration|konfig)\s*=\s*(\S*)", re.IGNORECASE)
#: Largest number of lines of names or counts in a header: VASP wraps them if there are many elements.
MAX_HEADER_LINES = 50


@dataclass(frozen=True)
class Header:
    """The header before the frames.

    :param scale: shape (3,), factors of Cartesian positions.
    :param cell: shape (3, 3), angstrom.
    :param symbols: element of each atom.
    :param remarks: sentences on names that were read as an element.
    """

    scale: NDArray[np.float64]
    cell: NDArray[np.float64]
    symbols: list[str]
    remarks: list[str]


def read_header(lines: Lines, comment: bytes, symbols: Sequence[str] | None) -> Header | None:
    """Read the header after its first line, a comment; None if the file ends within it.

    :raises ValueError: if it is not valid.
    """
    first = lines.number
    rows = lines.block(4)
    if len(rows) < 4:
        if first == 1:
            raise ValueError("it ends within its header")
        return None
    factors = floats_of(rows[0])
    vectors = [three_numbers(row) for row in rows[1:]]
    if len(factors) not in (1, 3) or any(vector is None for vector in vectors):
        if b"CAR" in b"".join(rows):
            raise ValueError("it has the header of VASP 4, which holds no cell; give vasprun.xml, or write an extxyz")
        text = comment.decode(errors="replace").strip()[:60]
        raise ValueError(f"line {first}: {text!r} begins neither a frame nor a header with scale and cell")
    cell = np.array(vectors, dtype=float)
    if not np.isfinite(cell).all():
        raise ValueError(f"line {first + 2}: the cell is not finite")
    scale = _scale(factors, cell, first + 1)
    names, counts = _names_and_counts(lines)
    lines.check_count(sum(counts))
    remarks: list[str] = []
    if names:
        try:
            elements, remarks = elements_of(names)
        except ValueError as error:
            elements = _elements_of_structure(counts, symbols)
            if not elements:
                raise ValueError(f"line {first + 5}: {error}; give the structure of the run") from error
            remarks.append(f"WARNING: {error}; the elements are those of the structure: {', '.join(elements)}.")
    else:
        if sum(counts) != len(symbols or ()):
            raise ValueError("it names no elements; give the structure of the run")
        return Header(scale, cell * scale, list(symbols or ()), remarks)
    return Header(scale, cell * scale, list(chain.from_iterable(map(repeat, elements, counts))), remarks)


def _scale(factors: Sequence[float], cell: NDArray[np.float64], line: int) -> NDArray[np.float64]:
    """Return the factors of the three Cartesian components; a negative scale is the volume, as in POSCAR."""
    scale = np.array(factors) if len(factors) == 3 else np.repeat(factors, 3)
    volume = abs(float(np.linalg.det(cell)))
    if len(factors) == 1 and factors[0] < 0 and volume > 0:
        scale = np.full(3, (-factors[0] / volume) ** (1 / 3))
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        raise ValueError(f"line {line}: the scale {' '.join(f'{factor:g}' for factor in factors)} is not possible")
    return scale


def _names_and_counts(lines: Lines) -> tuple[list[str], list[int]]:
    """Return the names, empty for a file of VASP 4, and the number of atoms of each."""
    names: list[str] = []
    counts: list[int] = []
    for _ in range(MAX_HEADER_LINES):
        line = lines.next()
        words = (line or b"").decode(errors="replace").split()
        if line is None or (counts and not all(word.isdigit() for word in words)):
            if line is not None:
                lines.push_back([line])
            break
        if words and all(word.isdigit() for word in words):
            counts += map(int, words)
            if len(counts) >= len(names) > 0:
                break
        elif CONFIGURATION.match(line):
            lines.push_back([line])
            break
        elif words and all(_is_number(word) for word in words):
            text = " ".join(words)[:60]
            raise ValueError(f"line {lines.number}: expected names or numbers of atoms, got {text!r}")
        else:
            names += words
    if not counts or (names and len(names) != len(counts)):
        raise ValueError(f"line {lines.number}: it has {len(names)} elements but {len(counts)} numbers of atoms")
    return names, counts


def _elements_of_structure(counts: Sequence[int], symbols: Sequence[str] | None) -> list[str]:
    """Return the element of each block from the structure, empty if the blocks do not match."""
    if symbols is None or sum(counts) != len(symbols):
        return []
    ends = np.cumsum(counts)
    blocks = [set(symbols[end - count : end]) for count, end in zip(counts, ends, strict=True)]
    return [block.pop() for block in blocks] if all(len(block) == 1 for block in blocks) else []


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def floats_of(line: bytes) -> list[float]:
    """Return the numbers of a line, empty if it contains anything else."""
    try:
        return [float(word) for word in line.split()]
    except ValueError:
        return []
