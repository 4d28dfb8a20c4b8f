"""POSCAR and CONTCAR, as VASP reads them (https://www.vasp.at/wiki/POSCAR).

A separate reader, because those of pymatgen and ASE differ from VASP: pymatgen names atoms H, He, Li if a file of VASP
4 has no names, and multiplies Cartesian coordinates by a scale that is a volume; both stop at the stated count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from aiida_ion.crystal_files.expansion import MAX_ATOMS
from aiida_ion.crystal_files.report import Reading
from aiida_ion.crystal_files.species import ELEMENTS, element_of_type

FloatArray = npt.NDArray[np.float64]


def read_poscar(text: str, reading: Reading) -> Structure:
    """Return the crystal of a POSCAR.

    :param reading: collects what was read and left out.
    :raises ValueError: a sentence that says why there is none.
    """
    lines = text.rstrip().split("\n")
    if len(lines) < 8:
        raise ValueError("it has too few lines for a POSCAR")
    cell, scale = _cell(lines)
    symbols, counts, position = _species(lines)
    selective = lines[position].strip()[:1] in ("s", "S") if position < len(lines) else False
    position += int(selective)
    if position >= len(lines):
        raise ValueError("it ends before the positions")
    cartesian = _is_cartesian(lines[position], position + 1)
    n_atoms = sum(counts)
    rows = lines[position + 1 : position + 1 + n_atoms]
    _check_length(lines, position + 1, n_atoms, reading)
    places = np.array([_numbers(row, 3, position + 2 + index) for index, row in enumerate(rows)])
    names = symbols or _names_of_rows(rows, 6 if selective else 3) or _names_of_comment(lines[0], counts, reading)
    elements = _elements(names, counts, reading)
    if selective:
        reading.notes.append("selective dynamics were left out: every atom moves")
    if not cartesian and np.abs(places).max() > 3.0:
        raise ValueError("its positions are far outside the cell: are they Cartesian, not direct?")
    return Structure(Lattice(cell), elements, places * scale if cartesian else places, coords_are_cartesian=cartesian)


def _cell(lines: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """Return the cell, angstrom, and the factors of Cartesian coordinates, (3,)."""
    words = lines[1].split()
    factors = _numbers(lines[1], 3 if len(words) >= 3 and _is_number(words[2]) else 1, 2)
    vectors = np.array([_numbers(lines[index], 3, index + 1) for index in (2, 3, 4)])
    volume = abs(float(np.linalg.det(vectors)))
    if volume < 1e-9:
        raise ValueError("its cell vectors have no volume")
    if any(factor == 0 for factor in factors) or (len(factors) == 3 and min(factors) < 0):
        raise ValueError(f"line 2: a scale of {lines[1].strip()[:30]} is not possible")
    if factors[0] < 0:
        # A negative number is the volume of the cell, angstrom^3.
        factors = [(-factors[0] / volume) ** (1.0 / 3.0)]
    scale = np.array(factors * (3 // len(factors)))
    return vectors * scale, scale


def _species(lines: Sequence[str]) -> tuple[list[str], list[int], int]:
    """Return names (empty for files of VASP 4), counts, and the number of the line after them."""
    position = 5
    symbols: list[str] = []
    while position < len(lines) and lines[position].split() and not lines[position].split()[0].lstrip("-").isdigit():
        if lines[position].strip()[:1].lower() in ("s", "d", "c", "k") and symbols and len(symbols) > 200:
            break
        if not lines[position].split()[0][0].isalpha():
            raise ValueError(f"line {position + 1}: expected the numbers of atoms, as integers")
        symbols += lines[position].split()
        position += 1
    counts: list[int] = []
    while position < len(lines) and _are_counts(lines[position]):
        counts += [int(word) for word in _without_comment(lines[position])]
        position += 1
        if not symbols or len(counts) >= len(symbols):
            break
    if not counts:
        raise ValueError("it has no line with the number of atoms of each species")
    if symbols and len(symbols) != len(counts):
        raise ValueError(f"it has {len(symbols)} species but {len(counts)} numbers of atoms")
    if min(counts) < 1:
        raise ValueError("a number of atoms is not above zero")
    if sum(counts) > MAX_ATOMS:
        raise ValueError(f"{sum(counts):,} atoms are more than the maximum of {MAX_ATOMS:,}")
    return symbols, counts, position


def _without_comment(line: str) -> list[str]:
    return line.split("!", maxsplit=1)[0].split("#", maxsplit=1)[0].split()


def _are_counts(line: str) -> bool:
    words = line.split("!", maxsplit=1)[0].split("#", maxsplit=1)[0].split()
    return bool(words) and all(word.lstrip("-").isdigit() for word in words)


def _is_cartesian(line: str, number: int) -> bool:
    word = line.strip()[:1].lower()
    if word in ("c", "k"):
        return True
    if word == "d":
        return False
    raise ValueError(f"line {number}: expected 'Direct' or 'Cartesian', got {line.strip()[:30]!r}")


def _check_length(lines: Sequence[str], start: int, n_atoms: int, reading: Reading) -> None:
    n_rows = next((index for index, line in enumerate(lines[start:]) if not line.strip()), len(lines) - start)
    rest = lines[start + n_atoms :]
    if n_rows < n_atoms:
        raise ValueError(f"it states {n_atoms} atoms but has {n_rows} lines of positions")
    if rest and rest[0].strip() and not rest[0].strip().lower().startswith("lattice"):
        raise ValueError(f"it states {n_atoms} atoms but has {n_rows} lines of positions")
    if any(line.strip() for line in rest):
        reading.notes.append("the lines after the positions (velocities) were left out")


def _names_of_rows(rows: Sequence[str], column: int) -> list[str]:
    """Return the names at the ends of the lines of positions, one for each atom; empty unless each has one."""
    names = [row.split()[column] if len(row.split()) > column else "" for row in rows]
    return names if all(name in ELEMENTS for name in names) else []


def _names_of_comment(comment: str, counts: Sequence[int], reading: Reading) -> list[str]:
    """Return the names in the first line if it has exactly one for each species, as VASP 4 users write it."""
    words = comment.split()
    if len(words) != len(counts) or not all(word in ELEMENTS for word in words):
        raise ValueError(
            "it does not name its species (a POSCAR of VASP 4): add a line with their symbols above the numbers of "
            "atoms"
        )
    reading.notes.append(f"the species {' '.join(words)} were taken from the first line (a POSCAR of VASP 4)")
    return words


def _elements(names: Sequence[str], counts: Sequence[int], reading: Reading) -> list[str]:
    # POTCAR names and hashes: Li_sv, Mg_pv/f474ac0d.
    plain = [element_of_type(name.split("/")[0].split("_")[0], "a species", reading.notes) for name in names]
    if len(plain) == sum(counts) and len(plain) != len(counts):
        return plain
    return [name for name, count in zip(plain, counts, strict=True) for _ in range(count)]


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word.lower().replace("d", "e")))
    except ValueError:
        return False


def _numbers(line: str, count: int, number: int) -> list[float]:
    words = line.split()[:count]
    if len(words) < count or not all(_is_number(word) for word in words):
        kind = "a number" if count == 1 else f"{count} numbers"
        raise ValueError(f"line {number}: expected {kind}, got {line.strip()[:50]!r}")
    return [float(word.lower().replace("d", "e")) for word in words]
