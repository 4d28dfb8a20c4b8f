"""Open an archive from someone else: checked first, read-only, without a profile."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiida_ion.archives.container import DATABASE, check_container
from aiida_ion.archives.database import check_database
from aiida_ion.archives.errors import UNREADABLE, ArchiveError, shown
from aiida_ion.archives.versions import check_version, read_metadata
from aiida_ion.units import BYTES_PER_MIB

__all__ = ["ArchiveError", "check_archive", "checked_database", "open_archive"]


def open_archive(path: str | Path) -> None:
    """Load an archive as the profile of this process, after all checks; nothing is imported and the file is unchanged.

    AiiDA unpacks the database to a temporary file; files are read from the archive on demand, each after comparison
    with its SHA-256.

    :raises ArchiveError: if it cannot or should not be opened.
    """
    from aiida.common.exceptions import AiidaException
    from aiida.manage import get_manager
    from aiida.storage.sqlite_zip.backend import SqliteZipBackend

    from aiida_ion.archives.verified import verify_files

    path = Path(path).resolve()
    check_archive(path)
    try:
        manager = get_manager()
        manager.load_profile(SqliteZipBackend.create_profile(path), allow_switch=True)
        verify_files(manager.get_profile_storage(), path)
    except AiidaException as error:
        raise ArchiveError(f"{path} cannot be opened: {shown(error)}") from error


def check_archive(path: str | Path) -> None:
    """Check an archive without loading it: the zip file, its schema version, its database.

    :raises ArchiveError: with the first problem, and what to do about it.
    """
    with checked_database(path):
        pass


@contextmanager
def checked_database(path: str | Path) -> Iterator[Path]:
    """Check an archive, and give its database, which is unpacked as long as the block runs.

    :raises ArchiveError: with the first problem, and what to do about it.
    """
    path = Path(path).resolve()
    members = check_container(path)
    check_version(path, read_metadata(path))
    size = next(member.file_size for member in members if member.filename == DATABASE)
    free = shutil.disk_usage(tempfile.gettempdir()).free
    # Once for the checks, and once more when AiiDA opens it, or when it is joined with others.
    if 2 * size > free:
        raise ArchiveError(
            f"{path} needs {2 * size / BYTES_PER_MIB:.0f} MiB for its database in {tempfile.gettempdir()}, which has "
            f"{free / BYTES_PER_MIB:.0f} MiB left: make room, or set TMPDIR"
        )
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / DATABASE
        try:
            with zipfile.ZipFile(path) as container, container.open(DATABASE) as packed, database.open("wb") as handle:
                shutil.copyfileobj(packed, handle, length=BYTES_PER_MIB)
        except UNREADABLE as error:
            raise ArchiveError(f"{path} has a damaged database: {shown(error)}; get the file again") from error
        check_database(database, path, members)
        yield database
