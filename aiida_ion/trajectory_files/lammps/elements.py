"""The elements of a LAMMPS dump, which may have only type numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aiida_ion.trajectory_files.elements import element_of_mass, elements_of
from aiida_ion.trajectory_files.lammps.tables import AtomTable

#: LAMMPS's default name of types without ``dump_modify element``.
UNNAMED = "C"


def elements_of_dump(
    table: AtomTable, order: NDArray[np.int64] | None, symbols: Sequence[str] | None
) -> tuple[list[str], list[str]]:
    """Return the element of each atom, in the order of the ids, and remarks.

    :param table: the first frame.
    :param order: its rows in the order of ids.
    :param symbols: element of each atom in the order of ids, if the user gave a structure.
    :raises ValueError: if they are unknown, or differ from those of the structure.
    """
    types = _ordered(table.texts("type"), order) if "type" in table else None
    if "element" in table:
        names = _ordered(table.texts("element"), order)
        if set(names) != {UNNAMED} or len(set(types or [""])) == 1:
            return elements_of(names)
        if symbols is None:
            raise ValueError(
                "all its types are named C, which is LAMMPS's default; name them with 'dump_modify ... element', or "
                "give the structure of the run"
            )
    elif "mass" in table:
        masses = table.floats("mass")[:, 0]
        known = {mass: element_of_mass(mass) for mass in np.unique(masses)}
        words = ", ".join(f"{known[mass]} ({mass:g})" for mass in sorted(known))
        return _ordered([known[mass] for mass in masses], order), [
            f"The elements are derived from the masses: {words}."
        ]
    return _of_types(types, symbols), []


def _ordered(values: list[str], order: NDArray[np.int64] | None) -> list[str]:
    return values if order is None else [values[row] for row in order]


def _of_types(types: Sequence[str] | None, symbols: Sequence[str] | None) -> list[str]:
    """Return the elements of a dump with only type numbers, from the structure's order of atoms."""
    if symbols is None:
        raise ValueError("it names no elements; give the structure of the run, with atoms in the order of their ids")
    if types is None or len(types) != len(symbols):
        raise ValueError(
            f"it holds {0 if types is None else len(types)} atoms with a type, the structure {len(symbols)}"
        )
    for number in sorted(set(types)):
        elements = sorted({symbol for symbol, kind in zip(symbols, types, strict=True) if kind == number})
        if len(elements) > 1:
            raise ValueError(f"atoms of type {number} are {' and '.join(elements)} in the structure: the orders differ")
    return list(symbols)
