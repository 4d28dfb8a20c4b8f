"""The files of an open archive, each compared with its name before it is first read: that is the SHA-256 of it.

When it is read and not when the archive is opened, which would read all of it: a file costs its length once more.
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
    """AiiDA's repository of an archive, which gives no file whose content is not what its name says."""

    def __init__(self, path: Any) -> None:
        super().__init__(path)
        self._verified: set[str] = set()
        self._guard = threading.Lock()

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        """Open a file.

        :raises FileNotFoundError: if there is none.
        :raises ArchiveError: if its content is another.
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
            raise ArchiveError(f"a file of the archive is not the one it was: {words}; get the archive again")


def verify_files(storage: Any, path: Any) -> None:
    """Have a loaded archive give no file that was not compared with its name."""
    repository = VerifiedRepository(path)
    storage.get_repository = lambda: repository
