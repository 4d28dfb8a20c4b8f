"""The element of a site, from its type symbol, else from its label."""

from __future__ import annotations

import re
from collections.abc import Collection

from ase.data import chemical_symbols

#: Up to lawrencium: there are no potentials or radii beyond.
ELEMENTS = frozenset(chemical_symbols[1:104])
#: Isotopes with their own symbols; potentials know only elements.
ISOTOPES = {"D": "H", "T": "H"}
#: An optional mass number, letters, an optional charge such as 1+, +2, - or 0.
TYPE = re.compile(r"(\d{0,3})([A-Za-z]+)(\d*\.?\d*[+-]|[+-]\d*\.?\d*|0|0\.0+)?")
#: A label given as type, such as Li1, but not NO3.
NUMBERED = re.compile(r"([A-Z][a-z]?)\d+")
#: Names of empty sites.
NOT_ATOMS = frozenset({"x", "xx", "va", "vac", "vacancy", "dum", "dummy", "lp", "q", "cg", "cnt", "bq", "gh", "void"})


def element_of_type(symbol: str, where: str, notes: list[str]) -> str:
    """Return the element that a type symbol names, such as Li, Li1+, 7Li, LI or D.

    :param where: the site, for messages.
    :param notes: collects assumptions.
    :raises ValueError: if it is not an element: a group of atoms, a vacancy, a dummy.
    """
    numbered = NUMBERED.fullmatch(symbol.strip())
    if numbered and numbered[1] in ELEMENTS:
        notes.append(f"{symbol} was read as {numbered[1]}")
        return numbered[1]
    match = TYPE.fullmatch(symbol.strip())
    letters = match[2] if match else ""
    if letters.lower() in NOT_ATOMS:
        raise ValueError(f"{where} is {symbol!r}, which is not an element: remove vacancies and dummies from the file")
    name = letters[:1].upper() + letters[1:].lower()
    if name in ISOTOPES:
        notes.append(f"{symbol} was read as hydrogen: it has the mass of H in the simulation")
        return ISOTOPES[name]
    if name not in ELEMENTS or not match:
        raise ValueError(f"{where} is {symbol!r}, which is not an element")
    if letters != name:
        notes.append(f"{symbol} was read as {name}")
    if match[1]:
        notes.append(f"{symbol} was read as {name} with the usual mass")
    return name


def element_of_label(label: str, formula: Collection[str]) -> str | None:
    """Return the element named by a label such as Li1 or O2A; ``None`` if unclear.

    :param formula: elements that the file states; they decide whether CA1 is calcium or carbon.
    """
    match = re.match(r"\d{0,3}([A-Za-z]{1,2})", label.strip())
    if not match:
        return None
    letters = match[1]
    names = [letters[:1].upper() + letters[1:].lower(), letters[:1].upper()]
    names = [ISOTOPES.get(name, name) for name in dict.fromkeys(names)]
    possible = list(dict.fromkeys(name for name in names if name in ELEMENTS))
    if formula:
        possible = [name for name in possible if name in formula]
    if len(possible) == 2 and letters[1].islower():
        return possible[0]
    return possible[0] if len(possible) == 1 else None


def contradicts(label: str, element: str) -> bool:
    """Whether a label clearly names another element, such as Na1 for Li, but not A1 or M1."""
    match = re.match(r"([A-Z][a-z])\d*[A-Za-z]?$", label.strip())
    return bool(match) and match is not None and match[1] in ELEMENTS and match[1] != element
