"""Caveats of a jump analysis, in sentences."""

from __future__ import annotations

from typing import NamedTuple

from aiida_ion.analysis.jumps.frames import JumpFrames
from aiida_ion.analysis.jumps.percolation import MIN_BOTTLENECK_COUNT, Percolation
from aiida_ion.analysis.jumps.vibration import MAX_INTERVAL_FS
from aiida_ion.units import FS_PER_PS

#: Assumed where it cannot be measured, THz: the usual order; a factor of two is kT ln 2 in an energy.
ASSUMED_ATTEMPT_FREQUENCY_THZ = 10.0
#: Frames further apart than this fraction of the mean residence time miss jumps.
MAX_INTERVAL_OF_RESIDENCE = 0.1
#: If ions are at no site for more than this fraction of the time, some sites are unknown.
MAX_AT_NO_SITE = 0.5


class JumpStatistics(NamedTuple):
    """Statistics that the caveats are based on.

    :param at_no_site: fraction of the time that ions are at no site.
    :param frequency_source: ``given``, ``measured`` or ``assumed``.
    """

    frames: JumpFrames
    n_jumps: int
    at_no_site: float
    frequency_source: str


def caveats(statistics: JumpStatistics, percolation: Percolation) -> list[str]:
    """Return the reasons to doubt rates, sites, energies and barriers."""
    return [
        *_rare_frames(statistics),
        *_unknown_sites(statistics),
        *_no_vibration(statistics),
        *_few_counts(percolation),
    ]


def _rare_frames(statistics: JumpStatistics) -> list[str]:
    if not statistics.n_jumps:
        return []
    frames = statistics.frames
    residence_fs = frames.n_ions * frames.time_ps * FS_PER_PS / statistics.n_jumps
    if frames.interval_fs <= MAX_INTERVAL_OF_RESIDENCE * residence_fs:
        return []
    thinned = f" after thinning by {frames.stride}" if frames.stride > 1 else ""
    return [
        f"frames are {frames.interval_fs:g} fs apart{thinned} and an ion stays {residence_fs:.0f} fs at a site: jumps "
        "are missed, so rates and energies are doubtful"
    ]


def _unknown_sites(statistics: JumpStatistics) -> list[str]:
    if statistics.at_no_site <= MAX_AT_NO_SITE:
        return []
    return [f"ions are at no site for {statistics.at_no_site:.0%} of the time: sites are missing, or there are none"]


def _no_vibration(statistics: JumpStatistics) -> list[str]:
    if statistics.frequency_source != "assumed":
        return []
    rare = statistics.frames.stored_interval_fs > MAX_INTERVAL_FS
    why = f"frames are more than {MAX_INTERVAL_FS:g} fs apart" if rare else "no ion stays long enough at a site"
    return [f"{why}: activation energies assume an attempt frequency of {ASSUMED_ATTEMPT_FREQUENCY_THZ:g} THz"]


def _few_counts(percolation: Percolation) -> list[str]:
    counts = percolation.bottleneck_counts
    few = [f"{d}D" for d, count in enumerate(counts, 1) if count is not None and count < MIN_BOTTLENECK_COUNT]
    if not few:
        return []
    return [
        f"the percolation barrier in {', '.join(few)} is based on a voxel seen fewer than {MIN_BOTTLENECK_COUNT} times"
    ]
