"""The parameters of ``ion.conductivity``, validated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from aiida_ion.calculations.settings_of_fits import JumpSettings, Priors, StopRule
from aiida_ion.settings.elements import Element
from aiida_ion.settings.lists import Many
from aiida_ion.settings.md import CHARGES, TEMPERATURE_K
from aiida_ion.settings.rules import MAX_SEED, Number, Word
from aiida_ion.settings.schema import Part, Settings, flag, number, rules_of, setting, whole, word
from aiida_ion.settings.values import SettingsError

SUPERCELL_RULES = ("perpendicular", "edge")
#: Parameters of runs that are extended until converged.
TARGET_PARAMETERS = ("target_relative_error", "target_quantity", "max_time_ps", "max_rounds", "max_total_time_ps")
_TARGET = {name: replace(rules_of(StopRule)[name], optional=True) for name in TARGET_PARAMETERS}


@dataclass(frozen=True)
class ConductivityParameters(Settings):
    """What is simulated, and the temperature of the conductivity."""

    what: ClassVar[str] = "parameter"

    temperatures_K: list[float] = setting(
        Many(item=Number(**TEMPERATURE_K), distinct=True, most=100, help="Temperatures of the runs")
    )
    mobile_species: str = setting(Element(help="The diffusing element"))
    charges: dict[str, float] = setting(CHARGES)
    formula: str = setting(Word(help="Reduced formula, for tables", may_be_empty=True), "")
    seeds: list[int] = setting(
        Many(
            item=Number(least=0, most=MAX_SEED, whole=True),
            distinct=True,
            help="One replica for each, at every temperature",
        ),
        [1],
    )
    target_temperature_K: float = number(300.0, help="Temperature of the conductivity", **TEMPERATURE_K)
    min_width_A: float = number(10.0, help="Smallest width of the supercell", above=0.0, most=200.0, unit="angstrom")
    supercell_rule: str = word(
        SUPERCELL_RULES,
        "perpendicular",
        help="Definition of its width: the distance between faces, or the length of the cell vectors",
    )
    supercell: list[int] | None = setting(
        Many(
            item=Number(least=1, most=100, whole=True),
            length=3,
            optional=True,
            help="Multiples of the cell, instead of the rule",
        ),
        None,
    )
    relax_ions: bool = flag(True, help="Relax the ions in the fixed cell first")
    max_concurrent: int = whole(8, help="Maximum number of runs in parallel", least=1, most=10_000)
    priors: Priors = setting(Part(kind=Priors, help="Priors of the Arrhenius fit that differ from its defaults"), {})
    jumps: bool = flag(False, help="Analyse the jumps at each temperature too, which needs GEMDAT besides kinisi")
    jump_settings: JumpSettings = setting(
        Part(kind=JumpSettings, help="Settings of the jump analysis that differ from its defaults"), {}
    )
    target_relative_error: float | None = setting(_TARGET["target_relative_error"], None)
    target_quantity: str | None = setting(_TARGET["target_quantity"], None)
    max_time_ps: float | None = setting(_TARGET["max_time_ps"], None)
    max_rounds: int | None = setting(_TARGET["max_rounds"], None)
    max_total_time_ps: float | None = setting(_TARGET["max_total_time_ps"], None)

    def check_together(self) -> None:
        """Refuse a mobile ion without a charge, or a budget without a target.

        :raises SettingsError: saying what to give.
        """
        if self.mobile_species not in self.charges:
            raise SettingsError(f"charges must give the charge of {self.mobile_species}, e; zero means no conductivity")
        idle = [name for name in TARGET_PARAMETERS if getattr(self, name) is not None]
        if idle and self.target_relative_error is None:
            raise SettingsError(f"{', '.join(idle)} extend runs until target_relative_error is met; give that too")
