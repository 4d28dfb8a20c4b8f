"""The files of OBELiX in a folder or zip, read in memory with size limits; nothing is unpacked."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO

TABLE = "all.csv"
CIF_ARCHIVE = "all_cifs.zip"
#: Folders of structure files, as the dataset names them.
CIF_FOLDERS = ("all_randomized_cifs", "anon_cifs", "cifs")
MAX_TABLE_BYTES = 20_000_000
MAX_CIF_BYTES = 1_000_000
MAX_ARCHIVE_BYTES = 100_000_000
MAX_FILES = 20_000


def read_files(source: Path) -> tuple[str, dict[str, str]]:
    """Return the table, and the text of each structure file by the id of its entry.

    :param source: folder or zip file.
    :raises ValueError: if there is no table, or a file is damaged or too large.
    """
    if source.is_dir():
        return _from_folder(source)
    if not source.is_file():
        raise ValueError(f"{source}: no such folder or zip file")
    with _opened(source, source.name) as archive:
        return _from_zip(archive, source.name)


def _from_folder(folder: Path) -> tuple[str, dict[str, str]]:
    path = folder / TABLE
    if not path.is_file():
        raise ValueError(f"{folder}: there is no {TABLE}; give the folder with it, or a zip file of that folder")
    with path.open("rb") as file:
        table = _text(file, MAX_TABLE_BYTES, TABLE)
    if (folder / CIF_ARCHIVE).is_file():
        with _opened(folder / CIF_ARCHIVE, CIF_ARCHIVE) as archive:
            return table, dict(_cifs(archive))
    files = {}
    for name in CIF_FOLDERS:
        for file_path in sorted((folder / name).glob("*.cif"))[:MAX_FILES]:
            if re.fullmatch(r"[a-z0-9]{3}", file_path.stem):
                with file_path.open("rb") as file:
                    files[file_path.stem] = _text(file, MAX_CIF_BYTES, file_path.name)
    return table, files


def _from_zip(archive: zipfile.ZipFile, name: str) -> tuple[str, dict[str, str]]:
    members = {PurePosixPath(member).name: member for member in archive.namelist()[:MAX_FILES]}
    if TABLE not in members:
        raise ValueError(f"{name}: there is no {TABLE} in it")
    with archive.open(members[TABLE]) as file:
        table = _text(file, MAX_TABLE_BYTES, TABLE)
    if CIF_ARCHIVE not in members:
        return table, dict(_cifs(archive))
    with archive.open(members[CIF_ARCHIVE]) as file:
        content = BytesIO(_bytes(file, MAX_ARCHIVE_BYTES, CIF_ARCHIVE))
    with _opened(content, CIF_ARCHIVE) as inner:
        return table, dict(_cifs(inner))


@contextmanager
def _opened(file: Path | IO[bytes], name: str) -> Iterator[zipfile.ZipFile]:
    """Open a zip file; any error in it or its members is a ValueError."""
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"{name}: cannot be read as a zip file ({error})") from error


def _cifs(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Yield id and text of each structure file; other members are ignored."""
    members = archive.namelist()
    if len(members) > MAX_FILES:
        raise ValueError(f"{len(members)} files exceed the limit of {MAX_FILES}")
    total = 0
    for member in members:
        path = PurePosixPath(member)
        if path.suffix != ".cif" or not re.fullmatch(r"[a-z0-9]{3}", path.stem):
            continue
        with archive.open(member) as file:
            text = _text(file, MAX_CIF_BYTES, path.name)
        total += len(text)
        if total > MAX_ARCHIVE_BYTES:
            raise ValueError(f"the structure files exceed the limit of {MAX_ARCHIVE_BYTES} bytes")
        yield path.stem, text


def _text(file: IO[bytes], limit: int, name: str) -> str:
    try:
        return _bytes(file, limit, name).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name}: is not UTF-8 text") from error


def _bytes(file: IO[bytes], limit: int, name: str) -> bytes:
    # The member sizes stated in a zip file are not trusted: members are read up to the limit.
    content = file.read(limit + 1)
    if len(content) > limit:
        raise ValueError(f"{name}: exceeds the limit of {limit} bytes")
    return content
