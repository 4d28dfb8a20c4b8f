"""The rule for the symbol of an element.

Imports only the standard library, since it is uploaded with the programs that run on compute machines.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiida_ion.settings.rules import Word

_SYMBOLS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb "
    "Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au "
    "Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts "
    "Og"
)
ELEMENTS = tuple(_SYMBOLS.split())


@dataclass(frozen=True)
class Element(Word):
    """The symbol of an element."""

    choices: tuple[str, ...] = ELEMENTS

    @property
    def plural(self) -> str:
        """Symbols of elements."""
        return "symbols of elements, such as Li"

    @property
    def words(self) -> str:
        """The symbol of an element."""
        return "the symbol of an element, such as Li"

    @property
    def range(self) -> str:
        """An element."""
        return "an element"

    def parse(self, text: str) -> str:
        """Return the symbol without blanks."""
        return text.strip()
