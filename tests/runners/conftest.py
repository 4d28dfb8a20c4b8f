"""A working folder in which a runner program is run for real, by the Python of its engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from aiida_ion.calculations.programs import RUNNERS, program_files
from tests.runners.in_process import run_here

REPOSITORY = Path(__file__).resolve().parents[2]
ENGINES = Path(os.environ.get("AIIDA_ION_ENGINES", REPOSITORY / ".engines"))
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": ""}

MD = {"temperature_K": 300.0, "timestep_fs": 2.0, "n_steps": 40, "sample_every": 5, "seed": 7}
EMT = {"name": "emt"}
ARGON = {"name": "lj", "kwargs": {"sigma": 3.4, "epsilon": 0.0104, "rc": 7.5}}

ONE_AFTER_ANOTHER = """
import contextlib, os, runpy, sys
for folder in sys.argv[1:]:
    os.chdir(folder)
    with contextlib.suppress(SystemExit):
        runpy.run_module("aiida_ion.runners.md", run_name="__main__")
"""


def place(folder: Path, program: str) -> list[str]:
    """Write a program and what it imports, and no more of this package; return what Python is given to run it."""
    for name, content in program_files(program).items():
        if not (folder / name).exists():  # a test may have put its own there
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    return ["-m", f"{RUNNERS}.{program}"]


class Folder:
    """The working folder of one program run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    def write(self, atoms: Atoms, **inputs: Any) -> Folder:
        """Write ``structure.json`` and ``inputs.json``."""
        structure = {
            "numbers": atoms.numbers.tolist(),
            "positions": atoms.positions.tolist(),
            "cell": np.asarray(atoms.cell).tolist(),
            "pbc": [bool(value) for value in atoms.pbc],
        }
        (self.path / "structure.json").write_text(json.dumps(structure))
        (self.path / "inputs.json").write_text(json.dumps({"charges": {}, "max_seconds": None} | inputs))
        return self

    def start(self, program: str = "md", python: str = sys.executable) -> subprocess.Popen[str]:
        """Start the program."""
        return subprocess.Popen(
            [python, *place(self.path, program)],
            cwd=self.path,
            env=ENVIRONMENT,
            text=True,
            stdout=-1,
            stderr=subprocess.STDOUT,
        )

    def run(self, program: str = "md", python: str = "", fresh: bool = False) -> dict[str, Any]:
        """Run the program to its end and return its results.

        :param python: of an engine; by default the program runs in this process.
        :param fresh: whether it needs a process of its own all the same, as threads do.
        """
        if not (python or fresh):
            assert run_here(program, self.path) == 0
            return self.results()
        process = self.start(program, python or sys.executable)
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0, output
        return self.results()

    def run_with(self, others: Sequence[Folder], python: str, **environment: str) -> None:
        """Run the program in this folder and then in others, in one process of an engine, which starts once."""
        place(self.path, "md")
        command = [python, "-c", ONE_AFTER_ANOTHER, *(str(folder.path) for folder in (self, *others))]
        done = subprocess.run(
            command, cwd=self.path, env=ENVIRONMENT | environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def results(self) -> dict[str, Any]:
        """Return ``results.json``."""
        content: dict[str, Any] = json.loads((self.path / "results.json").read_text())
        return content

    def array(self, name: str) -> np.ndarray[Any, Any]:
        """Return one of the arrays, its valid rows."""
        array: np.ndarray[Any, Any] = np.load(self.path / f"{name}.npy", allow_pickle=False)
        return array

    def restart(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return the restart file."""
        with np.load(self.path / "restart.npz", allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[[str], Folder]:
    """Return a maker of working folders."""
    return lambda name: Folder(tmp_path / name)


@pytest.fixture
def copper() -> Atoms:
    """Return 32 copper atoms with one silver among them, off their sites."""
    atoms = bulk("Cu", cubic=True).repeat(2)
    atoms.symbols[0] = "Ag"
    atoms.rattle(0.02, seed=1)
    return atoms


@pytest.fixture
def argon() -> Atoms:
    """Return 32 argon atoms in a solid."""
    return bulk("Ar", "fcc", a=5.3, cubic=True).repeat(2)


def engine_python(name: str) -> str:
    """Return the Python of an engine environment, or skip."""
    python = ENGINES / name / "bin" / "python"
    if not python.exists():
        pytest.skip(f"the engine environment {name} is not installed")
    return str(python)


def md_settings(**changes: Any) -> Mapping[str, Any]:
    """Return MD settings, changed."""
    return MD | changes
