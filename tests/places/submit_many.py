"""Submit many jobs at once to the daemon of the default profile: a program of a test.

python -m tests.places.submit_many submit 12
python -m tests.places.submit_many wait 12
"""

from __future__ import annotations

import sys
import time

from aiida import load_profile, orm
from aiida.engine import submit

from tests.places.jobs import SleepJob, most_at_once

TIMEOUT_S = 400


def submit_all(n_jobs: int) -> None:
    computer = orm.load_computer("localhost")
    code = orm.InstalledCode(label="bash", computer=computer, filepath_executable="/bin/bash").store()
    for _ in range(n_jobs):
        submit(SleepJob, code=code, seconds=orm.Float(1.0))


def wait(n_jobs: int) -> None:
    nodes = orm.QueryBuilder().append(orm.CalcJobNode).all(flat=True)
    end = time.monotonic() + TIMEOUT_S
    while time.monotonic() < end and not all(node.is_terminated for node in nodes):
        time.sleep(0.5)
    n_good = sum(node.is_finished_ok for node in nodes)
    print(f"{n_good} finished of {n_jobs}, at most {most_at_once(nodes) if n_good == n_jobs else '?'} at once")


if __name__ == "__main__":
    load_profile()
    {"submit": submit_all, "wait": wait}[sys.argv[1]](int(sys.argv[2]))
