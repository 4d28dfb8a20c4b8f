"""Binary files of LAMMPS: dumps of atoms, and the step in the header of a restart file."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_RESTART_MAGIC = b"LammpS RestartT\x00"
_VERSION, _UNITS, _STEP = 0, 4, 5


@dataclass(frozen=True)
class _Head:
    step: int
    n_atoms: int
    box: tuple[float, float, float]
    size_one: int
    columns: tuple[str, ...]
    blocks: int


def read_dump(
    path: Path,
    columns: Mapping[str, str],
    first: int,
    last: int | None,
    into: Path | None,
    *,
    dtype: str = "f4",
) -> dict[str, Any]:
    """Read the frames of a binary ``dump custom`` that was sorted by atom.

    :param path: the file; it may be absent; an incomplete last frame is left out, and so is everything from the first
        frame that has lost atoms.
    :param columns: name of the result -> the first of its three neighbouring columns (``xu``, ``vx``, ``fx``).
    :param first: first step to keep.
    :param last: last step to keep; None keeps all.
    :param into: folder for memory-mapped ``.npy`` files; in memory when None.
    :return: ``steps`` (n,), ``boxes`` (n, 3) edge lengths in angstrom, and (n, N, 3) for each requested name.
    """
    places = list(_places(path, first, last))
    steps = np.array([head.step for head, _ in places], dtype=np.int64)
    n_atoms = places[0][0].n_atoms if places else 0
    result: dict[str, Any] = {
        "steps": steps,
        "boxes": np.array([head.box for head, _ in places], dtype=float).reshape(-1, 3),
    }
    for name in columns:
        result[name] = _empty(name, (len(places), n_atoms, 3), dtype, into)
    if places:
        with path.open("rb") as stream:
            for k, (head, offset) in enumerate(places):
                atoms = _atoms(stream, head, offset)
                for name, column in columns.items():
                    start = head.columns.index(column)
                    result[name][k] = atoms[:, start : start + 3]
    return result


def with_frame(data: dict[str, Any], path: Path, columns: Mapping[str, str], step: int) -> dict[str, Any]:
    """Return frames of :func:`read_dump` with one more, from a dump of its own.

    :param step: of that frame.
    :raises ValueError: if the dump does not hold it.
    """
    last = read_dump(path, columns, step, step, None)
    if len(last["steps"]) != 1:
        raise ValueError(f"{path.name} does not hold the frame of step {step}, at which the run was stopped")
    return {name: np.concatenate([array, last[name]]) for name, array in data.items()}


def restart_step(path: Path) -> int | None:
    """Return the step of a LAMMPS restart file, or None if it is absent, truncated or something else."""
    if not path.is_file():
        return None
    data = path.read_bytes()
    if not (data.startswith(_RESTART_MAGIC) and data.endswith(_RESTART_MAGIC) and len(data) > 2 * len(_RESTART_MAGIC)):
        return None
    place = len(_RESTART_MAGIC) + 8
    while place + 12 <= len(data):
        flag, value = struct.unpack_from("=ii", data, place)
        if flag == _STEP:
            return int(struct.unpack_from("=q", data, place + 4)[0])
        place += 8 + (value if flag in (_VERSION, _UNITS) else 0)
    return None


def _empty(name: str, shape: tuple[int, ...], dtype: str, into: Path | None) -> NDArray[Any]:
    if into is None or 0 in shape:
        return np.zeros(shape, dtype=dtype)
    array: NDArray[Any] = np.lib.format.open_memmap(into / f"{name}.npy", mode="w+", dtype=dtype, shape=shape)
    return array


def _places(path: Path, first: int, last: int | None) -> Iterator[tuple[_Head, int]]:
    """Yield the header and the offset of the atoms of every complete frame to keep, in order of increasing steps."""
    if not path.is_file():
        return
    size, latest, n_atoms = path.stat().st_size, -1, 0
    columns: tuple[str, ...] = ()
    with path.open("rb") as stream:
        while head := _head(stream, columns):
            columns, n_atoms = head.columns, n_atoms or head.n_atoms
            offset = stream.tell()
            if head.n_atoms != n_atoms or not _skip_atoms(stream, head, size):
                return
            if first <= head.step and (last is None or head.step <= last) and head.step > latest:
                latest = head.step
                yield head, offset


def _head(stream: BinaryIO, columns: tuple[str, ...]) -> _Head | None:
    """Read the header of a frame (format revision 2 of ``dump custom``), or None at the end of the file."""
    try:
        (length,) = _unpack(stream, "q")
        stream.read(-length)
        _unpack(stream, "ii")
        step, n_atoms, triclinic = _unpack(stream, "qqi")
        bounds = _unpack(stream, "6i6d")[6:]
        tilt = _unpack(stream, "3d") if triclinic else (0.0, 0.0, 0.0)
        (size_one,) = _unpack(stream, "i")
        (unit_length,) = _unpack(stream, "i")
        stream.read(unit_length)
        if _unpack(stream, "?")[0]:
            _unpack(stream, "d")
        (names_length,) = _unpack(stream, "i")
        names = stream.read(names_length).decode("ascii", "replace").split()
        (blocks,) = _unpack(stream, "i")
    except EOFError:
        return None
    return _Head(step, n_atoms, _edges(bounds, tilt), size_one, tuple(names) or columns, blocks)


def _edges(bounds: tuple[float, ...], tilt: tuple[float, ...]) -> tuple[float, float, float]:
    """Box edges from the bounding box of a triclinic one (LAMMPS manual, "Triclinic simulation boxes")."""
    xy, xz, yz = tilt
    width_x = bounds[1] - bounds[0] - max(0.0, xy, xz, xy + xz) + min(0.0, xy, xz, xy + xz)
    width_y = bounds[3] - bounds[2] - max(0.0, yz) + min(0.0, yz)
    return width_x, width_y, bounds[5] - bounds[4]


def _skip_atoms(stream: BinaryIO, head: _Head, size: int) -> bool:
    for _ in range(head.blocks):
        try:
            (count,) = _unpack(stream, "i")
        except EOFError:
            return False
        stream.seek(8 * count, 1)
    return stream.tell() <= size


def _atoms(stream: BinaryIO, head: _Head, offset: int) -> NDArray[np.float64]:
    stream.seek(offset)
    blocks = []
    for _ in range(head.blocks):
        (count,) = _unpack(stream, "i")
        blocks.append(np.frombuffer(stream.read(8 * count), dtype="f8"))
    return np.concatenate(blocks).reshape(head.n_atoms, head.size_one)


def _unpack(stream: BinaryIO, layout: str) -> tuple[Any, ...]:
    data = stream.read(struct.calcsize("=" + layout))
    if len(data) < struct.calcsize("=" + layout):
        raise EOFError
    return struct.unpack("=" + layout, data)
