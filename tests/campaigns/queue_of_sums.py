"""Queues of slow sums on the daemon of the default profile: a program of a test.

python queue_of_sums.py run 4 0.5
python queue_of_sums.py submit 4 5.0
"""

from __future__ import annotations

import signal
import sys

from aiida import load_profile, orm

from aiida_ion.campaigns.queueing import run_all, submit_queue
from aiida_ion.workchains.queue.plans import QueuedProcess


def sums(n_sums: int, sleep_s: float) -> list[QueuedProcess]:
    computer = orm.load_computer("localhost")
    query = orm.QueryBuilder().append(orm.InstalledCode, filters={"label": "add"})
    code = query.first(flat=True) or orm.InstalledCode(
        label="add", computer=computer, filepath_executable="/bin/bash", default_calc_job_plugin="core.arithmetic.add"
    )
    # The template of the job has no room for a sleep, so it is part of the scheduler's script.
    options = {"resources": {"num_machines": 1}, "prepend_text": f"sleep {sleep_s}"}
    return [
        QueuedProcess(
            str(number),
            "core.arithmetic.add",
            {"code": code, "x": orm.Int(number), "y": orm.Int(1), "metadata": {"options": options}},
        )
        for number in range(n_sums)
    ]


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a shell started us in the background
    load_profile()
    what, n_sums, sleep_s = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    if what == "submit":
        say(str(submit_queue(sums(n_sums, sleep_s), 2).pk))
    else:
        try:
            nodes = run_all(sums(n_sums, sleep_s), 2, say)
        except KeyboardInterrupt:
            sys.exit(3)
        say(f"sums {[node.outputs.sum.value for node in nodes]}")
