"""What the tests of the readers share: reading a file, and the displacements that must come of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from aiida_ion.trajectory_files.run import ReadRun, read_run

FACTS: dict[str, Any] = {
    "timestep_fs": 2.0,
    "sample_every": 10,
    "target_temperature_K": 800.0,
    "level_of_theory": "LJ",
}


def read(*paths: Path, **options: Any) -> ReadRun:
    """Read files as the parts of one run."""
    return read_run(paths, options.pop("given", FACTS), **options)


def displacements(run: ReadRun) -> np.ndarray:
    """Return how far each atom is from where it began, (n, N, 3), angstrom."""
    joined = np.concatenate([segment.positions for segment in run.segments])
    moved: np.ndarray = joined - joined[0]
    return moved


def warnings_of(run: ReadRun) -> list[str]:
    """Return the remarks that may change a result."""
    return [remark for remark in run.remarks if remark.startswith("WARNING: ")]
