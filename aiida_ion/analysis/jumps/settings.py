"""Settings of a jump analysis, validated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aiida_ion.settings.elements import Element
from aiida_ion.settings.lists import Many
from aiida_ion.settings.schema import Settings, number, setting, whole, word

SITE_SOURCES = ("auto", "structure", "density")
_LENGTH = {"above": 0.0, "most": 100.0, "unit": "angstrom"}


@dataclass(frozen=True)
class JumpSettings(Settings):
    """Settings of :func:`aiida_ion.analysis.jumps.analyse.analyse_jumps`."""

    what: ClassVar[str] = "jump setting"

    equilibration_fs: float = number(
        0.0, help="Time dropped at the start of every replica, counted from its first frame", least=0.0, unit="fs"
    )
    framework_species: list[str] | None = setting(
        Many(
            item=Element(),
            distinct=True,
            most=100,
            optional=True,
            help="Elements from which everything is measured; all but the mobile species when not given",
        ),
        None,
    )
    sites: str = word(
        SITE_SOURCES,
        "auto",
        help="`structure` takes the mobile sites of the reference structure, `density` the peaks of the density of the "
        "mobile ions, `auto` the first and the peaks that are far from all of them",
    )
    site_radius_A: float | None = number(
        None,
        help="An ion within this distance is at the site; null: twice the vibration amplitude, never more than half "
        "the distance of the two closest sites",
        **_LENGTH,
    )
    min_site_distance_A: float = number(
        1.0, help="A peak of the density closer to a site of the structure is that site", **_LENGTH
    )
    min_peak_occupancy: float = number(
        0.4,
        help="A peak far from the sites of the structure is a site when this many ions are within "
        "`min_site_distance_A` of it on average",
        least=0.0,
        most=1000.0,
    )
    density_resolution_A: float = number(
        0.3, help="Width of the voxels of the density", least=0.01, most=10.0, unit="angstrom"
    )
    density_smoothing_A: float = number(
        0.3,
        help="Width of the Gaussian that is laid over the density before its peaks are looked for; barriers take the "
        "density as it is",
        least=0.0,
        most=10.0,
        unit="angstrom",
    )
    density_background: float = number(
        0.2, help="Part of the largest density above which a peak is a site", above=0.0, below=1.0
    )
    attempt_frequency_THz: float | None = number(
        None, help="Instead of the measured one", above=0.0, most=1e4, unit="THz"
    )
    minimal_residence_fs: float = number(
        0.0, help="A shorter stay at a site is part of the jump to the next one", least=0.0, most=1e9, unit="fs"
    )
    max_frames: int = whole(
        20_000,
        help="Longer trajectories are thinned to this many frames; the result states the stride",
        least=50,
        most=10**7,
    )
    max_memory_MB: float = number(
        2000.0, help="They are thinned to what fits into this as well", least=1.0, most=1e7, unit="MB"
    )
    max_collective_jumps: int = whole(
        1000, help="Jumps, the first ones, among which collective ones are looked for", least=0, most=10**6
    )
    collective_distance_A: float = number(
        1.0, help="Jumps that come this close to each other, start or end, can be one motion", **_LENGTH
    )
