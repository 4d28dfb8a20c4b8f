"""How often the stated 95 % intervals hold the truth, and whether a crystal in which nothing moves gets a number.

Synthetic trajectories of known diffusivity: ``python benchmarks/coverage.py --seeds 200`` prints a Markdown table.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from walkers import (
    CHARGES,
    CUBIC,
    D_CM2_S,
    SHEARED,
    TRICLINIC,
    anisotropic,
    anisotropic_tensor,
    brownian,
    caged,
    hopping,
    hopping_pairs,
    inert,
    langevin,
    lingering,
    pairs,
    partly_common,
    together_along,
    trajectory,
)

from aiida_ion.analysis.diffusion.analyse import DiffusionResult, DiffusionSettings, Segment, analyse_diffusion
from aiida_ion.analysis.trajectories.trajectory import unwrap

Interval = tuple[float, float]


class Case(NamedTuple):
    """One kind of trajectory.

    :param walk: how ions step; see the module walkers.
    :param frames: of each replica.
    :param haven: the true Haven ratio.
    :param tensor: the true diffusivity tensor over a third of its trace.
    :param wrapped: whether positions are wrapped into the cell and unwrapped again first.
    """

    name: str
    walk: Callable[[int, int, int], npt.NDArray[np.float64]]
    frames: tuple[int, ...]
    n_ions: int
    rattle_A: float = 0.3
    cell: npt.NDArray[np.float64] = CUBIC
    haven: float = 1.0
    tensor: npt.NDArray[np.float64] = np.eye(3)
    wrapped: bool = False


class Outcome(NamedTuple):
    """What one trajectory gave: the estimates over the truth, and whether their intervals hold it."""

    moved: bool
    bound_cm2_s: float | None
    ratio: float = np.nan
    stated: float = np.nan
    tracer: float = np.nan
    collective_ratio: float = np.nan
    collective: float = np.nan
    haven: float = np.nan
    diagonal: float = np.nan
    anisotropic: float = np.nan
    inconsistent: float = np.nan


def outcome(case: Case, seed: int) -> Outcome:
    """Analyse one trajectory."""
    replicas = []
    for number, n_frames in enumerate(case.frames):
        own = seed + 100_000 * number
        segment, symbols = trajectory(own, case.walk(own, n_frames, case.n_ions), case.rattle_A, case.cell)
        if case.wrapped:
            segment = wrapped_and_back(segment)
        replicas.append([segment])
    result = analyse_diffusion(replicas, symbols, "Li", CHARGES, 800.0, settings=DiffusionSettings(seed=seed))
    if not result.moved:
        return Outcome(False, result.tracer_diffusivity_upper_bound_cm2_s)
    return _measured(case, result)


def wrapped_and_back(segment: Segment) -> Segment:
    """As a reader of wrapped positions sees them."""
    fractional = segment.positions.astype(float) @ np.linalg.inv(segment.cells)
    positions = (fractional - np.floor(fractional)) @ segment.cells
    return Segment(unwrap(positions, segment.cells).positions, segment.times_ps, segment.cells)


def _measured(case: Case, result: DiffusionResult) -> Outcome:
    truth = np.diag(case.tensor) * D_CM2_S
    held = [holds(interval, value) for interval, value in zip(_diagonal(result), truth, strict=True)]
    return Outcome(
        moved=True,
        bound_cm2_s=None,
        ratio=(result.tracer_diffusivity_cm2_s or np.nan) / D_CM2_S,
        stated=(result.tracer_diffusivity_std_cm2_s or np.nan) / D_CM2_S,
        tracer=holds(result.tracer_diffusivity_ci95_cm2_s, D_CM2_S),
        collective_ratio=(result.collective_diffusivity_cm2_s or np.nan) / D_CM2_S * case.haven,
        collective=holds(result.collective_diffusivity_ci95_cm2_s, D_CM2_S / case.haven),
        haven=holds(result.haven_ratio_ci95, case.haven),
        diagonal=float(np.mean(held)),
        anisotropic=float((result.isotropy_p_value or 0.0) < 0.05),
        inconsistent=float(not result.fit_consistent),
    )


def _diagonal(result: DiffusionResult) -> Sequence[Interval | None]:
    return result.tracer_diffusivity_tensor_ci95_cm2_s or [None] * 3


def holds(interval: Interval | None, truth: float) -> float:
    """One when the interval holds the truth, zero when not, nan when there is none."""
    return np.nan if interval is None else float(interval[0] <= truth <= interval[1])


def row(name: str, outcomes: Sequence[Outcome], seconds: float) -> str:
    """One line of the table."""
    moved = [one for one in outcomes if one.moved]
    bounds = [one.bound_cm2_s for one in outcomes if one.bound_cm2_s is not None]
    cells = [name, f"{len(moved)}/{len(outcomes)}"]
    if moved:
        columns = {key: np.array([getattr(one, key) for one in moved]) for key in Outcome._fields[2:]}
        collective = columns["collective_ratio"][np.isfinite(columns["collective_ratio"])]
        cells += [f"{columns['ratio'].mean():.3f}", f"{columns['ratio'].std():.3f}"]
        cells += [f"{np.sqrt((columns['stated'] ** 2).mean()):.3f}", percent(columns["tracer"])]
        cells += [percent(columns["diagonal"]), f"{np.median(collective):.2f}"]
        cells += [percent(columns["collective"]), percent(columns["haven"]), percent(columns["anisotropic"])]
        cells += [f"{int(columns['inconsistent'].sum())}", f"{len(moved) - len(collective)}"]
    else:
        cells += ["-"] * (len(HEADER) - 4)
    cells += [f"{max(bounds):.1e}" if bounds else "-", f"{seconds:.0f}"]
    return "| " + " | ".join(cells) + " |"


def percent(held: npt.NDArray[np.float64]) -> str:
    """Part of the trajectories that have an interval."""
    return f"{100.0 * np.nanmean(held):.1f} %"


LONG = (1000,)
CASES = (
    Case("Brownian, 20 ions, no rattling, cubic", brownian, LONG, 20, rattle_A=0.0),
    Case("Brownian, 20 ions, cubic", brownian, LONG, 20),
    Case("Brownian, 20 ions, no rattling, triclinic", brownian, LONG, 20, rattle_A=0.0, cell=TRICLINIC),
    Case("Brownian, 56 ions, triclinic", brownian, LONG, 56, cell=TRICLINIC),
    Case("hops, 20 ions, cubic", hopping, LONG, 20),
    Case("hops, 20 ions, no rattling, triclinic", hopping, LONG, 20, rattle_A=0.0, cell=TRICLINIC),
    Case("hops, 56 ions, cubic", hopping, LONG, 56),
    Case("pairs, H = 1/2, 40 ions, no rattling", pairs, LONG, 40, rattle_A=0.0, haven=0.5),
    Case("pairs, H = 1/2, 40 ions, triclinic", pairs, LONG, 40, cell=TRICLINIC, haven=0.5),
    Case("pairs that hop, H = 1/2, 40 ions", hopping_pairs, LONG, 40, haven=0.5),
    Case("a tenth in common, H = 0.256, 30 ions", partly_common, LONG, 30, haven=1.0 / 3.9),
    Case("pairs, H = 1/2, 40 ions, sheared and wrapped", pairs, LONG, 40, cell=SHEARED, haven=0.5, wrapped=True),
    Case(
        "a tenth in common, H = 0.256, 30 ions, sheared and wrapped",
        partly_common,
        LONG,
        30,
        cell=SHEARED,
        haven=1.0 / 3.9,
        wrapped=True,
    ),
    Case(
        "together along one direction, H = 0.256, 30 ions, sheared and wrapped",
        together_along,
        LONG,
        30,
        cell=SHEARED,
        haven=3.0 / 11.7,
        wrapped=True,
    ),
    Case("Langevin, 20 ions", langevin, LONG, 20),
    Case("Langevin, 20 ions, no rattling, triclinic", langevin, LONG, 20, rattle_A=0.0, cell=TRICLINIC),
    Case("slow velocities, a quarter of D, 60 ions of 2000", lingering, (2000,), 60),
    Case("slow cages, 60 ions of 2000", caged, (2000,), 60),
    Case("anisotropic and rotated, 20 ions", anisotropic, LONG, 20, tensor=anisotropic_tensor()),
    Case("Brownian, 20 ions, 4 replicas of 500", brownian, (500,) * 4, 20),
    Case("pairs that hop, 20 ions, 6 replicas of 500", hopping_pairs, (500,) * 6, 20, haven=0.5),
    Case("hops, 20 ions, replicas of 400, 600 and 1000", hopping, (400, 600, 1000), 20),
    Case("inert, 24 ions, 950 frames", inert, (950,), 24),
    Case("inert, 0.6 A rattling, 100 ions", inert, LONG, 100, rattle_A=0.6),
    Case("inert, 1.0 A rattling, 100 ions", inert, LONG, 100, rattle_A=1.0),
    Case("inert, 500 ions, triclinic", inert, LONG, 500, cell=TRICLINIC),
)
HEADER = (
    "trajectory",
    "moved",
    "mean D*/true",
    "scatter",
    "stated",
    "D*",
    "diagonal of D",
    "median D_sigma/true",
    "D_sigma",
    "Haven ratio",
    "isotropy refused at 5 %",
    "inconsistent fits",
    "without D_sigma",
    "largest bound (cm2/s)",
    "seconds",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="trajectories of each case")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--only", default="", help="run the cases whose name contains this")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    print("| " + " | ".join(HEADER) + " |\n|" + "---|" * len(HEADER), flush=True)
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for case in CASES:
            if arguments.only in case.name:
                start = time.perf_counter()
                result = list(pool.map(partial(outcome, case), seeds, chunksize=5))
                print(row(case.name, result, time.perf_counter() - start), flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
