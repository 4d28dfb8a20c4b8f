"""The zip file itself: its list of members, checked before anything in it is read.

Nothing is ever extracted under a member's name; the names are checked because other programs may do so.
"""

from __future__ import annotations

import re
import stat
import struct
import tarfile
import zipfile
from itertools import pairwise
from pathlib import Path

from aiida_ion.archives.errors import UNREADABLE, ArchiveError, shown
from aiida_ion.units import BYTES_PER_MIB

METADATA, DATABASE = "metadata.json", "db.sqlite3"
#: Maximum size of the list of members, which is read at once: about a million members.
MAX_DIRECTORY_BYTES = 128 * BYTES_PER_MIB
MAX_METADATA_BYTES = 64 * BYTES_PER_MIB
#: Uncompressed size below which a member is accepted, and maximum compression ratio of larger ones.
FREE_BYTES, MAX_RATIO = 256 * BYTES_PER_MIB, 200
#: AiiDA searches only this many members for its metadata and database.
SEARCHED_FIRST = 4
KINDS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
UNSAFE_NAME = re.compile(r"^[/~]|^[A-Za-z]:|\\|(^|/)\.\.(/|$)|[\x00-\x1f\x7f]")


def check_container(path: Path) -> list[zipfile.ZipInfo]:
    """Return the members of a zip file after checking the list.

    :raises ArchiveError: if the file is missing, not a zip file, or truncated, or if its list is wrong, too long,
        expands too much, or names members that no AiiDA archive has.
    """
    if not path.is_file():
        raise ArchiveError(f"there is no file {path}")
    try:
        _check_directory_size(path)
        with zipfile.ZipFile(path) as container:
            members = container.infolist()
    except ArchiveError:
        raise
    except UNREADABLE as error:
        raise ArchiveError(f"{path} cannot be read: {shown(error)}; get the file again") from error
    _check_names(path, members)
    _check_growth(path, members)
    _check_overlap(path, members)
    return members


def _check_directory_size(path: Path) -> None:
    """Refuse a list of members that would fill the memory when read; its size is at the end of the file."""
    size = path.stat().st_size
    with path.open("rb") as handle:
        start = handle.read(4)
        handle.seek(max(0, size - 22 - 0xFFFF - 20))
        tail = handle.read()
        end = tail.rfind(b"PK\x05\x06")
        if end < 0 or len(tail) < end + 22:
            raise ArchiveError(_no_zip(path, start))
        length = struct.unpack("<I", tail[end + 12 : end + 16])[0]
        if tail[max(0, end - 20) : end].startswith(b"PK\x06\x07"):
            handle.seek(struct.unpack("<Q", tail[end - 12 : end - 4])[0])
            length = max(length if length != 0xFFFFFFFF else 0, struct.unpack("<Q", handle.read(56)[40:48])[0])
    if length > MAX_DIRECTORY_BYTES:
        raise ArchiveError(f"{path} lists more files than an AiiDA archive can have, and is not opened")


def _no_zip(path: Path, start: bytes) -> str:
    if start == b"PK\x03\x04":
        return f"{path} ends too early: it was not copied completely, so get the file again"
    if tarfile.is_tarfile(path):
        return f"{path} is an archive of AiiDA 1: migrate it with 'verdi archive migrate OLD NEW'"
    return f"{path} is not an AiiDA archive: it is not a zip file"


def _check_names(path: Path, members: list[zipfile.ZipInfo]) -> None:
    names = [member.filename for member in members]
    if METADATA not in names or DATABASE not in names:
        if METADATA in names and "data.json" in names:
            raise ArchiveError(f"{path} is from an older AiiDA: migrate it with 'verdi archive migrate OLD NEW'")
        missing = METADATA if METADATA not in names else DATABASE
        raise ArchiveError(f"{path} is a zip file without {missing}, so it is not an AiiDA archive")
    if not {METADATA, DATABASE} <= set(names[:SEARCHED_FIRST]):
        raise ArchiveError(f"{path} was repacked: {METADATA} and {DATABASE} must come first in the zip file")
    if len(set(names)) < len(names):
        raise ArchiveError(f"{path} holds two files of the same name, which no AiiDA archive does")
    for member in members:
        # `orig_filename` is the name in the file, before zipfile cuts it at a zero byte.
        if UNSAFE_NAME.search(member.filename) or UNSAFE_NAME.search(member.orig_filename):
            raise ArchiveError(f"{path} holds a file that points outside it: {shown(member.orig_filename)}")
        mode = member.external_attr >> 16
        if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) and stat.S_IFMT(mode):
            raise ArchiveError(f"{path} holds a link or device, and is not opened: {shown(member.filename)}")
        if member.flag_bits & 0x1 or member.compress_type not in KINDS:
            raise ArchiveError(f"{path} holds a file that AiiDA cannot read: {shown(member.filename)}")


def _check_growth(path: Path, members: list[zipfile.ZipInfo]) -> None:
    """Refuse members that would fill memory or disk; ``zipfile`` reads no more of a member than is listed here."""
    sizes = [(member.file_size, member.compress_size) for member in members]
    sizes.append((sum(full for full, _ in sizes), path.stat().st_size))
    if any(full > FREE_BYTES and full > MAX_RATIO * packed for full, packed in sizes):
        raise ArchiveError(f"{path} would grow more than {MAX_RATIO} times when unpacked, and is not opened")
    metadata = next(member for member in members if member.filename == METADATA)
    if metadata.file_size > MAX_METADATA_BYTES:
        raise ArchiveError(
            f"{path} has a {METADATA} of {metadata.file_size / BYTES_PER_MIB:.0f} MiB, and is not opened"
        )


def _check_overlap(path: Path, members: list[zipfile.ZipInfo]) -> None:
    """Refuse members that share their bytes, with which a small file can expand without limit."""
    ordered = sorted(members, key=lambda member: member.header_offset)
    for before, after in pairwise(ordered):
        if before.header_offset + 30 + before.compress_size > after.header_offset:
            raise ArchiveError(f"{path} holds overlapping files, and is not opened")
