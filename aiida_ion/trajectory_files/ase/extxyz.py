"""Extended XYZ, split into frames here, so that sizes are checked and truncation is detected; ASE reads each frame."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ase import Atoms
from ase.io.extxyz import read_xyz

from aiida_ion.trajectory_files.ase.frames import AtomsFrames
from aiida_ion.trajectory_files.elements import element_of
from aiida_ion.trajectory_files.frames import FileFrames
from aiida_ion.trajectory_files.lines import Lines


def read_extxyz(path: Path, symbols: Sequence[str] | None) -> FileFrames:  # noqa: ARG001 - the signature of every reader
    """Read an extended XYZ file; a truncated last frame is left out.

    :raises ValueError: if it is not valid; the message says where.
    """
    atoms_frames = AtomsFrames()
    with Lines(path) as lines:
        for first, atoms in _frames(lines):
            if atoms is None:
                atoms_frames.leave_out(first)
            else:
                atoms_frames.append(atoms)
        if lines.cut:
            atoms_frames.remarks.append("The compressed file ends early; complete frames are read.")
    return atoms_frames.frames("angstrom")


def frames_of_extxyz(path: Path) -> Iterator[Atoms]:
    """Yield the frames of an extended XYZ file, whatever their atoms.

    :raises ValueError: for a frame that is not valid or was cut off; the message says where.
    """
    with Lines(path) as lines:
        for first, atoms in _frames(lines):
            if atoms is None:
                raise ValueError(f"the frame beginning in line {first} is cut off")
            yield atoms
        if lines.cut:
            raise ValueError("the compressed file ends early")


def _frames(lines: Lines) -> Iterator[tuple[int, Atoms | None]]:
    """Yield the first line and the atoms of each frame; ``None`` for one that was cut off."""
    while (line := lines.next()) is not None:
        if not line.strip():
            continue
        first = lines.number
        try:
            n_atoms = int(line)
        except ValueError:
            text = line.decode(errors="replace").strip()[:60]
            raise ValueError(f"line {first}: {text!r} where the number of atoms should be") from None
        lines.check_count(n_atoms)
        rows = lines.block(n_atoms + 1)
        follows = next((index for index, row in enumerate(rows) if index and b"Lattice=" in row), None)
        if follows is not None:
            # Its last line may run into the number of atoms of the next frame.
            count = rows[follows - 1] if rows[follows - 1].strip().isdigit() else line
            lines.push_back([count, *rows[follows:]])
        if follows is not None or len(rows) < n_atoms + 1 or not rows[-1].endswith(b"\n"):
            yield first, None
            continue
        yield first, _atoms(line, rows, first)


def _atoms(count: bytes, rows: Sequence[bytes], first: int) -> Atoms:
    """Return one frame.

    :raises ValueError: naming the line at which it begins.
    """
    text = (count + b"".join(rows)).decode(errors="replace")
    if b"lattice=" not in rows[0].lower():
        raise ValueError(f"line {first + 1}: the frame has no Lattice: no periodic cell; a diffusivity needs a crystal")
    widths = [len(row.split()) for row in rows[1:]]
    usual = max(set(widths), key=widths.count)
    for line, width in enumerate(widths, start=first + 2):
        if width != usual:
            raise ValueError(f"line {line}: {width} words, but other atoms have {usual}")
    try:
        try:
            atoms: Atoms = next(read_xyz(io.StringIO(text), 0))
        except KeyError:  # a name that is not a symbol
            atoms = next(read_xyz(io.StringIO(_with_symbols(text)), 0))
    except Exception as error:  # ASE can raise any exception on a broken frame
        reason = " ".join(str(error).split())[:150] or type(error).__name__
        raise ValueError(f"the frame beginning in line {first} cannot be read: {reason}") from error
    return atoms


def _with_symbols(text: str) -> str:
    """Return a frame whose atom names are replaced by element symbols.

    :raises ValueError: for a name of no element.
    """
    count, comment, *rows = text.splitlines(keepends=True)
    properties = re.search(r'Properties="?([\w:]+)', comment)
    fields = (properties[1] if properties else "species:S:1").split(":")
    widths = dict(zip(fields[::3], map(int, fields[2::3]), strict=True))
    column = sum(list(widths.values())[: list(widths).index("species")]) if "species" in widths else 0
    for index, row in enumerate(rows):
        words = row.split()
        words[column] = element_of(words[column])
        rows[index] = " ".join(words) + "\n"
    return "".join([count, comment, *rows])
