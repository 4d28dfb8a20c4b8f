"""Settings of bond valence site energies, validated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from aiida_ion.settings.elements import Element
from aiida_ion.settings.lists import Table
from aiida_ion.settings.maps import KEEP_MAP, MAP_SETTINGS, MAX_MAP_POINTS, MOST_MAP_POINTS
from aiida_ion.settings.rules import Number
from aiida_ion.settings.schema import Settings, flag, number, setting, whole, word

#: Sets of covalent radii: those of bvlain's default, by element, and those of softBV, by element and charge.
RADII = ("cordero", "softbv")


@dataclass(frozen=True)
class BvseSettings(Settings):
    """Settings of :func:`aiida_ion.analysis.energy_maps.bvse.compute_bvse`."""

    what: ClassVar[str] = "bvse setting"

    mobile_species: str = setting(Element(help="The mobile element, a cation or an anion"))
    charges: dict[str, float] | None = setting(
        Table(
            key=Element(),
            item=Number(least=-10.0, most=10.0, unit="e"),
            optional=True,
            help="Formal charge of elements, that of one left out follows from neutrality; null: from bond valence "
            "sums, else from the composition",
        ),
        None,
    )
    resolution_A: float = number(
        0.2, help="Largest spacing of the grid along each cell vector", least=0.05, most=1.0, unit="angstrom"
    )
    coarser: float = number(
        1.5, help="A second grid is coarser by this factor; the difference is part of the interval", above=1.0, most=4.0
    )
    cutoff_A: float = number(10.0, help="Farther framework ions do not count", least=4.0, most=30.0, unit="angstrom")
    radii: str = word(
        RADII,
        "cordero",
        help="Covalent radii of the repulsion: by element, as published barriers have them, or by element and charge",
    )
    max_points: int = whole(3_000_000, help="A crystal whose grid has more points is refused", least=1000, most=10**9)
    bvlain: bool = flag(False, help="Also the percolation energies by the grid and the bisection of the package bvlain")
    bvlain_neighbours: int = whole(
        100, help="How many framework ions count there, the nearest ones", least=1, most=10_000
    )

    keep_map: bool = flag(False, help=KEEP_MAP)
    max_map_points: int = whole(1_000_000, help=MAX_MAP_POINTS, least=1, most=MOST_MAP_POINTS)

    def to_method(self) -> dict[str, Any]:
        """Return what decides the numbers."""
        left_out = ("max_points", *MAP_SETTINGS)
        return {name: value for name, value in self.to_dict().items() if name not in left_out}
