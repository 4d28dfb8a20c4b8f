"""A daemon that is stopped and started in the middle of pw.x's steps loses none of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.quantumespresso_fixtures import NAMELISTS, pseudo_paths, pw_executable

BIN = Path(sys.executable).parent
N_STEPS = 40

SUBMIT = """
import json, sys
from aiida import orm
from aiida.engine import submit
from aiida.plugins import DataFactory, WorkflowFactory
from ase.build import bulk

given = json.loads(sys.argv[1])
atoms = bulk("OLi2", "fluorite", a=4.62)
atoms.rattle(0.02, seed=3)
kpoints = orm.KpointsData()
kpoints.set_kpoints_mesh([2, 2, 2], offset=[0.5, 0.5, 0.5])
computer = orm.load_computer("localhost")
code = orm.InstalledCode(computer=computer, filepath_executable=given["executable"], label="pw").store()
pseudos = {element: DataFactory("pseudo.upf")(path) for element, path in given["pseudos"].items()}
node = submit(
    WorkflowFactory("ion.md.quantumespresso"),
    structure=orm.StructureData(ase=atoms),
    parameters=orm.Dict(given["settings"]),
    engine={"code": code, "pseudos": pseudos, "kpoints": kpoints, "namelists": orm.Dict(given["namelists"])},
)
print(node.pk)
"""
ASK = """
import json, sys
from aiida import orm

node = orm.load_node(int(sys.argv[1]))
steps = {}
if node.is_terminated:
    for namespace in ("trajectories", "thermo"):
        parts = node.outputs[namespace]
        steps[namespace] = [step for label in sorted(parts) for step in parts[label].get_array("steps").tolist()]
print(json.dumps({"ended": node.is_terminated, "exit": node.exit_status, "steps": steps}))
"""


def wait_for(what: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.1)


@pytest.fixture
def verdi(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Return a function that types a command of AiiDA in a fresh home; the daemon is stopped at the end."""
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"AIIDA_PATH": str(tmp_path), "OMP_NUM_THREADS": "1", "PATH": path}

    def run(*words: str, check: bool = True) -> str:
        command = [str(BIN / "verdi"), *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert done.returncode == 0 or not check, done.stdout + done.stderr
        return done.stdout if done.returncode == 0 else ""

    run("presto", "-n", "-p", "daemon", "--use-zeromq")
    run("config", "set", "daemon.timeout", "60")  # two seconds are not enough on a busy machine
    run("daemon", "start", "1")
    yield run
    wait_for(lambda: bool(run("daemon", "stop", check=False)), 300)


@pytest.mark.slow
def test_no_step_is_lost_when_the_daemon_stops(verdi: Callable[..., str], tmp_path: Path) -> None:
    given = {
        "executable": pw_executable(),
        "pseudos": {element: str(path) for element, path in pseudo_paths().items()},
        "namelists": NAMELISTS,
        "settings": {"temperature_K": 300.0, "timestep_fs": 2.0, "n_steps": N_STEPS, "sample_every": 5},
    }
    (tmp_path / "submit.py").write_text(SUBMIT)
    (tmp_path / "ask.py").write_text(ASK)
    pk = verdi("run", "submit.py", json.dumps(given)).strip()

    def steps_done() -> int:
        return sum(path.read_text().count("Ekin + Etot") for path in tmp_path.rglob("md.out"))

    wait_for(lambda: steps_done() >= 3, 300)
    verdi("daemon", "stop")
    assert steps_done() < N_STEPS, "it was stopped too late to disturb anything"
    verdi("daemon", "start", "1")
    answer: dict[str, Any] = {}

    def has_ended() -> bool:
        answer.update(json.loads(verdi("run", "ask.py", pk)))
        return bool(answer["ended"])

    wait_for(has_ended, 120)
    assert answer["exit"] == 0
    assert answer["steps"] == {"trajectories": list(range(0, N_STEPS + 1, 5)), "thermo": list(range(N_STEPS + 1))}
