"""The limits of the checks, all of which are inputs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import ClassVar

from aiida_ion.settings.schema import Settings, number
from aiida_ion.settings.values import SettingsError

#: Lower limits; all others are upper limits.
FROM_BELOW = ("min_distance_ratio", "framework_peak_ratio", "framework_bonds_kept")


@dataclass(frozen=True)
class CheckLimits(Settings):
    """Where the checks of a trajectory warn and fail; the defaults are explained in the methods page.

    A check beyond its ``_fail`` limit excludes the temperature from the Arrhenius fit.
    """

    what: ClassVar[str] = "limit"

    min_distance_ratio_warn: float = number(
        0.5, help="Warns: nearest distance of two atoms over the sum of their radii", least=0.0
    )
    min_distance_ratio_fail: float = number(
        0.4, help="Fails: nearest distance of two atoms over the sum of their radii", least=0.0
    )
    max_force_warn_eV_A: float = number(50.0, help="Warns: largest force on an atom", least=0.0, unit="eV/angstrom")
    max_force_fail_eV_A: float = number(100.0, help="Fails: largest force on an atom", least=0.0, unit="eV/angstrom")
    energy_jump_warn_eV_atom: float = number(
        1.0, help="Warns: distance of the potential energy from its median", least=0.0, unit="eV/atom"
    )
    energy_jump_fail_eV_atom: float = number(
        5.0, help="Fails: distance of the potential energy from its median", least=0.0, unit="eV/atom"
    )
    hot_ratio_warn: float = number(1.5, help="Warns: temperature over 50 steps, over the target", least=0.0)
    hot_ratio_fail: float = number(2.0, help="Fails: temperature over 50 steps, over the target", least=0.0)
    temperature_off_warn: float = number(
        0.02, help="Warns: distance of the mean temperature from the target, as a part of the target", least=0.0
    )
    temperature_off_fail: float = number(
        0.05, help="Fails: distance of the mean temperature from the target, as a part of the target", least=0.0
    )
    temperature_drift_warn: float = number(
        0.02, help="Warns: drift of the temperature over the run, as a part of the target", least=0.0
    )
    temperature_drift_fail: float = number(
        0.05, help="Fails: drift of the temperature over the run, as a part of the target", least=0.0
    )
    energy_drift_warn_meV_atom_ps: float = number(
        0.1, help="Warns: drift of the conserved energy with constant energy", least=0.0, unit="meV/atom/ps"
    )
    energy_drift_fail_meV_atom_ps: float = number(
        1.0, help="Fails: drift of the conserved energy with constant energy", least=0.0, unit="meV/atom/ps"
    )
    framework_growth_warn_A2: float = number(
        0.1, help="Warns: growth of the framework's MSD from a tenth to half of the run", least=0.0, unit="angstrom^2"
    )
    framework_growth_fail_A2: float = number(
        0.5, help="Fails: growth of the framework's MSD from a tenth to half of the run", least=0.0, unit="angstrom^2"
    )
    framework_vibration_warn: float = number(
        0.15, help="Warns: vibration of the framework over the distance of its neighbours (Lindemann)", least=0.0
    )
    framework_vibration_fail: float = number(
        0.25, help="Fails: vibration of the framework over the distance of its neighbours (Lindemann)", least=0.0
    )
    framework_displaced_warn: float = number(
        0.01, help="Warns: part of the framework away from its sites by half the distance of neighbours", least=0.0
    )
    framework_displaced_fail: float = number(
        0.1, help="Fails: part of the framework away from its sites by half the distance of neighbours", least=0.0
    )
    framework_peak_ratio_warn: float = number(
        0.85, help="Warns: height of the framework's first peak of g(r), last over first fifth of the run", least=0.0
    )
    framework_peak_ratio_fail: float = number(
        0.7, help="Fails: height of the framework's first peak of g(r), last over first fifth of the run", least=0.0
    )
    framework_bonds_kept_warn: float = number(
        0.99, help="Warns: part of the framework's bonds that are kept", least=0.0
    )
    framework_bonds_kept_fail: float = number(
        0.95, help="Fails: part of the framework's bonds that are kept", least=0.0
    )
    halves_diffusivity_warn: float = number(
        1.5, help="Warns: D of one half of the run over that of the other, whichever is larger", least=0.0
    )
    halves_energy_warn_meV_atom: float = number(
        3.0, help="Warns: potential energy of the second half less the first", least=0.0, unit="meV/atom"
    )
    log_log_slope_warn: float = number(0.15, help="Warns: distance of the log-log slope of the MSD from one", least=0.0)
    systematic_error_warn: float = number(
        0.15, help="Warns: error of D from a slope of the MSD that still changes, as a part of D", least=0.0
    )
    effective_hops_warn: float = number(50.0, help="Warns: effective hops", least=0.0)
    ions_hopped_warn: float = number(0.25, help="Warns: part of the mobile ions that ever hopped", least=0.0)
    frame_spacing_warn: float = number(
        0.8,
        help="Warns: largest step of an ion between two frames over half the narrowest width of the cell",
        least=0.0,
    )

    def check_together(self) -> None:
        """Refuse limits where a check fails before it warns.

        :raises SettingsError: with both.
        """
        for name in asdict(self):
            fail = name.replace("_warn", "_fail")
            if fail == name or fail not in asdict(self):
                continue
            first, last = getattr(self, name), getattr(self, fail)
            if first < last if name.startswith(FROM_BELOW) else first > last:
                raise SettingsError(f"limits.{fail} = {last:g} must not be crossed before limits.{name} = {first:g}")
