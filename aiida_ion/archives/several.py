"""Several archives as one read-only database: nodes that two of them have are one, and nothing is imported.

The databases are joined in a temporary folder, with plain SQLite and after all checks of each; files stay in the
archives, and are read from there. A node of two archives is that of the first.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from aiida_ion.archives.container import DATABASE, METADATA
from aiida_ion.archives.errors import ArchiveError, shown
from aiida_ion.archives.joining import Joined, JoinedDatabase, joined_database
from aiida_ion.archives.open import checked_database
from aiida_ion.archives.verified import VerifiedRepository
from aiida_ion.queries.reading.archives import Archives


class JoinedRepository(VerifiedRepository):
    """The files of several archives, each verified against its hash before it is first read."""

    def __init__(self, paths: Sequence[Path], folder: Any) -> None:
        super().__init__(paths[0])
        self._others = [VerifiedRepository(path) for path in paths[1:]]
        #: Kept as long as the repository is used.
        self._folder_kept = folder

    def has_object(self, key: str) -> bool:
        """Whether one of the archives has a file."""
        return super().has_object(key) or any(other.has_object(key) for other in self._others)

    def list_objects(self) -> Iterable[str]:
        """Return the keys of all files."""
        return {*super().list_objects(), *(key for other in self._others for key in other.list_objects())}

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        """Open a file of the first archive that has it.

        :raises FileNotFoundError: if none has it.
        :raises ArchiveError: if its content does not match.
        """
        other = None if super().has_object(key) else next((one for one in self._others if one.has_object(key)), None)
        with super().open(key) if other is None else other.open(key) as handle:
            yield handle

    def close(self) -> None:
        """Close all archives, and forget their joined database."""
        for other in self._others:
            other.close()
        super().close()
        self._folder_kept.cleanup()


def archive_names(paths: Sequence[Path]) -> list[str]:
    """Return the names of files, or their paths where two have one name."""
    names = [path.name for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]


def open_archives(paths: Sequence[str | Path]) -> Archives:
    """Load archives as one profile of this process, after all checks of each.

    A computer or group whose label another archive uses for another one gets the name of its archive behind it. Labels,
    extras and comments of a node that several have are those of the first; groups of the same uuid are joined.

    :param paths: at least one; a file that is named twice counts once.
    :raises ArchiveError: if one cannot be opened, or they contradict each other.
    """
    from aiida.common.exceptions import AiidaException
    from aiida.manage import get_manager
    from aiida.storage.sqlite_zip.backend import SqliteZipBackend

    files = list(dict.fromkeys(Path(path).resolve() for path in paths))
    names = archive_names(files)
    folder = tempfile.TemporaryDirectory(prefix="aiida-ion-archives-", ignore_cleanup_errors=True)
    place = Path(folder.name)
    with joined_database(place / DATABASE) as database:
        parts = [_joined(database, file, name) for file, name in zip(files, names, strict=True)]
        database.check(" and ".join(names))
    (place / METADATA).write_text(json.dumps(_metadata(SqliteZipBackend.version_head())))
    try:
        manager = get_manager()
        manager.load_profile(SqliteZipBackend.create_profile(place), allow_switch=True)
        storage: Any = manager.get_profile_storage()
    except AiidaException as error:
        raise ArchiveError(f"{', '.join(names)} cannot be opened together: {shown(error)}") from error
    _read_files_of(storage, JoinedRepository(files, folder))
    return Archives(
        tuple(names),
        tuple(part.last_pk for part in parts),
        sum(part.n_repeated for part in parts),
        sum(part.n_different for part in parts),
    )


def _read_files_of(storage: Any, repository: JoinedRepository) -> None:
    """Make a storage read the files of a repository, and close it with itself."""
    close = storage.close

    def close_both() -> None:
        close()
        repository.close()

    storage.get_repository = lambda: repository
    storage.close = close_both


def _joined(database: JoinedDatabase, file: Path, name: str) -> Joined:
    with checked_database(file) as given:
        return database.add(given, name)


def _metadata(version: str) -> dict[str, Any]:
    from aiida import get_version

    return {"export_version": version, "aiida_version": get_version(), "key_format": "sha256"}
