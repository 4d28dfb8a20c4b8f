"""The limits of the checks, every one an input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aiida_ion.analysis.settings import is_number, refuse_unknown

#: Limits below which, instead of above which, a value is beyond.
FROM_BELOW = ("min_distance_ratio", "framework_peak_ratio", "framework_bonds_kept")


@dataclass(frozen=True)
class CheckLimits:
    """Where the checks of a trajectory warn and where they fail; why each default is what it is stands in methods.

    :param min_distance_ratio_warn: nearest distance of two atoms over the sum of their radii.
    :param max_force_warn_eV_A: largest force on an atom, eV/angstrom.
    :param energy_jump_warn_eV_atom: distance of the potential energy from its median, eV/atom.
    :param hot_ratio_warn: temperature over 50 steps, over the target.
    :param temperature_off_warn: distance of the mean temperature from the target, as a part of the target.
    :param temperature_drift_warn: drift of the temperature over the run, as a part of the target.
    :param energy_drift_warn_meV_atom_ps: drift of the conserved energy with constant energy, meV/atom/ps.
    :param framework_growth_warn_A2: growth of the framework's MSD from a tenth to half of the run, angstrom^2.
    :param framework_vibration_warn: vibration of the framework over the distance of its neighbours (Lindemann).
    :param framework_displaced_warn: part of the framework away from its sites by half the distance of neighbours.
    :param framework_peak_ratio_warn: height of the framework's first peak of g(r), last over first fifth of the run.
    :param framework_bonds_kept_warn: part of the framework's bonds that are kept.
    :param halves_diffusivity_warn: D of one half of the run over that of the other, whichever is larger.
    :param halves_energy_warn_meV_atom: potential energy of the second half less the first, meV/atom.
    :param log_log_slope_warn: distance of the log-log slope of the MSD from one.
    :param effective_hops_warn: effective hops.
    :param ions_hopped_warn: part of the mobile ions that ever hopped.
    :param frame_spacing_warn: largest step of an ion between two frames over half the narrowest width of the cell.

    Names that end in ``_fail`` are the same where the check fails, which keeps the temperature from the Arrhenius fit.
    """

    min_distance_ratio_warn: float = 0.5
    min_distance_ratio_fail: float = 0.4
    max_force_warn_eV_A: float = 50.0
    max_force_fail_eV_A: float = 100.0
    energy_jump_warn_eV_atom: float = 1.0
    energy_jump_fail_eV_atom: float = 5.0
    hot_ratio_warn: float = 1.5
    hot_ratio_fail: float = 2.0
    temperature_off_warn: float = 0.02
    temperature_off_fail: float = 0.05
    temperature_drift_warn: float = 0.02
    temperature_drift_fail: float = 0.05
    energy_drift_warn_meV_atom_ps: float = 0.1
    energy_drift_fail_meV_atom_ps: float = 1.0
    framework_growth_warn_A2: float = 0.1
    framework_growth_fail_A2: float = 0.5
    framework_vibration_warn: float = 0.15
    framework_vibration_fail: float = 0.25
    framework_displaced_warn: float = 0.01
    framework_displaced_fail: float = 0.1
    framework_peak_ratio_warn: float = 0.85
    framework_peak_ratio_fail: float = 0.7
    framework_bonds_kept_warn: float = 0.99
    framework_bonds_kept_fail: float = 0.95
    halves_diffusivity_warn: float = 1.5
    halves_energy_warn_meV_atom: float = 3.0
    log_log_slope_warn: float = 0.15
    effective_hops_warn: float = 50.0
    ions_hopped_warn: float = 0.25
    frame_spacing_warn: float = 0.8

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not is_number(value) or value < 0:
                raise ValueError(f"limits.{name} must be a number >= 0, got {value!r}")
        for name in asdict(self):
            fail = name.replace("_warn", "_fail")
            if fail == name or fail not in asdict(self):
                continue
            first, last = getattr(self, name), getattr(self, fail)
            if first < last if name.startswith(FROM_BELOW) else first > last:
                raise ValueError(f"limits.{fail} = {last:g} must not be crossed before limits.{name} = {first:g}")

    @classmethod
    def from_dict(cls, limits: Mapping[str, Any]) -> CheckLimits:
        """Build from a plain mapping.

        :raises ValueError: for an unknown or impossible limit.
        """
        refuse_unknown(cls, limits, "limit")
        return cls(**limits)
