"""Why programs end: the words of real shells, programs and MPIs, and of schedulers as their manuals have them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aiida_ion.endings import find_ending
from tests.conftest import engine_environment


def errors_of(script: str, folder: Path, **more: str) -> str:
    """Run a shell script as a job is run, from a file, and return its error stream."""
    (folder / "_aiidasubmit.sh").write_text(f"#!/bin/bash\nexec 2> scheduler-stderr\n{script}\n")
    environment = os.environ | {"LC_ALL": "C"} | more
    subprocess.run(["bash", "_aiidasubmit.sh"], cwd=folder, check=False, capture_output=True, env=environment)
    return (folder / "scheduler-stderr").read_text(errors="replace")


PYTHON = f"'{sys.executable}'"


@pytest.mark.parametrize(
    ("script", "status", "words"),
    [
        (f"{PYTHON} -c 'import os; os.kill(os.getpid(), 9)' > out 2> err", None, "was killed from outside"),
        (f"{PYTHON} -c 'import os; os.kill(os.getpid(), 15)'", None, "('Terminated')"),
        (f"{PYTHON} -c 'import os; os.kill(os.getpid(), 11)' 2> err", "engine_failed", "Segmentation fault"),
        (f"{PYTHON} -c 'import os; os.kill(os.getpid(), 6)' 2> err", "engine_failed", "Aborted"),
        (f"{PYTHON} -c 'import os; os.kill(os.getpid(), 4)' 2> err", "engine_import_failed", "different processor"),
        ("/no/such/pw.x -in x.in", "engine_import_failed", "/no/such/pw.x: No such file or directory"),
        ("no-such-program", "engine_import_failed", "no-such-program: command not found"),
        ("/etc/passwd", "engine_import_failed", "Permission denied"),
        (f"{PYTHON} -c 'import no_such_module'", "engine_import_failed", "No module named 'no_such_module'"),
        (f"{PYTHON} -c 'open(\"no/such\")'", "engine_failed", "FileNotFoundError"),
        (f'ulimit -f 1; {PYTHON} -c \'open("big", "wb").write(bytes(10**6))\'', "disk_full", "File too large"),
        ("ulimit -f 1; dd if=/dev/zero of=big bs=1M count=1", "disk_full", "File size limit exceeded"),
        (f'{PYTHON} -c \'open("/dev/full", "wb").write(bytes(10**6))\'', "disk_full", "No space left on device"),
        (f"ulimit -v 400000; {PYTHON} -c 'bytearray(10**9)'", "out_of_memory", "MemoryError"),
        (f"{PYTHON} -c 'import warnings; warnings.warn(\"no accelerator\")'", None, "the reason is unknown"),
    ],
)
def test_what_a_shell_says(tmp_path: Path, script: str, status: str | None, words: str) -> None:
    ending = find_ending(errors_of(script, tmp_path))
    assert ending.status == status, ending
    assert words in ending.message
    assert "accelerator" not in ending.message


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("slurmstepd: error: *** JOB 1234 ON n01 CANCELLED AT 2026-01-01T00:00:00 DUE TO TIME LIMIT ***", "walltime"),
        ("=>> PBS: job killed: walltime 3620 exceeded limit 3600", "walltime"),
        ("TERM_RUNLIMIT: job killed after reaching LSF run time limit.", "walltime"),
        ("slurmstepd: error: Detected 1 oom_kill event in StepId=1234.batch.", "out_of_memory"),
        ("TERM_MEMLIMIT: job killed after reaching LSF memory usage limit.", "out_of_memory"),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB", "out_of_memory"),
        ("slurmstepd: error: *** JOB 1234 ON n01 CANCELLED AT 2026-01-01T00:00:00 ***", None),
        ("OSError: [Errno 122] Disk quota exceeded", "disk_full"),
        (
            "pw.x: error while loading shared libraries: libmkl_rt.so.2: cannot open shared object file",
            "engine_import_failed",
        ),
        ("lmp: /lib64/libc.so.6: version `GLIBC_2.34' not found (required by lmp)", "engine_import_failed"),
    ],
)
def test_what_schedulers_and_loaders_say(text: str, status: str | None) -> None:
    noise = "/site-packages/sevenn/util.py:12: UserWarning: no accelerator\n  warnings.warn(message)\n"
    ending = find_ending(noise + text + "\n" + noise)
    assert ending.status == status
    assert text.split(":", maxsplit=1)[0] in ending.message and "accelerator" not in ending.message


def test_the_disk_comes_before_the_crash_that_followed() -> None:
    text = "OSError: [Errno 28] No space left on device\nline 12: 99 Segmentation fault (core dumped) lmp"
    assert find_ending(text).status == "disk_full"


def open_mpi() -> str:
    """Return Open MPI's mpirun, or skip."""
    program = shutil.which("mpirun")
    output = (
        subprocess.run([program, "--version"], check=False, capture_output=True, text=True).stdout if program else ""
    )
    if "Open MPI" not in output:
        pytest.skip("no Open MPI on the PATH")
    return str(program)


AS_ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def test_a_program_of_mpich_under_open_mpi(tmp_path: Path) -> None:
    mpirun, folder = open_mpi(), engine_environment("lammps")
    script = f"export LD_LIBRARY_PATH={folder}/lib\n{mpirun} -np 2 {folder}/bin/lmp -h"
    ending = find_ending(errors_of(script, tmp_path, **AS_ROOT))
    assert ending.status == "mpi_failed", ending
    assert "the MPI library that the program was built with" in ending.message


@pytest.mark.parametrize(
    ("command", "status"),
    [("-np 1 /no/such/pw.x", "engine_import_failed"), ("-np 4096 true", "mpi_failed")],
)
def test_what_open_mpi_says(tmp_path: Path, command: str, status: str) -> None:
    assert find_ending(errors_of(f"{open_mpi()} {command}", tmp_path, **AS_ROOT)).status == status


def test_what_mpich_says(tmp_path: Path) -> None:
    mpiexec = engine_environment("lammps") / "bin" / "mpiexec"
    ending = find_ending(errors_of(f"{mpiexec} -np 1 /no/such/pw.x", tmp_path))
    assert ending.status == "engine_import_failed" and "/no/such" in ending.message
