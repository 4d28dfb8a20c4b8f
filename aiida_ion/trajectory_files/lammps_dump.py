"""Text dumps of LAMMPS."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aiida_ion.trajectory_files.ase_files import atoms_arrays
from aiida_ion.trajectory_files.frames import Frames
from aiida_ion.trajectory_files.opening import open_binary


def read_lammps_dump(path: Path, symbols: Sequence[str] | None) -> Frames:
    """Read a text dump.

    :param symbols: element of each atom, in the order of their ids, for dumps that only number their types.
    :raises ValueError: if it cannot be read as one.
    """
    first, positions, cells = atoms_arrays(path, "lammps-dump-text")
    own_symbols = first.get_chemical_symbols()
    if not _names_elements(path):
        own_symbols = _elements_of_types(first.arrays.get("type"), symbols)
    return Frames(own_symbols, positions, cells)


def _names_elements(path: Path) -> bool:
    with open_binary(path) as handle:
        header = next(line for line in handle if line.startswith(b"ITEM: ATOMS"))
    return b" element" in header or b" mass" in header


def _elements_of_types(types: NDArray[np.int64] | None, symbols: Sequence[str] | None) -> list[str]:
    """Return the elements of a dump that only numbers its atom types, by the structure's order of atoms."""
    if symbols is None:
        raise ValueError("it names no elements; give the structure whose atoms it follows, in the order of their ids")
    if types is None or len(types) != len(symbols):
        raise ValueError(
            f"it holds {0 if types is None else len(types)} atoms with a type, the structure {len(symbols)}"
        )
    for number in sorted(set(types.tolist())):
        elements = sorted({symbol for symbol, kind in zip(symbols, types, strict=True) if kind == number})
        if len(elements) > 1:
            raise ValueError(f"atoms of type {number} are {' and '.join(elements)} in the structure: the orders differ")
    return list(symbols)
