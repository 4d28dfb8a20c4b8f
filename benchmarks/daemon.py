"""What the engine costs: seconds of AiiDA for one MD job, through the daemon of a fresh profile.

    python benchmarks/daemon.py --jobs 10

Jobs of one MD step run one after another and in parallel; what their programs took themselves is taken off.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PROFILE = "ion-benchmark"
BIN = Path(sys.executable).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=10, help="jobs in each of the two runs (default 10)")
    n_jobs = parser.parse_args().jobs
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AIIDA_PATH"] = folder
        run("aiida-ion", "setup", "--profile-name", PROFILE)
        try:
            measure(n_jobs)
        finally:
            run("verdi", "-p", PROFILE, "daemon", "stop")


def run(*command: str) -> None:
    subprocess.run([str(BIN / command[0]), *command[1:]], check=True, stdout=subprocess.DEVNULL)


def measure(n_jobs: int) -> None:
    from aiida import load_profile, orm
    from aiida.engine import submit

    load_profile(PROFILE)
    code = orm.InstalledCode(
        label="here", computer=orm.load_computer("localhost"), filepath_executable=sys.executable
    ).store()
    print("| how | jobs | wall s per job | program s per job | engine s per job |")
    print("|---|---|---|---|---|")
    for how, group in (("one after another", 1), ("in parallel", n_jobs)):
        start = time.monotonic()
        nodes: list[Any] = []
        for first in range(0, n_jobs, group):
            batch = [submit(builder(code, seed)) for seed in range(first, min(first + group, n_jobs))]
            wait(batch)
            nodes += batch
        wall = (time.monotonic() - start) / n_jobs
        own = sum(node.outputs.cost["wall_time_s"] for node in nodes) / n_jobs
        print(f"| {how} | {n_jobs} | {wall:.2f} | {own:.2f} | {wall - own:.2f} |", flush=True)


def builder(code: Any, seed: int) -> Any:
    from aiida import orm
    from aiida.plugins import CalculationFactory
    from ase.build import bulk

    made = CalculationFactory("ion.mlip_md").get_builder()
    made.code = code
    made.structure = orm.StructureData(ase=bulk("Ar", "fcc", a=5.4, cubic=True))
    made.potential = orm.Dict({"name": "lj", "kwargs": {"sigma": 3.4, "epsilon": 0.01}})
    settings = {"temperature_K": 50.0, "timestep_fs": 1.0, "n_steps": 1, "sample_every": 1, "seed": seed}
    made.parameters = orm.Dict(settings)
    return made


def wait(nodes: list[Any]) -> None:
    while not all(node.is_terminated for node in nodes):
        time.sleep(0.1)
    failed = [node for node in nodes if not node.is_finished_ok]
    if failed:
        sys.exit(f"job {failed[0].pk} failed: {failed[0].exit_message}")


if __name__ == "__main__":
    main()
