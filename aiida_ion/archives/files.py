"""The files of the nodes of an archive: safe names, none missing, valid arrays."""

from __future__ import annotations

import json
import math
import re
import sqlite3
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np

from aiida_ion.archives.errors import UNREADABLE, ArchiveError, shown

REPOSITORY = "repo/"
#: Suffix of arrays. The header states the memory needed, which must not exceed the size of the file.
ARRAY = ".npy"
#: Bytes of an array header parsed without NumPy, and of the zip header before each member.
BEGINNING, LOCAL_HEADER = 256, 30
#: NumPy's format 1 header of plain numbers: item size and shape.
_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '[<|][bif](\d)', 'fortran_order': (?:False|True), 'shape': \(([\d, ]*)\), \} *\n",
    re.DOTALL,
)


def check_files(connection: sqlite3.Connection, path: Path, members: Iterable[zipfile.ZipInfo]) -> None:
    """Check the file lists of nodes against the files.

    :param connection: to the checked database of the archive.
    :param members: the members of the zip file.
    :raises ArchiveError: for unsafe names, missing files, or invalid arrays.
    """
    here = {member.filename: member for member in members}
    arrays: dict[str, zipfile.ZipInfo] = {}
    query = "SELECT repository_metadata FROM db_dbnode WHERE length(repository_metadata) > 2"
    for (text,) in connection.execute(query):
        try:
            stored = list(_files(json.loads(text)))
        except (ValueError, TypeError, RecursionError, AttributeError) as error:
            raise ArchiveError(f"{path} has a damaged list of the files of a node: {shown(error)}") from error
        for name, key in stored:
            if name in ("", ".", "..") or any(ord(letter) < 32 or letter in "/\\" for letter in name):
                raise ArchiveError(f"{path} holds a file that points outside its node: {shown(name)}")
            if key is None:
                continue
            member = f"{REPOSITORY}{key}"
            if member not in here:
                raise ArchiveError(f"{path} lacks the file {shown(name)} of a node: get the archive again")
            if name.endswith(ARRAY):
                arrays[member] = here[member]
    _check_arrays(path, arrays.values())


def _files(folder: Any) -> Iterator[tuple[str, str | None]]:
    """Yield names and keys in AiiDA's nested mapping: ``o`` holds the content of a folder, ``k`` the key of a file."""
    for name, inside in ((folder or {}).get("o") or {}).items():
        yield name, (inside or {}).get("k")
        yield from _files(inside)


def _check_arrays(path: Path, arrays: Iterable[zipfile.ZipInfo]) -> None:
    """Compare the array headers with the sizes of the files; in file order, since there may be many."""
    with path.open("rb") as raw, ExitStack() as stack:
        container: zipfile.ZipFile | None = None
        for member in sorted(arrays, key=lambda item: item.header_offset):
            try:
                n_bytes = _announced_at_once(_beginning(raw, member))
                if n_bytes is None:
                    container = container or stack.enter_context(zipfile.ZipFile(path))
                    with container.open(member) as handle:
                        n_bytes = _announced(handle)
            except UNREADABLE as error:
                raise ArchiveError(f"{path} holds an array that cannot be read: {shown(error)}") from error
            if n_bytes != member.file_size:
                words = f"an array that should have {n_bytes} bytes but has {member.file_size}"
                raise ArchiveError(f"{path} holds {words}")


def _beginning(raw: IO[bytes], member: zipfile.ZipInfo) -> bytes:
    """Return the first bytes of a member, or None if it is not stored as listed; then ``zipfile`` checks it."""
    raw.seek(member.header_offset)
    head = raw.read(LOCAL_HEADER)
    if len(head) < LOCAL_HEADER or not head.startswith(b"PK\x03\x04"):
        return b""
    n_name, n_extra = struct.unpack("<HH", head[26:30])
    rest = raw.read(n_name + n_extra + min(member.compress_size, 2 * BEGINNING))
    if rest[:n_name] != member.filename.encode() or struct.unpack("<H", head[8:10])[0] != member.compress_type:
        return b""
    packed = rest[n_name + n_extra :]
    if member.compress_type == zipfile.ZIP_STORED:
        return packed[:BEGINNING]
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, BEGINNING)


def _announced_at_once(start: bytes) -> int | None:
    """Return the same as `_announced` for a header as NumPy writes it; None for any other."""
    match = _HEADER.match(start)
    if match is None or int.from_bytes(start[8:10], "little") + 10 != match.end():
        return None
    n_values = math.prod(int(length) for length in match[2].split(b",") if length.strip())
    return match.end() + n_values * int(match[1])


def _announced(handle: IO[bytes]) -> int:
    """Return the size of an array file according to its header, bytes.

    :raises ValueError: for another kind of file, or one that would be unpickled.
    """
    version = np.lib.format.read_magic(handle)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if read is None:
        raise ValueError(f"version {version} of the format is unknown")
    shape, _, dtype = read(handle)
    if dtype.hasobject:
        raise ValueError("it holds objects, which would have to be unpickled")
    n_values = 1
    for length in shape:
        n_values *= int(length)
    return handle.tell() + n_values * dtype.itemsize
