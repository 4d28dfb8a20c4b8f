"""The server: one process, a thread for each reader, nothing but reading."""

from __future__ import annotations

import errno
import logging
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from dash import Dash
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from aiida_ion.dashboards import security, tables
from aiida_ion.dashboards.app import Source, create_app
from aiida_ion.queries import end_reading, read_only

LOGGER = logging.getLogger(__name__)
DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8050
#: Seconds after which a connection that says nothing is closed.
IDLE_S = 60
#: Read before anybody asks.
FIRST_TABLES = ("materials", "conductivity")

Answer = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class PortInUse(OSError):  # noqa: N818
    """Something else listens there."""


class _Handler(WSGIRequestHandler):
    """Keeps connections open between requests, closes idle ones, and writes no line for each request."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_S

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the terminal is for errors."""

    def version_string(self) -> str:
        """Return no versions."""
        return "aiida-ion"


def make(source: Source, host: str, port: int, token: str | None) -> BaseWSGIServer:
    """Return a server of the loaded profile that listens but does not answer yet.

    :param token: asked of every reader; ``None`` only where just this machine reaches it.
    :raises PortInUse: if something else listens there.
    :raises ValueError: if others could reach it without a token.
    """
    if token is None and not security.is_loopback(host):
        raise ValueError(f"a dashboard on {host} needs a token: others reach it")
    if token is not None and len(token) < security.SHORTEST_TOKEN:
        raise ValueError(f"a token needs at least {security.SHORTEST_TOKEN} characters")
    app = create_app(source)
    security.protect(app, host, port, token)
    _share(app, source)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with _listen(host, port) as listener:
        return make_server(host, port, app.server, threaded=True, request_handler=_Handler, fd=listener.fileno())


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; werkzeug's own ends the process where it cannot have the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(f"port {port} of {host} is in use: choose another with --port") from error
        raise OSError(f"cannot listen on port {port} of {host}: {error.strerror}") from error


def serve(server: BaseWSGIServer, ready: Callable[[], None] = lambda: None) -> None:
    """Answer until interrupted; this process can write to no database meanwhile.

    :param ready: called once requests are answered.
    """
    with read_only():
        tables.warm(FIRST_TABLES)
        ready()
        with suppress(KeyboardInterrupt):
            server.serve_forever()
        server.server_close()


def _share(app: Dash, source: Source) -> None:
    """Let threads read side by side where each has its own session, and one after the other where all share one.

    AiiDA gives every thread a session of a profile. An archive has one session, so whoever reads it holds the lock.
    """
    answer: Answer = app.server.wsgi_app

    def one_reader(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith(("/_dash-update-component", "/download")):
            return answer(environ, start)
        with source.lock:
            try:
                return answer(environ, start)
            finally:
                end_reading()

    app.server.wsgi_app = one_reader


def address(server: BaseWSGIServer, token: str | None) -> str:
    """Return what to open in a browser."""
    host, port = server.host, server.port
    shown = f"[{host}]" if ":" in host else {"0.0.0.0": "127.0.0.1"}.get(host, host)
    return f"http://{shown}:{port}/" + (f"?token={token}" if token else "")


def archive_source(name: str) -> Source:
    """Return the source of an archive that is loaded."""
    return Source(name, is_archive=True, lock=threading.RLock())
