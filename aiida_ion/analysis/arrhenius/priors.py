"""Prior assumptions of the Arrhenius fit, stored with its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aiida_ion.settings.schema import Settings, number
from aiida_ion.settings.values import SettingsError

_ENERGY = {"least": -10.0, "most": 100.0, "unit": "eV"}
_LOG10_PREFACTOR = {"least": -100.0, "most": 100.0, "unit": "(log10 of cm^2/s)"}


@dataclass(frozen=True)
class Priors(Settings):
    """Priors of the fit."""

    what: ClassVar[str] = "prior"

    min_activation_energy_eV: float = number(
        0.0, help="The activation energy is uniform from here; also each energy of a curved law", **_ENERGY
    )
    max_activation_energy_eV: float = number(3.0, help="The activation energy is uniform to here", **_ENERGY)
    min_log10_prefactor_cm2_s: float = number(
        -8.0, help="log10 of the prefactor is uniform from here", **_LOG10_PREFACTOR
    )
    max_log10_prefactor_cm2_s: float = number(4.0, help="log10 of the prefactor is uniform to here", **_LOG10_PREFACTOR)
    #: The default corresponds to hops of 3 angstrom attempted 10^12 to 10^13 times a second, a^2 nu / 6, apart from the
    #: entropy.
    bound_log10_prefactor_mean: float = number(
        -3.2, help="Used only for a bound: log10 of the prefactor is normal about this", **_LOG10_PREFACTOR
    )
    bound_log10_prefactor_std: float = number(
        0.7, help="Used only for a bound: with this standard deviation", above=0.0, most=100.0
    )
    #: The diffusivity of liquid water at 300 K is 2e-5 cm^2/s.
    uninformative_bound_cm2_s: float = number(
        2e-5, help="A bound above this says nothing about a solid", above=0.0, most=1.0, unit="cm^2/s"
    )

    def check_together(self) -> None:
        """Refuse an empty range.

        :raises SettingsError: naming the range.
        """
        if not self.min_activation_energy_eV < self.max_activation_energy_eV:
            raise SettingsError("the prior of the activation energy is empty: max_... must be above min_...")
        if not self.min_log10_prefactor_cm2_s < self.max_log10_prefactor_cm2_s:
            raise SettingsError("the prior of the prefactor is empty: max_... must be above min_...")
