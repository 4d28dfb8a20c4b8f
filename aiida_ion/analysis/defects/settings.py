"""Settings of the defects of a crystal, validated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from aiida_ion.settings.elements import Element
from aiida_ion.settings.lists import Table
from aiida_ion.settings.rules import Number
from aiida_ion.settings.schema import Settings, flag, number, setting, whole, word
from aiida_ion.settings.values import SettingsError

#: Kinds of defect.
VACANCY, INTERSTITIAL, FRENKEL, SCHOTTKY, DOPANT = KINDS = (
    "vacancy",
    "interstitial",
    "frenkel",
    "schottky",
    "dopant",
)


@dataclass(frozen=True)
class DefectSettings(Settings):
    """Settings of :func:`aiida_ion.analysis.defects.ensemble.make_defects`: one kind of defect at one concentration."""

    what: ClassVar[str] = "defect setting"

    defect: str = word(KINDS, VACANCY, help="Kind of defect")
    mobile_species: str = setting(Element(help="Element of the mobile ion"), "Li")
    concentration: float = number(
        0.02,
        help="Carriers for each site of the mobile ion in the perfect crystal: vacancies or interstitials of it, or "
        "Frenkel pairs",
        above=0.0,
        most=0.5,
    )
    host: str | None = setting(Element(help="Element whose place a dopant takes", optional=True), None)
    dopant: str | None = setting(Element(help="Element of the dopant", optional=True), None)
    removed: str | None = word((), None, help="Neutral formula of the atoms that a Schottky defect lacks, such as LiCl")
    n_members: int = whole(4, help="Cells to draw", least=1, most=200)
    max_atoms: int = whole(300, help="Most atoms of a cell", least=2, most=2000)
    min_width_A: float = number(
        9.9,
        help="Least distance between opposite faces of the cell; where `max_atoms` does not allow it the widest cell "
        "is used, with a remark",
        least=0.0,
        most=100.0,
        unit="angstrom",
    )
    max_concentration_deviation: float = number(
        0.25, help="Largest relative deviation of the concentration", least=0.0, most=1.0
    )
    oxidation_states: dict[str, float] | None = setting(
        Table(
            key=Element(),
            item=Number(least=-8.0, most=8.0),
            optional=True,
            help="Charges of elements, e, that of the dopant too; usual ones when not given",
        ),
        None,
    )
    allow_redox: bool = flag(
        False, help="Whether ions are removed or added without compensation where an element changes its charge easily"
    )
    interstitial_kinds: int = whole(
        3, help="Inequivalent empty sites that are used, the widest first", least=1, most=20
    )
    freezing_temperature_K: float = number(
        800.0,
        help="Temperature at which dopants froze, from which their places are drawn",
        least=1.0,
        most=5000.0,
        unit="K",
    )
    screening: float = number(
        10.0,
        help="By this the electrostatic energies of point charges are divided before they meet the temperature",
        least=1.0,
        most=1000.0,
    )
    sweeps: int = whole(
        300, help="Proposed exchanges of each site of dopants and carriers at that temperature", least=1, most=1_000_000
    )
    seed: int = whole(1, help="Seed; cell k depends on it and on k alone", least=0, most=2**31 - 1)

    def check_together(self) -> None:
        """Refuse settings that a kind of defect lacks, or does not have.

        :raises SettingsError: saying which.
        """
        needs: dict[str, tuple[str, Any]] = {
            "host": (DOPANT, self.host),
            "dopant": (DOPANT, self.dopant),
            "removed": (SCHOTTKY, self.removed),
        }
        for name, (kind, value) in needs.items():
            if self.defect == kind and value is None:
                raise SettingsError(f"defect {kind} needs {name}")
            if self.defect != kind and value is not None:
                raise SettingsError(f"{name} is a setting of defect {kind}, not of {self.defect}")
        if self.host is not None and self.host == self.dopant:
            raise SettingsError(f"host and dopant are both {self.host}: a dopant is another element")
