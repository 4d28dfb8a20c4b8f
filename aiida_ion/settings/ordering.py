"""Settings of the relaxation of ordered cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aiida_ion.settings.elements import Element
from aiida_ion.settings.schema import Settings, number, setting, whole, word

#: What of the cell is relaxed with the ions: nothing, or its volume alone.
CELLS = ("fixed", "isotropic")


@dataclass(frozen=True)
class RelaxOrderingsSettings(Settings):
    """When a cell counts as relaxed, and when to give up on it."""

    what: ClassVar[str] = "relaxation setting"

    mobile_species: str = setting(Element(help="Element of the mobile ion, whose closest pair is reported"), "Li")
    cell: str = word(
        CELLS, "fixed", help="Whether the cell stays, or its volume relaxes with the ions, the shape being kept"
    )
    max_force_eV_A: float = number(
        0.05, help="Largest force of a relaxed ion", above=0.0, most=100.0, unit="eV/angstrom"
    )
    max_pressure_GPa: float = number(
        0.1, help="Largest pressure of a relaxed volume, of either sign", above=0.0, most=100.0, unit="GPa"
    )
    max_steps: int = whole(500, help="Most steps of each cell", least=1, most=10**6)
