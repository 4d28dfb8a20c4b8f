"""AiiDA's archive format with two additions: a README, and nodes without their files.

A node whose files are left out stays in the graph with all its attributes: without it, a job would lose an output, and
a fit an input. It lists no files (an entry for a missing file would break ``verdi storage maintain`` after the import),
and an extra names what was left out.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from aiida.orm.entities import EntityTypes
from aiida.repository import Repository
from aiida.tools.archive.implementations.sqlite_zip.main import ArchiveFormatSqlZip
from aiida.tools.archive.implementations.sqlite_zip.writer import ArchiveWriterSqlZip

LEFT_OUT = "aiida_ion_left_out"
README = "README.md"


class SharedFormat(ArchiveFormatSqlZip):
    """The format of AiiDA with a README, and without the files of some nodes.

    :param readme: text of the README.
    :param left_out: PKs of nodes whose files are left out.
    """

    def __init__(self, readme: str, left_out: frozenset[int] = frozenset()) -> None:
        super().__init__()
        self.readme, self.left_out = readme, left_out

    def open(self, path: str | Path, mode: Any = "r", *, compression: int = 6, **kwargs: Any) -> Any:
        """Return AiiDA's reader, or our writer."""
        if mode != "x":
            return super().open(path, mode, compression=compression, **kwargs)
        return SharedWriter(path, self, compression=compression, **kwargs)


class SharedWriter(ArchiveWriterSqlZip):
    """Nodes are written before files, so by then it is known which files are needed."""

    _format: SharedFormat

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept: set[str] = set()

    def bulk_insert(self, entity_type: EntityTypes, rows: list[dict[str, Any]], allow_defaults: bool = False) -> None:
        """Write rows; nodes to be left out lose their files."""
        if entity_type == EntityTypes.NODE:
            rows = [self._lighter(row) for row in rows]
        super().bulk_insert(entity_type, rows, allow_defaults)

    def _lighter(self, row: dict[str, Any]) -> dict[str, Any]:
        files = Repository.flatten(row["repository_metadata"])
        names = sorted(str(name) for name, key in files.items() if key is not None)
        if row["id"] in self._format.left_out and names:
            return row | {"repository_metadata": {}, "extras": row["extras"] | {LEFT_OUT: names}}
        self._kept.update(key for key in files.values() if key is not None)
        return row

    def put_object(self, stream: BinaryIO, *, buffer_size: int | None = None, key: str | None = None) -> str:
        """Write a file, unless all its nodes leave it out."""
        if key is not None and key not in self._kept:
            return key
        return super().put_object(stream, buffer_size=buffer_size, key=key)

    def __exit__(self, *args: Any, **kwargs: Any) -> None:
        """Add the README, then finish."""
        self._stream_binary(README, BytesIO(self._format.readme.encode()))
        super().__exit__(*args, **kwargs)  # type: ignore[no-untyped-call]
