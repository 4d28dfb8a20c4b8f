"""Frames of any trajectory file; the format is recognised by content."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from ase.data import atomic_numbers

from aiida_ion.trajectory_files.ase.extxyz import read_extxyz
from aiida_ion.trajectory_files.ase.traj import read_traj
from aiida_ion.trajectory_files.dft_output import HEAD_BYTES, DftOutput
from aiida_ion.trajectory_files.frames import FileFrames
from aiida_ion.trajectory_files.lammps.dump import read_lammps_dump
from aiida_ion.trajectory_files.opening import UNPACKING_ERRORS, open_binary
from aiida_ion.trajectory_files.pw.read import read_pw
from aiida_ion.trajectory_files.vasp.vasprun import read_vasp
from aiida_ion.trajectory_files.vasp.xdatcar import read_xdatcar

Reader = Callable[[Path, Sequence[str] | None], FileFrames]

DFT_READERS: dict[str, Callable[[Path], DftOutput]] = {"vasprun": read_vasp, "pw-out": read_pw}
#: Readers of formats that may lack the elements.
READERS: dict[str, Reader] = {
    "xdatcar": read_xdatcar,
    "extxyz": read_extxyz,
    "traj": read_traj,
    "lammps-dump": read_lammps_dump,
}
FORMATS = ("xdatcar", "vasprun", "pw-out", "extxyz", "traj", "lammps-dump")
#: cp.x writes frames to separate files, in bohr, and times in units half of those of pw.x.
CP_ADVICE = "convert its .pos and .cel files to extxyz (angstrom), and give its time step in fs"
PICKLE_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


def read_trajectory(path: Path, file_format: str | None = None, symbols: Sequence[str] | None = None) -> FileFrames:
    """Read one file.

    :param path: the file; ``.gz`` and ``.xz`` are unpacked on the fly.
    :param file_format: a key of ``FORMATS``; recognised by content when not given.
    :param symbols: element of each atom, for files without elements.
    :raises ValueError: if it cannot be read; the message names the file.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    if file_format is not None and file_format not in FORMATS:
        raise ValueError(f"unknown format {file_format!r}; choose from {', '.join(FORMATS)}")
    kind = file_format or recognise(path)
    try:
        frames = _read(path, kind, symbols)
    except Exception as error:  # parsers can raise any exception on a broken file
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise ValueError(f"{path.name}: cannot be read as {kind}: {reason}") from error
    if not len(frames):
        raise ValueError(f"{path.name}: it holds no complete frame")
    unknown = [symbol for symbol in dict.fromkeys(frames.symbols) if symbol not in atomic_numbers]
    if unknown:
        raise ValueError(f"{path.name}: {', '.join(map(repr, unknown))} is not an element")
    return frames


def _read(path: Path, kind: str, symbols: Sequence[str] | None) -> FileFrames:
    if kind in DFT_READERS:
        return FileFrames.of_dft(DFT_READERS[kind](path))
    return READERS[kind](path, symbols)


def recognise(path: Path) -> str:
    """Return the format of a file, by its content first and its name second.

    :raises ValueError: if it is not a supported format.
    """
    try:
        with open_binary(path) as handle:
            head = handle.read(4096)
            while len(head) < HEAD_BYTES and (more := _more(handle)):
                head += more
    except (OSError, ValueError, *UNPACKING_ERRORS) as error:
        raise ValueError(f"{path.name}: {error}") from error
    if not head.strip():
        raise ValueError(f"{path.name} is empty")
    if head.startswith(PICKLE_STARTS):
        raise ValueError(f"{path.name} is a pickle, which can run code when it is read; write it as extxyz instead")
    lines = head.splitlines()
    if head.startswith(b"- of Ulm"):
        return "traj"
    if head.startswith(b"ITEM:"):
        return "lammps-dump"
    if b"Program PWSCF" in head:
        return "pw-out"
    if b"Program CP " in head:
        raise ValueError(f"{path.name} is an output of cp.x, which does not hold its trajectory; {CP_ADVICE}")
    if b"<modeling" in head:
        return "vasprun"
    if len(lines) > 1 and b"Lattice=" in lines[1]:
        return "extxyz"
    if b"configuration=" in head or "XDATCAR" in path.name.upper():
        return "xdatcar"
    raise ValueError(f"{path.name}: unknown trajectory format; give --format, one of {', '.join(FORMATS)}")


def _more(handle: IO[bytes]) -> bytes:
    """Return the next part of a file, empty at its end, including that of a truncated compressed file."""
    try:
        return handle.read(4096)
    except (OSError, *UNPACKING_ERRORS):
        return b""
