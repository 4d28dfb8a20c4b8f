"""Settings of the conductivity against the concentration of carriers, validated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aiida_ion.settings.lists import Many
from aiida_ion.settings.rules import Number
from aiida_ion.settings.schema import Settings, number, setting
from aiida_ion.settings.values import SettingsError


@dataclass(frozen=True)
class CarrierSettings(Settings):
    """Settings of :func:`aiida_ion.analysis.defects.extrapolation.extrapolate`."""

    what: ClassVar[str] = "carrier setting"

    target_temperature_K: float = number(
        300.0, help="Temperature of the conductivities", least=1.0, most=5000.0, unit="K"
    )
    formation_energy_eV: float | None = number(
        None, help="Formation energy of a Frenkel pair, for carriers made by heat", above=0.0, most=20.0, unit="eV"
    )
    formation_energy_error_eV: float | None = number(
        None, help="Standard error of it; without one the intervals lack it", least=0.0, most=20.0, unit="eV"
    )
    migration_energy_eV: float | None = number(
        None,
        help="Activation energy of the diffusivity of a carrier, where it is known otherwise than from several "
        "temperatures",
        least=0.0,
        most=20.0,
        unit="eV",
    )
    migration_energy_error_eV: float | None = number(None, help="Standard error of it", least=0.0, most=20.0, unit="eV")
    concentrations: list[float] = setting(
        Many(
            item=Number(above=0.0, below=1.0),
            distinct=True,
            may_be_empty=True,
            most=50,
            help="Concentrations of carriers, for each site, at which the conductivity is stated; 1e-4 is a usual "
            "impurity",
        ),
        [1e-4],
    )
    haven_ratio: float = number(
        1.0, help="By this the conductivity from tracers is divided; 1 is Nernst-Einstein", above=0.0, most=10.0
    )

    def check_together(self) -> None:
        """Refuse an error of a value that is not given.

        :raises SettingsError: saying which.
        """
        for name in ("formation_energy", "migration_energy"):
            if getattr(self, f"{name}_error_eV") is not None and getattr(self, f"{name}_eV") is None:
                raise SettingsError(f"{name}_error_eV is the error of {name}_eV, which is not given")
