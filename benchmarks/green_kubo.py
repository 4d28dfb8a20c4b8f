"""How often the 95 % intervals of the Green-Kubo conductivity hold the truth, on charge currents of known integral.

``python benchmarks/green_kubo.py --seeds 200 --jobs 2`` prints a Markdown table. The cepstral value is the stored one;
the plateau of the running integral is kept beside it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import expm
from scipy.signal import lfilter

from aiida_ion.analysis.conductivity import ionic_conductivity_mS_cm
from aiida_ion.analysis.diffusion.msd import mean_squared_displacement
from aiida_ion.analysis.diffusion.window import find_window
from aiida_ion.analysis.green_kubo.estimate import Conditions, GreenKubo, NotDeterminedError, green_kubo

FloatArray = npt.NDArray[np.float64]

TEMPERATURE_K = 800.0
VOLUME_A3 = 1000.0
JUMP_A = 3.0
MASS = 6.94
#: k_B T / m of a lithium ion at 1 K, angstrom^2/fs^2.
KT_PER_M = 8.31446262e-7 / MASS
FRAME_FS = 100.0


class Run(NamedTuple):
    """Velocities of mobile ions (n, ions, 3), current of everything (n, 3), step in fs, true D_sigma in A^2/fs."""

    velocities: FloatArray
    current: FloatArray
    step_fs: float
    collective_A2_fs: float


def free_velocities(
    generator: np.random.Generator, shape: tuple[int, int, int], step_fs: float, tau: float
) -> FloatArray:
    """Langevin particles, (n, ions, 3), angstrom/fs: D = k_B T tau / m."""
    keep = np.exp(-step_fs / tau)
    noise = generator.standard_normal(shape) * np.sqrt(KT_PER_M * TEMPERATURE_K)
    noise[1:] *= np.sqrt(1.0 - keep**2)
    velocities: FloatArray = lfilter([1.0], [1.0, -keep], noise, axis=0)
    return velocities


def bound_velocities(
    generator: np.random.Generator, shape: tuple[int, int, int], step_fs: float, frequency: float, friction: float
) -> FloatArray:
    """Damped oscillators of angular frequency and friction in 1/fs: they go nowhere, so they do not conduct."""
    drift = np.array([[0.0, 1.0], [-(frequency**2), -friction]])
    turn = expm(drift * step_fs)
    thermal = KT_PER_M * TEMPERATURE_K * np.diag([1.0 / frequency**2, 1.0])
    noise = generator.standard_normal((*shape, 2))
    noise[1:] = noise[1:] @ np.linalg.cholesky(thermal - turn @ thermal @ turn.T).T
    noise[0] = noise[0] @ np.sqrt(thermal)
    values, vectors = np.linalg.eig(turn)
    modes = noise @ np.linalg.inv(vectors).T
    moved = [lfilter([1.0], [1.0, -values[k]], modes[..., k], axis=0) * vectors[1, k] for k in range(2)]
    velocities: FloatArray = np.real(moved[0] + moved[1])
    return velocities


def langevin(generator: np.random.Generator, n_steps: int) -> Run:
    """Independent ions."""
    velocities = free_velocities(generator, (n_steps, 16, 3), 2.0, 20.0)
    return Run(velocities, velocities.sum(axis=1), 2.0, KT_PER_M * TEMPERATURE_K * 20.0)


def pairs(generator: np.random.Generator, n_steps: int) -> Run:
    """Ions that move in pairs, correlation one half: Haven ratio 2/3."""
    alone = free_velocities(generator, (n_steps, 16, 3), 2.0, 20.0)
    together = np.repeat(free_velocities(generator, (n_steps, 8, 3), 2.0, 20.0), 2, axis=1)
    velocities = np.sqrt(0.5) * (alone + together)
    return Run(velocities, velocities.sum(axis=1), 2.0, 1.5 * KT_PER_M * TEMPERATURE_K * 20.0)


def rattling(generator: np.random.Generator, n_steps: int) -> Run:
    """Ions that rattle at 12 THz while they diffuse, in a framework of the opposite charge that rattles at 18 THz."""
    shape = (n_steps, 8, 3)
    rattle = bound_velocities(generator, shape, 2.0, 2 * np.pi * 0.012, 0.01)
    velocities = free_velocities(generator, shape, 2.0, 20.0) + rattle
    framework = bound_velocities(generator, (n_steps, 4, 3), 2.0, 2 * np.pi * 0.018, 0.01) * np.sqrt(MASS / 16.0)
    return Run(velocities, velocities.sum(axis=1) - 2.0 * framework.sum(axis=1), 2.0, KT_PER_M * TEMPERATURE_K * 20.0)


def caged(generator: np.random.Generator, n_steps: int) -> Run:
    """Ions that slide within cages, for 0.5 ps, as well as between them: at short times three times as fast."""
    shape, friction = (n_steps, 6, 3), 1.0 / 20.0
    cage = bound_velocities(generator, shape, 2.0, np.sqrt(friction / 500.0), friction)
    velocities = free_velocities(generator, shape, 2.0, 10.0) + cage
    return Run(velocities, velocities.sum(axis=1), 2.0, KT_PER_M * TEMPERATURE_K * 10.0)


def hops(generator: np.random.Generator, n_steps: int) -> Run:
    """Independent hops of 3 angstrom, 0.2 ps long each, at random, of ions that rattle."""
    step_fs, rate_fs, pulse = 5.0, 2e-4, 40
    shape = (n_steps, 10, 3)
    hopped = generator.random((n_steps + pulse, 10)) < rate_fs * step_fs
    place = np.eye(3)[generator.integers(0, 3, hopped.shape)] * generator.choice([-1.0, 1.0], (*hopped.shape, 1))
    jumps = np.where(hopped[..., None], place, 0.0) * JUMP_A
    shape_of_pulse = np.sin(np.pi * (np.arange(pulse) + 0.5) / pulse) ** 2
    velocities = lfilter(shape_of_pulse / shape_of_pulse.sum() / step_fs, [1.0], jumps, axis=0)[pulse:]
    velocities = velocities + bound_velocities(generator, shape, step_fs, 2 * np.pi * 0.01, 0.01)
    return Run(velocities, velocities.sum(axis=1), step_fs, rate_fs * JUMP_A**2 / 6.0)


class Case(NamedTuple):
    """A kind of motion and how long it is sampled."""

    name: str
    run: Callable[[np.random.Generator, int], Run]
    n_steps: int


CASES = (
    Case("Langevin, 16 ions, 40 ps", langevin, 20_000),
    Case("Langevin, 16 ions, 10 ps", langevin, 5_000),
    Case("pairs, 16 ions, 40 ps", pairs, 20_000),
    Case("Langevin + rattling, 8 ions, framework of opposite charge, 40 ps", rattling, 20_000),
    Case("Langevin + sliding in cages, 6 ions, 150 ps", caged, 75_000),
    Case("3 A hops + rattling, 10 ions, 150 ps", hops, 30_000),
)


class RunResult(NamedTuple):
    """Of one run: ln(value/true), its stated error, whether its interval holds the truth; the same of the plateau."""

    log_ratio: float
    error: float
    held: bool
    running_ratio: float | None
    running_held: bool | None


def analyse(case: Case, seed: int) -> RunResult | str:
    """Return what one run gives, or the reason why it gives nothing."""
    run = case.run(np.random.default_rng(seed), case.n_steps)
    n_ions = run.velocities.shape[1]
    every = round(FRAME_FS / run.step_fs)
    positions = (np.cumsum(run.velocities, axis=0) * run.step_fs)[::every]
    times_ps = np.arange(len(positions)) * every * run.step_fs * 1e-3
    window = find_window(
        times_ps, mean_squared_displacement(positions), len(positions) // 3, 0.5 * JUMP_A**2, (0.8, 1.2)
    )
    if window is None:
        return "no diffusive window"
    conditions = Conditions(TEMPERATURE_K, VOLUME_A3, float(times_ps[window.first]))
    try:
        result = green_kubo([run.current], run.step_fs, conditions)
    except NotDeterminedError as error:
        return str(error)
    truth = ionic_conductivity_mS_cm(run.collective_A2_fs * 0.1, 1.0, n_ions / VOLUME_A3, TEMPERATURE_K)
    return compare(result, truth)


def compare(estimate: GreenKubo, truth: float) -> RunResult:
    low, high = estimate.green_kubo_ionic_conductivity_ci95_mS_cm
    value = estimate.green_kubo_ionic_conductivity_mS_cm
    running, interval = estimate.green_kubo_running_mS_cm, estimate.green_kubo_running_ci95_mS_cm
    return RunResult(
        float(np.log(value / truth)),
        estimate.green_kubo_ionic_conductivity_std_mS_cm / value,
        low <= truth <= high,
        None if running is None else running / truth,
        None if interval is None else interval[0] <= truth <= interval[1],
    )


def row(name: str, outcomes: list[RunResult | str], seconds: float) -> str:
    """One line of the table."""
    results = [outcome for outcome in outcomes if isinstance(outcome, RunResult)]
    logs = np.array([each.log_ratio for each in results])
    plateaus = [each for each in results if each.running_ratio is not None]
    ratios = np.array([each.running_ratio for each in plateaus], dtype=float)
    cells = [name, f"{len(results)}/{len(outcomes)}"]
    if results:
        cells += [f"{100 * np.mean([each.held for each in results]):.0f} %", f"{np.exp(logs.mean()):.3f}"]
        cells += [f"{logs.std():.3f}", f"{np.mean([each.error for each in results]):.3f}", f"{len(plateaus)}"]
        cells += [f"{100 * np.mean([bool(each.running_held) for each in plateaus]):.0f} %"]
        cells += [f"{ratios.mean():.3f}", f"{ratios.std():.3f}"]
    else:
        cells += ["-"] * 8
    return "| " + " | ".join([*cells, f"{seconds:.0f}"]) + " |"


HEADER = (
    "current",
    "got a number",
    "coverage of 95 %",
    "typical value/true",
    "scatter of ln",
    "mean stated error",
    "got a plateau",
    "its coverage",
    "its mean/true",
    "its scatter",
    "seconds",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="runs of each case")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--only", default="", help="run the cases whose name contains this")
    parser.add_argument("--reasons", action="store_true", help="print why runs gave no number")
    arguments = parser.parse_args()
    print("| " + " | ".join(HEADER) + " |\n|" + "---|" * len(HEADER), flush=True)
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for case in CASES:
            if arguments.only not in case.name:
                continue
            start = time.perf_counter()
            outcomes = list(pool.map(partial(analyse, case), range(arguments.seeds)))
            print(row(case.name, outcomes, time.perf_counter() - start), flush=True)
            for reason in sorted({each for each in outcomes if isinstance(each, str)} if arguments.reasons else ()):
                print(f"    {reason}")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
