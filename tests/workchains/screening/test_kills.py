"""A screening that is killed at twenty random times and started again decides as one that never was."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Shell, shell

__all__ = ["shell"]
ROOT = Path(__file__).parents[3]
PROGRAM = Path(__file__).with_name("killed_program.py")
N_KILLS = 20


def _start(folder: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "AIIDA_PATH": str(folder), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, str(PROGRAM)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
        cwd=folder,
        start_new_session=True,
    )


def _decisions(folder: Path) -> list[Any]:
    output, _ = _start(folder).communicate(timeout=900)
    decisions: list[Any] = json.loads(output.strip().splitlines()[-1])
    return decisions


@pytest.mark.slow
def test_kills_change_no_decision(shell: Shell, tmp_path: Path) -> None:
    shell("setup", "--no-daemon")
    began = time.monotonic()
    undisturbed = _start(tmp_path)
    undisturbed.wait(timeout=900)
    whole_s = time.monotonic() - began
    expected = json.loads(undisturbed.stdout.read().strip().splitlines()[-1])  # type: ignore[union-attr]
    assert {entry[1] for entry in expected} >= {"pass", "fail"}

    disturbed = tmp_path / "disturbed"
    disturbed.mkdir()
    shell("setup", "--no-daemon", AIIDA_PATH=str(disturbed))
    chance = random.Random(1)
    n_killed = 0
    for _ in range(N_KILLS):
        program = _start(disturbed)
        try:
            program.wait(timeout=chance.uniform(0.05, 0.35) * whole_s)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)
            program.wait()
            n_killed += 1
    assert n_killed >= N_KILLS // 3  # the later ones find most results, and may end before they are killed
    assert _decisions(disturbed) == expected
