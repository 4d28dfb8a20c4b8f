"""The files of the nodes of an archive: names that stay inside their node, none missing, arrays that are arrays."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from aiida_ion.archives.errors import UNREADABLE, ArchiveError, shown

REPOSITORY = "repo/"
#: Before one is read, its header says how much memory it takes: more than the file holds is a trap.
ARRAY = ".npy"


def check_files(connection: sqlite3.Connection, path: Path, members: Iterable[zipfile.ZipInfo]) -> None:
    """Check what nodes say of their files against the files.

    :param connection: to the database of the archive, already checked.
    :param members: what the zip file lists.
    :raises ArchiveError: for names that lead elsewhere, files that are not there, arrays that are none.
    """
    sizes = {member.filename: member.file_size for member in members}
    arrays: set[str] = set()
    query = "SELECT repository_metadata FROM db_dbnode WHERE length(repository_metadata) > 2"
    for (text,) in connection.execute(query):
        try:
            found = list(_files(json.loads(text)))
        except (ValueError, TypeError, RecursionError, AttributeError) as error:
            raise ArchiveError(f"{path} has a damaged list of the files of a node: {shown(error)}") from error
        for name, key in found:
            if name in ("", ".", "..") or any(ord(letter) < 32 or letter in "/\\" for letter in name):
                raise ArchiveError(f"{path} holds a file that points outside of its node: {shown(name)}")
            if key is None:
                continue
            member = f"{REPOSITORY}{key}"
            if member not in sizes:
                raise ArchiveError(f"{path} lacks the file {shown(name)} of a node: get the archive again")
            if name.endswith(ARRAY):
                arrays.add(member)
    _check_arrays(path, arrays, sizes)


def _files(folder: Any) -> Iterator[tuple[str, str | None]]:
    """Yield names and keys in AiiDA's nested mapping: ``o`` holds what lies in a folder, ``k`` the key of a file."""
    for name, inside in ((folder or {}).get("o") or {}).items():
        yield name, (inside or {}).get("k")
        yield from _files(inside)


def _check_arrays(path: Path, arrays: Iterable[str], sizes: Mapping[str, int]) -> None:
    with zipfile.ZipFile(path) as container:
        for name in arrays:
            try:
                with container.open(name) as handle:
                    n_bytes = _announced(handle)
            except UNREADABLE as error:
                raise ArchiveError(f"{path} holds an array that cannot be read: {shown(error)}") from error
            if n_bytes != sizes[name]:
                raise ArchiveError(f"{path} holds an array that says it has {n_bytes} bytes and has {sizes[name]}")


def _announced(handle: IO[bytes]) -> int:
    """Return how many bytes an array file should have by its header.

    :raises ValueError: for another file, or one that would be unpickled.
    """
    version = np.lib.format.read_magic(handle)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if read is None:
        raise ValueError(f"version {version} of the format is not known")
    shape, _, dtype = read(handle)
    if dtype.hasobject:
        raise ValueError("it holds objects, which only a pickle could restore")
    n_values = 1
    for length in shape:
        n_values *= int(length)
    return handle.tell() + n_values * dtype.itemsize
