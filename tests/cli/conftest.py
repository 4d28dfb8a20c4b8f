"""The command line as a person uses it, on the throw-away profile of the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiida import orm
from ase.io import write
from click.testing import CliRunner, Result

from aiida_ion.cli.main import cli

Invoke = Callable[..., Result]
Shell = Callable[..., str]
#: The smallest file of weights: the length of a header, and the header.
SAFETENSORS = (2).to_bytes(8, "little") + b"{}"
PROGRAM = "from aiida_ion.cli.main import cli; cli()"


@pytest.fixture
def invoke(aiida_profile_clean: object) -> Invoke:
    """Return a function that runs a command line and, unless told otherwise, wants it to succeed."""

    def run(*arguments: object, code: int = 0) -> Result:
        result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
        assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
        return result

    return run


@pytest.fixture
def lj_engine(invoke: Invoke, aiida_localhost: orm.Computer) -> str:
    """Register Lennard-Jones in this very Python as an engine, and this Python for the fits."""
    from aiida_ion.engines.fits import register_diffusion_code

    register_diffusion_code()
    invoke("engine", "add", "toy", "--python", sys.executable, "--potential", "lj")
    return "toy"


@pytest.fixture
def crystal_file(lithium_nitride: orm.StructureData, tmp_path: Path) -> Path:
    """Write alpha-Li3N as a CIF."""
    path = tmp_path / "Li3N.cif"
    write(path, lithium_nitride.get_ase())
    return path


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """Return a function that runs ``aiida-ion`` on an empty machine: AiiDA's folder is new, no scripts on PATH.

    Keywords other than ``code`` are environment variables.
    """
    engines = tmp_path / "engines"
    engines.mkdir()
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "AIIDA_PATH": str(tmp_path), "OMP_NUM_THREADS": "1"}
    environment |= {"AIIDA_ION_ENGINES": str(engines)}
    environment |= {name: value for name, value in os.environ.items() if name == "PYTHONPATH"}

    started = False

    def run(*arguments: object, code: int = 0, **variables: str) -> str:
        nonlocal started
        started = started or (arguments[0] == "setup" and "--no-daemon" not in arguments)
        words = [sys.executable, "-c", PROGRAM, *map(str, arguments)]
        done = subprocess.run(
            words, capture_output=True, text=True, check=False, env=environment | variables, cwd=tmp_path
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    yield run
    verdi = [str(Path(sys.executable).parent / "verdi"), "daemon", "stop", "--all"]
    if started:
        subprocess.run(verdi, capture_output=True, check=False, env=environment | {"PATH": os.environ["PATH"]})


def only_line(result: Result) -> str:
    """Return the one line that a failure may have."""
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]
