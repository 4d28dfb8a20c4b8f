"""Queues on a daemon: stopped, restarted, found again, killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Shell, shell

__all__ = ["shell"]
PROGRAM = Path(__file__).parent / "queue_of_sums.py"
N_SUMS = 5
TIMEOUT_S = 200


@pytest.mark.slow
def test_a_queue_outlives_its_command_and_the_daemon_and_can_be_killed(shell: Shell, tmp_path: Path) -> None:
    bin_folder = Path(sys.executable).parent
    path = f"{bin_folder}{os.pathsep}{os.environ['PATH']}"  # the daemon looks for verdi there
    environment = {**os.environ, "AIIDA_PATH": str(tmp_path), "PYTHONUNBUFFERED": "1", "PATH": path}
    command = [sys.executable, str(PROGRAM), "run", str(N_SUMS), "15.0"]

    def python(*arguments: object) -> str:
        words = [sys.executable, *map(str, arguments)]
        done = subprocess.run(words, check=False, capture_output=True, text=True, env=environment, cwd=tmp_path)
        assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
        return done.stdout

    def verdi(*arguments: str) -> str:
        return python(bin_folder / "verdi", *arguments)

    def processes() -> list[dict[str, str]]:
        rows: list[dict[str, str]] = json.loads(
            python(
                "-c",
                "import json; from aiida import load_profile, orm; load_profile(); "
                "print(json.dumps([{'pk': n.pk, 'kind': n.process_label, 'state': n.process_state.value} "
                "for n in orm.QueryBuilder().append(orm.ProcessNode).all(flat=True)]))",
            )
        )
        return rows

    def until(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + TIMEOUT_S
        while not condition():
            assert time.monotonic() < end, verdi("process", "list", "-a")
            time.sleep(0.5)

    def n_of(kind: str, *states: str) -> int:
        return sum(kind in row["kind"] and (not states or row["state"] in states) for row in processes())

    shell("setup", "--workers", "2")
    verdi("config", "set", "daemon.timeout", "60")  # two seconds are not enough on a busy machine
    program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=tmp_path)
    until(lambda: n_of("Add") >= 2)
    program.send_signal(signal.SIGINT)
    output, _ = program.communicate(timeout=TIMEOUT_S)
    assert program.returncode == 3, output
    assert "the same command again waits for it" in output
    verdi("daemon", "stop")
    verdi("daemon", "start", "2")
    output = python(*command[1:])
    assert "of before goes on" in output
    assert output.strip().endswith("sums [1, 2, 3, 4, 5]")
    assert (n_of("Add"), n_of("Queue")) == (N_SUMS, 1)

    n_more = 4 * N_SUMS  # so many that the kill arrives before the last has started, also on a busy machine
    queue = python(PROGRAM, "submit", n_more, "20.0").strip()
    until(lambda: n_of("Add", "finished") > N_SUMS and n_of("Add", "waiting") >= 2)
    verdi("process", "kill", queue)
    until(lambda: n_of("Queue", "killed") == 1)
    until(lambda: n_of("Add", "waiting", "running", "created") == 0)
    assert n_of("Add", "killed") >= 1
    assert n_of("Add") < N_SUMS + n_more
