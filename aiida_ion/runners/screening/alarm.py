"""Ends a computation at once when a scheduler announces the end of the job, or when its time is over."""

from __future__ import annotations

import math
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


class StoppedError(BaseException):
    """A computation was interrupted; not an ``Exception``, so that no library swallows it."""


class Alarm:
    """Interrupts what runs in :meth:`armed`; a signal that comes at another time is remembered."""

    def __init__(self) -> None:
        self.signal = ""
        self._is_armed = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Alarm:
        for number in (*SIGNALS, signal.SIGALRM):
            self._before[number] = signal.signal(number, self._ring)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def armed(self, end_s: float) -> Iterator[None]:
        """Interrupt what runs within.

        :param end_s: when its time is over, on the monotonic clock, s; infinite without a limit.
        :raises StoppedError: in the middle of it.
        """
        try:
            if end_s != math.inf:
                signal.setitimer(signal.ITIMER_REAL, max(end_s - time.monotonic(), 1e-3))
            self._is_armed = True
            if self.signal:
                raise StoppedError
            yield
        finally:
            self._is_armed = False
            signal.setitimer(signal.ITIMER_REAL, 0.0)

    def why_stop(self, deadline_s: float) -> tuple[str, str] | None:
        """Return status and reason if everything has to end; ``None`` if it goes on."""
        if self.signal:
            return "terminated", f"stopped by {self.signal}"
        if time.monotonic() >= deadline_s:
            return "walltime", "the wall time is over"
        return None

    def _ring(self, number: int, _frame: Any) -> None:
        if number != signal.SIGALRM:
            self.signal = signal.Signals(number).name
            print(f"stopped by {self.signal}", file=sys.stderr)
        if self._is_armed:
            self._is_armed = False
            raise StoppedError
