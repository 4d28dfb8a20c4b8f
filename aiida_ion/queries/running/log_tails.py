"""Ends of output files of running jobs, read in place, at most a few megabytes at a time."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from aiida.common.escaping import escape_for_bash

#: Initial and maximum length of a tail, bytes.
TAIL_BYTES, MOST_BYTES = 2**16, 2**22
_CHUNK = 2**20
#: Path -> bytes read and occurrences counted in them, for files on this machine.
_counted: dict[tuple[str, bytes], tuple[int, int]] = {}
_MOST_COUNTED = 500
_lock = threading.Lock()


class RemoteFile:
    """A file on the computer of a job.

    :param transport: open transport to that computer.
    :param path: absolute path.
    :raises OSError: if there is no such file, or its computer does not answer.
    """

    def __init__(self, transport: Any, path: str) -> None:
        from aiida.transports.plugins.local import LocalTransport

        self._transport, self._path = transport, path
        self._is_here = isinstance(transport, LocalTransport)
        known = transport.get_attribute(path)
        self.size = int(known.st_size)
        #: Time since it was last written, s; the clocks of computers may differ slightly.
        self.silent_s = max(0.0, time.time() - float(known.st_mtime))

    def tail(self, n_bytes: int = TAIL_BYTES) -> str:
        """Return the end of the file from the first complete line on; all of a shorter file."""
        start = max(0, self.size - n_bytes)
        content = self._from(start) if self._is_here else self._run(f"tail -c {n_bytes}")
        return content.partition("\n")[2] if start else content

    def count(self, word: bytes) -> int:
        """Return how many lines contain a word. On this machine only new content is read."""
        if not self._is_here:
            return int(self._run(f"grep -c -F {escape_for_bash(word.decode())}", may_fail=True).split()[-1])
        with _lock:
            done, n = _counted.get((self._path, word), (0, 0))
            if self.size < done:
                done, n = 0, 0
            with Path(self._path).open("rb") as stream:
                stream.seek(done)
                rest = b""
                while chunk := stream.read(_CHUNK):
                    lines, newline, rest = (rest + chunk).rpartition(b"\n")
                    n += lines.count(word)
                    done += len(lines) + len(newline)
                    rest = rest[-_CHUNK:] if not newline else rest
            if len(_counted) >= _MOST_COUNTED:
                _counted.clear()
            _counted[self._path, word] = (done, n)
            return n

    def _from(self, start: int) -> str:
        with Path(self._path).open("rb") as stream:
            stream.seek(start)
            return stream.read(MOST_BYTES).decode("latin-1")

    def _run(self, command: str, may_fail: bool = False) -> str:
        """Return the output of a command on the file, decoded as Latin-1."""
        code, output, errors = self._transport.exec_command_wait(
            f"{command} {escape_for_bash(self._path)}", encoding="latin-1"
        )
        if code and not may_fail:
            raise OSError(str(errors)[:200])
        return str(output)
