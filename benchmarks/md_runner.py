"""What the MD runner costs beside a bare ASE loop with the same calculator: ``python benchmarks/md_runner.py``.

Both take the same steps from the same start and keep a frame every ten steps. The runner writes, besides, a
thermodynamic row at every step (with the largest force and the charge current), watches for explosions, for the
end of its time and for signals, and replaces its progress and restart files. The bare loop is ASE's own
``Bussi.run`` with one observer that copies positions. Repeats alternate in one process; the median ratio counts.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
ENGINES = Path(os.environ.get("AIIDA_ION_ENGINES", REPOSITORY / ".engines"))
SETTINGS = {"temperature_K": 60.0, "timestep_fs": 1.0, "sample_every": 10, "restart_every_seconds": 2.0}


def cases(name: str) -> tuple[Any, Any]:
    """Return the atoms and the potential inputs of a benchmark case."""
    from ase.build import bulk

    from aiida_ion.runners.run_inputs import PotentialInputs

    if name == "sevenn":
        return bulk("LiF", "rocksalt", a=4.0).repeat((2, 1, 1)), PotentialInputs("sevenn")
    if name == "emt":
        return bulk("Cu", cubic=True), PotentialInputs("emt")
    lennard_jones = PotentialInputs("lj", kwargs={"sigma": 3.4, "epsilon": 0.0104, "rc": 6.8})
    return bulk("Ar", "fcc", a=5.3, cubic=True).repeat(3), lennard_jones


def prepared(name: str, n_steps: int) -> tuple[Any, Any]:
    """Return atoms with momenta and an evaluated calculator, and the settings."""
    from ase import units

    from aiida_ion.runners.potentials import load_potential
    from aiida_ion.settings.md import MdSettings
    from aiida_ion.starting_velocities import starting_velocities

    atoms, inputs = cases(name)
    atoms.calc = load_potential(inputs, atoms.numbers).calculator
    atoms.set_velocities(starting_velocities(atoms.get_masses(), 60.0, 1) / units.fs)
    for _ in range(3):
        atoms.calc.calculate(atoms, ["energy", "forces"])
    atoms.get_forces()
    return atoms, MdSettings(n_steps=n_steps, **SETTINGS)  # type: ignore[arg-type]


def bare_seconds(atoms: Any, settings: Any) -> tuple[float, float]:
    """Return wall and processor time of ASE's own loop, s."""
    import numpy as np
    from ase import units
    from ase.md.bussi import Bussi

    dynamics = Bussi(atoms, units.fs, 60.0, taut=100 * units.fs, rng=np.random.default_rng(1))
    frames: list[Any] = []
    dynamics.attach(lambda: frames.append(atoms.get_positions()), interval=10)
    begin, begin_cpu = time.perf_counter(), time.process_time()
    dynamics.run(settings.n_steps)
    return time.perf_counter() - begin, time.process_time() - begin_cpu


def runner_seconds(atoms: Any, settings: Any) -> tuple[float, float]:
    """Return wall and processor time of the runner's loop with all that it writes, s."""
    import numpy as np

    from aiida_ion.runners.dynamics.ensembles import make_integrator
    from aiida_ion.runners.dynamics.recorder import Recorder
    from aiida_ion.runners.dynamics.simulation import Simulation
    from aiida_ion.runners.output import Ledger
    from aiida_ion.runners.stops import StopSignal

    integrator = make_integrator(atoms, settings)
    recorder = Recorder(Path(), settings, len(atoms), 0, True, None)
    simulation = Simulation(atoms, settings, integrator, recorder, np.ones(len(atoms)), 0, "", StopSignal())
    begin, begin_cpu = time.perf_counter(), time.process_time()
    simulation.measure()
    simulation.run(Ledger(), float("inf"))
    simulation.save()
    recorder.finish()
    return time.perf_counter() - begin, time.process_time() - begin_cpu


def compare(name: str, n_steps: int, repeats: int) -> str:
    """Return one row of the table, measured in this process."""
    ratios, cpu_ratios, bare_ms, runner_ms = [], [], [], []
    for repeat in range(repeats):
        wall, cpu = {}, {}
        order = ("bare", "runner") if repeat % 2 == 0 else ("runner", "bare")
        for kind in order:
            atoms, settings = prepared(name, n_steps)
            wall[kind], cpu[kind] = (bare_seconds if kind == "bare" else runner_seconds)(atoms, settings)
        ratios.append(wall["runner"] / wall["bare"])
        cpu_ratios.append(cpu["runner"] / cpu["bare"])
        bare_ms.append(1e3 * wall["bare"] / n_steps)
        runner_ms.append(1e3 * wall["runner"] / n_steps)
    middle = [f"{statistics.median(values):.3f}" for values in (bare_ms, runner_ms, ratios, cpu_ratios)]
    low, _, high = statistics.quantiles(ratios, n=4)
    return f"| {name} | {len(atoms)} | {' | '.join(middle)} | {low:.3f} to {high:.3f} |"


def measure_here(name: str, n_steps: int, repeats: int) -> None:
    """Measure one case in the present interpreter and print its row alone."""
    sys.path.insert(0, str(REPOSITORY))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with redirect_stdout(io.StringIO()):
            row = compare(name, n_steps, repeats)
        os.chdir(REPOSITORY)
    print(row)


def main() -> None:
    parser = argparse.ArgumentParser(description="Cost of the MD runner beside a bare ASE loop.")
    parser.add_argument("--cases", nargs="+", default=["lj", "emt", "sevenn"], choices=["lj", "emt", "sevenn"])
    parser.add_argument("--steps", type=int, default=600, help="steps of lj and emt; sevenn takes a twentieth")
    parser.add_argument("--repeats", type=int, default=21)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        measure_here(options.cases[0], options.steps, options.repeats)
        return
    print(
        "| case | atoms | bare ASE, ms/step | runner, ms/step | ratio of wall times | of processor times | quartiles |"
    )
    print("|---|---|---|---|---|---|---|")
    for name in options.cases:
        python = ENGINES / "sevenn" / "bin" / "python" if name == "sevenn" else Path(sys.executable)
        if not python.exists():
            print(f"| {name} | no engine environment | | | | | |")
            continue
        steps = max(options.steps // 20, 10) if name == "sevenn" else options.steps
        command = [python, __file__, "--here", "--cases", name, "--steps", str(steps)]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
        subprocess.run([*command, "--repeats", str(options.repeats)], check=True, env=environment)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
