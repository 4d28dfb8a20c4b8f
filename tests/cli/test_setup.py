"""`aiida-ion setup` on an empty machine: a configuration folder of its own, other processes, nothing faked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ase.build import bulk
from ase.io import write

from tests.cli.conftest import Shell
from tests.conftest import engine_environment


def test_setup_makes_everything_and_does_it_once(shell: Shell, tmp_path: Path) -> None:
    output = shell("setup", "--no-daemon")
    assert "Profile ion: made, SQLite, ZeroMQ broker, caching on" in output
    assert "Computer localhost: made" in output
    assert f"Code kinisi@localhost: registered ({sys.executable})" in output
    assert "No engine in" in output
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


@pytest.mark.slow
def test_from_an_empty_machine_to_a_table(shell: Shell, tmp_path: Path) -> None:
    """Daemon, LAMMPS, fits and the table, as the README tells it."""
    (tmp_path / "engines" / "lammps").symlink_to(engine_environment("lammps").resolve())
    output = shell("setup", "--workers", "8")
    assert "SQLite supports 2 daemon workers" in output
    assert "Daemon: started with 2 workers" in output
    assert "Daemon: runs already" in shell("setup")
    write(tmp_path / "CaF2.cif", bulk("CaF2", "fluorite", a=5.46, cubic=True))
    times = ["--time-ps", "2", "--equilibration-ps", "0.2", "--timestep-fs", "2", "--sample-every", "5"]
    cell = ["--temperatures", "1500,1900", "--supercell", "1,1,1", "--potential", "gillan-caf2-1986"]
    output = shell(
        "run", "CaF2.cif", "--engine", "lammps", "--protocol", "fast", *times, *cell, "--group", "first", "--wait"
    )
    assert "finished in" in output
    assert "Diffusion at each temperature" in output
    assert output.count("no diffusion detected") == 2
    assert "classical/Gillan-1986" in shell("table")
    assert "0 active" in shell("status")
