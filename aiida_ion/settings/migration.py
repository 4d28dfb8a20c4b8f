"""Settings of migration barriers: which hops are looked for, how each is computed, and what follows from them.

Imports only the standard library, since it is uploaded with the programs that run on compute machines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from aiida_ion.settings.lists import Many
from aiida_ion.settings.rules import MAX_SEED, Number, Rule, Word
from aiida_ion.settings.schema import Settings, flag, number, setting, whole, word
from aiida_ion.settings.values import SettingsError

#: What is done about a hop: the mid-point where symmetry allows it and a band otherwise; always a band; the ends alone.
PATHS = ("auto", "band")
_ELEMENT = Word(optional=True, help="Symbol of the ion that hops; the usual one of the crystal when not given")
_MULTIPLES = Many(
    item=Number(least=1, most=50, whole=True), optional=True, help="Repeats of the cell along each vector"
)


@dataclass(frozen=True)
class Sites(Rule):
    """A list of places, three fractions each."""

    @property
    def words(self) -> str:
        """A list of places."""
        return "a list of places, three fractions each"

    def _read(self, value: Any, name: str) -> list[list[float]]:
        if not isinstance(value, (list, tuple)):
            raise self.refuse(value, name)
        return [self._place(place, value, name) for place in value]

    def _place(self, place: Any, value: Any, name: str) -> list[float]:
        numbers = list(place) if isinstance(place, (list, tuple)) and len(place) == 3 else []
        if not numbers or any(isinstance(x, bool) or not isinstance(x, (int, float)) for x in numbers):
            raise self.refuse(value, name)
        if not all(math.isfinite(x) for x in numbers):
            raise self.refuse(value, name)
        return [float(x) for x in numbers]


@dataclass(frozen=True)
class HopSearchSettings(Settings):
    """Which hops a crystal has."""

    what: ClassVar[str] = "setting of the search for hops"

    mobile_species: str | None = setting(_ELEMENT, None)
    max_length_A: float = number(5.0, least=1.0, most=5.0, unit="angstrom", help="Longest hop that is looked for")
    cutoff_A: float | None = number(
        None,
        least=1.0,
        most=5.0,
        unit="angstrom",
        help="All pairs of sites up to this length are hops; the shortest at which they form a network when not given",
    )
    min_width_A: float = number(
        9.0, least=4.0, most=50.0, unit="angstrom", help="Smallest distance between opposite faces of the supercell"
    )
    supercell: list[int] | None = setting(_MULTIPLES, None)
    symprec_A: float = number(
        0.01, above=0.0, most=0.3, unit="angstrom", help="How far atoms may be from their symmetric places"
    )
    empty_sites: list[Any] = setting(
        Sites(help="Fractions of empty sites, [[x, y, z], ...]: an extra ion then hops among them"), []
    )
    max_hops: int = whole(40, least=1, most=1000, help="More inequivalent hops than this are refused")

    def check_together(self) -> None:
        """Refuse repeats that are not three, and a cut-off that is longer than the search.

        :raises SettingsError: saying which.
        """
        if self.supercell is not None and len(self.supercell) != 3:
            raise SettingsError(f"supercell must be three whole numbers, got {self.supercell}")
        if self.cutoff_A is not None and self.cutoff_A > self.max_length_A:
            raise SettingsError(f"cutoff_A = {self.cutoff_A:g} is above max_length_A = {self.max_length_A:g}")


@dataclass(frozen=True)
class HopSettings(Settings):
    """How the barrier of a hop is computed."""

    what: ClassVar[str] = "hop setting"

    path: str = word(
        PATHS, "auto", help="The mid-point where an operation exchanges the ends, else a band; or a band for every hop"
    )
    max_force_eV_A: float = number(0.05, least=0.001, most=1.0, unit="eV/angstrom", help="Force that counts as zero")
    max_steps: int = whole(200, least=1, most=10_000, help="Most steps of a relaxation, and of a band")
    n_images: int = whole(5, least=3, most=51, help="Images of a band with its ends")
    n_images_long: int = whole(7, least=3, most=51, help="The same of hops longer than long_hop_A")
    long_hop_A: float = number(4.0, above=0.0, most=5.0, unit="angstrom", help="Longer hops get more images")
    plain_steps: int = whole(15, least=0, most=1000, help="Steps of a band before its highest image climbs")
    spring_eV_A2: float = number(0.1, above=0.0, most=100.0, unit="eV/angstrom^2", help="Springs between images")
    max_residual_eV_A: float = number(
        0.02, above=0.0, most=1.0, unit="eV/angstrom", help="Force along the hop up to which a mid-point is accepted"
    )
    max_path_A: float = number(5.0, above=0.0, most=10.0, unit="angstrom", help="Longest straight path between ends")
    max_framework_A: float = number(
        1.0, above=0.0, most=10.0, unit="angstrom", help="Displacement of any other atom beyond which it is another hop"
    )
    min_hop_A: float = number(
        0.3, above=0.0, most=5.0, unit="angstrom", help="Ends closer than this after their relaxation are the same"
    )


@dataclass(frozen=True)
class TransportSettings(Settings):
    """What is made of the barriers of all hops."""

    what: ClassVar[str] = "transport setting"

    temperature_K: float = number(300.0, least=1.0, most=10_000.0, unit="K", help="Temperature of the rates")
    vacancy_concentration: float = number(
        0.01, above=0.0, below=1.0, help="Carriers per site of the mobile ion: an input, not a result"
    )
    attempt_frequency_Hz: float = number(1e13, least=1e10, most=1e15, unit="Hz", help="Attempt frequency of every hop")
    charge_e: float | None = number(
        None,
        least=-4.0,
        most=4.0,
        unit="e",
        help="Charge that a hop moves; the formal charge of the ion if not given",
    )
    kinetic_monte_carlo: bool = flag(True, help="Whether carriers that exclude each other are simulated, too")
    min_sites: int = whole(200, least=2, most=100_000, help="Sites of a simulated cell, at least")
    n_copies: int = whole(64, least=2, most=10_000, help="Independent copies")
    n_windows: int = whole(32, least=2, most=10_000, help="Time windows of each copy")
    hops_per_window: float = number(50.0, above=0.0, most=1e6, help="Mean hops of a carrier in a window")
    seed: int = whole(1, least=0, most=MAX_SEED, help="Seed of the random numbers")
