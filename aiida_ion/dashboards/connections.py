"""Connections of the dashboard: each has a deadline, and their number is limited.

Clients that send slowly or nothing hold no lock and are the first to be dropped when others come.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from aiida_ion.dashboards.security import ALONE, HEADERS, MAX_REQUEST
from aiida_ion.units import BYTES_PER_KIB

#: A request, including headers and body, must arrive within this time, s.
REQUEST_S = 20.0
#: Base time for an answer, s, and the minimum rate at which clients must read it, bytes/s.
ANSWER_S, SLOWEST = 60.0, 32 * BYTES_PER_KIB
#: Maximum number of open connections, each with a thread; a browser opens about six.
MAX_CONNECTIONS = 256
#: An answer that is sent for longer than this, s, makes room where it is needed.
SENDING_S = 5.0
_CHUNK = 64 * BYTES_PER_KIB


class Handler(WSGIRequestHandler):
    """Reads the whole request before it is answered, and does not log requests."""

    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        """Give the connection its deadline."""
        super().setup()
        self.rfile = io.BufferedReader(_Reader(self.connection, REQUEST_S))
        self.wfile = _Writer(self.connection, lambda: self.server.sends(self.connection))

    def run_wsgi(self) -> None:
        """Read the body, without holding a lock, and answer."""
        if "Transfer-Encoding" in self.headers:
            self.send_error(HTTPStatus.LENGTH_REQUIRED)
            return
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        if length < 0:
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        if 0 < length <= MAX_REQUEST:  # a longer one is refused before it is read
            if (self.headers.get("Expect") or "").strip().lower() == "100-continue":
                self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                del self.headers["Expect"]
            body = self.rfile.read(length)
            if len(body) < length:
                self.close_connection = True
                return
            self.rfile = io.BufferedReader(io.BytesIO(body))
        self.server.answers(self.connection)
        super().run_wsgi()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Answer an invalid request briefly."""
        self.close_connection = True
        self.wfile.write(refusal(code))

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: the terminal is for errors."""

    def log_error(self, format: str, *args: Any) -> None:
        """Log nothing about what clients send."""

    def version_string(self) -> str:
        """Do not reveal versions."""
        return "aiida-ion"


def refusal(code: int) -> bytes:
    """Return a complete answer with only the error."""
    words = f"{HTTPStatus(code).phrase}\n".encode()
    headers = HEADERS | {"Content-Security-Policy": ALONE, "Content-Type": "text/plain", "Connection": "close"}
    headers |= {"Content-Length": str(len(words)), "Cache-Control": "no-store"}
    lines = [f"HTTP/1.1 {code} {HTTPStatus(code).phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + words


class Server(ThreadedWSGIServer):
    """A thread for each connection, up to `MAX_CONNECTIONS`; then the slowest is dropped.

    That is the one that has been sending its request longest, else the one that has been reading its answer longest.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._guard = threading.Lock()
        #: Connection, in order of arrival -> whether its request is complete and being answered.
        self._open: dict[Any, bool] = {}
        #: Connection -> when the first byte of its answer was sent, on the monotonic clock, s.
        self._sending: dict[Any, float] = {}

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, unless too many requests are being answered."""
        with self._guard:
            has_room = len(self._open) < MAX_CONNECTIONS or self._make_room()
            if has_room:
                self._open[request] = False
        if has_room:
            super().process_request(request, client_address)
            return
        request.settimeout(0.1)
        with suppress(OSError):
            request.sendall(refusal(HTTPStatus.SERVICE_UNAVAILABLE))
        self.shutdown_request(request)

    def _make_room(self) -> bool:
        """End the slowest connection, if one is slow; its thread ends by itself."""
        late = time.monotonic() - SENDING_S
        asking = (connection for connection, is_answered in self._open.items() if not is_answered)
        reading = (connection for connection, begun in self._sending.items() if begun < late)
        slow = next(asking, None) or next(reading, None)
        if slow is None:
            return False
        del self._open[slow]
        self._sending.pop(slow, None)
        with suppress(OSError):
            slow.shutdown(socket.SHUT_RDWR)
        return True

    def answers(self, request: Any) -> None:
        """Record that the request of a connection is complete."""
        with self._guard:
            if request in self._open:
                self._open[request] = True

    def sends(self, request: Any) -> None:
        """Record that the answer to a connection is being sent."""
        with self._guard:
            if self._open.get(request):
                self._sending.setdefault(request, time.monotonic())

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection and close it."""
        with self._guard:
            self._open.pop(request, None)
            self._sending.pop(request, None)
        super().shutdown_request(request)


class _Reader(io.RawIOBase):
    """A socket with a deadline for reading."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection, self._end = connection, time.monotonic() + seconds

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read available bytes.

        :raises TimeoutError: after the deadline.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request took too long")
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class _Writer(io.BufferedIOBase):
    """A socket that is written to as long as the other end reads fast enough.

    :param begins: called before anything is sent.
    """

    def __init__(self, connection: socket.socket, begins: Callable[[], None]) -> None:
        self._connection, self._begins, self._sent, self._begun = connection, begins, 0, 0.0

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any) -> int:
        """Write everything.

        :raises TimeoutError: if the other end reads too slowly.
        """
        self._begins()
        self._begun = self._begun or time.monotonic()
        view = memoryview(data)
        for start in range(0, len(view), _CHUNK):
            left = self._begun + ANSWER_S + self._sent / SLOWEST - time.monotonic()
            if left <= 0:
                raise TimeoutError("the answer is read too slowly")
            self._connection.settimeout(left)
            self._connection.sendall(view[start : start + _CHUNK])
            self._sent += _CHUNK
        return len(view)
