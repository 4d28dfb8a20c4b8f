"""The zip file itself: what it says it holds, before anything in it is read.

Nothing is ever extracted by the name that a member has; the names are checked because other programs may do so.
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
#: The list of members is read whole: this is about a million of them.
MAX_DIRECTORY_BYTES = 128 * BYTES_PER_MIB
MAX_METADATA_BYTES = 64 * BYTES_PER_MIB
#: What a member may grow to without a question, and by how much a larger one may grow.
FREE_BYTES, MAX_RATIO = 256 * BYTES_PER_MIB, 200
#: AiiDA looks no further for its metadata and its database.
SEARCHED_FIRST = 4
KINDS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
UNSAFE_NAME = re.compile(r"^[/~]|^[A-Za-z]:|\\|(^|/)\.\.(/|$)|[\x00-\x1f\x7f]")


def check_container(path: Path) -> list[zipfile.ZipInfo]:
    """Return what a zip file lists, once the list can be trusted as far as a list can.

    :raises ArchiveError: for no file, no zip file or a truncated one, and for a list that lies, is too long, grows too
        much, or names what no archive of AiiDA holds.
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
    """Refuse a list of members that would fill the memory when read; its size stands at the end of the file."""
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
        raise ArchiveError(f"{path} lists more files than any archive of AiiDA holds, and is not opened")


def _no_zip(path: Path, start: bytes) -> str:
    if start == b"PK\x03\x04":
        return f"{path} ends too early: it was not copied whole, so get the file again"
    if tarfile.is_tarfile(path):
        return f"{path} is an archive of AiiDA 1: bring it up to date with 'verdi archive migrate OLD NEW'"
    return f"{path} is not an AiiDA archive: it is not a zip file"


def _check_names(path: Path, members: list[zipfile.ZipInfo]) -> None:
    names = [member.filename for member in members]
    if METADATA not in names or DATABASE not in names:
        if METADATA in names and "data.json" in names:
            raise ArchiveError(f"{path} is of an older AiiDA: bring it up to date with 'verdi archive migrate OLD NEW'")
        missing = METADATA if METADATA not in names else DATABASE
        raise ArchiveError(f"{path} is a zip file without {missing}, so no AiiDA archive")
    if not {METADATA, DATABASE} <= set(names[:SEARCHED_FIRST]):
        raise ArchiveError(f"{path} was packed again: {METADATA} and {DATABASE} must come first in the zip file")
    if len(set(names)) < len(names):
        raise ArchiveError(f"{path} holds two files of one name, which no archive of AiiDA does")
    for member in members:
        # `orig_filename` is what stands in the file, before zipfile cuts it at a zero byte.
        if UNSAFE_NAME.search(member.filename) or UNSAFE_NAME.search(member.orig_filename):
            raise ArchiveError(f"{path} holds a file that points outside of it: {shown(member.orig_filename)}")
        mode = member.external_attr >> 16
        if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) and stat.S_IFMT(mode):
            raise ArchiveError(f"{path} holds a link or device, and is not opened: {shown(member.filename)}")
        if member.flag_bits & 0x1 or member.compress_type not in KINDS:
            raise ArchiveError(f"{path} holds a file that AiiDA cannot read: {shown(member.filename)}")


def _check_growth(path: Path, members: list[zipfile.ZipInfo]) -> None:
    """Refuse what would fill memory or disk; ``zipfile`` reads no more of a member than is listed here."""
    sizes = [(member.file_size, member.compress_size) for member in members]
    sizes.append((sum(full for full, _ in sizes), path.stat().st_size))
    if any(full > FREE_BYTES and full > MAX_RATIO * packed for full, packed in sizes):
        raise ArchiveError(f"{path} would grow more than {MAX_RATIO} times when it is unpacked, and is not opened")
    metadata = next(member for member in members if member.filename == METADATA)
    if metadata.file_size > MAX_METADATA_BYTES:
        raise ArchiveError(
            f"{path} has a {METADATA} of {metadata.file_size / BYTES_PER_MIB:.0f} MiB, and is not opened"
        )


def _check_overlap(path: Path, members: list[zipfile.ZipInfo]) -> None:
    """Refuse members that share their bytes, with which a small file grows without end."""
    ordered = sorted(members, key=lambda member: member.header_offset)
    for one, after in pairwise(ordered):
        if one.header_offset + 30 + one.compress_size > after.header_offset:
            raise ArchiveError(f"{path} holds files that lie on top of each other, and is not opened")
