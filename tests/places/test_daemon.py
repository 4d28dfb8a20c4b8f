"""Two daemon workers share the places of a computer, also when the daemon is stopped in the middle."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Shell, shell

__all__ = ["shell"]
ROOT = Path(__file__).parents[2]
N_JOBS = 12


@pytest.mark.slow
def test_two_workers_and_a_restart_lose_nothing_and_start_no_more_than_may_run(shell: Shell, tmp_path: Path) -> None:
    path = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    environment = {**os.environ, "AIIDA_PATH": str(tmp_path), "PYTHONPATH": path}

    def python(*arguments: object) -> str:
        words = [sys.executable, *map(str, arguments)]
        done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment, cwd=tmp_path)
        return done.stdout + done.stderr

    def verdi(*arguments: str) -> str:
        return python(Path(sys.executable).parent / "verdi", *arguments)

    shell("setup", "--workers", "2", PYTHONPATH=path)
    shell("computer", "localhost", "--cores", "2")
    python("-m", "tests.places.submit_many", "submit", N_JOBS)
    end = time.monotonic() + 120
    while "Waiting for a place on localhost: 2 of 2 cores in use" not in verdi("process", "list"):
        assert time.monotonic() < end, verdi("process", "list")
    verdi("daemon", "stop")
    verdi("daemon", "start", "2")
    assert python("-m", "tests.places.submit_many", "wait", N_JOBS).strip() == (
        f"{N_JOBS} finished of {N_JOBS}, at most 2 at once"
    )
    assert shell("computer").split("\n")[2].split()[2:5] == ["0", "of", "2"]
