"""What runs extended until converged save over runs of 100 ps, and whether their intervals still hold.

Synthetic conductors that hop at five temperatures, and a liquid. The fixed protocol runs everything for 100 ps; the
adaptive one aims at the error that this reached, once at that of each conductor by itself and once, as a campaign of
all of them would, at that of the worst known: ``python benchmarks/adaptive.py --seeds 40 --jobs 2`` prints a table.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from walkers import CHARGES, CUBIC, FRAME_PS, brownian, hopping, trajectory

from aiida_ion.analysis.arrhenius.bound import detection_bound_cm2_s
from aiida_ion.analysis.arrhenius.fit import ArrheniusPoint, fit_arrhenius
from aiida_ion.analysis.checks.limits import CheckLimits
from aiida_ion.analysis.convergence.conductivity import variance_at_target
from aiida_ion.analysis.convergence.decide import Outlook, Step, StopRule, decide
from aiida_ion.analysis.diffusion.analyse import DiffusionResult, DiffusionSettings, Segment, analyse_diffusion
from aiida_ion.units import BOLTZMANN_EV_K

TEMPERATURES_K = (600.0, 700.0, 800.0, 900.0, 1000.0)
N_IONS = 40
FIXED_PS, FIRST_PS = 100.0, 10.0
#: A run for its own D gets no longer than the fixed one; where sigma counts, steps go where they pay.
LONGEST_PS = {"tracer_diffusivity": FIXED_PS, "ionic_conductivity": 300.0}
TARGET_K = 300.0
#: The ions of a walk pass through each other.
LIMITS = CheckLimits(min_distance_ratio_warn=0.0, min_distance_ratio_fail=0.0)


class Conductor(NamedTuple):
    """A material: its activation energy, eV, its diffusivity at 800 K, cm^2/s, and how its atoms step."""

    name: str
    energy_eV: float
    at_800_K_cm2_s: float
    walk: Callable[..., npt.NDArray[np.float64]] = hopping

    def diffusivity_cm2_s(self, temperature_K: float) -> float:
        """The truth at a temperature, cm^2/s."""
        exponent = self.energy_eV / BOLTZMANN_EV_K * (1.0 / 800.0 - 1.0 / temperature_K)
        return float(self.at_800_K_cm2_s * np.exp(exponent))


CONDUCTORS = (
    Conductor("fast", 0.20, 2e-5),
    Conductor("medium", 0.30, 5e-6),
    Conductor("slow", 0.40, 2e-6),
    Conductor("liquid", 0.05, 5e-5, brownian),
)


class Outcome(NamedTuple):
    """One material, run once.

    :param time_ps: of all runs.
    :param rounds: how many.
    :param errors: stated relative error of D at each diffusive temperature, and its true one.
    :param true_errors: ln of D over the truth there.
    :param ln_error: stated standard deviation of ln D at the target by least squares; nan without a line.
    :param ln_off: ln of the extrapolated D over the truth; nan without one.
    :param holds: whether its 95 % interval holds the truth; ``None`` without one.
    :param reason: why it stopped.
    """

    time_ps: float
    rounds: int
    errors: list[float]
    true_errors: list[float]
    ln_error: float
    ln_off: float
    holds: bool | None
    reason: str


class Material:
    """Walks at all temperatures, as long as they may get; what is looked at is their beginning."""

    def __init__(self, conductor: Conductor, seed: int) -> None:
        self.conductor, self.seed = conductor, seed
        self.segments: dict[float, Segment] = {}
        for index, temperature_K in enumerate(TEMPERATURES_K):
            diffusivity = conductor.diffusivity_cm2_s(temperature_K) * 1e4
            number = 1000 * seed + index
            steps = conductor.walk(
                number, round(max(LONGEST_PS.values()) / FRAME_PS) + 1, N_IONS, diffusivity_A2_ps=diffusivity
            )
            self.segments[temperature_K], self.symbols = trajectory(number, steps, 0.3, CUBIC)

    def fit(self, temperature_K: float, time_ps: float) -> DiffusionResult:
        """Analyse the beginning of one walk."""
        whole, n_frames = self.segments[temperature_K], round(time_ps / FRAME_PS) + 1
        part = Segment(whole.positions[:n_frames], whole.times_ps[:n_frames], whole.cells)
        settings = DiffusionSettings(seed=self.seed, collective=False, limits=LIMITS)
        return analyse_diffusion([[part]], self.symbols, "Li", CHARGES, temperature_K, settings=settings)


def fixed(conductor: Conductor, seed: int) -> Outcome:
    """Run every temperature for the same time."""
    material = Material(conductor, seed)
    fits = {temperature: material.fit(temperature, FIXED_PS) for temperature in TEMPERATURES_K}
    return outcome(conductor, fits, FIXED_PS * len(fits), 1, "fixed")


def adaptive(conductor: Conductor, target: float, quantity: str, seed: int) -> Outcome:
    """Run round by round as the decisions say."""
    material = Material(conductor, seed)
    rule = StopRule(target, quantity, LONGEST_PS[quantity], max_rounds=8, target_temperature_K=TARGET_K)
    times = dict.fromkeys(TEMPERATURES_K, FIRST_PS)
    fits: dict[float, DiffusionResult] = {}
    to_fit: Iterable[float] = TEMPERATURES_K
    for number in range(1, rule.max_rounds + 1):
        fits |= {temperature: material.fit(temperature, times[temperature]) for temperature in to_fit}
        decision = decide(
            [outlook(fits[temperature], times[temperature]) for temperature in TEMPERATURES_K], rule, number
        )
        if decision.reason is not None:
            break
        to_fit = extended(decision.steps, times)
    return outcome(conductor, fits, sum(times.values()), number, decision.reason or "")


def extended(steps: Sequence[Step], times: dict[float, float]) -> list[float]:
    """Lengthen what goes on, to whole frames, and return it."""
    longer = [step.temperature_K for step in steps if step.next_time_ps is not None]
    for step in steps:
        if step.next_time_ps is not None:
            times[step.temperature_K] = FRAME_PS * np.ceil(step.next_time_ps / FRAME_PS - 1e-9)
    return longer


def outlook(diffusion: DiffusionResult, time_ps: float) -> Outlook:
    value, spread = diffusion.tracer_diffusivity_cm2_s, diffusion.tracer_diffusivity_std_cm2_s
    return Outlook(
        diffusion.temperature_K,
        time_ps,
        n_ions=N_IONS,
        diffusivity_cm2_s=value,
        relative_error=spread / value if value and spread else None,
        upper_bound_cm2_s=diffusion.tracer_diffusivity_upper_bound_cm2_s,
        n_eff=diffusion.n_eff,
        refused_because=diffusion.refused_because,
    )


def outcome(
    conductor: Conductor, fits: dict[float, DiffusionResult], time_ps: float, rounds: int, reason: str
) -> Outcome:
    """Extrapolate, and compare with the truth."""
    usable = [one for one in fits.values() if one.moved and one.refused_because is None]
    errors = [(one.tracer_diffusivity_std_cm2_s or 0.0) / (one.tracer_diffusivity_cm2_s or 1.0) for one in usable]
    true = [
        float(np.log((one.tracer_diffusivity_cm2_s or 1.0) / conductor.diffusivity_cm2_s(one.temperature_K)))
        for one in usable
    ]
    law = fit_arrhenius([point(one) for one in fits.values()], TARGET_K)
    line = float("nan")
    if len(usable) >= 3:
        x = [1.0 / (BOLTZMANN_EV_K * one.temperature_K) for one in usable]
        rule = StopRule(1.0, target_temperature_K=TARGET_K)
        line = float(np.sqrt(variance_at_target(x, np.maximum(errors, 0.05) ** 2, rule)))
    if law.log10_diffusivity_cm2_s is None or law.log10_diffusivity_ci95_cm2_s is None:
        return Outcome(time_ps, rounds, errors, true, line, float("nan"), None, reason)
    truth = np.log10(conductor.diffusivity_cm2_s(TARGET_K))
    low, high = law.log10_diffusivity_ci95_cm2_s
    off = float((law.log10_diffusivity_cm2_s - truth) * np.log(10.0))
    return Outcome(time_ps, rounds, errors, true, line, off, bool(low <= truth <= high), reason)


def point(diffusion: DiffusionResult) -> ArrheniusPoint:
    bound = diffusion.tracer_diffusivity_upper_bound_cm2_s
    detection = (
        None
        if bound is None
        else detection_bound_cm2_s(bound, N_IONS, diffusion.analysed_time_ps, diffusion.jump_distance_A)
    )
    return ArrheniusPoint(
        diffusion.temperature_K,
        diffusion.tracer_diffusivity_samples_cm2_s,
        bound,
        detection,
        refused_because=diffusion.refused_because,
    )


def cells(name: str, how: str, target: str, outcomes: list[Outcome]) -> str:
    """One line of the table."""
    errors = [error for one in outcomes for error in one.errors]
    true = np.array([error for one in outcomes for error in one.true_errors])
    stated = [one.ln_error for one in outcomes if np.isfinite(one.ln_error)]
    off = np.array([one.ln_off for one in outcomes if np.isfinite(one.ln_off)])
    held = [one.holds for one in outcomes if one.holds is not None]
    time_ps = float(np.mean([one.time_ps for one in outcomes]))
    reasons = {one.reason for one in outcomes}
    counts = ", ".join(f"{word} {sum(one.reason == word for one in outcomes)}" for word in sorted(reasons))
    row = [name, how, target, f"{time_ps:.0f}", f"{time_ps / (FIXED_PS * len(TEMPERATURES_K)):.2f}"]
    row += [f"{np.mean([one.rounds for one in outcomes]):.1f}"]
    row += [f"{np.mean(errors):.2f} / {np.sqrt(np.mean(true**2)):.2f}" if errors else "-"]
    row += [f"{np.mean(stated):.2f} / {np.sqrt(np.mean(off**2)):.2f}" if len(off) and stated else "-"]
    row += [f"{100.0 * np.mean(held):.0f} % of {len(held)}" if held else "-", counts]
    return "| " + " | ".join(row) + " |"


HEADER = (
    "conductor",
    "runs",
    "target",
    "ps in all",
    "of the fixed",
    "rounds",
    "error of D: stated / true",
    "error of ln sigma(300 K): stated / true",
    "sigma(300 K) in its 95 % interval",
    "ended",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="materials of each conductor")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--only", default="", help="the conductors whose name contains this")
    arguments = parser.parse_args()
    print("| " + " | ".join(HEADER) + " |\n|" + "---|" * len(HEADER), flush=True)
    seeds = range(arguments.seeds)
    conductors = [one for one in CONDUCTORS if arguments.only in one.name]
    with ProcessPoolExecutor(arguments.jobs) as pool:
        before = {one: list(pool.map(partial(fixed, one), seeds)) for one in conductors}
        for one, result in before.items():
            print(cells(one.name, "fixed", "", result), flush=True)
        own = {one: targets(result) for one, result in before.items()}
        worst = {quantity: max(aims.get(quantity, 0.0) for aims in own.values()) for quantity in LONGEST_PS}
        for title, aims in (("its own error", own), ("the largest error", dict.fromkeys(conductors, worst))):
            for quantity, what in (("tracer_diffusivity", "D"), ("ionic_conductivity", "ln sigma")):
                shares = []
                for one in conductors:
                    target = aims[one].get(quantity)
                    if target is None:
                        continue
                    after = list(pool.map(partial(adaptive, one, target, quantity), seeds))
                    shares.append(share(after, before[one]))
                    print(cells(one.name, f"adaptive, {title}", f"{what} to {target:.2f}", after), flush=True)
                print(f"| **mean** | adaptive, {title} | {what} | | **{np.mean(shares):.2f}** | | | | | |", flush=True)


def share(after: Sequence[Outcome], before: Sequence[Outcome]) -> float:
    """Time of the adaptive runs over that of the fixed ones."""
    return float(np.mean([one.time_ps for one in after]) / np.mean([one.time_ps for one in before]))


def targets(before: Sequence[Outcome]) -> dict[str, float]:
    """What the fixed protocol reached on average: the largest error of D, and that of ln sigma."""
    result = {}
    moved = [max(one.errors) for one in before if one.errors]
    lines = [one.ln_error for one in before if np.isfinite(one.ln_error)]
    if moved:
        result["tracer_diffusivity"] = float(np.mean(moved))
    if lines:
        result["ionic_conductivity"] = float(np.mean(lines))
    return result


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
