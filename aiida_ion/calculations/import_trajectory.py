"""Trajectory files of other programs -> the same ``TrajectoryData`` as from our own runs. Nothing is unpickled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from aiida import orm
from ase.stress import full_3x3_to_voigt_6_stress
from numpy.typing import NDArray

from aiida_ion.calculations.trajectory_data import THERMO_UNITS, thermo_node, trajectory_node
from aiida_ion.thermo_fields import STRESS
from aiida_ion.trajectory_files.dft_output import output_in
from aiida_ion.trajectory_files.labels import FrameLabels
from aiida_ion.trajectory_files.report import ReadReport
from aiida_ion.trajectory_files.run import FileSegment, ReadRun, read_run
from aiida_ion.trajectory_files.run_facts import RunFacts


@dataclass(frozen=True)
class ImportedRun:
    """A run as unstored nodes.

    :param segments: a trajectory for each file, in order.
    :param structure: the cell that was simulated: as given, or the first frame.
    :param remarks: sentences about what was found in the files.
    :param facts: what is known about the run, from the user or from the files.
    :param thermo: energies (eV) and temperature (K) of each segment, where all files hold them.
    :param energies: of each segment, its ``thermo``, or energies (eV) and stress (eV/angstrom^3) of its frames alone;
        ``None`` where its file has no forces.
    :param reports: what was read from each file.
    """

    segments: list[orm.TrajectoryData]
    structure: orm.StructureData
    remarks: list[str]
    facts: RunFacts
    thermo: list[orm.ArrayData] = field(default_factory=list)
    reports: list[ReadReport] = field(default_factory=list)
    energies: list[orm.ArrayData | None] = field(default_factory=list)

    def store(self) -> None:
        """Store energies and segments."""
        for node in [*self.energies, *self.segments]:
            if node is not None:
                node.store()


def import_run(
    paths: Sequence[Path],
    given: Mapping[str, Any],
    structure: orm.StructureData | None = None,
    file_format: str | None = None,
    *,
    override_file: bool = False,
) -> ImportedRun:
    """Read the consecutive segments of one run.

    Positions are unwrapped over all segments; frames that were written twice are kept once.

    :param paths: files, or folders of DFT runs, in the order of time.
    :param given: fields of :class:`RunFacts`; what is absent or ``None`` must be in the files. If
        both have it, the files count.
    :param structure: the simulated cell; without it the first frame is taken. Needed where the file has no elements.
    :param file_format: a key of ``FORMATS``; recognised by content when not given.
    :param override_file: use ``given`` instead of the files, and the frames as they are.
    :raises ValueError: for a file that cannot be read or does not belong to the structure; the message says which.
    """
    symbols = structure.get_ase().get_chemical_symbols() if structure is not None else None
    run = read_run(paths, given, symbols, file_format, override_file)
    energies = [_energies(segment, run.facts) for segment in run.segments]
    segments = [_segment(segment, run, node) for segment, node in zip(run.segments, energies, strict=True)]
    thermo = [node for node, segment in zip(energies, run.segments, strict=True) if node and segment.dft is not None]
    return ImportedRun(
        segments,
        structure or _first_frame(run),
        run.remarks,
        run.facts,
        thermo if len(thermo) == len(segments) else [],
        [segment.report for segment in run.segments],
        energies,
    )


def file_of(path: Path) -> Path:
    """Return the file that is read of a path: itself, or the output in the folder of a DFT run.

    :raises ValueError: for a folder without one, or with more than one.
    """
    return output_in(path) if path.is_dir() else path


def _first_frame(run: ReadRun) -> orm.StructureData:
    from ase import Atoms

    first = run.segments[0]
    return orm.StructureData(ase=Atoms(first.symbols, positions=run.first_positions, cell=first.cells[0], pbc=True))


def _energies(segment: FileSegment, facts: RunFacts) -> orm.ArrayData | None:
    """Return what is known at each frame of a segment; its steps continue those of the segments before."""
    steps = segment.frames * facts.sample_every
    if segment.dft is not None:
        rows = segment.dft.thermo(facts.timestep_fs)
        rows["step"] = steps
        return thermo_node(rows, facts.timestep_fs)
    return None if segment.labels is None else labels_node(segment.labels, steps, facts.timestep_fs)


def labels_node(labels: FrameLabels, steps: NDArray[np.int64], timestep_fs: float) -> orm.ArrayData:
    """Return energies and stress of frames as an unstored node with the names and units of a thermo node.

    :param labels: of n frames.
    :param steps: shape (n,), their integration steps.
    """
    node = orm.ArrayData()
    node.set_array("steps", np.asarray(steps, dtype=np.int64))
    node.set_array("potential_energy", np.asarray(labels.energies_eV, dtype=float))
    if np.isfinite(labels.stress).any():
        voigt = np.array([full_3x3_to_voigt_6_stress(stress) for stress in labels.stress])
        node.set_array("stress", voigt.astype(STRESS.array_type))
    about = {"units": THERMO_UNITS, "timestep_fs": timestep_fs, "ensemble": None, "n_steps": len(steps)}
    node.base.attributes.set_many(about)
    return node


def _segment(segment: FileSegment, run: ReadRun, energies: orm.ArrayData | None) -> orm.TrajectoryData:
    facts, cells = run.facts, segment.cells
    labels = segment.labels if segment.dft is None else segment.dft.steps
    node = trajectory_node(
        segment.symbols,
        segment.frames * facts.sample_every,
        segment.positions.astype(np.float32),
        cells[0] if np.ptp(cells, axis=0).max() == 0 else cells,
        timestep_fs=facts.timestep_fs,
        extra={} if labels is None else {"forces": labels.forces.astype(np.float32)},
    )
    attributes: dict[str, Any] = {
        "source_sha256": segment.sha256,
        "level_of_theory": facts.level_of_theory,
        "target_temperature_K": facts.target_temperature_K,
        "sample_every": facts.sample_every,
        "remarks": run.remarks,
        "thermo": None if energies is None else energies.uuid,
    }
    node.base.attributes.set_many(segment.report.attributes() | attributes)
    node.label = segment.path.name
    return node
