"""The target and the budget of runs that are extended until converged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from aiida_ion.settings.md import TEMPERATURE_K, TIME_PS, TOTAL_TIME_PS
from aiida_ion.settings.schema import Settings, number, rules_of, whole, word
from aiida_ion.settings.values import SettingsError

QUANTITIES = ("tracer_diffusivity", "ionic_conductivity")


@dataclass(frozen=True)
class StopRule(Settings):
    """Target error and budget."""

    what: ClassVar[str] = "stop rule"

    target_relative_error: float = number(
        help="Relative error of D at each temperature, or of the conductivity at the target one", above=0.0, most=10.0
    )
    target_quantity: str = word(QUANTITIES, "tracer_diffusivity", help="Quantity that the error refers to")
    max_time_ps: float = number(500.0, help="Maximum length of a run", **TIME_PS)
    max_rounds: int = whole(8, help="Maximum number of rounds, the first included", least=1, most=1000)
    max_total_time_ps: float | None = number(None, help="Maximum total length of all runs", **TOTAL_TIME_PS)
    target_temperature_K: float = number(300.0, help="Temperature of the conductivity", **TEMPERATURE_K)
    equilibration_ps: float = number(
        0.0, help="Time at the start of each run excluded from the analysis", least=0.0, unit="ps"
    )
    min_n_eff: float = number(10.0, help="Effective hops below which there is no diffusivity", above=0.0)
    jump_distance_A: float = number(3.0, help="Distance between neighbouring sites", above=0.0, unit="angstrom")
    min_temperatures: int = whole(3, help="Diffusive temperatures needed for an Arrhenius fit", least=1)

    def check_together(self) -> None:
        """Refuse runs that end before they are equilibrated.

        :raises SettingsError: with the length.
        """
        if not self.max_time_ps > self.equilibration_ps:
            raise SettingsError(f"max_time_ps = {self.max_time_ps:g} leaves nothing after equilibration")

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> StopRule:
        """Build from a mapping that may contain other keys too."""
        known = rules_of(cls)
        return super().from_dict({key: value for key, value in given.items() if key in known})

    def analysed_ps(self, time_ps: float) -> float:
        """Analysed part of a run of this length, ps."""
        return max(time_ps - self.equilibration_ps, 0.0)
