"""Arrays that grow during the run: ``.npy`` files of full size from the start, filled row by row.

The file has its final header and (sparse) size at once, so that any reader can map it while the run writes;
rows are written with plain writes rather than through a memory map, so that a full disk is an error that can
be reported and not a signal that kills the process.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np

from aiida_ion.units import BYTES_PER_MIB

#: Rows are buffered up to this size before they are written, bytes.
BUFFER_BYTES = 4 * BYTES_PER_MIB


class ArrayFile:
    """One array that is filled along its first axis during the run.

    :param path: the ``.npy`` file.
    :param dtype: type of one element.
    :param row_shape: shape of one row.
    :param capacity: rows the whole run will have.
    :param count: rows that are already valid, if a run continues in its own folder.
    """

    def __init__(
        self, path: Path, dtype: Any, row_shape: tuple[int, ...], capacity: int, count: int | None = None
    ) -> None:
        self.dtype = np.dtype(dtype)
        self.row_shape = row_shape
        self.count = count or 0
        self._header = _header(self.dtype, (capacity, *row_shape))
        self._row_bytes = self.dtype.itemsize * int(np.prod(row_shape, dtype=int))
        rows = max(1, min(capacity, BUFFER_BYTES // self._row_bytes, 4096))
        self.buffer = np.zeros((rows, *row_shape), dtype=self.dtype)
        self._filled = 0
        flags = os.O_RDWR | os.O_CREAT | (os.O_TRUNC if count is None else 0)
        self._file = os.open(path, flags, 0o644)
        self._write(self._header, 0)
        os.ftruncate(self._file, len(self._header) + capacity * self._row_bytes)

    def append(self, row: Any) -> None:
        """Add one row; it is in the file after the next :meth:`flush` at the latest."""
        self.buffer[self._filled] = row
        self._filled += 1
        self.count += 1
        if self._filled == len(self.buffer):
            self.flush()

    def flush(self, durable: bool = False) -> None:
        """Write what is gathered.

        :param durable: wait until it is on the disk.
        """
        if self._filled:
            start = len(self._header) + (self.count - self._filled) * self._row_bytes
            self._write(self.buffer[: self._filled].tobytes(), start)
            self._filled = 0
        if durable:
            os.fdatasync(self._file)

    def finish(self) -> None:
        """Write what is buffered and cut the file to its valid rows."""
        self.flush()
        header = _header(self.dtype, (self.count, *self.row_shape))
        if len(header) == len(self._header):
            self._write(header, 0)
            os.ftruncate(self._file, len(header) + self.count * self._row_bytes)
        os.close(self._file)

    def _write(self, content: bytes, offset: int) -> None:
        view = memoryview(content)
        while view:
            written = os.pwrite(self._file, view, offset)
            view, offset = view[written:], offset + written


def _header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    stream = io.BytesIO()
    description = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, description)
    return stream.getvalue()
