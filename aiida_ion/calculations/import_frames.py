"""Lone labelled frames of an extended XYZ file -> a trajectory for each composition, with energies beside it."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from aiida import orm

from aiida_ion.calculations.import_trajectory import labels_node
from aiida_ion.calculations.trajectory_data import trajectory_node
from aiida_ion.trajectory_files.lone_frames import LoneFrames, read_lone_frames
from aiida_ion.trajectory_files.report import formula_of

#: Time between frames that have none: longer than any correlation of forces.
APART_FS = 1e6


@dataclass(frozen=True)
class ImportedFrames:
    """Frames as unstored nodes.

    :param parts: energies and trajectory of each composition.
    :param lines: what was read.
    """

    parts: list[tuple[orm.ArrayData, orm.TrajectoryData]]
    lines: list[str]


def import_frames(path: Path, level_of_theory: str | None, target_temperature_K: float | None) -> ImportedFrames:
    """Read frames that do not follow each other in time.

    The frames of each composition, and order of atoms, become one trajectory, whose times only say that they are far
    apart (attribute ``independent_frames``).

    :param path: an extended XYZ file with energy and forces of every frame, eV and eV/angstrom.
    :param level_of_theory: what made the labels.
    :param target_temperature_K: that the frames were taken at, where there is one.
    :raises ValueError: if it cannot be read or a frame has no labels; the message says which.
    """
    if not level_of_theory:
        raise ValueError(f"{path.name} does not say what made its forces: give --level-of-theory, such as 'VASP PBE'")
    groups = read_lone_frames(path)
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    parts, lines = [], []
    for number, group in enumerate(groups):
        energies, trajectory = _nodes(group)
        trajectory.base.attributes.set_many(
            {
                "source_file": path.name,
                "source_sha256": digest,
                "source_part": number,
                "source_frames": group.numbers.tolist(),
                "independent_frames": True,
                "level_of_theory": level_of_theory,
                "target_temperature_K": target_temperature_K,
                "thermo": energies.uuid,
            }
        )
        trajectory.label = f"{path.name} {formula_of(group.symbols)}"
        parts.append((energies, trajectory))
    sizes = Counter(len(group.symbols) for group in groups)
    n_frames = sum(len(group.numbers) for group in groups)
    lines.append(
        f"{path.name}: {n_frames} frames that do not follow each other, of {len(groups)} compositions "
        f"({min(sizes)} to {max(sizes)} atoms); energies in eV, forces in eV/angstrom, stress in eV/angstrom^3"
    )
    return ImportedFrames(parts, lines)


def _nodes(group: LoneFrames) -> tuple[orm.ArrayData, orm.TrajectoryData]:
    steps = np.arange(len(group.numbers), dtype=np.int64)
    extra: dict[str, Any] = {"forces": group.labels.forces.astype(np.float32)}
    trajectory = trajectory_node(
        group.symbols, steps, group.positions.astype(np.float32), group.cells, timestep_fs=APART_FS, extra=extra
    )
    return labels_node(group.labels, steps, APART_FS), trajectory
