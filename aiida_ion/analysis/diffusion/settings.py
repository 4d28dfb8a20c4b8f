"""Settings of a diffusion analysis, validated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aiida_ion.analysis.checks.limits import CheckLimits
from aiida_ion.settings.elements import Element
from aiida_ion.settings.lists import Many
from aiida_ion.settings.rules import MAX_SEED
from aiida_ion.settings.schema import Part, Settings, flag, number, setting, whole
from aiida_ion.settings.values import SettingsError
from aiida_ion.verdicts import LARGEST_IN_SOLIDS, MAX_INTERVAL_DECADES

#: Latest end of a fit, as a fraction of the trajectory's length: kinisi is reliable up to it.
LAG_FRACTION = {"above": 0.0, "most": 0.5}
#: Largest prior deviation: half the range of log-log slopes that count as diffusion.
MAX_EXPECTED = 0.2
#: Shared by the diffusion and jump settings.
FRAMEWORK_SPECIES = Many(
    item=Element(),
    distinct=True,
    most=100,
    optional=True,
    help="Elements of the framework, the frame of reference",
)


@dataclass(frozen=True)
class DiffusionSettings(Settings):
    """Settings of :func:`aiida_ion.analysis.diffusion.analyse.analyse_diffusion`."""

    what: ClassVar[str] = "diffusion setting"

    equilibration_fs: float = number(
        0.0, help="Time dropped at the start of every replica, counted from its first frame", least=0.0, unit="fs"
    )
    jump_distance_A: float = number(
        3.0,
        help="Distance between neighbouring sites of the mobile ion (He et al. 2018: 2.4-3.4)",
        above=0.0,
        most=100.0,
        unit="angstrom",
    )
    n_lags: int = whole(30, help="Lags of the fit; its cost grows with their third power", least=5, most=100)
    max_lag_fraction: float = number(
        1.0 / 3.0, help="The fit ends at this part of the trajectory's length", **LAG_FRACTION
    )
    extended_lag_fraction: float = number(
        0.5, help="It may end here when the ions diffuse too little until `max_lag_fraction`", **LAG_FRACTION
    )
    max_frames: int = whole(
        5000,
        help="Longer trajectories are thinned to this many frames; the result states the stride",
        least=50,
        most=10**7,
    )
    min_n_eff: float = number(
        10.0,
        help="Effective hops below which only an upper bound is given, both in all and over the fit window",
        above=0.0,
        most=1e6,
    )
    min_log_log_slope: float = number(
        0.8, help="Least slope of log MSD over log t that counts as diffusion", above=0.0, most=2.0
    )
    max_log_log_slope: float = number(1.2, help="Largest slope that counts as diffusion", above=0.0, most=2.0)
    expected_transient: float = number(
        0.03,
        help="Standard deviation, before anything is measured, of the part by which the slope of the MSD at the first "
        "diffusive lag differs from that of diffusion",
        above=0.0,
        most=MAX_EXPECTED,
    )
    hop_smoothing_fs: float = number(
        1000.0, help="Running mean before hops are counted (at least 3 frames)", least=0.0, most=1e9, unit="fs"
    )
    framework_species: list[str] | None = setting(FRAMEWORK_SPECIES, None)
    n_samples: int = whole(1000, help="Posterior draws kept", least=100, most=10**6)
    collective: bool = flag(True, help="Whether to fit the collective diffusivity too")
    green_kubo: bool = flag(
        True,
        help="Whether to take the collective conductivity from the charge current too, where it was recorded",
    )
    green_kubo_max_relative_error: float = number(
        0.4, help="A run too short for this relative error gives no such conductivity", above=0.0, most=10.0
    )
    max_interval_decades: float = number(
        MAX_INTERVAL_DECADES,
        help="A number whose 95 % interval is wider, log10 of its upper over its lower edge, is poorly known",
        above=0.0,
        most=100.0,
        unit="decades",
    )
    max_useful_bound_cm2_s: float = number(
        LARGEST_IN_SOLIDS["cm2_s"],
        help="An upper bound of a diffusivity above this says nothing of a solid, and is not shown",
        above=0.0,
        unit="cm2/s",
    )
    max_useful_bound_mS_cm: float = number(
        LARGEST_IN_SOLIDS["mS_cm"],
        help="An upper bound of a conductivity above this says nothing of a solid, and is not shown",
        above=0.0,
        unit="mS/cm",
    )
    seed: int = whole(1, help="Seed of the Markov chain and the resampling", least=0, most=MAX_SEED)
    limits: CheckLimits = setting(Part(help="Where the checks warn and fail", kind=CheckLimits), {})

    def check_together(self) -> None:
        """Refuse inconsistent limits of the slope.

        :raises SettingsError: with both.
        """
        if not self.min_log_log_slope < self.max_log_log_slope:
            raise SettingsError(
                f"max_log_log_slope must be above min_log_log_slope = {self.min_log_log_slope:g}, got "
                f"{self.max_log_log_slope:g}"
            )
