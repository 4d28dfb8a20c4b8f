"""aiida-ion beside GEMDAT, pymatgen and plain kinisi on the same trajectories: ``python benchmarks/other_packages.py``.

``--seeds 40`` synthetic trajectories of known diffusivity of each kind, then two real ones, each package in a process
of its own. Prints Markdown tables. ``--only synthetic`` or ``--only real`` for a half.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import resource
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from packages import PACKAGES, Estimate, estimate
from real_runs import Run, argyrodite, lithium_oxide
from walkers import CUBIC, D_CM2_S, hopping, hopping_pairs, inert, trajectory

from aiida_ion.analysis.trajectories.trajectory import Segment

N_FRAMES = 500
RATTLE_A = 0.3
KINDS = {
    "independent hops": (hopping, 24),
    "pairs that hop together": (hopping_pairs, 24),
    "inert": (inert, 24),
}


class TimedEstimate(NamedTuple):
    """An estimate with its time, s, and the peak memory of its process before and after, MiB."""

    estimate: Estimate
    seconds: float
    before_MiB: float = np.nan
    peak_MiB: float = np.nan


def timed(name: str, run: Run) -> TimedEstimate:
    start = time.perf_counter()
    result = estimate(name, run)
    return TimedEstimate(result, time.perf_counter() - start)


def in_own_process(name: str, run: Run) -> TimedEstimate:
    """Once for the libraries, on a tenth of the frames, then for the time and the memory."""
    whole, few = run.segment, max(60, len(run.segment.times_ps) // 10)
    short = Segment(whole.positions[:few], whole.times_ps[:few], whole.cells)
    with contextlib.suppress(ValueError):  # too short for some; their libraries are there
        estimate(name, run._replace(segment=short))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    measured = timed(name, run)
    return measured._replace(before_MiB=before, peak_MiB=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0)


def real(name: str, run: Run) -> TimedEstimate:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(in_own_process, (name, run))


def synthetic(kind: str, n_seeds: int) -> dict[str, list[TimedEstimate]]:
    """Every package on every trajectory, side by side."""
    walk, n_ions = KINDS[kind]
    results: dict[str, list[TimedEstimate]] = {name: [] for name in PACKAGES}
    for seed in range(n_seeds):
        segment, symbols = trajectory(seed, walk(seed, N_FRAMES, n_ions), RATTLE_A, CUBIC)
        run = Run(segment, symbols, 800.0)
        for name in PACKAGES:
            results[name].append(timed(name, run))
    return results


def column(estimates: list[TimedEstimate], field: str) -> npt.NDArray[np.float64]:
    return np.array([getattr(one.estimate, field) for one in estimates], dtype=float)


def print_moving(kind: str, estimates: dict[str, list[TimedEstimate]]) -> None:
    print(f"\n{kind}, {len(estimates['aiida-ion'])} trajectories\n")
    print("| package | mean D/true | scatter | mean stated sd | 95 % interval holds D | time over aiida-ion's |")
    print("|---|---|---|---|---|---|")
    own = np.median([one.seconds for one in estimates["aiida-ion"]])
    for name, measured in estimates.items():
        value, std = column(measured, "value") / D_CM2_S, column(measured, "std") / D_CM2_S
        held = (column(measured, "low") <= D_CM2_S) & (column(measured, "high") >= D_CM2_S)
        stated = np.isfinite(std).any()
        says = f"{np.nanmean(std):.3f} | {held.mean():.0%}" if stated else "none | -"
        ratio = np.median([one.seconds for one in measured]) / own
        print(f"| {name} | {np.nanmean(value):.3f} | {np.nanstd(value, ddof=1):.3f} | {says} | {ratio:.2g} |")


def print_inert(estimates: dict[str, list[TimedEstimate]]) -> None:
    print(f"\ninert, {len(estimates['aiida-ion'])} trajectories\n")
    print("| package | gave a number above zero | largest, cm2/s | number more than two stated sd above zero |")
    print("|---|---|---|---|")
    for name, measured in estimates.items():
        value, low = column(measured, "value"), column(measured, "low")
        numbers = value > 0
        largest = f"{np.nanmax(value):.1e}" if numbers.any() else "-"
        sure = f"{(low > 0).sum()}/{len(low)}" if np.isfinite(column(measured, "std")).any() else "no sd"
        print(f"| {name} | {numbers.sum()}/{len(value)} | {largest} | {sure if numbers.any() else '-'} |")


def print_real(title: str, run: Run) -> None:
    n_frames, n_atoms, _ = run.segment.positions.shape
    print(f"\n{title}: {n_frames} frames of {n_atoms} atoms\n")
    print("| package | D*, cm2/s | stated sd | sigma (Nernst-Einstein), mS/cm | time, s | peak, MiB (before) |")
    print("|---|---|---|---|---|---|")
    for name in PACKAGES:
        try:
            result = real(name, run)
        except ValueError as error:
            print(f"| {name} | {' '.join(str(error).split())[:80]} | | | | |")
            continue
        value, std, _, high, sigma = result.estimate
        shown = f"{value:.2e}" if np.isfinite(value) else f"< {high:.1e}"
        stated = f"{std:.1e}" if np.isfinite(std) else "none"
        memory = f"{result.peak_MiB:.0f} ({result.before_MiB:.0f})"
        print(f"| {name} | {shown} | {stated} | {sigma:.3g} | {result.seconds:.2g} | {memory} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--only", choices=["synthetic", "real"])
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if arguments.only != "real":
        for kind in KINDS:
            result = synthetic(kind, arguments.seeds)
            print_inert(result) if kind == "inert" else print_moving(kind, result)
    if arguments.only != "synthetic":
        with tempfile.TemporaryDirectory() as folder:
            print_real("Li2O at 1300 K in LAMMPS", lithium_oxide(Path(folder)))
            print_real("Li6PS5Cl at 500 K, published", argyrodite(Path(folder)))


if __name__ == "__main__":
    main()
