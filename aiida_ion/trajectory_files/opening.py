"""Files that may be compressed."""

from __future__ import annotations

import gzip
import lzma
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

#: First bytes of compressed files that are unpacked on the fly -> how they are opened.
PACKERS: dict[bytes, Callable[[Path, str], Any]] = {b"\x1f\x8b": gzip.open, b"\xfd7zXZ": lzma.open}
#: What they raise on a file that is cut off or damaged.
UNPACKING_ERRORS = (EOFError, zlib.error, lzma.LZMAError)
#: First bytes of unsupported compressed files -> name of the program.
OTHER_PACKERS = {b"BZh": "bzip2", b"PK\x03\x04": "zip", b"\x28\xb5\x2f\xfd": "zstandard"}
COPIED_BYTES = 1 << 20


def is_packed(path: Path) -> bool:
    """Whether a file is compressed by gzip or xz, whatever its name.

    :raises ValueError: if another program compressed it.
    """
    return _packer(path) is not None


def _packer(path: Path) -> Callable[[Path, str], Any] | None:
    """Return what opens a compressed file; ``None`` for one that is not compressed.

    :raises ValueError: if another program compressed it.
    """
    with path.open("rb") as stream:
        head = stream.read(8)
    for start, name in OTHER_PACKERS.items():
        if head.startswith(start):
            raise ValueError(f"it is compressed by {name}; unpack it, or compress it with gzip or xz")
    return next((opener for start, opener in PACKERS.items() if head.startswith(start)), None)


def open_binary(path: Path) -> IO[bytes]:
    """Open a file for reading; gzip and xz are unpacked on the fly."""
    packer = _packer(path)
    stream: IO[bytes] = path.open("rb") if packer is None else packer(path, "rb")
    return stream


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Yield the file itself, or a temporary unpacked copy of a compressed one.

    :raises ValueError: if the copy would fill the disk.
    """
    packer = _packer(path)
    if packer is None:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / (path.stem if path.suffix in (".gz", ".xz") else path.name)
        room = shutil.disk_usage(folder).free // 2
        with packer(path, "rb") as packed, target.open("wb") as plain:
            while block := packed.read(COPIED_BYTES):
                room -= len(block)
                if room < 0:
                    raise ValueError(f"unpacked, it would use more than half of the free space of {folder}")
                plain.write(block)
        yield target
