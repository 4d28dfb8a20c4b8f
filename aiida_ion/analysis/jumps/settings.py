"""What a jump analysis may be told, validated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aiida_ion.analysis.settings import is_number, is_whole, refuse_unknown, require

SITE_SOURCES = ("auto", "structure", "density")


@dataclass(frozen=True)
class JumpSettings:
    """Settings of :func:`aiida_ion.analysis.jumps.picture.analyse_jumps`.

    :param equilibration_fs: time dropped at the start of every replica, counted from its first frame, fs.
    :param sites: ``structure`` takes the mobile sites of the reference structure, ``density`` the peaks of the density
        of the mobile ions, ``auto`` the first and the peaks that are far from all of them.
    :param site_radius_A: an ion within this distance is at the site, angstrom; none: twice the vibration amplitude,
        never more than half the distance of the two closest sites.
    :param min_site_distance_A: a peak of the density closer to a site of the structure is that site, angstrom.
    :param min_peak_occupancy: a peak far from the sites of the structure is a site when so many ions are within
        ``min_site_distance_A`` of it on average.
    :param density_resolution_A: width of the voxels of the density, angstrom.
    :param density_smoothing_A: width of the Gaussian that is laid over the density before its peaks are looked for,
        angstrom; barriers take the density as it is.
    :param density_background: part of the largest density above which a peak is a site.
    :param attempt_frequency_THz: instead of the measured one, THz.
    :param minimal_residence_fs: a shorter stay at a site is part of the way to the next, fs.
    :param max_frames: longer trajectories are thinned to this many frames; the result states the stride.
    :param max_memory_MB: they are thinned to what fits into this as well, MB.
    :param max_collective_jumps: jumps, the first ones, among which collective ones are looked for.
    :param collective_distance_A: jumps that come this close to each other, start or end, can be one motion, angstrom.
    """

    equilibration_fs: float = 0.0
    sites: str = "auto"
    site_radius_A: float | None = None
    min_site_distance_A: float = 1.0
    min_peak_occupancy: float = 0.4
    density_resolution_A: float = 0.3
    density_smoothing_A: float = 0.3
    density_background: float = 0.2
    attempt_frequency_THz: float | None = None
    minimal_residence_fs: float = 0.0
    max_frames: int = 20_000
    max_memory_MB: float = 2000.0
    max_collective_jumps: int = 1000
    collective_distance_A: float = 1.0

    def __post_init__(self) -> None:
        if self.sites not in SITE_SOURCES:
            raise ValueError(f"sites must be one of {', '.join(SITE_SOURCES)}, got {self.sites!r}")
        for name in ("equilibration_fs", "minimal_residence_fs", "min_peak_occupancy", "density_smoothing_A"):
            require(is_number(getattr(self, name)) and getattr(self, name) >= 0, name, self, "a number >= 0")
        for name in ("min_site_distance_A", "density_resolution_A", "max_memory_MB", "collective_distance_A"):
            require(is_number(getattr(self, name)) and getattr(self, name) > 0, name, self, "a positive number")
        for name in ("site_radius_A", "attempt_frequency_THz"):
            value = getattr(self, name)
            require(value is None or (is_number(value) and value > 0), name, self, "a positive number or null")
        require(
            is_number(self.density_background) and 0 < self.density_background < 1,
            "density_background",
            self,
            "above 0 and below 1",
        )
        for name, least in (("max_frames", 50), ("max_collective_jumps", 0)):
            value = getattr(self, name)
            require(is_whole(value) and value >= least, name, self, f"a whole number >= {least}")

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> JumpSettings:
        """Build from a plain mapping.

        :raises ValueError: for an unknown or impossible setting.
        """
        refuse_unknown(cls, settings, "jump setting")
        return cls(**settings)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serialisable mapping that :meth:`from_dict` reads back."""
        return asdict(self)
