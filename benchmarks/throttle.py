"""Many crystals at once: how many programs run at a time, and their memory, with limits and without.

    python benchmarks/throttle.py --crystals 20

Model crystals of argon, each a conductivity of two temperatures by Lennard-Jones, on a daemon of their own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from ase.build import bulk
from ase.io import write

PROGRAM = "from aiida_ion.cli.main import cli; cli()"
RUN = (
    *("--engine", "toy", "--protocol", "fast", "--temperatures", "80,90", "--time-ps", "0.8", "--no-relax"),
    *("--equilibration-ps", "0.1", "--timestep-fs", "2", "--sample-every", "4", "--supercell", "1,1,1"),
    *("--mobile-species", "Ar", "--charges", "Ar=0", "--wait"),
)
INTERVAL_S = 0.2


@dataclass
class Peak:
    """The most that was seen: programs of jobs at a time, their memory, MB, and the time it all took, s."""

    programs: int = 0
    memory_MB: float = 0.0
    wall_s: float = 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--crystals", type=int, default=20)
    given = parser.parse_args()
    print(f"{given.crystals} crystals, {len(os.sched_getaffinity(0))} cores")
    for limited in (False, True):
        peak = measure(given.crystals, limited)
        words = "within the limits" if limited else "without limits   "
        print(f"{words}: {peak.programs} programs at a time, {peak.memory_MB:.0f} MB, {peak.wall_s:.0f} s")


def measure(n_crystals: int, limited: bool) -> Peak:
    """Run the crystals and watch."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "AIIDA_PATH": home, "AIIDA_ION_ENGINES": f"{home}/engines", "OMP_NUM_THREADS": "1"}

        def words(*arguments: str) -> list[str]:
            return [sys.executable, "-c", PROGRAM, *arguments]

        def command(*arguments: str) -> None:
            subprocess.run(words(*arguments), check=True, env=environment, cwd=home, capture_output=True)

        for number in range(n_crystals):
            write(f"{home}/argon_{number:02d}.cif", bulk("Ar", "fcc", a=5.3 + 0.01 * number, cubic=True).repeat(2))
        command("setup", "--workers", "1")
        try:
            command("engine", "add", "toy", "--python", sys.executable, "--potential", "lj")
            if not limited:
                command("computer", "localhost", "--unlimited")
            files = sorted(str(path) for path in Path(home).glob("*.cif"))
            more = () if limited else ("--max-crystals", str(n_crystals))
            start = time.monotonic()
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            program = subprocess.Popen(words("run", *files, *RUN, *more), env=environment, cwd=home, **quiet)
            peak = watch(program, home)
            peak.wall_s = time.monotonic() - start
        finally:
            verdi = str(Path(sys.executable).parent / "verdi")
            subprocess.run([verdi, "daemon", "stop", "--all"], check=False, env=environment, capture_output=True)
    return peak


def watch(program: subprocess.Popen[bytes], home: str) -> Peak:
    """Look at the programs of jobs below a folder until a program has ended."""
    peak = Peak()
    while program.poll() is None:
        memory = [size for process in psutil.process_iter() if (size := job_memory(process, home))]
        peak.programs = max(peak.programs, len(memory))
        peak.memory_MB = max(peak.memory_MB, sum(memory) / 1e6)
        time.sleep(INTERVAL_S)
    return peak


def job_memory(process: psutil.Process, home: str) -> int:
    """Return the memory of a program of a job below a folder, bytes; 0 for other processes."""
    try:
        runs = "-m aiida_ion.runners." in " ".join(process.cmdline()) and process.cwd().startswith(home)
        return int(process.memory_info().rss) if runs else 0
    except psutil.Error:
        return 0


if __name__ == "__main__":
    main()
