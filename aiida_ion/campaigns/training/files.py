"""Files with labelled frames, stored once: as a run where the time between frames is known, else as lone frames."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiida import orm

from aiida_ion.calculations.import_frames import import_frames
from aiida_ion.calculations.import_trajectory import file_of, import_run
from aiida_ion.campaigns.training.stored import SourceNodes, thermo_of

#: Facts of a run that an option may state, and their attributes on the trajectory.
FACTS = ("timestep_fs", "sample_every", "target_temperature_K", "level_of_theory")


@dataclass(frozen=True)
class StoredFile:
    """The sources that a file became.

    :param sources: a trajectory for each run, or for each composition of lone frames.
    :param lines: what was read, or that it was stored before.
    """

    sources: list[SourceNodes]
    lines: list[str]


def store_file(path: Path, given: Mapping[str, Any], *, independent: bool, file_format: str | None) -> StoredFile:
    """Store a file with labelled frames, or return what was stored of it before.

    :param path: the file, or the folder of a DFT run.
    :param given: any of :data:`FACTS`; those that are missing must be in the file.
    :param independent: its frames do not follow each other in time.
    :param file_format: as of ``aiida-ion import``.
    :raises ValueError: for a file that cannot be read, or has no energies and forces.
    """
    facts = {name: given[name] for name in FACTS if given.get(name) is not None}
    path = file_of(path)
    stored = _stored_before(path, facts, independent) if path.is_file() else []
    if stored:
        pks = ", ".join(str(node.pk) for node in stored)
        return StoredFile(
            [SourceNodes(node, thermo_of(node)) for node in stored],
            [f"{path.name} was imported before (same sha256): trajectory {pks}"],
        )
    if independent:
        frames = import_frames(path, facts.get("level_of_theory"), facts.get("target_temperature_K"))
        for energies, trajectory in frames.parts:
            energies.store()
            trajectory.store()
        return StoredFile([SourceNodes(trajectory, energies) for energies, trajectory in frames.parts], frames.lines)
    try:
        run = import_run([path], facts, None, file_format)
    except ValueError as error:
        hint = "" if "timestep" not in str(error) else "; --independent if its frames do not follow each other in time"
        raise ValueError(f"{error}{hint}") from error
    if any(node is None for node in run.energies):
        raise ValueError(
            f"{path.name} does not state energy and forces of every frame; in extended XYZ they are `energy=` in the "
            "comment line and a column `forces`, eV and eV/angstrom"
        )
    run.store()
    lines = [line for report in run.reports for line in report.lines()] + run.remarks
    return StoredFile([SourceNodes(node, thermo_of(node)) for node in run.segments], lines)


def _stored_before(path: Path, facts: Mapping[str, Any], independent: bool) -> list[Any]:
    """Return the trajectories that were stored of a file with the same facts."""
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    filters: dict[str, Any] = {"attributes.source_sha256": digest}
    filters |= {f"attributes.{name}": value for name, value in facts.items()}
    query = orm.QueryBuilder().append(orm.TrajectoryData, filters=filters, tag="node").order_by({"node": "id"})
    nodes = [
        node
        for (node,) in query.all()
        if bool(node.base.attributes.get("independent_frames", False)) == independent and thermo_of(node) is not None
    ]
    if not independent:
        return nodes[:1]
    batches = [node.base.attributes.get("source_part") for node in nodes]
    return nodes[: batches.index(0, 1)] if 0 in batches[1:] else nodes
