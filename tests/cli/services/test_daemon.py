"""A daemon that was killed is told from one that runs, and is started again; nothing here is faked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
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
        pid = int(path.read_text())
        if psutil.pid_exists(pid) and "start-circus" in psutil.Process(pid).cmdline():
            kill_all(daemon_processes(tmp_path))


@pytest.mark.slow
@pytest.mark.usefixtures("killed_at_the_end")
def test_a_killed_daemon_is_noticed_and_started_again(shell: Shell, tmp_path: Path) -> None:
    output = shell("setup", "--workers", "1")
    assert "Daemon: started with 1 worker" in output
    assert python(tmp_path, OPTIONS) == "30 1"
    assert "Daemon: runs already with 1 worker" in shell("setup", "--workers", "1")
    first = daemon_processes(tmp_path)
    assert len(first) >= 3
    python(tmp_path, WAITING)
    assert "Processes make no progress" not in shell("status")

    kill_all(first)
    told = shell("status")
    assert f"Processes make no progress: the daemon has died: its process {first[0].pid} is gone" in told
    assert "start it again with 'aiida-ion setup -p ion'" in told
    assert "Last heard of these processes: 20" in told
    again = shell("setup", "--workers", "1")
    assert f"Daemon: had died (process {first[0].pid} is gone), started with 1 worker" in again
    assert not {one.pid for one in daemon_processes(tmp_path)} & {one.pid for one in first}
    assert "Daemon: runs already with 1 worker" in shell("setup", "--workers", "1")


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Return a function that starts a process of the test's own that only sleeps, with words and a folder of AiiDA."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*words: str, home: Path = tmp_path / ".aiida") -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", "import time; time.sleep(600)", *words]
        started.append(subprocess.Popen(command, env={**os.environ, "AIIDA_PATH": str(home)}))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.parametrize("is_stopped", [False, True])
@pytest.mark.slow
def test_a_number_that_another_process_got_is_no_daemon(
    shell: Shell, tmp_path: Path, sleeper: Callable[..., subprocess.Popen[bytes]], is_stopped: bool
) -> None:
    shell("setup", "--no-daemon")
    pid_file = tmp_path / ".aiida" / "daemon" / "circus-ion.pid"
    python(tmp_path, WAITING)
    start_circus = ("daemon", "start-circus", "1")
    others = [
        sleeper(),
        sleeper("-p", "another", *start_circus),
        sleeper("-p", "ion", *start_circus, home=tmp_path / "elsewhere" / ".aiida"),
    ]
    for other in others[: 1 if is_stopped else None]:
        pid_file.write_text(str(other.pid))
        if is_stopped:
            verdi = str(Path(sys.executable).parent / "verdi")
            for words in (["config", "set", "daemon.timeout", "2"], ["daemon", "stop"]):  # nobody will answer it
                environment = {**os.environ, "AIIDA_PATH": str(tmp_path)}
                subprocess.run([verdi, *words], capture_output=True, check=False, env=environment)
            assert not pid_file.exists()
        else:
            assert f"the daemon has died: its process {other.pid} is gone" in shell("status")
    assert [other.poll() for other in others] == [None] * 3  # nothing ends a process by the number of a file


@pytest.mark.slow
@pytest.mark.usefixtures("killed_at_the_end")
def test_a_daemon_starts_where_that_of_another_profile_has_its_number(
    shell: Shell, tmp_path: Path, sleeper: Callable[..., subprocess.Popen[bytes]]
) -> None:
    shell("setup", "--no-daemon")
    other = sleeper("-p", "another", "daemon", "start-circus", "1")
    (tmp_path / ".aiida" / "daemon" / "circus-ion.pid").write_text(str(other.pid))
    assert f"Daemon: had died (process {other.pid} is gone), started with 1 worker" in shell("setup", "--workers", "1")
    assert other.poll() is None


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
    assert "Processes make no progress" not in shell("status")
