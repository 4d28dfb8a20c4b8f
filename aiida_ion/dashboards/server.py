"""The server: one process, a thread for each connection, read-only."""

from __future__ import annotations

import errno
import logging
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from dash import Dash
from werkzeug.serving import BaseWSGIServer

from aiida_ion.dashboards import security, tables
from aiida_ion.dashboards.app import Source, create_app
from aiida_ion.dashboards.connections import Handler, Server
from aiida_ion.dashboards.pages import PAGES
from aiida_ion.dashboards.serving import answers, compression
from aiida_ion.dashboards.state import View
from aiida_ion.queries import end_reading, read_only
from aiida_ion.queries.reading.archives import Archives

LOGGER = logging.getLogger(__name__)
DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8050
#: Wildcard address -> address on this machine.
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}
#: Tables read in advance, before those that pages derive from them.
FIRST_TABLES = ("conductivity", "materials", "comparison", "cost")

Answer = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class PortInUse(OSError):  # noqa: N818
    """The port is in use."""


def make(source: Source, host: str, port: int, token: str | None) -> BaseWSGIServer:
    """Return a server for the loaded profile that listens but does not answer yet.

    :param token: required from every reader; ``None`` only if the server can be reached only from this machine.
    :raises PortInUse: if the port is in use.
    :raises ValueError: if other machines could reach it without a token.
    """
    host = host.strip("[]")
    if token is None and not security.is_loopback(host):
        raise ValueError(f"a dashboard on {host} needs a token: other machines can reach it")
    if token is not None and len(token) < security.SHORTEST_TOKEN:
        raise ValueError(f"a token needs at least {security.SHORTEST_TOKEN} characters")
    app = create_app(source)
    security.protect(app, host, port, token)
    answers.register(app, source.lock)
    compression.register(app)
    _share(app, source)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with _listen(host, port) as listener:
        return Server(host, port, app.server, Handler, fd=listener.fileno())


def _listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; werkzeug's own would end the process if the port is in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = host == "::" and socket.has_dualstack_ipv6()
    try:
        return socket.create_server((host, port), family=family, backlog=128, dualstack_ipv6=both)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(f"port {port} of {host} is in use: choose another with --port") from error
        raise OSError(f"cannot listen on port {port} of {host}: {error.strerror}") from error


def serve(server: BaseWSGIServer, ready: Callable[[], None] = lambda: None) -> None:
    """Serve until interrupted; meanwhile this process cannot write to any database.

    :param ready: called as soon as requests are answered.
    """
    with read_only():
        tables.in_use().warm(_first_reads())
        ready()
        with suppress(KeyboardInterrupt):
            server.serve_forever()
        server.server_close()


def _first_reads() -> Iterator[Callable[[], object]]:
    """Return what reads in advance: the tables of most pages, then all that each page shows first."""
    yield from (partial(tables.table, name) for name in FIRST_TABLES)
    yield from (partial(page.layout, View(theme="light")) for page in PAGES)


def _share(app: Dash, source: Source) -> None:
    """Let threads read in parallel if each has its own session, and one after the other if they share one.

    AiiDA gives each thread a session of a profile. An archive has a single session, protected by the lock.
    """
    answer: Answer = app.server.wsgi_app

    def one_reader(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith("/download"):  # of a page, only what is not kept is read: see `answers`
            return answer(environ, start)
        with source.lock:
            try:
                return answer(environ, start)
            finally:
                end_reading()

    app.server.wsgi_app = one_reader


def address(server: BaseWSGIServer, token: str | None) -> str:
    """Return the address for a browser on this machine."""
    return _address(EVERYWHERE.get(server.host, server.host), server.port, token)


def outside_address(server: BaseWSGIServer, token: str | None) -> str | None:
    """Return the address for a browser on another machine, if the server listens on all addresses."""
    if server.host not in EVERYWHERE:
        return None
    return _address(_own_address(socket.AF_INET6 if ":" in server.host else socket.AF_INET), server.port, token)


def _address(host: str, port: int, token: str | None) -> str:
    # The zone of a link-local address is escaped in a URL.
    shown = f"[{host.replace('%', '%25')}]" if ":" in host else host
    return f"http://{shown}:{port}/" + (f"?token={token}" if token else "")


def _own_address(family: socket.AddressFamily) -> str:
    """Return this machine's address for outgoing connections, else its name; nothing is sent."""
    known = "2001:db8::1" if family == socket.AF_INET6 else "192.0.2.1"  # an address reserved for documentation
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((known, 9))
            return str(probe.getsockname()[0])
    except OSError:
        return socket.gethostname()


def archive_source(name: str) -> Source:
    """Return the source of a loaded archive."""
    return Source(name, is_archive=True, lock=threading.RLock())


def archives_source(archives: Archives) -> Source:
    """Return the source of several archives that are loaded together."""
    return Source(", ".join(archives.names), is_archive=True, lock=threading.RLock(), archives=archives)
