"""What an archive says of itself: its schema version, and what to do where it is not ours."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from aiida_ion.archives.container import METADATA
from aiida_ion.archives.errors import UNREADABLE, ArchiveError, shown


def read_metadata(path: Path) -> dict[str, Any]:
    """Return the metadata of an archive.

    :raises ArchiveError: if they cannot be read, or are not those of an archive.
    """
    try:
        with zipfile.ZipFile(path) as container:
            metadata = json.loads(container.read(METADATA))
    except UNREADABLE as error:
        raise ArchiveError(f"{path} has a damaged {METADATA}: {shown(error)}") from error
    if not isinstance(metadata, dict) or not isinstance(metadata.get("export_version"), str):
        raise ArchiveError(f"{path} is no AiiDA archive: its {METADATA} names no export_version")
    return metadata


def check_version(path: Path, metadata: dict[str, Any]) -> None:
    """Refuse what the installed aiida-core cannot read.

    :raises ArchiveError: naming the command for an older archive, the version that is needed for a newer one.
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
    writer = metadata.get("aiida_version")
    needed = f"{shown(writer)} or newer" if isinstance(writer, str) else f"newer than {get_version()}"
    raise ArchiveError(
        f"{path} has the schema {shown(version)} and needs aiida-core {needed}; here is {get_version()}, which reads "
        f"{head}: pip install -U aiida-core"
    )
