"""A runner program run here instead of in a process of its own, whose start costs more than most runs."""

from __future__ import annotations

import contextlib
import os
import runpy
import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

from aiida_ion.calculations.programs import RUNNERS

#: Signals that programs take for themselves.
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGALRM)


def run_here(program: str, folder: Path) -> int:
    """Run a program in its working folder as ``python -m`` would, and leave this process as it was.

    :returns: its exit status.
    """
    with contextlib.ExitStack() as stack:
        for context in (contextlib.chdir(folder), patch.dict(os.environ), warnings.catch_warnings()):
            stack.enter_context(context)
        for kept in (_own_modules(folder), _own_signals(), _own_torch()):
            stack.enter_context(kept)
        warnings.simplefilter("ignore")
        try:
            runpy.run_module(f"{RUNNERS}.{program}", run_name="__main__")
        except SystemExit as end:
            return int(end.code or 0)
    raise AssertionError(f"{program} did not exit")


@contextlib.contextmanager
def _own_modules(folder: Path) -> Iterator[None]:
    """Let modules of the folder be imported, and forget them afterwards."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", None) or "").startswith(f"{folder}/"):
                del sys.modules[name]


@contextlib.contextmanager
def _own_torch() -> Iterator[None]:
    """Forget what a program told torch: one that was deterministic warns in later tests."""
    try:
        yield
    finally:
        if (torch := sys.modules.get("torch")) is not None:
            torch.use_deterministic_algorithms(False)


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
