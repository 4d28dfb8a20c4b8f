"""Elements from names of atoms in files."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from ase.data import atomic_masses, atomic_numbers, chemical_symbols

#: Isotopes of hydrogen with their own symbols, and their masses, g/mol.
ISOTOPES = {"D": 2.014, "T": 3.016}
#: Tolerance between a mass and that of an element, g/mol.
MASS_TOLERANCE = 0.3


def element_of(name: str) -> str:
    """Return the element of a name: ``Li``, ``Li_sv``, ``Li_sv/1a2b``, ``7Li``, ``Li1``, ``LI``, ``D``.

    :raises ValueError: if there is none.
    """
    bare = re.split(r"[/_.+\-]", name.strip())[0]
    bare = re.sub(r"^\d+|\d+$", "", bare)
    for symbol in (bare, bare.capitalize()):
        if symbol in ISOTOPES:
            return "H"
        if symbol != "X" and symbol in atomic_numbers:
            return symbol
    raise ValueError(f"{name.strip()!r} is not an element")


def elements_of(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the elements of names, and sentences on names that are not plain symbols.

    :raises ValueError: if a name is not that of an element.
    """
    known = {name: element_of(name) for name in dict.fromkeys(names)}
    other = {name: symbol for name, symbol in known.items() if name != symbol and not name.startswith(f"{symbol}_")}
    remarks = []
    for name, symbol in other.items():
        why = " (deuterium)" if name == "D" else " (tritium)" if name == "T" else ""
        remarks.append(f"Atoms named {name} are read as {symbol}{why}.")
    return [known[name] for name in names], remarks


def element_of_mass(mass: float) -> str:
    """Return the element of a mass, g/mol.

    :raises ValueError: if no element has this mass.
    """
    if any(abs(mass - isotope) < 0.01 for isotope in ISOTOPES.values()):
        return "H"
    nearest = int(np.nanargmin(np.abs(atomic_masses[1:] - mass))) + 1
    if not abs(atomic_masses[nearest] - mass) < MASS_TOLERANCE:
        raise ValueError(f"no element has the mass {mass:g} g/mol")
    symbol: str = chemical_symbols[nearest]
    return symbol
