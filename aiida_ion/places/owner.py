"""Who follows a job: a daemon worker, whose jobs another continues, or one program, with which they end."""

from __future__ import annotations

import os
import socket

import psutil  # type: ignore[import-untyped]

#: A job of the daemon waits for whichever worker continues it.
DAEMON = "daemon"


def this_owner() -> str:
    """Return a name of this process that no later one has: host, process id, time of its start."""
    return f"{socket.gethostname()}/{os.getpid()}/{psutil.Process().create_time():.2f}"


def has_ended(owner: str) -> bool:
    """Whether a program is gone for sure; of another host, or of the daemon, nothing is known here."""
    host, _, rest = owner.partition("/")
    pid, _, started = rest.partition("/")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        return f"{psutil.Process(int(pid)).create_time():.2f}" != started
    except psutil.NoSuchProcess:
        return True
