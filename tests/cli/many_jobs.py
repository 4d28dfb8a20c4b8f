"""Submit short runs of argon in parallel to the daemon of the default profile, and wait: a program of a test.

python many_jobs.py 12
"""

from __future__ import annotations

import sys
import time

from aiida import load_profile, orm
from aiida.engine import submit
from aiida.plugins import CalculationFactory
from ase.build import bulk

TIMEOUT_S = 240


def main(n_jobs: int) -> None:
    load_profile()
    code = orm.InstalledCode(
        label="here", computer=orm.load_computer("localhost"), filepath_executable=sys.executable
    ).store()
    nodes = [submit(builder(code, seed)) for seed in range(n_jobs)]
    end = time.monotonic() + TIMEOUT_S
    while time.monotonic() < end and not all(node.is_terminated for node in nodes):
        time.sleep(0.5)
    print(f"{sum(node.is_finished_ok for node in nodes)} finished of {n_jobs}")


def builder(code: orm.InstalledCode, seed: int) -> object:
    made = CalculationFactory("ion.mlip_md").get_builder()
    made.code = code
    made.structure = orm.StructureData(ase=bulk("Ar", "fcc", a=5.4, cubic=True))
    made.potential = orm.Dict({"name": "lj", "kwargs": {"sigma": 3.4, "epsilon": 0.01}})
    settings = {"temperature_K": 50.0, "timestep_fs": 1.0, "n_steps": 1, "sample_every": 1, "seed": seed}
    made.parameters = orm.Dict(settings)
    return made


if __name__ == "__main__":
    main(int(sys.argv[1]))
