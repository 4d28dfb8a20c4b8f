"""Progress of running jobs, read from the ends of their logs on their computers and shared between requests."""

from __future__ import annotations

import json
import math
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

import pandas as pd
from aiida import orm
from aiida.common.exceptions import AiidaException
from aiida.manage import get_manager

from aiida_ion.lammps.logs import read_progress
from aiida_ion.queries.reading.kinds import read_number
from aiida_ion.queries.running.log_tails import MOST_BYTES, TAIL_BYTES, RemoteFile
from aiida_ion.units import S_PER_DAY, duration

#: Progress file of runners; jobs of other packages may write the same.
STATED = "progress.json"
#: Job -> file in its folder that shows its progress.
PROGRESS_FILES = {
    **dict.fromkeys(("ion.mlip_md", "ion.batch_md", "ion.forces", "ion.surrogate_train", "ion.train"), STATED),
    "ion.lammps_md": "log.lammps",
    "ion.quantumespresso_md": "md.out",
    "ion.vasp_md": "vasprun.xml",
}
#: No remaining time is given for a job that has written nothing for this long, s.
SILENT_S = 300.0
#: Longest meaningful remaining time, s.
LONGEST_S = 10 * 365 * S_PER_DAY
#: What a program counts, where that is not steps.
UNITS = ("epoch", "frame")
_MOST_KEPT = 2000


@dataclass(frozen=True)
class Progress:
    """Progress of a running job.

    :param step: last step, at most `n_steps`.
    :param n_steps: total number of steps of the run.
    :param steps_per_s: speed.
    :param seconds_left: remaining time at that speed, s.
    :param silent_s: time since the job last wrote anything, s.
    :param unit: what is counted: steps, epochs or frames.
    """

    step: int
    n_steps: int
    steps_per_s: float | None = None
    seconds_left: float | None = None
    silent_s: float | None = field(default=None, compare=False)
    unit: str = "step"

    @property
    def is_silent(self) -> bool:
        """Whether the job has written nothing for a long time, so that it may be dead."""
        return self.silent_s is not None and self.silent_s > SILENT_S

    def __str__(self) -> str:
        share = f"{100 * self.step / self.n_steps:.0f} %" if self.n_steps else ""
        words = [f"{self.unit} {self.step} of {self.n_steps} ({share})"]
        if self.is_silent:
            return ", ".join([*words, f"nothing written for {duration(self.silent_s or 0.0)}"])
        if self.steps_per_s:
            words.append(f"{self.steps_per_s:.3g} {self.unit}s/s")
        if self.seconds_left is not None:
            words.append(f"{duration(self.seconds_left)} left")
        return ", ".join(words)


class _Shared:
    """The last progress of each job, shared between requests that are close in time."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[Any, threading.Lock] = {}
        self._known: dict[Any, tuple[float, Progress | None]] = {}

    def get(self, key: Any, interval_s: float, read: Any) -> Progress | None:
        with self._guard:
            if len(self._known) > _MOST_KEPT:
                self._known.clear()
                self._locks.clear()
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            when, progress = self._known.get(key, (-math.inf, None))
            if time.monotonic() - when >= interval_s:
                progress = read()
                self._known[key] = (time.monotonic(), progress)
            return progress


_shared = _Shared()


def read_job_progress(row: Mapping[str, Any]) -> Progress | None:
    """Return the progress of a running job, read from its folder on its computer, None if unknown.

    A computer is not contacted about a job more often than by AiiDA's daemon: at its minimum poll interval and the safe
    interval of its transport.
    """
    kind = str(row["process_type"]).rpartition(":")[2]
    source = PROGRESS_FILES.get(kind, None if kind.startswith("ion.") else STATED)
    if source is None or pd.isna(row["remote_workdir"]):
        return None
    try:
        node: Any = orm.load_node(int(row["pk"]))
        transport = node.get_authinfo().get_transport()
        interval_s = float(node.computer.get_minimum_job_poll_interval())
        interval_s = max(interval_s, float(transport.get_safe_open_interval()))
        path = str(PurePosixPath(str(row["remote_workdir"])) / source)
    except (OSError, ValueError, TypeError, AttributeError, AiidaException):
        return None
    profile = get_manager().get_profile()
    key = (profile and profile.uuid, int(row["pk"]), path)
    return _shared.get(key, interval_s, lambda: _read(kind, path, node, transport))


def _read(kind: str, path: str, node: Any, transport: Any) -> Progress | None:
    try:
        with transport:
            log = RemoteFile(transport, path)
            if PROGRESS_FILES.get(kind, STATED) == STATED:
                return _stated(log)
            return _of_log(kind, log, node)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, NotImplementedError, AiidaException):
        return None  # not started yet, or its computer does not answer


def _stated(log: RemoteFile) -> Progress | None:
    """Return the progress written by a runner."""
    content = log.tail()
    stated = json.loads(content[content.index("{") :])
    step, n_steps, rate, left = (
        read_number(stated.get(name)) for name in ("step", "n_steps", "steps_per_s", "seconds_left")
    )
    if step is None or n_steps is None:
        return None
    unit = stated.get("unit") if stated.get("unit") in UNITS else "step"
    return replace(_clamped(step, n_steps, rate, left, log.silent_s), unit=unit)


def _of_log(kind: str, log: RemoteFile, node: Any) -> Progress | None:
    """Return the progress from the log of a program."""
    n_steps = int(node.inputs.parameters.get_dict()["n_steps"])
    start = int(node.inputs.restart_from.base.attributes.get("step")) if "restart_from" in node.inputs else 0
    if kind == "ion.lammps_md":
        step = read_progress(log.tail(), n_steps)[0]
    elif kind == "ion.vasp_md":
        step = start + max(0, log.count(b"</calculation>") - 1)  # the first one evaluates the starting positions
    else:
        step = start + _pw_steps(log)
    # The speed is measured until the last write, so that a dead job does not appear slow.
    elapsed = (datetime.now(UTC) - node.ctime).total_seconds() - (log.silent_s if log.silent_s > SILENT_S else 0.0)
    rate = (step - start) / elapsed if step > start and elapsed > 0 else None
    return _clamped(step, n_steps, rate, (n_steps - step) / rate if rate else None, log.silent_s)


def _pw_steps(log: RemoteFile) -> int:
    """Return how many steps pw.x has done since the start of its job; one step may be longer than a tail."""
    n_bytes = TAIL_BYTES
    while True:
        matches = re.findall(r"Entering Dynamics:\s+iteration =\s+(\d+)", log.tail(n_bytes))
        if matches:
            return max(0, int(matches[-1]) - 1)
        if n_bytes >= min(log.size, MOST_BYTES):
            return 0
        n_bytes *= 8


def _clamped(step: float, n_steps: float, rate: float | None, seconds_left: float | None, silent_s: float) -> Progress:
    """Return progress within bounds: steps within the run, and a plausible remaining time."""
    total = max(0, int(n_steps))
    done = min(max(0, int(step)), total)
    speed = rate if rate is not None and 0 < rate < math.inf else None
    left = seconds_left if seconds_left is not None and seconds_left < LONGEST_S else None
    left = 0.0 if done == total else None if left is None else max(0.0, left)
    return Progress(done, total, speed, left, silent_s)
