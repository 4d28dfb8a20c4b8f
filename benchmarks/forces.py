"""What batches of frames gain over the ASE calculator: ``python benchmarks/forces.py``.

Both evaluate the same rattled frames of alpha-Li3N with the same loaded model, in this order and in that, in one
process; the median of the ratios counts. The calculator gives stress as well (and CHGNet magnetic moments), which
nobody asked for: batches of one frame show what that costs. Each batch size has a process of its own, whose largest
memory is in the last column.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
ENGINES = Path(os.environ.get("AIIDA_ION_ENGINES", REPOSITORY / ".engines"))
CELL = [3.648, 3.648, 3.875, 90, 90, 120]
SITES = [(0, 0, 0.5), (1 / 3, 2 / 3, 0), (2 / 3, 1 / 3, 0), (0, 0, 0)]


def rattled(repeat: int, n_frames: int) -> list[Any]:
    """Return frames of a supercell of Li3N, none like another."""
    from ase import Atoms

    frames = []
    for seed in range(n_frames):
        frames.append(Atoms("Li3N", scaled_positions=SITES, cell=CELL, pbc=True).repeat(repeat))
        frames[-1].rattle(0.08, seed=seed)
    return frames


def seconds(evaluate: Callable[[], Any]) -> float:
    """Return the wall time of an evaluation, s."""
    begin = time.perf_counter()
    evaluate()
    return time.perf_counter() - begin


def compare(name: str, repeat: int, batch_size: int, n_frames: int, repeats: int, device: str) -> str:
    """Return one row of the table, measured in this process."""
    from aiida_ion.runners.batches import batch_of, one_by_one
    from aiida_ion.runners.potentials import load_potential
    from aiida_ion.runners.run_inputs import PotentialInputs

    frames = rattled(repeat, n_frames)
    calculator = load_potential(PotentialInputs(name, device=device), frames[0].numbers).calculator
    in_batches = batch_of(name, calculator)
    assert in_batches is not None

    def batches() -> None:
        for start in range(0, n_frames, batch_size):
            in_batches(frames[start : start + batch_size])

    def calculators() -> None:
        one_by_one(calculator, frames)

    for warm_up in (batches, calculators):
        warm_up()
    spent: dict[Any, list[float]] = {batches: [], calculators: []}
    for number in range(repeats):
        for evaluate in (batches, calculators) if number % 2 else (calculators, batches):
            spent[evaluate].append(seconds(evaluate))
    ratios = [one / many for one, many in zip(spent[calculators], spent[batches], strict=True)]
    rates = [f"{n_frames / statistics.median(times):.2f}" for times in (spent[calculators], spent[batches])]
    low, middle, high = statistics.quantiles(ratios, n=4)
    peak_MiB = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    words = [name, len(frames[0]), batch_size, *rates, f"{middle:.2f}", f"{low:.2f} to {high:.2f}", f"{peak_MiB:.0f}"]
    return f"| {' | '.join(map(str, words))} |"


def main() -> None:
    parser = argparse.ArgumentParser(description="Batches of frames beside the ASE calculator.")
    parser.add_argument("--potentials", nargs="+", default=["sevenn", "chgnet"], choices=["sevenn", "chgnet"])
    parser.add_argument("--cells", nargs="+", type=int, default=[1, 2], help="the cell of 4 atoms, so often each way")
    parser.add_argument("--batch-sizes", nargs="+", type=int, default=[1, 2, 4, 8, 16])
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        sys.path.insert(0, str(REPOSITORY))
        case = (options.potentials[0], options.cells[0], options.batch_sizes[0], options.frames, options.repeats)
        with redirect_stdout(io.StringIO()):
            row = compare(*case, options.device)
        print(row)
        return
    print("| potential | atoms | batch size | ASE, frames/s | batches, frames/s | ratio | quartiles | peak MiB |")
    print("|---|---|---|---|---|---|---|---|")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    given = ["--frames", str(options.frames), "--repeats", str(options.repeats), "--device", options.device]
    for name in options.potentials:
        python = ENGINES / name / "bin" / "python"
        if not python.exists():
            print(f"| {name} | no engine environment | | | | | | |")
            continue
        for case in [(cell, size) for cell in options.cells for size in options.batch_sizes]:
            command = [python, __file__, "--here", "--potentials", name, *given]
            command += ["--cells", str(case[0]), "--batch-sizes", str(case[1])]
            subprocess.run(command, check=True, env=environment)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
