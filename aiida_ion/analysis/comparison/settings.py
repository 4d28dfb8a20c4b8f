"""Settings of a comparison of trajectories, validated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aiida_ion.analysis.comparison.radial_distribution import MAX_FRAMES
from aiida_ion.settings.schema import Settings, number, whole


@dataclass(frozen=True)
class ComparisonSettings(Settings):
    """Settings of :func:`aiida_ion.analysis.comparison.structure.compare_structure`."""

    what: ClassVar[str] = "comparison setting"

    equilibration_fs: float = number(
        0.0, help="Frames at earlier times of their run are left out", least=0.0, unit="fs"
    )
    max_rdf_frames: int = whole(
        MAX_FRAMES, help="Frames of each temperature and level in the radial distributions", least=1, most=100_000
    )
