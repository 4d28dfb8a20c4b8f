"""The tables that pages show, read once and again when the database has changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import pandas as pd

from aiida_ion import queries

#: A table that took longer than this is refreshed behind the scenes, and its last version is shown meanwhile.
PATIENCE_S = 0.4
#: The database is asked at most this often whether it has changed.
RECHECK_S = 2.0


@dataclass
class _Entry:
    table: pd.DataFrame
    version: Any
    cost_s: float


class TableCache:
    """Tables of the loaded profile by name; every reader gets the same frame and must not change it.

    :param lock: held while a table is read in the background.
    :param changes: whether the database may change; an archive does not.
    """

    def __init__(self, lock: AbstractContextManager[Any] | None = None, changes: bool = True) -> None:
        self._lock = lock or nullcontext()
        self._changes = changes
        self._entries: dict[str, _Entry] = {}
        self._busy: dict[str, threading.RLock] = {}
        self._guard = threading.Lock()
        self._checked: tuple[float, Any] = (float("-inf"), None)

    def table(self, name: str) -> pd.DataFrame:
        """Return the table that ``queries.<name>()`` returns."""
        return self.derived(name, getattr(queries, name))

    def derived(self, name: str, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """Return a table that is made in some other way, kept under its own name."""
        entry = self._entries.get(name)
        if entry is not None and entry.version == self._version():
            return entry.table
        if entry is not None and entry.cost_s > PATIENCE_S:
            self._refresh_behind(name, make)
            return entry.table
        with self._busy_lock(name):
            entry = self._entries.get(name)
            if entry is None or entry.version != self._version():
                entry = self._make(name, make)
            return entry.table

    def warm(self, names: tuple[str, ...]) -> threading.Thread:
        """Read tables in the background, so that the first page need not wait for all of it."""

        def work() -> None:
            for name in names:
                with self._lock:
                    self.table(name)
            queries.end_reading()

        thread = threading.Thread(target=work, name="tables", daemon=True)
        thread.start()
        return thread

    def _make(self, name: str, make: Callable[[], pd.DataFrame]) -> _Entry:
        version, start = self._version(), time.monotonic()
        self._entries[name] = entry = _Entry(make(), version, time.monotonic() - start)
        return entry

    def _refresh_behind(self, name: str, make: Callable[[], pd.DataFrame]) -> None:
        lock = self._busy_lock(name)

        def work() -> None:
            if not lock.acquire(blocking=False):
                return  # somebody is at it
            try:
                with self._lock:
                    self._make(name, make)
            finally:
                lock.release()
                queries.end_reading()

        threading.Thread(target=work, name=f"table {name}", daemon=True).start()

    def _busy_lock(self, name: str) -> threading.RLock:
        with self._guard:
            return self._busy.setdefault(name, threading.RLock())

    def _version(self) -> Any:
        """Return what changes when the database does."""
        if not self._changes:
            return None
        when, version = self._checked
        if time.monotonic() - when > RECHECK_S:
            version = queries.newest_change()
            self._checked = (time.monotonic(), version)
        return version


_cache = TableCache()


def use(cache: TableCache) -> None:
    """Make all pages read from this cache."""
    globals()["_cache"] = cache


def table(name: str) -> pd.DataFrame:
    """Return what ``queries.<name>()`` returns, read again when the database has changed; do not change it."""
    return _cache.table(name)


def derived(name: str, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Return a table that a page makes of others, made again only when the database has changed; do not change it."""
    return _cache.derived(name, make)


def changes() -> bool:
    """Whether what is shown can change: a profile may, an archive does not."""
    return _cache._changes


def warm(names: tuple[str, ...]) -> None:
    """Read tables in the background, so that the first page need not wait for all of it."""
    _cache.warm(names)
