"""A function that waits in its middle: one thread that runs only while the main one waits for it.

ASE's integrators ask for forces in the middle of a step. A step that waits there lets many runs share one evaluation
of a potential with the very integrators of a single run, and with the same random numbers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class Coroutine:
    """A function that runs until it waits, then until it waits again. Never do two threads run at a time.

    :param body: called without arguments; it may call :meth:`wait`, from any depth.
    """

    def __init__(self, body: Callable[[], None]) -> None:
        self.has_ended = False
        self._body = body
        self._error: BaseException | None = None
        self._go, self._back = threading.Lock(), threading.Lock()
        self._go.acquire()
        self._back.acquire()
        # A program that ends for another reason does not wait for it.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def resume(self) -> None:
        """Run the function until it waits or ends; called from outside.

        :raises Exception: what the function raised.
        """
        self._go.release()
        self._back.acquire()
        if self.has_ended:
            self._thread.join()
        if self._error is not None:
            raise self._error

    def wait(self) -> None:
        """Return to who called :meth:`resume`, until it is called again; called from within the function."""
        self._back.release()
        self._go.acquire()

    def _run(self) -> None:
        self._go.acquire()
        try:
            self._body()
        except BaseException as error:
            self._error = error
        finally:
            self.has_ended = True
            self._back.release()
