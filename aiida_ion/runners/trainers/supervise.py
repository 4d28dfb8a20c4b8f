"""A family's own program while it runs: its progress, and its end in time."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aiida_ion.runners.output import Ledger, is_out_of_memory, write_json
from aiida_ion.runners.stops import StopSignal
from aiida_ion.runners.trainers.base import Row, Trainer

POLL_S = 0.3
#: Time that a program has to end after it was asked to, s.
GRACE_S = 10.0
#: Starts a program that the system ends when this one is killed: 1 is ``PR_SET_PDEATHSIG`` of Linux, 9 the signal.
LAUNCHER = """
import ctypes, os, sys
try:
    ctypes.CDLL(None).prctl(1, 9)
except (OSError, AttributeError):
    pass
os.execv(sys.argv[1], sys.argv[1:])
"""
LOG = Path("trainer.log")
#: Last lines of its output that a message repeats.
LAST_LINES = 3


class TrainerFailedError(Exception):
    """The family's own program ended with an error; the message has its last words."""


def supervise(trainer: Trainer, deadline_s: float, stop: StopSignal, ledger: Ledger) -> str:
    """Run the program to its end, the deadline or a signal.

    :param trainer: what it trains.
    :param deadline_s: when it must have ended, of :func:`time.monotonic`.
    :param stop: notes the signals that this process gets.
    :param ledger: gets the epochs that were done.
    :returns: ``finished``, ``walltime`` or ``terminated``.
    :raises TrainerFailedError: if it fails.
    :raises MemoryError: if it fails for lack of memory.
    """
    folder, n_epochs, begin = trainer.work.folder, trainer.work.settings.n_epochs, time.monotonic()
    with LOG.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, *trainer.command()],
            cwd=folder,
            env=trainer.environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        status, done = "finished", -1
        try:
            while process.poll() is None and status == "finished":
                time.sleep(POLL_S)
                curve = trainer.curve()
                if len(curve) != done:
                    done = len(curve)
                    _report(curve, n_epochs, time.monotonic() - begin)
                if stop.name:
                    status = "terminated"
                elif time.monotonic() > deadline_s:
                    status = "walltime"
        finally:
            _end(process)
    curve = trainer.curve()
    _report(curve, n_epochs, time.monotonic() - begin)
    ledger.n_steps, ledger.loop_wall_s = len(curve), time.monotonic() - begin
    if status == "finished" and process.returncode != 0:
        raise _failure(LOG.read_text(errors="replace"), process.returncode)
    return status


def _report(curve: Sequence[Row], n_epochs: int, elapsed_s: float) -> None:
    """Write the progress, an epoch as a step."""
    done = len(curve)
    progress: dict[str, Any] = {"step": done, "n_steps": n_epochs, "unit": "epoch"}
    if done and elapsed_s > 0:
        rate = done / elapsed_s
        progress |= {"steps_per_s": rate, "seconds_left": (n_epochs - done) / rate}
        progress |= {name: value for name, value in curve[-1].items() if name.startswith("validation")}
    write_json(Path("progress.json"), progress)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program and what it started, if it still runs."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)
    process.wait()


def _failure(log: str, returncode: int) -> Exception:
    """Return the error of a program that failed, by its last words."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    words = " | ".join(lines[-LAST_LINES:]) or "it printed nothing"
    if returncode == -signal.SIGKILL or is_out_of_memory(RuntimeError(words)):
        return MemoryError(f"the training was killed or ran out of memory: {words}")
    return TrainerFailedError(f"it ended with status {returncode}: {words}")
