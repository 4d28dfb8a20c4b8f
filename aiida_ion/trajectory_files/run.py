"""One continuous trajectory from the consecutive files of a run, with a report."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aiida_ion.analysis.trajectories.trajectory import check_finite
from aiida_ion.trajectory_files.dft_output import DftOutput, output_in
from aiida_ion.trajectory_files.frames import FileFrames
from aiida_ion.trajectory_files.labels import FrameLabels
from aiida_ion.trajectory_files.plausibility import check_frames, check_order
from aiida_ion.trajectory_files.pw.restarts import restarts_completed
from aiida_ion.trajectory_files.read import read_trajectory, recognise
from aiida_ion.trajectory_files.report import ReadReport, formula_of, program_of, span_ps
from aiida_ion.trajectory_files.run_facts import RunFacts, complete_facts
from aiida_ion.trajectory_files.timeline.blocks import Source, Timeline
from aiida_ion.trajectory_files.timeline.breaks import check_breaks, exchanges
from aiida_ion.trajectory_files.timeline.gaps import check_gaps
from aiida_ion.trajectory_files.timeline.joining import join
from aiida_ion.trajectory_files.timeline.numbering import numbered
from aiida_ion.trajectory_files.unwrapping import wrapping_of
from aiida_ion.trajectory_files.wrapping import measure_steps, unwrap_in_place

#: Fewest frames of a run.
FEWEST_FRAMES = 2
#: Relative difference between the mean volumes of parts that causes a warning.
SAME_VOLUME = 0.01


@dataclass(frozen=True)
class FileSegment:
    """Contribution of one file to a run.

    :param path: the file.
    :param sha256: of its bytes.
    :param symbols: element of each of N atoms.
    :param frames: shape (n,), number of each frame in the run.
    :param positions: shape (n, N, 3), angstrom, continuous over all segments.
    :param cells: shape (n, 3, 3), angstrom.
    :param dft: DFT data of these frames.
    :param labels: their energies and forces, where the file is not the output of a DFT program.
    :param report: report on the file.
    :param remarks: sentences on this file.
    """

    path: Path
    sha256: str
    symbols: list[str]
    frames: NDArray[np.int64]
    positions: NDArray[np.float64]
    cells: NDArray[np.float64]
    dft: DftOutput | None
    labels: FrameLabels | None
    report: ReadReport
    remarks: list[str]


@dataclass(frozen=True)
class ReadRun:
    """A run read from its files.

    :param segments: one for each file, in order.
    :param first_positions: shape (N, 3), angstrom, as in the first file.
    :param facts: facts about the run.
    :param remarks: sentences on the whole run.
    """

    segments: list[FileSegment]
    first_positions: NDArray[np.float64]
    facts: RunFacts
    remarks: list[str]


def read_run(
    paths: Sequence[Path],
    given: Mapping[str, Any],
    symbols: Sequence[str] | None = None,
    file_format: str | None = None,
    override_file: bool = False,
) -> ReadRun:
    """Read the consecutive files of one run.

    :param paths: files, or folders of DFT runs, in chronological order.
    :param given: fields of :class:`RunFacts`; those absent or ``None`` must be in the files.
    :param symbols: element of each atom of the simulated cell, for files that name none.
    :param file_format: a key of ``FORMATS``; recognised by content when not given.
    :param override_file: let ``given`` win over the files, and accept frames as they are.
    :raises ValueError: for a file that cannot be read, or that does not continue where the previous one ends.
    """
    paths = [output_in(path) if path.is_dir() else path for path in paths]
    hashes = _different_files(paths)
    files = restarts_completed([read_trajectory(path, file_format, symbols) for path in paths])
    parts = [numbered(part, path.name) for path, part in zip(paths, files, strict=True)]
    names = _names(paths)
    facts, remarks = complete_facts(given, [part for part, _ in parts], names, override_file)
    sources, of_file = [], []
    for path, name, (part, remark) in zip(paths, names, parts, strict=True):
        _check_atoms(part.symbols, symbols or parts[0][0].symbols, path, "the structure" if symbols else names[0])
        check_finite(part.positions, f"{name}: positions")
        sentences = [*part.remarks, *remark, *check_frames(part, name, override_file)]
        steps = measure_steps(part.positions, part.cells)
        sources.append(Source(name, part, steps))
        of_file.append(sentences + check_order(part, steps, name, override_file))
    remarks += _check_alike([source.frames for source in sources], names)
    timeline = join(sources, override_file)
    remarks += timeline.remarks + check_gaps(timeline, sources, override_file)
    for source in sources:
        if not override_file:
            check_breaks(source)
        remarks += exchanges(source)
    segments = _segments(paths, hashes, sources, of_file, timeline, facts, file_format)
    if sum(len(segment.frames) for segment in segments) < FEWEST_FRAMES:
        raise ValueError(f"{names[0]}: it holds one frame; a trajectory needs at least two")
    every = [*(remark for segment in segments for remark in segment.remarks), *remarks]
    return ReadRun(segments, sources[0].frames.positions[0], facts, list(dict.fromkeys(every)))


def _different_files(paths: Sequence[Path]) -> list[str]:
    """Return the sha256 of each file.

    :raises ValueError: if one is missing, or given twice.
    """
    seen: dict[str, Path] = {}
    hashes = []
    for path in paths:
        if not path.is_file():
            raise ValueError(f"{path}: no such file")
        with path.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
        if digest in seen:
            same = "is given twice" if seen[digest] == path else f"and {seen[digest]} are the same file (sha256)"
            raise ValueError(f"{path} {same}; a run continues in each file")
        seen[digest] = path
        hashes.append(digest)
    return hashes


def _names(paths: Sequence[Path]) -> list[str]:
    """Return distinct names of files: with their folder where names are the same."""
    counts = Counter(path.name for path in paths)
    return [path.name if counts[path.name] == 1 else f"{path.parent.name}/{path.name}" for path in paths]


def _check_alike(parts: Sequence[FileFrames], names: Sequence[str]) -> list[str]:
    """Return remarks on parts with different cells.

    :raises ValueError: if the atoms of one are in another order.
    """
    remarks = []
    volumes = [float(np.abs(np.linalg.det(part.cells)).mean()) for part in parts]
    for part, name, volume in zip(parts, names, volumes, strict=True):
        if part.symbols != parts[0].symbols:
            raise ValueError(
                f"{name} and {names[0]} have their atoms in different orders; write them in the same order"
            )
        if abs(volume / volumes[0] - 1) > SAME_VOLUME:
            text = f"the cell of {name} has {volume:.5g} A^3, that of {names[0]} {volumes[0]:.5g}"
            remarks.append(f"WARNING: {text}: are they one run?")
    return remarks


def _check_atoms(symbols: Sequence[str], expected: Sequence[str], path: Path, what: str) -> None:
    if Counter(symbols) == Counter(expected):
        return
    texts = [
        "".join(f"{name}{count}" for name, count in sorted(Counter(names).items())) for names in (symbols, expected)
    ]
    advice = "; give the supercell that was simulated" if len(symbols) > len(expected) else ""
    raise ValueError(
        f"{path.name} holds {texts[0]} ({len(symbols)} atoms), {what} {texts[1]} ({len(expected)} atoms){advice}"
    )


def _segments(
    paths: Sequence[Path],
    hashes: Sequence[str],
    sources: Sequence[Source],
    remarks: Sequence[list[str]],
    timeline: Timeline,
    facts: RunFacts,
    file_format: str | None,
) -> list[FileSegment]:
    files, rows = np.array(timeline.file), np.array(timeline.row)
    kept = [rows[files == file] for file in range(len(sources))]
    positions = np.concatenate([source.frames.positions[mine] for source, mine in zip(sources, kept, strict=True)])
    cells = np.concatenate([source.frames.cells[mine] for source, mine in zip(sources, kept, strict=True)])
    by_image = np.zeros(max(len(rows) - 1, 0), dtype=bool)
    wrapping = []
    for file, source in enumerate(sources):
        whole, words, more = wrapping_of(source, facts.interval_fs)
        by_image[(files[1:] == file) & (files[:-1] == file)] = whole
        wrapping.append(words)
        remarks[file].extend(more)
    by_image[np.array(timeline.seams, dtype=int) - 1] = True
    unwrap_in_place(positions, cells, by_image)
    segments = []
    ends = np.cumsum([len(mine) for mine in kept])
    for file, (path, source) in enumerate(zip(paths, sources, strict=True)):
        mine = slice(ends[file] - len(kept[file]), ends[file])
        report = _report(path, source, kept[file], wrapping[file], facts, file_format)
        segments.append(
            FileSegment(
                path,
                hashes[file],
                source.frames.symbols,
                np.arange(mine.start, mine.stop),
                positions[mine],
                cells[mine],
                source.frames.dft_rows(kept[file]),
                None if source.frames.labels is None else source.frames.labels.rows(kept[file]),
                report,
                list(remarks[file]),
            )
        )
    return segments


def _report(
    path: Path, source: Source, kept: NDArray[np.int64], wrapping: str, facts: RunFacts, file_format: str | None
) -> ReadReport:
    frames = source.frames
    volumes = np.abs(np.linalg.det(frames.cells))
    fixed = np.ptp(frames.cells, axis=0).max() == 0
    cell = f"cell fixed, {volumes[0]:.5g} A^3" if fixed else f"cell varies, {volumes.min():.5g}-{volumes.max():.5g} A^3"
    numbers = "not numbered"
    if frames.steps is not None and len(kept):
        what = "steps" if frames.numbering == "steps" else "numbered"
        numbers = f"{what} {frames.steps[kept[0]]} to {frames.steps[kept[-1]]}"
    return ReadReport(
        file=path.name,
        source_format=file_format or recognise(path),
        program=program_of(frames.facts),
        formula=formula_of(frames.symbols),
        n_atoms=len(frames.symbols),
        n_frames=len(kept),
        n_left_out=frames.n_left_out + len(frames) - len(kept),
        numbers=numbers,
        interval_fs=facts.interval_fs,
        span_ps=span_ps(len(kept), facts.interval_fs),
        units=frames.units,
        cell=cell,
        wrapping=wrapping,
    )
