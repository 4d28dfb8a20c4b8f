"""How often the 95 % intervals of Arrhenius fits hold the truth, and how often a law is called curved.

Diffusivities of known error at each temperature, and with ``--trajectories`` whole analyses of synthetic trajectories:
``python benchmarks/coverage_arrhenius.py --seeds 200 --jobs 2`` prints Markdown tables.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats
from walkers import CHARGES, CUBIC, brownian, hopping, trajectory

from aiida_ion.analysis.arrhenius.bound import detection_bound_cm2_s
from aiida_ion.analysis.arrhenius.fit import ArrheniusPoint, Priors, fit_arrhenius
from aiida_ion.analysis.checks.limits import CheckLimits
from aiida_ion.analysis.diffusion.analyse import DiffusionSettings, analyse_diffusion
from aiida_ion.units import BOLTZMANN_EV_K

FloatArray = npt.NDArray[np.float64]
Law = Callable[[float], float]

TARGET_K = 300.0
WIDE_K = (500.0, 600.0, 700.0, 800.0, 900.0, 1000.0, 1100.0, 1200.0)
HOT_K = (800.0, 900.0, 1000.0, 1100.0, 1200.0)
SLOW_K = (600.0, 700.0, 800.0, 1000.0, 1200.0)
#: The ions of a walk pass through each other.
LIMITS = CheckLimits(min_distance_ratio_warn=0.0, min_distance_ratio_fail=0.0)
#: Hops counted per diffusivity of 1 cm^2/s: 20 ions, 100 ps, 3 angstrom.
HOPS_PER_D = 6.0 * 20 * 100.0 / (9.0 * 1e-4)
N_DRAWS = 1000


class Outcome(NamedTuple):
    """What one seed gave: whether there is a number, what held the truth, widths, errors, the law, seconds."""

    measured: bool
    energy_held: bool
    target_held: bool
    energy_error: float
    energy_std: float
    target_error: float
    target_std: float
    law: str
    n_bounds: int
    seconds: float


def straight(temperature_K: float, energy_eV: float = 0.30, log10_d0: float = -3.0) -> float:
    """D = D0 exp(-Ea / k_B T), cm^2/s."""
    return float(10**log10_d0 * np.exp(-energy_eV / (BOLTZMANN_EV_K * temperature_K)))


def vogel(temperature_K: float) -> float:
    """A Vogel-Fulcher-Tammann law with T_0 = 350 K, cm^2/s."""
    return float(5e-4 * np.exp(-0.08 / (BOLTZMANN_EV_K * (temperature_K - 350.0))))


def bent(temperature_K: float) -> float:
    """Two branches of 0.55 and 0.20 eV that meet at 750 K, cm^2/s."""
    distance = 1.0 / (BOLTZMANN_EV_K * temperature_K) - 1.0 / (BOLTZMANN_EV_K * 750.0)
    return float(1e-5 * np.exp(-(0.55 if temperature_K < 750.0 else 0.20) * distance))


def gaussian(true: float, relative: float, generator: np.random.Generator) -> FloatArray:
    """Draws of a diffusivity whose logarithm has a Gaussian error of a known size."""
    return np.exp(np.log(true) + generator.normal(0, relative) + generator.normal(0, relative, N_DRAWS))


def skewed(true: float, relative: float, generator: np.random.Generator) -> FloatArray:
    """Draws of a diffusivity that is the variance of few displacements."""
    freedom = 2.0 / relative**2
    estimate = true * generator.chisquare(freedom) / freedom
    return estimate * freedom / generator.chisquare(freedom, N_DRAWS)


def replicas(true: float, relative: float, generator: np.random.Generator) -> FloatArray:
    """Draws from three replicas whose scatter is all that is known of the error: Student's t of two degrees."""
    logs = np.log(true) + generator.normal(0, relative * np.sqrt(3.0), 3)
    return np.exp(logs.mean() + logs.std(ddof=1) / np.sqrt(3.0) * generator.standard_t(2, N_DRAWS))


def observed(kind: Callable[..., FloatArray], relative: float, law: Law, at_K: Sequence[float], seed: int) -> list:
    """A point of known error at each temperature."""
    generator = np.random.default_rng(seed)
    return [ArrheniusPoint(kelvin, kind(law(kelvin), relative, generator)) for kelvin in at_K]


def counted(law: Law, at_K: Sequence[float], seed: int) -> list:
    """Hops counted at each temperature: ten or more give a diffusivity, fewer the 95 % bound of Poisson."""
    generator, points = np.random.default_rng(seed), []
    for kelvin in at_K:
        hops = generator.poisson(HOPS_PER_D * law(kelvin))
        if hops >= 10:
            draws = generator.gamma(hops, size=N_DRAWS) / HOPS_PER_D
            points.append(ArrheniusPoint(kelvin, draws))
        else:
            bounds = [0.5 * float(stats.chi2.ppf(0.95, 2 * n + 2)) / HOPS_PER_D for n in (hops, 9)]
            points.append(ArrheniusPoint(kelvin, None, *bounds))
    return points


def walked(walk: Callable[..., FloatArray], law: Law, at_K: Sequence[float], n_frames: int, seed: int) -> list:
    """Trajectories at each temperature, analysed from their positions on."""
    points = []
    for index, kelvin in enumerate(at_K):
        own = 1000 * seed + index
        steps = walk(own, n_frames, 20, diffusivity_A2_ps=1e4 * law(kelvin))
        segment, symbols = trajectory(own, steps, 0.3, CUBIC)
        settings = DiffusionSettings(seed=own % 1000, collective=False, limits=LIMITS)
        result = analyse_diffusion([[segment]], symbols, "Li", CHARGES, kelvin, settings=settings)
        bound = result.tracer_diffusivity_upper_bound_cm2_s or 0.0
        detection = detection_bound_cm2_s(bound, result.n_mobile_ions, result.analysed_time_ps, result.jump_distance_A)
        draws, refused = result.tracer_diffusivity_samples_cm2_s, result.refused_because
        bounds = (None, None) if result.moved else (bound, detection)
        points.append(ArrheniusPoint(kelvin, draws, *bounds, refused))
    return points


class Case(NamedTuple):
    """How the points of a seed come about, the law behind them, and whether it is a straight line."""

    name: str
    points: Callable[[int], list]
    law: Law
    energy_eV: float | None


def run(case: Case, seed: int) -> Outcome:
    """Fit one seed of a case."""
    start = time.perf_counter()
    result = fit_arrhenius(case.points(seed), TARGET_K, seed=seed)
    truth = np.log10(case.law(TARGET_K)) if case.energy_eV is not None or case.law is bent else np.nan
    energy, target = result.activation_energy_ci95_eV, result.log10_diffusivity_ci95_cm2_s
    known, there = energy is not None, target is not None
    return Outcome(
        measured=there,
        energy_held=known and case.energy_eV is not None and energy[0] <= case.energy_eV <= energy[1],
        target_held=there and target[0] <= truth <= target[1],
        energy_error=(result.activation_energy_eV - (case.energy_eV or 0.0)) if known else np.nan,
        energy_std=result.activation_energy_std_eV if known else np.nan,
        target_error=result.log10_diffusivity_cm2_s - truth if there else np.nan,
        target_std=(target[1] - target[0]) / 3.92 if there else np.nan,
        law=result.preferred_law or "-",
        n_bounds=len(result.temperatures_bound_K),
        seconds=time.perf_counter() - start,
    )


def unmoved(seed: int) -> tuple[float, float]:
    """A material of which too little moved: true log10 D at the target, and its bound."""
    generator, priors = np.random.default_rng(seed), Priors()
    while True:
        log10_d0 = generator.normal(priors.bound_log10_prefactor_mean, priors.bound_log10_prefactor_std)
        law = partial(straight, energy_eV=generator.uniform(0.0, 2.0), log10_d0=log10_d0)
        points = counted(law, HOT_K, int(generator.integers(2**31)))
        result = fit_arrhenius(points, TARGET_K)
        if result.diffusivity_upper_bound_cm2_s is not None and result.activation_energy_eV is None:
            return float(np.log10(law(TARGET_K))), float(np.log10(result.diffusivity_upper_bound_cm2_s))


def fast_cases() -> list[Case]:
    """Points of known error on known laws."""
    cases = []
    for name, kind, errors in (("Gaussian", gaussian, (0.05, 0.2)), ("skewed", skewed, (0.2, 0.4))):
        for relative in errors:
            points = partial(observed, kind, relative, straight, HOT_K)
            cases.append(Case(f"{name} errors of {relative:.0%}, 800 to 1200 K", points, straight, 0.30))
    three = partial(observed, replicas, 0.15, straight, HOT_K)
    cases.append(Case("three replicas, errors of 15 %, 800 to 1200 K", three, straight, 0.30))
    for energy in (0.30, 0.45, 0.60):
        law = partial(straight, energy_eV=energy)
        cases.append(Case(f"hops counted, {energy:.2f} eV, 500 to 1200 K", partial(counted, law, WIDE_K), law, energy))
    for name, law in (("Vogel-Fulcher-Tammann, T_0 = 350 K", vogel), ("0.55 and 0.20 eV, bend at 750 K", bent)):
        for relative in (0.1, 0.2, 0.4):
            points = partial(observed, gaussian, relative, law, WIDE_K)
            cases.append(Case(f"{name}, errors of {relative:.0%}, 500 to 1200 K", points, law, None))
    return cases


def trajectory_cases() -> list[Case]:
    """Walks of 20 ions and 100 ps at five temperatures; at the lowest ones of the slow law many do not move."""
    fast = partial(straight, energy_eV=0.25, log10_d0=-3.3)
    slow = partial(straight, energy_eV=0.40)
    return [
        Case("Brownian, 0.25 eV, 800 to 1200 K", partial(walked, brownian, fast, HOT_K, 1000), fast, 0.25),
        Case("3 A hops, 0.40 eV, 600 to 1200 K", partial(walked, hopping, slow, SLOW_K, 1000), slow, 0.40),
    ]


def row(name: str, outcomes: list[Outcome], has_energy: bool, has_target: bool) -> str:
    """One line of the table."""
    measured = [outcome for outcome in outcomes if outcome.measured]

    def percent(values: list[bool]) -> str:
        return f"{100.0 * np.mean(values):.1f} %" if values else "-"

    cells = [name, f"{len(measured)}/{len(outcomes)}"]
    if has_energy:
        errors = np.array([o.energy_error for o in measured])
        cells += [
            percent([o.energy_held for o in measured]),
            f"{errors.std():.3f} / {np.median([o.energy_std for o in measured]):.3f}" if measured else "-",
        ]
    else:
        cells += ["-", "-"]
    if has_target:
        errors = np.array([o.target_error for o in measured])
        cells += [
            percent([o.target_held for o in measured]),
            f"{np.median(errors):+.2f}" if measured else "-",
            f"{np.std(errors):.2f} / {np.median([o.target_std for o in measured]):.2f}" if measured else "-",
        ]
    else:
        cells += ["-", "-", "-"]
    curved = [o.law not in ("arrhenius", "-") for o in outcomes]
    cells += [
        percent(curved),
        f"{np.mean([o.n_bounds for o in outcomes]):.1f}",
        f"{sum(o.seconds for o in outcomes):.0f}",
    ]
    return "| " + " | ".join(cells) + " |"


HEADER = (
    "case",
    "numbers at 300 K",
    "coverage of Ea 95 %",
    "scatter / stated sd of Ea, eV",
    "coverage of log10 D(300 K) 95 %",
    "median error, decades",
    "scatter / stated sd, decades",
    "called curved",
    "bounds",
    "seconds",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=40, help="materials of each case")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--only", default="", help="run the cases whose name contains this")
    parser.add_argument("--trajectories", action="store_true", help="whole analyses of trajectories, too")
    arguments = parser.parse_args()
    cases = fast_cases() + (trajectory_cases() if arguments.trajectories else [])
    print("| " + " | ".join(HEADER) + " |\n|" + "---|" * len(HEADER), flush=True)
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for case in cases:
            if arguments.only in case.name:
                result = list(pool.map(partial(run, case), range(arguments.seeds)))
                print(row(case.name, result, case.energy_eV is not None, case.law is not vogel), flush=True)
        if arguments.only in "bound":
            pairs = np.array(list(pool.map(unmoved, range(arguments.seeds))))
            held, gap = np.mean(pairs[:, 0] <= pairs[:, 1]), np.median(pairs[:, 1] - pairs[:, 0])
            print(
                f"\nBound at 300 K from fewer than three diffusive temperatures: holds in {held:.1%} of materials whose"
            )
            print(f"prefactor follows the prior; its median distance from the truth is {gap:.1f} decades.")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
