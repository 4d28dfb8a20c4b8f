"""Cached tables of the pages, read again when the database has changed."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import pandas as pd

from aiida_ion import queries
from aiida_ion.dashboards.serving import origins
from aiida_ion.queries.reading.archives import Archives
from aiida_ion.queries.results import counted_fits
from aiida_ion.unreadable import counting_unreadable, unreadable_words

LOGGER = logging.getLogger(__name__)
#: Table of the fits of all materials with the columns for filters: level, grade, temperature, time and nodes.
FITS = "fits"
#: A table that took longer than this is refreshed in the background while its last version is shown.
PATIENCE_S = 0.4
#: Minimum interval between checks for changes of the database.
RECHECK_S = 2.0
#: A table is refreshed at most after this many times its reading time, to limit the load.
REST = 5.0
#: How long a page waits for a table that is read for the first time.
FIRST_PATIENCE_S = 1.5


class NotYet(Exception):  # noqa: N818
    """A table is being read for the first time; try again."""


@dataclass(frozen=True)
class _Entry:
    """A cached table.

    :param version: of the database.
    :param unreadable: unreadable stored values, by column.
    :param used: names of the tables it is derived from, and when each was read, s.
    """

    table: pd.DataFrame
    make: Callable[[], pd.DataFrame]
    version: Any
    used: tuple[tuple[str, float], ...]
    cost_s: float
    made: float
    unreadable: Counter[str]


class TableCache:
    """Tables of the loaded profile by name; all readers share the same frame and must not change it.

    :param lock: held while a table is read in the background.
    :param changes: whether the database can change; an archive does not.
    :param archives: what is shown, where it is several archives: each row of a table with PKs says which it is from.
    """

    def __init__(
        self,
        lock: AbstractContextManager[Any] | None = None,
        changes: bool = True,
        archives: Archives | None = None,
    ) -> None:
        self.archives = archives
        self._lock = lock or nullcontext()
        self._changes = changes
        self._entries: dict[str, _Entry] = {}
        self._busy: dict[str, threading.RLock] = {}
        self._guard = threading.Lock()
        self._checked: tuple[float, Any] = (float("-inf"), None)
        self._here = threading.local()

    def table(self, name: str) -> pd.DataFrame:
        """Return the table that ``queries.<name>()`` returns, or the `FITS`."""
        if name == "materials":
            return self.derived(name, self._materials)
        return self.derived(name, counted_fits if name == FITS else getattr(queries, name))

    def _materials(self) -> pd.DataFrame:
        conductivities, fits = self.table("conductivity"), self.table(FITS)
        made = queries.materials(conductivities=conductivities, fits=fits)
        return origins.with_archives_of_results(made, (conductivities, fits), self.archives)

    @contextmanager
    def impatient(self) -> Iterator[None]:
        """Let this thread raise `NotYet` if it would wait long for a table that is read for the first time.

        Not for an archive, where all threads share a session and wait for each other anyway.
        """
        self._here.impatient = self._changes and isinstance(self._lock, nullcontext)
        try:
            yield
        finally:
            self._here.impatient = False

    def derived(self, name: str, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """Return a table that is computed in another way, cached under its own name."""
        entry = self._entries.get(name)
        if entry is None or (entry.cost_s <= PATIENCE_S and not self._is_current(entry)):
            entry = self._read(name, make)
        elif time.monotonic() - entry.made > REST * entry.cost_s and not self._is_current(entry):
            self._read_behind(name, make)
        used = getattr(self._here, "used", None)
        if used is not None:
            used.append((name, entry.made))
        return entry.table

    @contextmanager
    def noting(self) -> Iterator[list[tuple[str, float]]]:
        """Note the tables that this thread uses, and when each was read, s."""
        outer = getattr(self._here, "used", None)
        used: list[tuple[str, float]] = []
        self._here.used = used
        try:
            yield used
        finally:
            self._here.used = outer

    def is_unchanged(self, version: Any, used: Iterable[tuple[str, float]]) -> bool:
        """Whether the database has a version, and tables are those of `noting`; a table is read again when due."""
        if version != self.version():
            return False
        for name, made in used:
            if self._entries[name].made == made:
                self.derived(name, self._entries[name].make)
            if self._entries[name].made != made:
                return False
        return True

    def _is_current(self, entry: _Entry) -> bool:
        """Whether nothing has changed since; a derived table is as old as its sources, which are refreshed in turn."""
        if not entry.used:
            return bool(entry.version == self.version())
        for name, _ in entry.used:
            self.derived(name, self._entries[name].make)
        return all(self._entries[name].made == made for name, made in entry.used)

    def _read(self, name: str, make: Callable[[], pd.DataFrame]) -> _Entry:
        """Return the newest version, also if another thread is reading it."""
        lock, patience_s = self._busy_lock(name), -1.0
        if name not in self._entries and getattr(self._here, "impatient", False):
            self._read_behind(name, make).join(FIRST_PATIENCE_S)
            patience_s = FIRST_PATIENCE_S
        if not lock.acquire(timeout=patience_s):
            raise NotYet(name)
        try:
            entry = self._entries.get(name)
            return entry if entry is not None and self._is_current(entry) else self._make(name, make)
        finally:
            lock.release()

    def warm(self, reads: Iterable[Callable[[], object]]) -> threading.Thread:
        """Call what reads tables, in the background, so that the first pages need not wait."""

        def work() -> None:
            for read in reads:
                try:
                    with self._lock:
                        read()
                except Exception:  # whoever asks for it is told
                    LOGGER.exception("a table cannot be read in advance")
            queries.end_reading()

        thread = threading.Thread(target=work, name="tables", daemon=True)
        thread.start()
        return thread

    def _make(self, name: str, make: Callable[[], pd.DataFrame]) -> _Entry:
        version, start, outer = self.version(), time.monotonic(), getattr(self._here, "used", None)
        used: list[tuple[str, float]] = []
        self._here.used = used
        try:
            with counting_unreadable() as unreadable:
                table = origins.with_archives(make(), self.archives)
        finally:
            self._here.used = outer
        now = time.monotonic()
        self._entries[name] = entry = _Entry(
            table, make, version, tuple(dict.fromkeys(used)), now - start, now, unreadable
        )
        return entry

    def _read_behind(self, name: str, make: Callable[[], pd.DataFrame]) -> threading.Thread:
        lock = self._busy_lock(name)

        def work() -> None:
            if not lock.acquire(blocking=False):
                return  # another thread is already reading it
            try:
                with self._lock:
                    self._make(name, make)
            finally:
                lock.release()
                queries.end_reading()

        thread = threading.Thread(target=work, name=f"table {name}", daemon=True)
        thread.start()
        return thread

    def _busy_lock(self, name: str) -> threading.RLock:
        with self._guard:
            return self._busy.setdefault(name, threading.RLock())

    def version(self) -> Any:
        """Return a value that changes with the database."""
        if not self._changes:
            return None
        when, version = self._checked
        if time.monotonic() - when > RECHECK_S:
            version = queries.newest_change()
            self._checked = (time.monotonic(), version)
        return version


_cache = TableCache()


def in_use() -> TableCache:
    """Return the cache of all pages."""
    return _cache


def use(cache: TableCache) -> None:
    """Make all pages use this cache."""
    globals()["_cache"] = cache


def table(name: str) -> pd.DataFrame:
    """Return what ``queries.<name>()`` returns, read again when the database has changed; do not change it."""
    return _cache.table(name)


def derived(name: str, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Return a table derived from others, computed again only when the database has changed; do not change it."""
    return _cache.derived(name, make)


def impatient() -> AbstractContextManager[None]:
    """Let this thread raise `NotYet` if it would wait long for a table that is read for the first time."""
    return _cache.impatient()


def unreadable() -> str | None:
    """Return a sentence on stored values that the tables read so far have left empty."""
    counts: Counter[str] = Counter()
    for entry in list(_cache._entries.values()):
        counts |= entry.unreadable
    return unreadable_words(counts)


def archives() -> Archives | None:
    """Return the archives that are shown together; None for a profile or a single archive."""
    return _cache.archives


def changes() -> bool:
    """Whether the data can change: a profile can, an archive does not."""
    return _cache._changes
