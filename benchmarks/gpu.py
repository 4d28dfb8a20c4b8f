"""Molecular dynamics one by one and in a batch: ``python benchmarks/gpu.py`` on a GPU, ``--device cpu`` for a ratio.

Both run the same replicas (rattled LiF and Li2O, other seeds) by the programs of the jobs, in one process with one
loaded model, in this order and in that; the loops alone are timed, without loading and start. Before anything is timed,
energies and forces of a batch are compared with the ASE calculator, and those of cuEquivariance kernels, where they are
installed, with the plain ones: what differs by more than rounding is said and not timed.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

REPOSITORY = Path(__file__).resolve().parents[1]
ENGINES = Path(os.environ.get("AIIDA_ION_ENGINES", REPOSITORY / ".engines"))
#: Largest difference that counts as rounding in single precision: eV per atom, and eV/angstrom.
ENERGY_EV_ATOM, FORCE_EV_A = 1e-5, 1e-4
HEADER = (
    "potential",
    "kernels",
    "device",
    "replicas",
    "atoms",
    "one by one, ms per step and replica",
    "batch, ms per step and replica",
    "ratio",
    "quartiles",
    "ratio of CPU time",
    "share of forces in the batch",
    "of which neighbours, ms per step and replica",
    "peak GPU MiB",
)


def cells(n_replicas: int, repeat: int) -> list[Any]:
    """Return the structures of the replicas, each rattled in its own way."""
    from ase.build import bulk

    kinds = [bulk("LiF", "rocksalt", a=4.03, cubic=True), bulk("Li2O", "fluorite", a=4.63, cubic=True)]
    made = [kinds[number % 2].repeat(repeat) for number in range(n_replicas)]
    for number, atoms in enumerate(made):
        atoms.rattle(0.03, seed=number)
    return made


def differences(frames: list[Any], name: str, plain: Any, other: Any) -> tuple[float, float]:
    """Return the largest differences between a calculator and batches of another: eV per atom, eV/angstrom."""
    import numpy as np

    from aiida_ion.runners.batches import batch_of, one_by_one

    in_batches = batch_of(name, other)
    if in_batches is None:
        raise SystemExit(f"{name} has no batches as it is set")
    one, many = one_by_one(plain, frames), in_batches(frames)
    sizes = np.array([len(frame) for frame in frames])
    force = max(float(np.abs(left - right).max()) for left, right in zip(one[1], many[1], strict=True))
    return float((np.abs(one[0] - many[0]) / sizes).max()), force


@contextlib.contextmanager
def timed(kind: type, spent: dict[str, float]) -> Iterator[None]:
    """Add up the wall and processor time of the loops of a class, s."""
    run = kind.run  # type: ignore[attr-defined]

    def measured(self: Any, *arguments: Any) -> Any:
        begin, cpu = time.perf_counter(), time.process_time()
        try:
            return run(self, *arguments)
        finally:
            spent["wall"] = spent.get("wall", 0.0) + time.perf_counter() - begin
            spent["cpu"] = spent.get("cpu", 0.0) + time.process_time() - cpu

    with patch.object(kind, "run", measured):
        yield


def run_singles(structures: list[Any], settings: list[dict[str, Any]], potential: dict[str, Any]) -> dict[str, float]:
    """Run each replica by itself; return the times of the loops, s."""
    from aiida_ion.runners.dynamics.segment import simulate
    from aiida_ion.runners.dynamics.simulation import Simulation
    from aiida_ion.runners.output import Ledger

    spent: dict[str, float] = {}
    for atoms, md in zip(structures, settings, strict=True):
        with tempfile.TemporaryDirectory() as place, contextlib.chdir(place), timed(Simulation, spent):
            Path("structure.json").write_text(json.dumps(content_of(atoms)))
            Path("inputs.json").write_text(json.dumps({"md": md, "potential": potential}))
            results: dict[str, Any] = {}
            simulate(results, Ledger())
            assert results["status"] == "finished", results
    return spent


def run_batch(structures: list[Any], settings: list[dict[str, Any]], potential: dict[str, Any]) -> dict[str, float]:
    """Run all replicas in a batch; return the times of its loop, and of its forces, s."""
    from aiida_ion.runners.dynamics.batch import BatchRun, simulate_batch
    from aiida_ion.runners.output import Ledger

    spent: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as place, contextlib.chdir(place), timed(BatchRun, spent):
        names = [f"r{number}" for number in range(len(structures))]
        Path("structures.json").write_text(json.dumps(dict(zip(names, map(content_of, structures), strict=True))))
        listed = [{"key": key, "structure": key, "md": md} for key, md in zip(names, settings, strict=True)]
        n_atoms = sum(map(len, structures))
        Path("inputs.json").write_text(
            json.dumps({"potential": potential, "replicas": listed, "atoms_at_once": n_atoms})
        )
        results: dict[str, Any] = {}
        simulate_batch(results, Ledger())
        assert results["status"] == "finished", results
        assert results["atoms_at_once"] == n_atoms, "memory ran out: give fewer replicas"
    return spent | {"forces": results["evaluation_s"]}


def content_of(atoms: Any) -> dict[str, Any]:
    """Return a structure as the programs read it."""
    return {
        "numbers": atoms.numbers.tolist(),
        "positions": atoms.positions.tolist(),
        "cell": atoms.cell.array.tolist(),
        "pbc": [True, True, True],
    }


def compare(options: argparse.Namespace) -> None:
    """Print the rows of one potential, measured in this process."""
    from aiida_ion.runners.potentials import load_potential
    from aiida_ion.runners.run_inputs import PotentialInputs

    structures = cells(options.replicas, options.repeat)
    numbers = [number for atoms in structures for number in atoms.numbers]
    kernels: dict[str, dict[str, Any]] = {"plain": {}}
    if importlib.util.find_spec("cuequivariance_torch") is not None and options.device.startswith("cuda"):
        kernels["cuEquivariance"] = {"enable_cueq": True}
    plain: Any = None
    for label, kwargs in kernels.items():
        inputs = {"name": options.potential, "device": options.device, "model": options.model, "kwargs": kwargs}
        loaded = load_potential(PotentialInputs(**inputs), numbers)
        plain = plain or loaded.calculator
        energy, force = differences(structures, options.potential, plain, loaded.calculator)
        print(f"# {label}: batch against calculator {energy:.1e} eV/atom, {force:.1e} eV/angstrom", file=sys.stderr)
        if energy > ENERGY_EV_ATOM or force > FORCE_EV_A:
            words = [
                options.potential,
                label,
                options.device,
                f"differs: {energy:.1e} eV/atom, {force:.1e} eV/angstrom",
            ]
            print_row([*words, *[""] * (len(HEADER) - len(words))])
            continue
        print_row([options.potential, label, options.device, *measure(options, structures, inputs, loaded)])


def measure(options: argparse.Namespace, structures: list[Any], inputs: dict[str, Any], loaded: Any) -> list[Any]:
    """Return the cells of a row behind the device."""
    shared = {"temperature_K": 600.0, "timestep_fs": 1.0, "sample_every": 10, "n_steps": options.steps}
    settings = [shared | {"seed": number} for number in range(len(structures))]
    spent: dict[Callable[..., Any], list[dict[str, float]]] = {run_singles: [], run_batch: []}
    modules = [f"aiida_ion.runners.dynamics.{name}.load_potential" for name in ("segment", "batch")]
    with contextlib.ExitStack() as stack:
        for module in modules:
            stack.enter_context(patch(module, lambda *_: loaded))
        for number in range(options.repeats + 1):
            for run in (run_singles, run_batch) if number % 2 else (run_batch, run_singles):
                result = run(structures, settings, inputs)
                if number:  # the first warms up
                    spent[run].append(result)
    pairs = list(zip(spent[run_singles], spent[run_batch], strict=True))
    ratios = [one["wall"] / many["wall"] for one, many in pairs]
    low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else [ratios[0]] * 3
    steps = 1e3 / (options.steps * len(structures))
    times = [f"{statistics.median(one['wall'] for one in spent[run]) * steps:.3g}" for run in (run_singles, run_batch)]
    cpu = statistics.median(one["cpu"] / many["cpu"] for one, many in pairs)
    share = statistics.median(many["forces"] / many["wall"] for _, many in pairs)
    sizes = sorted({len(atoms) for atoms in structures})
    atoms = f"{sizes[0]} to {sizes[-1]}" if len(sizes) > 1 else str(sizes[0])
    return [
        *(len(structures), atoms, *times, f"{middle:.2f}", f"{low:.2f} to {high:.2f}"),
        *(f"{cpu:.2f}", f"{share:.0%}", neighbours_ms(options.potential, loaded.calculator, structures)),
        peak_gpu_MiB(options.device),
    ]


def neighbours_ms(name: str, calculator: Any, frames: list[Any]) -> str:
    """Return the time in which the package finds the neighbours of a cell, on the processor, ms; of SevenNet alone."""
    if name != "sevenn":
        return "-"
    make_graph = importlib.import_module("sevenn.train.dataload").unlabeled_atoms_to_graph
    begin = time.perf_counter()
    for frame in frames:
        make_graph(frame, calculator.cutoff)
    return f"{1e3 * (time.perf_counter() - begin) / len(frames):.3g}"


def peak_gpu_MiB(device: str) -> str:  # noqa: N802
    """Return the largest memory of the GPU, MiB."""
    torch = sys.modules.get("torch")
    if torch is None or not device.startswith("cuda"):
        return "-"
    return f"{torch.cuda.max_memory_allocated() / 2**20:.0f}"


def print_row(words: list[Any]) -> None:
    """Print one row of the table."""
    print(f"| {' | '.join(map(str, words))} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Molecular dynamics one by one and in a batch.")
    parser.add_argument("--potentials", nargs="+", default=["sevenn", "mace", "chgnet"])
    parser.add_argument("--potential", help=argparse.SUPPRESS)
    parser.add_argument("--model", help="of a single potential; its default when not given")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--replicas", type=int, default=32)
    parser.add_argument("--repeat", type=int, default=2, help="cells of 8 and 12 atoms, so often each way")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--python", help="of an engine; by default that of each potential's environment")
    options = parser.parse_args()
    if options.potential:
        sys.path.insert(0, str(REPOSITORY))
        compare(options)
        return
    print_row(list(HEADER))
    print(f"|{'---|' * len(HEADER)}")
    sys.stdout.flush()
    names = ("device", "replicas", "repeat", "steps", "repeats")
    given = [word for name in names for word in (f"--{name}", str(getattr(options, name)))]
    given += ["--model", options.model] if options.model else []
    environment = {"OMP_NUM_THREADS": "1"} | os.environ | {"PYTHONWARNINGS": "ignore"}
    for name in options.potentials:
        python = Path(options.python or ENGINES / name / "bin" / "python")
        if not python.exists():
            print_row([name, "no engine environment", *[""] * (len(HEADER) - 2)])
            continue
        subprocess.run([python, __file__, "--potential", name, *given], check=True, env=environment)


if __name__ == "__main__":
    main()
