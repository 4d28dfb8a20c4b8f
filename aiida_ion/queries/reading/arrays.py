"""Arrays of a node, read with a limit on their size: the header of a file in an archive may claim anything."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np
from aiida import orm
from numpy.typing import NDArray

from aiida_ion.aiida_private.storage import file_repository
from aiida_ion.queries.reading.contents import Content
from aiida_ion.units import BYTES_PER_MIB

#: Maximum size of an array, bytes.
MAX_BYTES = 64 * BYTES_PER_MIB
#: Maximum part of a trajectory that is read for a figure, bytes.
MAX_STREAM_BYTES = 192 * BYTES_PER_MIB
#: The prefix of the attributes in which ``ArrayData`` keeps the shapes of its arrays.
SHAPE = "array|"


class NotHere(ValueError):  # noqa: N818
    """The file of an array is not in the database or archive: an export may leave files out."""


def array_names(attributes: dict[str, Any]) -> list[str]:
    """Return the names of the arrays of a node, from its attributes."""
    return sorted(name.removeprefix(SHAPE) for name in attributes if name.startswith(SHAPE))


def read_array(node: orm.Node, name: str) -> NDArray[Any]:
    """Return an array of a node.

    :raises NotHere: if there is no such file.
    :raises ValueError: if it is larger than `MAX_BYTES`, holds objects, or is not an array; the message names it.
    """
    with _opened(node, name) as stream:
        return _array(stream, name, node.pk)


def read_arrays(contents: Mapping[str, Content], names: Sequence[str] | None) -> dict[str, dict[str, NDArray[Any]]]:
    """Return arrays of several nodes, by UUID and name, reading all files at once.

    :param contents: content of each node by its UUID.
    :param names: names of the arrays, else all; missing files are skipped, since an export may leave files out.
    :raises ValueError: as `read_array` does.
    """
    arrays: dict[str, dict[str, NDArray[Any]]] = {uuid: {} for uuid in contents}
    names_by_uuid: dict[str, list[tuple[str, str]]] = {}
    for uuid, content in contents.items():
        for name in array_names(content.attributes) if names is None else names:
            if f"{name}.npy" in content.files:
                names_by_uuid.setdefault(content.files[f"{name}.npy"], []).append((uuid, name))
    repository = file_repository()
    keys = [key for key, here in zip(names_by_uuid, repository.has_objects(list(names_by_uuid)), strict=True) if here]
    for key, stream in repository.iter_object_streams(keys):
        uuid, name = names_by_uuid[key][0]
        array = _array(stream, name, contents[uuid].pk)
        for uuid, name in names_by_uuid[key]:
            arrays[uuid][name] = array
    return arrays


def _array(stream: BinaryIO, name: str, pk: int | None) -> NDArray[Any]:
    shape, dtype = _header(stream, name)
    count = math.prod(shape)
    if count * dtype.itemsize > MAX_BYTES:
        raise ValueError(f"the array {name} of node {pk} claims {count * dtype.itemsize} bytes and is not read")
    data = stream.read(count * dtype.itemsize)
    if len(data) != count * dtype.itemsize:
        raise ValueError(f"the array {name} of node {pk} is truncated")
    return np.frombuffer(data, dtype).reshape(shape)


def read_thinned_frames(
    node: orm.Node, name: str, max_frames: int, atoms: NDArray[np.int64]
) -> tuple[NDArray[Any], list[int]]:
    """Return a few evenly spaced frames of an array of shape (n, N, 3), and their numbers, read as a stream.

    Of a trajectory larger than `MAX_STREAM_BYTES` only the beginning is read.

    :param max_frames: maximum number of frames.
    :param atoms: indices of the atoms to keep.
    :raises NotHere: if there is no such file.
    :raises ValueError: if the array is not of that shape.
    """
    with _opened(node, name) as stream:
        shape, dtype = _header(stream, name)
        if len(shape) != 3 or shape[2] != 3 or not shape[1] or (len(atoms) and int(atoms.max()) >= shape[1]):
            raise ValueError(f"the array {name} of node {node.pk} has shape {shape}, not (frames, atoms, 3)")
        size = shape[1] * 3 * dtype.itemsize
        if size > MAX_BYTES:
            raise ValueError(f"a frame of {name} of node {node.pk} claims {size} bytes and is not read")
        last = min(shape[0], MAX_STREAM_BYTES // size)
        rows = np.unique(np.linspace(0, max(last - 1, 0), min(max_frames, last)).round().astype(int)).tolist()
        frames = []
        for before, number in zip([-1, *rows], rows, strict=False):
            _skip(stream, (number - before - 1) * size)
            data = stream.read(size)
            if len(data) != size:
                raise ValueError(f"the array {name} of node {node.pk} is truncated")
            frames.append(np.frombuffer(data, dtype).reshape(shape[1], 3)[atoms])
    return np.array(frames).reshape(len(frames), len(atoms), 3), rows


@contextmanager
def _opened(node: orm.Node, name: str) -> Iterator[BinaryIO]:
    try:
        with node.base.repository.open(f"{name}.npy", "rb") as stream:
            yield stream
    except FileNotFoundError as error:
        raise NotHere(f"the array {name} of node {node.pk} is not here: an export may leave files out") from error


def _header(stream: BinaryIO, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and type of a C-ordered array of plain numbers."""
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, in_fortran_order, dtype = read(stream)
    if dtype.hasobject or dtype.names or (in_fortran_order and len(shape) > 1):
        raise ValueError(f"the array {name} is not a C-ordered array of plain numbers and is not read")
    if any(extent < 0 for extent in shape):
        raise ValueError(f"the array {name} has a negative extent")
    return shape, dtype


def _skip(stream: BinaryIO, size: int) -> None:
    """Skip bytes in a stream; files in archives may not be seekable."""
    if size and stream.seekable():
        stream.seek(size, 1)
        return
    while size > 0:
        part = stream.read(min(size, 2**20))
        if not part:
            return
        size -= len(part)
