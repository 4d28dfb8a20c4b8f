"""Elements of the blocks of atoms in ``vasprun.xml``, from name, POTCAR title, and mass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ase.data import atomic_masses, atomic_numbers, chemical_symbols
from numpy.typing import NDArray

#: Other names of an element.
ISOTOPES = {"D": "H", "T": "H"}
#: A mass within this of an element's, g/mol, identifies it if no other is within twice as much: POTCARs round masses.
MASS_TOLERANCE = 0.15
#: A mass that deviates from the element's by more than this fraction is an isotope's; rounding in POTCARs stays below.
ISOTOPE_TOLERANCE = 0.015


def elements_of(blocks: Sequence[Mapping[str, Any]]) -> tuple[list[str], NDArray[np.float64], list[str]]:
    """Return element and mass (g/mol) of each of N atoms, and sentences on mislabelled blocks.

    :raises ValueError: for a block without a recognisable element.
    """
    symbols: list[str] = []
    masses: list[float] = []
    remarks: list[str] = []
    for block in blocks:
        symbol = element_of(block)
        text, mass, count = str(block["symbol"]), float(block["mass"]), int(block["count"])
        if text.capitalize() != symbol:
            remarks.append(f"WARNING: its {count} atoms named {text!r} are read as {symbol}: {_reason(block)}.")
        elif not np.isclose(mass, atomic_masses[atomic_numbers[symbol]], rtol=ISOTOPE_TOLERANCE):
            usual = atomic_masses[atomic_numbers[symbol]]
            remarks.append(f"Its atoms of {symbol} have a mass of {mass:g} g/mol, and {symbol} has {usual:.4g}.")
        symbols += [symbol] * count
        masses += [mass] * count
    return symbols, np.array(masses), remarks


def element_of(block: Mapping[str, Any]) -> str:
    """Return the element of a block.

    Name and POTCAR title usually agree. VASP sometimes drops the first letter of a name (`r` for `Zr`): then the title
    decides, and the mass where the title is cut as well, or where both are elements and differ.

    :raises ValueError: if the element cannot be determined.
    """
    text, title, mass = str(block["symbol"]), str(block["title"]), float(block["mass"])
    named, titled = _symbol(text), _symbol(_title_element(title))
    if named and titled and named != titled:
        fitting = [symbol for symbol in (named, titled) if _has_mass(symbol, mass)]
        if len(fitting) == 1:
            return fitting[0]
    elif element := named or titled or _by_mass(mass, text):
        return element
    raise ValueError(
        f"the element of its atoms named {text!r}, of POTCAR {title!r} and {mass:g} g/mol, cannot be determined; "
        "correct the name in the file"
    )


def _reason(block: Mapping[str, Any]) -> str:
    title, named = str(block["title"]), _symbol(str(block["symbol"]))
    if _symbol(_title_element(title)) and not named:
        return f"their POTCAR is {title!r}"
    return f"they have {float(block['mass']):g} g/mol"


def _title_element(title: str) -> str:
    """Return the element of a title such as `PAW_PBE Zr_sv 04Jan2005`."""
    words = title.split()
    return words[1] if len(words) > 1 else ""


def _symbol(text: str) -> str:
    """Return the element of a name such as `Zr_sv` or `ZR`, empty where there is none."""
    name = text.strip().partition("_")[0].partition(".")[0].capitalize()
    name = ISOTOPES.get(name, name)
    return name if atomic_numbers.get(name, 0) > 0 else ""


def _has_mass(symbol: str, mass: float) -> bool:
    return bool(np.isclose(mass, atomic_masses[atomic_numbers[symbol]], rtol=ISOTOPE_TOLERANCE))


def _by_mass(mass: float, text: str) -> str:
    """Return the element with a given mass, if it is unique among those that end like the name."""
    ending = text.strip().partition("_")[0].lower()
    numbers = [n for n, name in enumerate(chemical_symbols) if n and name.lower().endswith(ending)]
    numbers = numbers if ending and numbers else list(range(1, len(chemical_symbols)))
    away = np.abs(atomic_masses[numbers] - mass)
    near, *others = np.argsort(away)
    if not away[near] <= MASS_TOLERANCE or (others and not away[others[0]] > 2 * MASS_TOLERANCE):
        return ""
    return str(chemical_symbols[numbers[near]])
