"""The files of an open archive, each compared with its name, its SHA-256, before it is first read.

Files are checked on first use instead of when the archive is opened, which would read all of it.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from aiida.storage.sqlite_zip.backend import ZipfileBackendRepository

from aiida_ion.archives.errors import UNREADABLE, ArchiveError, shown


class VerifiedRepository(ZipfileBackendRepository):
    """AiiDA's repository of an archive, with every file verified against its hash."""

    def __init__(self, path: Any) -> None:
        super().__init__(path)
        self._verified: set[str] = set()
        self._guard = threading.Lock()

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        """Open a file.

        :raises FileNotFoundError: if there is none.
        :raises ArchiveError: if its content does not match.
        """
        with self._guard:
            if key not in self._verified:
                self._verify(key)
                self._verified.add(key)
        with super().open(key) as handle:
            yield handle

    def _verify(self, key: str) -> None:
        with super().open(key) as handle:
            stream: Any = handle
            try:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            except UNREADABLE as error:
                raise ArchiveError(
                    f"a file of the archive is damaged: {shown(error)}; get the archive again"
                ) from error
        if digest != key:
            words = f"its name {shown(key[:12])} is not its SHA-256, which begins {digest[:12]}"
            raise ArchiveError(f"a file of the archive was changed: {words}; get the archive again")


def verify_files(storage: Any, path: Any) -> None:
    """Make a loaded archive verify every file before it is read."""
    repository = VerifiedRepository(path)
    storage.get_repository = lambda: repository
