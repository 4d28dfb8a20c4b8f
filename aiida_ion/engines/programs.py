"""Programs as a user names them: where they are, whether they are a Python, what they need to start."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path, PurePath


def absolute_program(executable: str, computer: str) -> str:
    """Return the absolute path of an executable; one on this machine may be named as the shell finds it.

    :raises ValueError: if the shell does not find it.
    """
    if PurePath(executable).is_absolute() or computer != "localhost":
        return executable
    path = shutil.which(executable)
    if path is None:
        raise ValueError(f"{executable} is not on the PATH; give its absolute path, or install it")
    return str(Path(path).absolute())


def mpi_as_root(computer: str, processes: int) -> str:
    """Return shell lines without which Open MPI refuses to start for root, as in a container; else nothing."""
    if computer != "localhost" or processes == 1 or os.geteuid() != 0:
        return ""
    return "export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1\n"


def is_python(program: str) -> bool:
    """Whether a program on this machine is a Python that runs."""
    try:
        done = subprocess.run([program, "-c", "print(6 * 7)"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.strip() == b"42"
