"""How often the stated 95 % intervals hold the truth, and whether a crystal in which nothing moves gets a number.

Synthetic trajectories of known diffusivity: ``python benchmarks/coverage.py --seeds 100`` prints a Markdown table.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.diffusion import DiffusionResult, DiffusionSettings, Segment, analyse_diffusion

FRAME_PS = 0.1
TRUE_D_CM2_S = 1e-5
SITE_DISTANCE_A = 3.0
CUBIC = np.eye(3) * 20.0
TRICLINIC = np.array([[20.0, 0.0, 0.0], [9.0, 18.0, 0.0], [-6.0, 7.0, 17.0]])


def trajectory(
    seed: int, steps: npt.NDArray[np.float64], rattle_A: float, cell: npt.NDArray[np.float64]
) -> tuple[Segment, list[str]]:
    """Mobile ions that make ``steps`` (frames, ions, 3), angstrom, a vibrating framework, and a common drift."""
    generator = np.random.default_rng(seed + 10_000)
    n_frames, n_mobile, _ = steps.shape
    mobile = np.cumsum(steps, axis=0) + generator.normal(0.0, rattle_A, steps.shape)
    framework = generator.normal(0.0, 0.1, (n_frames, 2 * n_mobile, 3))
    sites = generator.random((1, 3 * n_mobile, 3)) @ cell
    drift = np.linspace(0.0, 2.0, n_frames)[:, None, None]
    positions = sites + drift + np.concatenate([mobile, framework], axis=1)
    segment = Segment(positions.astype(np.float32), np.arange(n_frames) * FRAME_PS, cell)
    return segment, ["Li"] * n_mobile + ["O"] * 2 * n_mobile


def brownian(seed: int, n_frames: int, n_ions: int) -> npt.NDArray[np.float64]:
    """Steps of free diffusion at :data:`TRUE_D_CM2_S`, angstrom."""
    step_A = np.sqrt(2.0 * TRUE_D_CM2_S * 1e4 * FRAME_PS)
    return np.random.default_rng(seed).normal(0.0, step_A, (n_frames, n_ions, 3))


def hopping(seed: int, n_frames: int, n_ions: int) -> npt.NDArray[np.float64]:
    """Steps of independent hops along the axes of a lattice at :data:`TRUE_D_CM2_S`, angstrom."""
    generator = np.random.default_rng(seed)
    probability = 6.0 * TRUE_D_CM2_S * 1e4 * FRAME_PS / SITE_DISTANCE_A**2
    hops = generator.random((n_frames, n_ions)) < probability
    axis = np.eye(3)[generator.integers(0, 3, (n_frames, n_ions))]
    sign = generator.choice([-1.0, 1.0], (n_frames, n_ions))
    return (hops * sign)[..., None] * axis * SITE_DISTANCE_A


def inert(_: int, n_frames: int, n_ions: int) -> npt.NDArray[np.float64]:
    """No steps at all."""
    return np.zeros((n_frames, n_ions, 3))


class Case(NamedTuple):
    """One kind of trajectory: how ions step, (frames, ions), rattling, cell, and whether D_sigma is looked at."""

    name: str
    walk: Callable[[int, int, int], npt.NDArray[np.float64]]
    size: tuple[int, int]
    rattle_A: float
    cell: npt.NDArray[np.float64]
    collective: bool


def results(case: Case, seeds: int) -> Iterator[DiffusionResult]:
    """Analyse one trajectory per seed."""
    for seed in range(seeds):
        segment, symbols = trajectory(seed, case.walk(seed, *case.size), case.rattle_A, case.cell)
        settings = DiffusionSettings(seed=seed, collective=case.collective)
        yield analyse_diffusion([[segment]], symbols, "Li", {"Li": 1.0}, 800.0, settings=settings)


def holds(interval: tuple[float, float] | None) -> bool:
    return interval is not None and interval[0] <= TRUE_D_CM2_S <= interval[1]


def row(name: str, found: list[DiffusionResult], seconds: float) -> str:
    """One line of the table."""
    moved = [result for result in found if result.moved]
    bounds = [r.tracer_diffusivity_upper_bound_cm2_s for r in found if not r.moved]
    cells = [name, f"{len(moved)}/{len(found)}"]
    if moved:
        ratio = np.array([(r.tracer_diffusivity_cm2_s or 0.0) / TRUE_D_CM2_S for r in moved])
        spread = np.array([(r.tracer_diffusivity_std_cm2_s or 0.0) / TRUE_D_CM2_S for r in moved])
        covered = 100.0 * np.mean([holds(r.tracer_diffusivity_ci95_cm2_s) for r in moved])
        cells += [f"{covered:.0f} %", f"{ratio.mean():.3f}", f"{ratio.std():.3f}", f"{spread.mean():.3f}"]
        cells += [f"{sum(not r.fit_consistent for r in moved)}"]
    else:
        cells += ["-"] * 5
    both = [r for r in moved if r.collective_diffusivity_ci95_cm2_s is not None]
    covered = [holds(r.collective_diffusivity_ci95_cm2_s) for r in both]
    haven = [r.haven_ratio_ci95[0] <= 1.0 <= r.haven_ratio_ci95[1] for r in both if r.haven_ratio_ci95]
    cells += [
        f"{100.0 * np.mean(covered):.0f} %" if both else "-",
        f"{100.0 * np.mean(haven):.0f} %" if both else "-",
    ]
    cells += [f"{max(b for b in bounds if b is not None):.1e}" if bounds else "-", f"{seconds:.0f}"]
    return "| " + " | ".join(cells) + " |"


CASES = (
    Case("Brownian, 20 ions, 1000 frames, cubic", brownian, (1000, 20), 0.0, CUBIC, True),
    Case("Brownian + 0.3 A rattling, 20 ions, 1000 frames, cubic", brownian, (1000, 20), 0.3, CUBIC, True),
    Case("Brownian, 20 ions, 1000 frames, triclinic", brownian, (1000, 20), 0.0, TRICLINIC, False),
    Case(
        "Brownian + 0.3 A rattling, 56 ions, 1000 frames, triclinic",
        brownian,
        (1000, 56),
        0.3,
        TRICLINIC,
        False,
    ),
    Case("3 A hops + 0.3 A rattling, 20 ions, 1000 frames, cubic", hopping, (1000, 20), 0.3, CUBIC, True),
    Case("3 A hops + 0.3 A rattling, 56 ions, 1000 frames, cubic", hopping, (1000, 56), 0.3, CUBIC, False),
    Case("inert, 0.3 A rattling, 24 ions, 950 frames", inert, (950, 24), 0.3, CUBIC, False),
    Case("inert, 0.6 A rattling, 100 ions, 1000 frames", inert, (1000, 100), 0.6, CUBIC, False),
    Case("inert, 1.0 A rattling, 100 ions, 1000 frames", inert, (1000, 100), 1.0, CUBIC, False),
    Case("inert, 0.3 A rattling, 500 ions, 1000 frames", inert, (1000, 500), 0.3, TRICLINIC, False),
)
HEADER = (
    "case",
    "moved",
    "coverage of D* 95 %",
    "mean D*/true",
    "scatter",
    "mean stated sd",
    "inconsistent fits",
    "coverage of D_sigma 95 %",
    "Haven ratio 1 in 95 %",
    "largest bound (cm2/s)",
    "seconds",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="trajectories of each case")
    parser.add_argument("--only", default="", help="run the cases whose name contains this")
    arguments = parser.parse_args()
    print("| " + " | ".join(HEADER) + " |\n|" + "---|" * len(HEADER), flush=True)
    for case in CASES:
        if arguments.only in case.name:
            start = time.perf_counter()
            found = list(results(case, arguments.seeds))
            print(row(case.name, found, time.perf_counter() - start), flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
