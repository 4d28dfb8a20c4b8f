"""Settings of frozen potential-energy surfaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from aiida_ion.settings.maps import KEEP_MAP, MAP_SETTINGS, MAX_MAP_POINTS, MOST_MAP_POINTS
from aiida_ion.settings.rules import Word
from aiida_ion.settings.schema import Settings, flag, number, setting, whole, word
from aiida_ion.settings.values import SettingsError

#: What becomes of the mobile ions that are not moved.
OTHERS = ("removed", "kept", "vacancy")
#: Raised when the same settings give other numbers.
METHOD_VERSION = 1
#: Closer to an atom, potentials are not what they were trained for, and may have holes, angstrom.
USUAL_EXCLUSION_A = 1.2


@dataclass(frozen=True)
class PesSettings(Settings):
    """Which maps are made, and how finely."""

    what: ClassVar[str] = "surface setting"

    mobile_species: str | None = setting(
        Word(pattern=(r"[A-Z][a-z]?", "the symbol of an element"), optional=True, help="Mobile species"), None
    )
    others: str = word(OTHERS, "removed", help="What becomes of the other mobile ions")
    step_A: float = number(0.25, least=0.05, most=1.0, unit="angstrom", help="Longest step of the grid")
    exclusion_A: float = number(
        USUAL_EXCLUSION_A, least=0.5, most=2.5, unit="angstrom", help="Points closer to an atom are left out"
    )
    min_width_A: float | None = number(
        None,
        above=0.0,
        most=40.0,
        unit="angstrom",
        help="Smallest width of the simulated cell; without it, the primitive cell",
    )
    symmetry_tolerance_A: float = number(
        0.001, least=1e-6, most=0.1, unit="angstrom", help="How far atoms may be from where an operation puts them"
    )
    use_symmetry: bool = flag(True, help="Whether equivalent points are evaluated once")
    max_evaluations: int = whole(20_000, least=1, help="A material that needs more energies is refused")
    descriptors: bool = flag(True, help="Whether the published descriptors are computed")

    keep_map: bool = flag(False, help=KEEP_MAP)
    max_map_points: int = whole(1_000_000, help=MAX_MAP_POINTS, least=1, most=MOST_MAP_POINTS)

    def check_together(self) -> None:
        """Refuse to keep what covers only the region of a hop."""
        if self.keep_map and self.others == "vacancy":
            raise SettingsError(
                "keep_map needs a map of the whole cell, and with others = vacancy there are only the regions of hops: "
                "choose others = removed or kept"
            )

    def decisive(self) -> dict[str, Any]:
        """Return the settings that decide the numbers, for their hash."""
        left_out = ("mobile_species", "max_evaluations", "use_symmetry", "descriptors", *MAP_SETTINGS)
        return {name: value for name, value in self.to_dict().items() if name not in left_out}
