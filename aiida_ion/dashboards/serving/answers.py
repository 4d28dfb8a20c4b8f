"""Answers of callbacks, which are not made again while the database is the same.

What a callback of the pages returns depends on the browser's request and on the database. Where it depends on the time
or on files outside the database too, its function calls `lasting`.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from dash import Dash
from flask import Response, request

from aiida_ion.dashboards import tables
from aiida_ion.dashboards.serving.compression import FAST, accepts_gzip, set_packed
from aiida_ion.dashboards.serving.requests import validate_request
from aiida_ion.queries import end_reading
from aiida_ion.units import BYTES_PER_KIB, BYTES_PER_MIB

PATH = "/_dash-update-component"
#: Limits of what is kept: bytes of all answers, compressed, and of one.
MOST_BYTES, LARGEST = 64 * BYTES_PER_MIB, 8 * BYTES_PER_MIB
#: Memory of an answer besides its content, bytes.
OVERHEAD = 2 * BYTES_PER_KIB
#: No answer is older, s: changes of groups and deletions of old nodes do not change the database's version.
OLDEST_S = 600.0
#: Answers made at the same time; more only slow each other down.
AT_ONCE = 4

_here = threading.local()


def lasting(seconds: float) -> None:
    """Let the answer that this thread is making be kept for at most this time, s; at 0 it is not kept."""
    _here.seconds = min(getattr(_here, "seconds", math.inf), seconds)


@dataclass(frozen=True)
class Kept:
    """An answer.

    :param content: its JSON, compressed.
    :param cache: of the tables from which it was made.
    :param version: of the database when it was made.
    :param used: tables from which it was made, and when each was read, s.
    :param until: when it becomes too old, on the monotonic clock, s.
    """

    content: bytes
    cache: tables.TableCache
    version: Any
    used: tuple[tuple[str, float], ...]
    until: float

    @property
    def n_bytes(self) -> int:
        """Return what it takes of the memory, about."""
        return len(self.content) + OVERHEAD

    def is_current(self) -> bool:
        """Whether it is what would be returned now."""
        if time.monotonic() >= self.until or self.cache is not tables.in_use():
            return False
        try:
            return self.cache.is_unchanged(self.version, self.used)
        finally:
            if tables.changes():  # the version was asked for; an archive has one session, and none was asked for
                end_reading()


class Answers:
    """Answers of one application by what the browser sent, the least recently used forgotten first.

    Of equal requests that come together one is answered, and the others wait for it.

    :param lock: held while an answer is made; an archive has a single session, which threads must not share.
    """

    def __init__(self, lock: AbstractContextManager[Any], most_bytes: int = MOST_BYTES) -> None:
        self._lock, self._most_bytes = lock, most_bytes
        self._kept: OrderedDict[bytes, Kept] = OrderedDict()
        self._n_bytes = 0
        self._guard = threading.Lock()
        self._turns: dict[bytes, tuple[threading.Lock, int]] = {}
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def answer(self, make: Callable[[], Response]) -> Response:
        """Return the answer to the request of this thread.

        :param make: returns it if none is kept.
        """
        key = _key()
        with self._turn(key):
            kept = self._kept.get(key)
            if kept is None or not kept.is_current():
                return self._made(key, make)
            with self._guard:
                if key in self._kept:
                    self._kept.move_to_end(key)
            return _sent(kept.content)

    def _made(self, key: bytes, make: Callable[[], Response]) -> Response:
        self._drop(key)
        cache = tables.in_use()
        _here.seconds = OLDEST_S
        with self._places, self._lock:
            try:
                version = cache.version()
                with cache.noting() as used:
                    response = make()
            finally:
                end_reading()
        if response.status_code != 200 or _here.seconds <= 0.0:
            return response
        content = gzip.compress(response.get_data(), FAST, mtime=0)
        until = time.monotonic() + _here.seconds
        kept = Kept(content, cache, version, tuple(dict.fromkeys(used)), until)
        if kept.n_bytes <= min(LARGEST, self._most_bytes):
            self._keep(key, kept)
        return _sent(content)

    def _keep(self, key: bytes, kept: Kept) -> None:
        with self._guard:
            self._kept[key] = kept
            self._n_bytes += kept.n_bytes
            while self._n_bytes > self._most_bytes:
                self._n_bytes -= self._kept.popitem(last=False)[1].n_bytes

    def _drop(self, key: bytes) -> None:
        with self._guard:
            old = self._kept.pop(key, None)
            self._n_bytes -= 0 if old is None else old.n_bytes

    @contextmanager
    def _turn(self, key: bytes) -> Iterator[None]:
        """Let one thread at a time answer equal requests."""
        with self._guard:
            lock, n_waiting = self._turns.get(key, (threading.Lock(), 0))
            self._turns[key] = (lock, n_waiting + 1)
        try:
            with lock:
                yield
        finally:
            with self._guard:
                lock, n_waiting = self._turns.pop(key)
                if n_waiting > 1:
                    self._turns[key] = (lock, n_waiting - 1)


def register(app: Dash, lock: AbstractContextManager[Any]) -> None:
    """Keep the answers of an application's callbacks.

    :param lock: see `Answers`.
    """
    kept = Answers(lock)
    rules = app.server.url_map.iter_rules()
    endpoint = next(rule.endpoint for rule in rules if rule.rule == PATH)
    make: Any = app.server.view_functions[endpoint]

    def answer() -> Response:
        fault = validate_request(_body(), app.callback_map)
        if fault is not None:
            return Response(f"{fault}\n", 400, mimetype="text/plain")
        return kept.answer(lambda: app.server.make_response(make()))

    app.server.view_functions[endpoint] = answer


def _body() -> Any:
    """Return the request's JSON; None if it is not JSON, or nested too deeply to be read."""
    try:
        return request.get_json(silent=True)
    except RecursionError:
        return None


def _key() -> bytes:
    """Return what distinguishes the request, and the words above every page on values that cannot be read."""
    words = tables.unreadable() or ""
    return hashlib.sha256(request.get_data() + b"\n" + words.encode()).digest()


def _sent(content: bytes) -> Response:
    response = Response(mimetype="application/json")
    response.vary.add("Accept-Encoding")
    if accepts_gzip():
        set_packed(response, content)
    else:
        response.set_data(gzip.decompress(content))
    return response
