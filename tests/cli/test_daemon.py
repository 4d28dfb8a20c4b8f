"""A daemon that was killed is told from one that runs, and is started again; nothing here is faked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.cli.conftest import Shell

OPTIONS = (
    "from aiida import load_profile; from aiida.manage.configuration import get_config_option as get\n"
    "load_profile()\n"
    "print(get('daemon.timeout'), get('daemon.default_workers'))\n"
)
#: A job that is stored as waiting, as a submitted one is.
WAITING = (
    "from aiida import load_profile, orm; load_profile()\n"
    "node = orm.CalcJobNode(process_type='aiida.calculations:ion.mlip_md', computer=orm.load_computer('localhost'))\n"
    "node.set_process_state('waiting'); node.store(); print(node.pk)\n"
)


def python(folder: Path, program: str) -> str:
    environment = {**os.environ, "AIIDA_PATH": str(folder)}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.strip()


def daemon_processes(folder: Path) -> list[psutil.Process]:
    """Return what the daemon of this folder runs: circus, its workers, its broker."""
    pid = int(next((folder / ".aiida" / "daemon").glob("circus-*.pid")).read_text())
    circus = psutil.Process(pid)
    return [circus, *circus.children(recursive=True)]


def kill_all(processes: list[psutil.Process]) -> None:
    for process in processes:
        process.send_signal(signal.SIGKILL)
    psutil.wait_procs(processes, timeout=20)


@pytest.fixture
def killed_at_the_end(tmp_path: Path) -> Iterator[None]:
    yield
    for path in (tmp_path / ".aiida" / "daemon").glob("circus-*.pid"):
        if psutil.pid_exists(int(path.read_text())):
            kill_all(daemon_processes(tmp_path))


@pytest.mark.slow
@pytest.mark.usefixtures("killed_at_the_end")
def test_a_killed_daemon_is_noticed_and_started_again(shell: Shell, tmp_path: Path) -> None:
    said = shell("setup", "--workers", "1")
    assert "Daemon: started with 1 worker" in said
    assert python(tmp_path, OPTIONS) == "30 1"
    assert "Daemon: runs already with 1 worker" in shell("setup", "--workers", "1")
    first = daemon_processes(tmp_path)
    assert len(first) >= 3
    python(tmp_path, WAITING)
    assert "Nothing goes on" not in shell("status")

    kill_all(first)
    told = shell("status")
    assert f"Nothing goes on: the daemon has died: its process {first[0].pid} is gone" in told
    assert "start it again with 'aiida-ion setup -p ion'" in told
    assert "Last heard of these processes: 20" in told
    again = shell("setup", "--workers", "1")
    assert f"Daemon: had died (process {first[0].pid} is gone), started with 1 worker" in again
    assert not {one.pid for one in daemon_processes(tmp_path)} & {one.pid for one in first}
    assert "Daemon: runs already with 1 worker" in shell("setup", "--workers", "1")


@pytest.mark.usefixtures("killed_at_the_end")
def test_a_number_that_another_process_got_is_no_daemon(shell: Shell, tmp_path: Path) -> None:
    shell("setup", "--no-daemon")
    folder = tmp_path / ".aiida" / "daemon"
    (folder / "circus-ion.pid").write_text(str(os.getpid()))
    python(tmp_path, WAITING)
    assert f"the daemon has died: its process {os.getpid()} is gone" in shell("status")


@pytest.mark.slow
@pytest.mark.usefixtures("killed_at_the_end")
def test_a_daemon_that_stands_still_is_not_started_twice(shell: Shell, tmp_path: Path) -> None:
    shell("setup", "--workers", "1")
    circus = daemon_processes(tmp_path)[0]
    python(tmp_path, WAITING)
    circus.suspend()
    try:
        time.sleep(0.1)
        assert f"the daemon, process {circus.pid}, does not answer" in shell("status")
    finally:
        circus.resume()
    assert "Nothing goes on" not in shell("status")
