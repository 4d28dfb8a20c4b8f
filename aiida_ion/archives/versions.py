"""Metadata of an archive: its schema version, and what to do if it is not supported."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

from aiida_ion.archives.container import METADATA
from aiida_ion.archives.errors import UNREADABLE, ArchiveError, shown


def read_metadata(path: Path) -> dict[str, Any]:
    """Return the metadata of an archive.

    :raises ArchiveError: if they cannot be read or are not those of an archive.
    """
    try:
        with zipfile.ZipFile(path) as container:
            metadata = json.loads(container.read(METADATA))
    except UNREADABLE as error:
        raise ArchiveError(f"{path} has a damaged {METADATA}: {shown(error)}") from error
    if not isinstance(metadata, dict) or not isinstance(metadata.get("export_version"), str):
        raise ArchiveError(f"{path} is not an AiiDA archive: its {METADATA} names no export_version")
    return metadata


def check_version(path: Path, metadata: dict[str, Any]) -> None:
    """Refuse an archive that the installed aiida-core cannot read.

    :raises ArchiveError: naming the command for an older archive, or the version needed for a newer one.
    """
    from aiida import get_version
    from aiida.storage.sqlite_zip.migrator import get_schema_version_head, list_versions

    version, head = metadata["export_version"], get_schema_version_head()
    if version == head:
        if metadata.get("key_format") != "sha256":
            raise ArchiveError(f"{path} names its files by {shown(metadata.get('key_format'))}, not by sha256")
        return
    if version in list_versions():
        raise ArchiveError(f"{path} is of an older AiiDA: bring it up to date with 'verdi archive migrate OLD NEW'")
    writer = _newer_writer(metadata.get("aiida_version"))
    if writer is None and not _is_later(version, head):
        raise ArchiveError(
            f"{path} has the schema {shown(version)}, which aiida-core {get_version()} here does not know; it reads "
            f"{head}: ask the sender of the file which program wrote it"
        )
    needed = f"{writer} or newer" if writer else f"newer than {get_version()}"
    raise ArchiveError(
        f"{path} has the schema {shown(version)} and needs aiida-core {needed}; here is {get_version()}, which reads "
        f"{head}: pip install -U aiida-core, or ask for an archive that {get_version()} wrote"
    )


def _newer_writer(stated: object) -> str | None:
    """Return the aiida-core that wrote an archive, if stated and newer than the one here."""
    from aiida import get_version
    from packaging.version import InvalidVersion, Version

    try:
        return str(stated) if isinstance(stated, str) and Version(stated) > Version(get_version()) else None
    except InvalidVersion:
        return None


def _is_later(version: str, head: str) -> bool:
    """Whether a schema, such as ``main_0002``, is newer than the newest known here."""
    given, newest = (re.fullmatch(r"main_(\d{4,9})", name) for name in (version, head))
    return given is not None and newest is not None and int(given[1]) > int(newest[1])
