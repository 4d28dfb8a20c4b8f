"""Trajectory files of other programs -> the same ``TrajectoryData`` that our own runs leave. Nothing is unpickled."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from aiida import orm
from numpy.typing import NDArray

from aiida_ion.analysis.trajectory import check_finite, unwrap
from aiida_ion.calculations.trajectory_data import thermo_node, trajectory_node
from aiida_ion.trajectory_files.dft_output import output_in
from aiida_ion.trajectory_files.frames import Frames
from aiida_ion.trajectory_files.read import read_frames, recognise

#: A step of this part of the cell between two frames is near the half at which unwrapping turns ambiguous.
AMBIGUOUS_STEP = 0.4
#: Two frames that differ by less are the same, angstrom.
REPEATED_A = 1e-6
#: What must be known of a run -> the option of the command line that says it.
FACT_OPTIONS = {
    "timestep_fs": "--timestep-fs",
    "sample_every": "--sample-every",
    "target_temperature_K": "--temperature-K",
    "level_of_theory": "--level-of-theory",
}


@dataclass(frozen=True)
class RunFacts:
    """What a trajectory file does not say about its run.

    :param timestep_fs: integration step, fs.
    :param sample_every: steps between two frames.
    :param target_temperature_K: temperature of the thermostat, K.
    :param level_of_theory: what made the forces, such as ``PBE``.
    """

    timestep_fs: float
    sample_every: int
    target_temperature_K: float
    level_of_theory: str

    def __post_init__(self) -> None:
        for name in ("timestep_fs", "sample_every", "target_temperature_K"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above zero, got {getattr(self, name)!r}")
        if not self.level_of_theory.strip():
            raise ValueError("level_of_theory must say what made the forces, such as PBE")


@dataclass(frozen=True)
class ImportedRun:
    """A run as unstored nodes.

    :param segments: a trajectory for each file, in order.
    :param structure: the cell that was simulated: as given, or the first frame.
    :param remarks: sentences on what was found in the files.
    :param facts: what is known of the run, given or said by the files.
    :param thermo: energies (eV) and temperature (K) of each segment, where all files hold them.
    """

    segments: list[orm.TrajectoryData]
    structure: orm.StructureData
    remarks: list[str]
    facts: RunFacts
    thermo: list[orm.ArrayData] = field(default_factory=list)


def import_run(
    paths: Sequence[Path],
    given: Mapping[str, Any],
    structure: orm.StructureData | None = None,
    file_format: str | None = None,
) -> ImportedRun:
    """Read the consecutive segments of one run.

    Positions are unwrapped over all segments together. A first frame that repeats the last one of the segment before
    is left out. Frames are taken as ``sample_every`` steps apart.

    :param paths: files, or folders of DFT runs, in the order of time.
    :param given: fields of :class:`RunFacts`; what is absent or ``None`` must be in the files.
    :param structure: the simulated cell; without it the first frame is taken. Needed where the file has no elements.
    :param file_format: a key of ``FORMATS``; recognised by content when not given.
    :raises ValueError: for a file that cannot be read or does not belong to the structure; the message says which.
    """
    paths = [output_in(path) if path.is_dir() else path for path in paths]
    symbols = structure.get_ase().get_chemical_symbols() if structure is not None else None
    parts = [read_frames(path, file_format, symbols) for path in paths]
    facts = complete_facts(given, parts, paths)
    for path, part in zip(paths, parts, strict=True):
        _check_atoms(part.symbols, symbols or parts[0].symbols, path, "the structure" if symbols else paths[0].name)
        check_finite(part.positions, f"{path.name}: positions")
    remarks = [remark for part in parts for remark in part.remarks]
    for index in range(1, len(parts)):
        images = _images_apart(parts[index], parts[index - 1])
        if parts[index].dft is not None:  # continuous within itself, from wherever its program wrapped it to
            parts[index] = parts[index].moved(images)
        apart = parts[index - 1].positions[-1] - parts[index].positions[0]
        if np.allclose(apart - (images if parts[index].dft is None else 0.0), 0.0, atol=REPEATED_A):
            parts[index] = parts[index].without_first()
            remarks.append(f"{paths[index].name} repeats the last frame of {paths[index - 1].name}; it is kept once.")
    first = structure or _first_frame(parts[0])
    positions = _continuous(parts, facts, remarks)
    ends = np.cumsum([len(part.positions) for part in parts])
    segments = []
    for path, part, end in zip(paths, parts, ends, strict=True):
        frames = np.arange(end - len(part.positions), end)
        segments.append(_segment(path, part, positions[frames], frames, facts))
        segments[-1].base.attributes.set("source_format", file_format or recognise(path))
    thermo = [_thermo(part, end, facts) for part, end in zip(parts, ends, strict=True) if part.dft is not None]
    return ImportedRun(segments, first, remarks, facts, thermo if len(thermo) == len(parts) else [])


def complete_facts(given: Mapping[str, Any], parts: Sequence[Frames], paths: Sequence[Path]) -> RunFacts:
    """Return what is known of a run: as given, else as the files say.

    :raises ValueError: if something is known from neither, or two files differ.
    """
    known = {name: given[name] for name in FACT_OPTIONS if given.get(name) is not None}
    for name, option in FACT_OPTIONS.items():
        if name in known:
            continue
        said = {part.facts.get(name) for part in parts} - {None}
        if len(said) != 1:
            different = f"the files differ in it: {', '.join(sorted(map(str, said)))}"
            raise ValueError(f"give {option}: {different if said else f'{paths[0].name} does not say it'}")
        known[name] = said.pop()
    return RunFacts(**known)


def _thermo(part: Frames, end: int, facts: RunFacts) -> orm.ArrayData:
    """Return energies and temperature of a segment; its steps count on from the segments before."""
    assert part.dft is not None
    rows = part.dft.thermo(facts.timestep_fs)
    rows["step"] = np.arange(end - len(rows), end) * facts.sample_every
    return thermo_node(rows, facts.timestep_fs)


def _images_apart(part: Frames, before: Frames) -> NDArray[np.float64]:
    """Return the lattice vectors, (N, 3), angstrom, from where a part begins to the image nearest to the last end."""
    apart = before.positions[-1] - part.positions[0]
    images: NDArray[np.float64] = np.round(apart @ np.linalg.inv(part.cells[0])) @ part.cells[0]
    return images


def _check_atoms(found: Sequence[str], expected: Sequence[str], path: Path, what: str) -> None:
    if Counter(found) == Counter(expected):
        return
    texts = ["".join(f"{name}{count}" for name, count in sorted(Counter(names).items())) for names in (found, expected)]
    advice = "; give the supercell that was simulated" if len(found) > len(expected) else ""
    raise ValueError(
        f"{path.name} holds {texts[0]} ({len(found)} atoms), {what} {texts[1]} ({len(expected)} atoms){advice}"
    )


def _first_frame(part: Frames) -> orm.StructureData:
    from ase import Atoms

    return orm.StructureData(ase=Atoms(part.symbols, positions=part.positions[0], cell=part.cells[0], pbc=True))


def _continuous(parts: Sequence[Frames], facts: RunFacts, remarks: list[str]) -> NDArray[np.float64]:
    """Return unwrapped positions of all segments, and remark on what was done."""
    positions = np.concatenate([part.positions for part in parts])
    cells = np.concatenate([part.cells for part in parts])
    fractional = np.einsum("tni,tij->tnj", positions, np.linalg.inv(cells))
    jumps = float(np.abs(np.diff(fractional, axis=0)).max()) if len(positions) > 1 else 0.0
    if jumps < 0.5:
        return positions
    if float(np.ptp(fractional, axis=0).max()) > 1.0 + 1e-3:
        # Coordinates that leave one cell were never wrapped: the long steps are real.
        remarks.append(f"Atoms move up to {jumps:.2f} of the cell between two frames; the file is not wrapped.")
        return positions
    unwrapped = unwrap(positions, cells)
    remarks.append("Positions were wrapped into the cell and are unwrapped.")
    if unwrapped.largest_step > AMBIGUOUS_STEP:
        interval_fs = facts.sample_every * facts.timestep_fs
        remarks.append(
            f"WARNING: atoms move up to {unwrapped.largest_step:.2f} of the cell in the {interval_fs:g} fs between two "
            "frames; from 0.5 on the direction cannot be known. Store frames more often."
        )
    return unwrapped.positions


def _segment(
    path: Path, part: Frames, positions: NDArray[np.float64], frames: NDArray[np.int64], facts: RunFacts
) -> orm.TrajectoryData:
    cells = part.cells[0] if np.ptp(part.cells, axis=0).max() == 0 else part.cells
    steps = frames * facts.sample_every
    extra = {} if part.dft is None else {"forces": part.dft.steps.forces.astype(np.float32)}
    node = trajectory_node(
        part.symbols, steps, positions.astype(np.float32), cells, timestep_fs=facts.timestep_fs, extra=extra
    )
    attributes: dict[str, Any] = {
        "source_file": path.name,
        "source_sha256": _sha256(path),
        "level_of_theory": facts.level_of_theory,
        "target_temperature_K": facts.target_temperature_K,
        "sample_every": facts.sample_every,
    }
    node.base.attributes.set_many(attributes)
    node.label = path.name
    return node


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
