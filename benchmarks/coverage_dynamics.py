"""How often the 95 % intervals of D* hold the D* of a long run of the same model, in real dynamics.

Lennard-Jones fluids and Li2O in LAMMPS: ``python benchmarks/coverage_dynamics.py`` prints a Markdown table.
The long runs stand in the table of states below; ``--references`` makes them again.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from real_runs import ARGON_EPSILON_K, Run, antifluorite, argon, positions_alone

from aiida_ion.analysis.diffusion.analyse import DiffusionResult, DiffusionSettings, analyse_diffusion
from aiida_ion.analysis.diffusion.block_averages import CM2_S_PER_SLOPE
from aiida_ion.analysis.diffusion.msd import least_squares_slope, mean_squared_displacement

CHARGES = {"Ar": 0.0, "Li": 1.0, "O": -2.0}
#: The long run is cut into so many blocks, whose scatter is its error.
N_BLOCKS = 10
LONG_SEED = 11


class State(NamedTuple):
    """A model at one temperature.

    :param density: reduced density of argon; ``None``: Li2O with the potential of Pedone et al. (2006).
    :param temperature_K: of the thermostat.
    :param long_ns: length of the long run.
    :param reference: D* of the long run and its standard error, 1e-5 cm^2/s.
    """

    name: str
    density: float | None
    temperature_K: float
    long_ns: float
    reference: tuple[float, float]

    @property
    def species(self) -> str:
        """Whose ions diffuse."""
        return "Li" if self.density is None else "Ar"

    @property
    def run_ps(self) -> float:
        """Length of the runs that are judged."""
        return 60.0 if self.density is None else 200.0

    @property
    def lags_ps(self) -> tuple[float, float]:
        """Lags of the line through the MSD of the long run: long after its slope has settled."""
        return (4.0, 12.0) if self.density is None else (8.0, 24.0)


def fluid(density: float, temperature: float, long_ns: float, reference: tuple[float, float]) -> State:
    """A Lennard-Jones fluid of 256 atoms, cut off at 2.5 sigma, in reduced units."""
    name = f"argon, rho* {density:.2f}, T* {temperature:.2f}"
    return State(name, density, temperature * ARGON_EPSILON_K, long_ns, reference)


STATES = (
    fluid(0.50, 1.35, 20.0, (15.812, 0.038)),
    fluid(0.60, 2.50, 2.0, (18.65, 0.16)),
    fluid(0.70, 1.50, 20.0, (8.348, 0.017)),
    fluid(0.75, 1.00, 5.0, (4.394, 0.027)),
    fluid(0.85, 0.76, 20.0, (1.684, 0.005)),
    State("Li2O, 1300 K", None, 1300.0, 1.8, (6.739, 0.108)),
    State("Li2O, 1500 K", None, 1500.0, 0.4, (11.24, 0.23)),
)


def run(state: State, time_ps: float, seed: int, folder: Path) -> Run:
    """Run a state in LAMMPS."""
    settings: dict[str, Any] = {"timestep_fs": 2.0, "settling_steps": 3_000, "sample_every": 20}
    atoms, potential = antifluorite(), "pedone-2006"
    if state.density is not None:
        settings = {"timestep_fs": 10.0, "settling_steps": 10_000, "sample_every": 20}
        atoms, potential = argon(state.density), "lennard-jones-argon"
    n_steps = round(time_ps * 1000.0 / settings["timestep_fs"])
    return positions_alone(folder, atoms, potential, state.temperature_K, n_steps=n_steps, seed=seed, **settings)


def judged(state: State, seed: int) -> DiffusionResult:
    """Run and analyse."""
    with tempfile.TemporaryDirectory() as folder:
        result = run(state, state.run_ps, seed, Path(folder))
    settings = DiffusionSettings(seed=seed, collective=False)
    replicas = [[result.segment]]
    return analyse_diffusion(replicas, result.symbols, state.species, CHARGES, state.temperature_K, settings=settings)


def reference(state: State) -> tuple[float, float]:
    """D* of the long run and its standard error, 1e-5 cm^2/s: least squares at long lags in each block."""
    with tempfile.TemporaryDirectory() as folder:
        result = run(state, state.long_ns * 1000.0, LONG_SEED, Path(folder))
    return of_blocks(result, state)


def of_blocks(long_run: Run, state: State) -> tuple[float, float]:
    """Mean over the blocks of a long run, and standard error."""
    is_mobile = np.array([symbol == state.species for symbol in long_run.symbols])
    frame_ps = float(long_run.segment.times_ps[1])
    first, last = (round(lag / frame_ps) for lag in state.lags_ps)
    lags = np.arange(first, last + 1)
    values = []
    for block in np.array_split(np.arange(len(long_run.segment.positions)), N_BLOCKS):
        positions = long_run.segment.positions[block].astype(float)
        mobile = positions[:, is_mobile]
        if not is_mobile.all():
            mobile = mobile - positions[:, ~is_mobile].mean(axis=1, keepdims=True)
        slope = least_squares_slope(lags * frame_ps * 1000.0, mean_squared_displacement(mobile)[lags])
        values.append(slope * CM2_S_PER_SLOPE * 1e5)
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(N_BLOCKS))


def row(state: State, results: Sequence[DiffusionResult]) -> tuple[str, list[bool]]:
    """One line of the table, and which intervals hold the long run's value."""
    truth, error = state.reference
    moved = [one for one in results if one.tracer_diffusivity_ci95_cm2_s is not None]
    values = np.array([one.tracer_diffusivity_cm2_s for one in moved], dtype=float) * 1e5
    edges = np.array([one.tracer_diffusivity_ci95_cm2_s for one in moved]) * 1e5
    held = [bool(low <= truth <= high) for low, high in edges]
    stated = [(one.tracer_diffusivity_std_cm2_s or np.nan) * 1e5 for one in moved]
    systematic = [one.systematic_relative_error or np.nan for one in moved]
    starts = [one.fit_window_ps[0] for one in moved if one.fit_window_ps is not None]
    earlier = [one.diffusive_from_ps for one in moved if one.diffusive_from_ps is not None]
    ratio = values / truth
    scatter = ratio.std(ddof=1)
    cells = [
        state.name,
        f"{truth:.3f} ± {error:.3f}",
        f"{len(moved)}/{len(results)}",
        f"{sum(held)} of {len(held)}",
        f"{ratio.mean():.3f} ± {np.hypot(scatter / np.sqrt(len(ratio)), error / truth):.3f}",
        f"{scatter:.3f}",
        f"{np.mean(stated) / truth:.3f}",
        f"{np.mean(systematic):.3f}",
        f"{np.median(edges[:, 1] - edges[:, 0]) / truth:.2f}",
        f"{np.median(earlier):.1f} / {np.median(starts):.1f}",
        f"{sum(not one.fit_consistent for one in moved)}",
    ]
    return "| " + " | ".join(cells) + " |", held


HEADER = (
    "state",
    "D* of the long run, 1e-5 cm2/s",
    "got a number",
    "its 95 % interval holds it",
    "mean ratio",
    "scatter",
    "mean stated sd",
    "of it systematic",
    "median width",
    "slope of diffusion from / fit from, ps",
    "inconsistent fits",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=8, help="independent runs of each state")
    parser.add_argument("--first", type=int, default=101, help="the first seed")
    parser.add_argument("--only", default="", help="the states whose name contains this")
    parser.add_argument("--fast", action="store_true", help="3 runs of each state")
    parser.add_argument("--references", action="store_true", help="make the long runs again, and nothing else")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    states = [state for state in STATES if arguments.only in state.name]
    n_runs = 3 if arguments.fast else arguments.runs
    with ProcessPoolExecutor(arguments.jobs) as pool:
        if arguments.references:
            for state, (value, error) in zip(states, pool.map(reference, states), strict=True):
                print(f"{state.name}: {value:.4f}, {error:.4f}", flush=True)
            return
        print("| " + " | ".join(HEADER) + " |\n|" + "---|" * len(HEADER), flush=True)
        all_held: list[bool] = []
        for state in states:
            seeds = range(arguments.first, arguments.first + n_runs)
            line, held = row(state, list(pool.map(partial(judged, state), seeds)))
            all_held += held
            print(line, flush=True)
    print(f"\n{sum(all_held)} of {len(all_held)} intervals hold the value of the long run: {np.mean(all_held):.0%}.")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
