"""`aiida-ion setup` on an empty machine: a configuration folder of its own, other processes, nothing faked."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ase.build import bulk
from ase.io import write

from tests.conftest import engine_environment

Shell = Callable[..., str]
PROGRAM = "from aiida_ion.cli.main import cli; cli()"


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """Return a function that runs ``aiida-ion`` in an environment without scripts on PATH."""
    engines = tmp_path / "engines"
    engines.mkdir()
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "AIIDA_PATH": str(tmp_path), "OMP_NUM_THREADS": "1"}
    environment |= {"AIIDA_ION_ENGINES": str(engines)}

    started = False

    def run(*arguments: object, code: int = 0) -> str:
        nonlocal started
        started = started or (arguments[0] == "setup" and "--no-daemon" not in arguments)
        words = [sys.executable, "-c", PROGRAM, *map(str, arguments)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    yield run
    verdi = [str(Path(sys.executable).parent / "verdi"), "daemon", "stop", "--all"]
    if started:
        subprocess.run(verdi, capture_output=True, check=False, env=environment | {"PATH": os.environ["PATH"]})


def test_setup_makes_everything_and_does_it_once(shell: Shell, tmp_path: Path) -> None:
    said = shell("setup", "--no-daemon")
    assert "Profile ion: made, SQLite, ZeroMQ broker, caching on" in said
    assert "Computer localhost: made" in said
    assert f"Code kinisi@localhost: registered ({sys.executable})" in said
    assert "No engine in" in said
    program = (
        "from aiida import load_profile, orm; from aiida.manage.configuration import get_config_option as get\n"
        "load_profile()\n"
        "c = orm.load_computer('localhost')\n"
        "print(c.scheduler_type, c.get_minimum_job_poll_interval(), c.get_configuration()['safe_interval'])\n"
        "print(get('caching.enabled_for'), get('runner.poll.interval'))\n"
    )
    environment = {**os.environ, "AIIDA_PATH": str(tmp_path)}
    made = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert made.stdout.splitlines() == ["core.direct 1 0", "['aiida.calculations:ion.*'] 1"]

    (tmp_path / "engines" / "sevenn" / "bin").mkdir(parents=True)
    (tmp_path / "engines" / "sevenn" / "bin" / "python").symlink_to(sys.executable)
    again = shell("setup", "--no-daemon")
    assert again.count("there already") == 3
    assert "Engine sevenn@localhost: registered" in again
    line = shell("run", "x.cif", "--engine", "sevenn", code=1).strip()
    assert line == "Error: x.cif: no such file"
    other = shell("setup", "--no-daemon", "--profile-name", "second")
    assert "The default profile stays ion" in other


def test_a_database_that_does_not_answer_is_one_line(shell: Shell) -> None:
    said = shell("setup", "--no-daemon", "--postgres", "--postgres-port", "1", code=1).splitlines()
    assert said[-1].startswith("Error: no profile could be made: ")
    assert len(said) == 1
    assert "Error: there is no profile 'ion'" in shell("table", "-p", "ion", code=1)


@pytest.fixture
def postgres_port() -> Iterator[int]:
    """Start a PostgreSQL server with an empty database ``aiida_ion`` of the user ``aiida``."""
    binaries = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"))), None)
    if binaries is None:
        pytest.skip("no PostgreSQL server is installed")
    folder = Path(tempfile.mkdtemp(prefix="ion-postgres-"))
    as_user: list[str] = []
    if os.getuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])

    def call(program: str, *arguments: str) -> None:
        words = [*as_user, str(binaries / program), *arguments]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)

    data = ["-D", str(folder / "data")]
    call("initdb", *data, "-A", "trust", "--locale=C", "-E", "UTF8")
    call("pg_ctl", *data, "-w", "-o", f"-p {port} -k {folder}", "-l", str(folder / "log"), "start")
    try:
        for statement in ("create role aiida login password 'x'", "create database aiida_ion owner aiida"):
            call("psql", "-h", str(folder), "-p", str(port), "-d", "postgres", "-c", statement)
        yield port
    finally:
        call("pg_ctl", *data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
def test_postgresql_bears_more_workers(shell: Shell, postgres_port: int) -> None:
    said = shell("setup", "--postgres", "--postgres-port", postgres_port, "--postgres-password", "x", "--workers", 3)
    assert "Profile ion: made, PostgreSQL (aiida_ion)" in said
    assert "Daemon: started with 3 workers" in said
    shell("engine", "add", "toy", "--python", sys.executable, "--potential", "lj")
    assert "steps/s with 32 atoms" in shell("engine", "test", "toy")
    assert "toy" in shell("engine", "list")
    assert "test of toy: finished" in shell("status")


@pytest.mark.slow
def test_from_an_empty_machine_to_a_table(shell: Shell, tmp_path: Path) -> None:
    """Daemon, LAMMPS, fits and the table, as the README tells it."""
    (tmp_path / "engines" / "lammps").symlink_to(engine_environment("lammps").resolve())
    said = shell("setup", "--workers", "8")
    assert "SQLite bears 2 daemon workers" in said
    assert "Daemon: started with 2 workers" in said
    assert "Daemon: runs already" in shell("setup")
    write(tmp_path / "CaF2.cif", bulk("CaF2", "fluorite", a=5.46, cubic=True))
    times = ["--time-ps", "2", "--equilibration-ps", "0.2", "--timestep-fs", "2", "--sample-every", "5"]
    cell = ["--temperatures", "1500,1900", "--supercell", "1,1,1", "--potential", "gillan-caf2-1986"]
    said = shell(
        "run", "CaF2.cif", "--engine", "lammps", "--protocol", "fast", *times, *cell, "--group", "first", "--wait"
    )
    assert "finished in" in said
    assert "Diffusion at each temperature" in said
    assert said.count("did not move") == 2
    assert "classical/Gillan-1986" in shell("table")
    assert "0 active" in shell("status")
