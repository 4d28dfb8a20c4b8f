"""Files that may be compressed."""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

GZIP = b"\x1f\x8b"
#: First bytes of unsupported compressed files -> name of the program.
OTHER_PACKERS = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"PK\x03\x04": "zip", b"\x28\xb5\x2f\xfd": "zstandard"}
COPIED_BYTES = 1 << 20


def is_packed(path: Path) -> bool:
    """Whether a file is compressed by gzip, whatever its name.

    :raises ValueError: if another program compressed it.
    """
    with path.open("rb") as stream:
        head = stream.read(8)
    for start, name in OTHER_PACKERS.items():
        if head.startswith(start):
            raise ValueError(f"it is compressed by {name}; unpack it, or compress it with gzip")
    return head.startswith(GZIP)


def open_binary(path: Path) -> IO[bytes]:
    """Open a file for reading; gzip is unpacked on the fly."""
    return gzip.open(path, "rb") if is_packed(path) else path.open("rb")  # type: ignore[return-value]


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Yield the file itself, or a temporary unpacked copy of a compressed one.

    :raises ValueError: if the copy would fill the disk.
    """
    if not is_packed(path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / (path.stem if path.suffix == ".gz" else path.name)
        room = shutil.disk_usage(folder).free // 2
        with gzip.open(path, "rb") as packed, target.open("wb") as plain:
            while block := packed.read(COPIED_BYTES):
                room -= len(block)
                if room < 0:
                    raise ValueError(f"unpacked, it would use more than half of the free space of {folder}")
                plain.write(block)
        yield target
