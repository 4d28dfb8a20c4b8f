"""Settings of the ordering of a crystal, validated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aiida_ion.settings.elements import Element
from aiida_ion.settings.lists import Table
from aiida_ion.settings.rules import Number
from aiida_ion.settings.schema import Settings, flag, number, setting, whole, word


@dataclass(frozen=True)
class OrderingSettings(Settings):
    """Settings of :func:`aiida_ion.analysis.disorder.ensemble.order_crystal`."""

    what: ClassVar[str] = "ordering setting"

    mobile_species: str = setting(Element(help="Element of the mobile ion"), "Li")
    n_orderings: int = whole(8, help="Ordered cells to draw", least=1, most=200)
    max_atoms: int = whole(300, help="Most atoms of an ordered cell", least=2, most=2000)
    min_width_A: float = number(
        9.9,
        help="Least distance between opposite faces of the cell; where `max_atoms` does not allow it the widest cell "
        "is used, with a remark",
        least=0.0,
        most=100.0,
        unit="angstrom",
    )
    oxidation_states: dict[str, float] | None = setting(
        Table(
            key=Element(),
            item=Number(least=-8.0, most=8.0),
            optional=True,
            help="Charges of elements, e; one that is not a whole number is the mean of an element of mixed valence; "
            "usual ones when not given",
        ),
        None,
    )
    target_composition: str | None = word(
        (), None, help="Formula from which the mobile ions are counted where the occupancies of the sites are charged"
    )
    allow_framework_vacancies: bool = flag(False, help="Whether missing anions of the framework are meant")
    max_mobile_deviation: float = number(
        0.05, help="Largest relative deviation of the number of mobile ions", least=0.0, most=1.0
    )
    max_composition_deviation: float = number(
        0.02,
        help="Largest deviation of the composition, half the sum of differences of atomic fractions",
        least=0.0,
        most=1.0,
    )
    min_distance_A: float = number(
        2.0,
        help="Two mobile ions keep this distance; a draw in which they do not, twice, is repeated with 10, 20 and 35 % "
        "less, with a remark and its distance",
        least=0.5,
        most=5.0,
        unit="angstrom",
    )
    freezing_temperature_K: float = number(
        800.0,
        help="Temperature at which the arrangement froze, from which orderings are drawn",
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
        1000, help="Proposed exchanges of each site at the freezing temperature", least=1, most=1_000_000
    )
    seed: int = whole(1, help="Seed; ordering k depends on it and on k alone", least=0, most=2**31 - 1)
