"""Does every kind of run get the grade it deserves? Melting frameworks, exploding cells, inert crystals, conductors.

Synthetic runs of known truth: ``python benchmarks/reliability.py --seeds 200 --jobs 2`` prints a Markdown table.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import repeat

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.checks.limits import CheckLimits
from aiida_ion.analysis.diffusion.analyse import DiffusionResult, DiffusionSettings, Segment, analyse_diffusion
from aiida_ion.analysis.trajectories.thermo import Thermo

FloatArray = npt.NDArray[np.float64]

FRAME_PS = 0.1
N_FRAMES = 600
#: Edge of the cubes at whose corners the mobile ions sit, the framework at their centres.
SITE_A = 3.0
N_CUBES = 5
TARGET_K = 800.0
STEPS_PER_FRAME = 10
#: A synthetic liquid has atoms on top of each other; without these limits only the checks of the framework see it.
OVERLAP = CheckLimits(min_distance_ratio_warn=0.0, min_distance_ratio_fail=0.0)
OUTCOMES = ("A", "B", "C", "bound", "D", "bound, refused", "no result")


@dataclass(frozen=True)
class Run:
    """A synthetic run: displacements of mobile ions and framework from their sites, angstrom, and its temperature.

    :param mobile: (n, M, 3). :param framework: (n, F, 3). :param temperature_K: of every step, K.
    """

    mobile: FloatArray
    framework: FloatArray
    temperature_K: FloatArray
    energy_eV: FloatArray


def grid(shift: float) -> FloatArray:
    """Points of a simple cubic lattice, angstrom, (125, 3)."""
    axis = (np.arange(N_CUBES) + shift) * SITE_A
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)


def lattice_gas(generator: np.random.Generator, n_ions: int, hop_probability: float) -> tuple[FloatArray, FloatArray]:
    """Sites of the ions at the start, and displacements of ions that hop to empty neighbouring sites, angstrom."""
    start = generator.permutation(N_CUBES**3)[:n_ions]
    places = np.stack(np.unravel_index(start, (N_CUBES,) * 3), axis=1)
    taken = {tuple(place % N_CUBES) for place in places}
    path = np.empty((N_FRAMES, n_ions, 3))
    moves = np.concatenate([np.eye(3, dtype=int), -np.eye(3, dtype=int)])
    now = places.copy()
    for frame in range(N_FRAMES):
        for ion in np.flatnonzero(generator.random(n_ions) < hop_probability):
            requested = now[ion] + moves[generator.integers(6)]
            if tuple(requested % N_CUBES) not in taken:
                taken.remove(tuple(now[ion] % N_CUBES))
                taken.add(tuple(requested % N_CUBES))
                now[ion] = requested
        path[frame] = now
    return places * SITE_A, (path - places) * SITE_A


def noise(generator: np.random.Generator, size: int, correlation: float = 0.9) -> FloatArray:
    """Correlated noise of unit variance."""
    white = generator.normal(0.0, np.sqrt(1.0 - correlation**2), size)
    values = np.empty(size)
    last = generator.normal()
    for k in range(size):
        last = correlation * last + white[k]
        values[k] = last
    return values


def solid(
    generator: np.random.Generator, n_ions: int, hop_probability: float, rattle_A: float
) -> tuple[FloatArray, Run]:
    """A crystal whose mobile ions hop: sites of all atoms, and the run."""
    sites, hops = lattice_gas(generator, n_ions, hop_probability)
    centres = grid(0.5)
    n_atoms = n_ions + len(centres)
    spread = np.sqrt(2.0 / (3 * n_atoms - 3))
    n_steps = N_FRAMES * STEPS_PER_FRAME
    run = Run(
        mobile=hops + generator.normal(0.0, rattle_A, hops.shape),
        framework=generator.normal(0.0, 0.15, (N_FRAMES, len(centres), 3)),
        temperature_K=TARGET_K * (1.0 + spread * noise(generator, n_steps)),
        energy_eV=n_atoms * (-4.0 + 0.1 * spread * noise(generator, n_steps)),
    )
    return np.concatenate([sites, centres]), run


def melts(run: Run, generator: np.random.Generator, begins: float) -> Run:
    """Let the framework diffuse like a liquid (5e-5 cm^2/s), from a part of the run on."""
    steps = generator.normal(0.0, np.sqrt(2.0 * 0.5 * FRAME_PS), run.framework.shape)
    steps[: int(begins * N_FRAMES)] = 0.0
    return replace(run, framework=run.framework + np.cumsum(steps, axis=0))


def explodes(run: Run, generator: np.random.Generator, begins: float) -> Run:
    """Let all atoms fly apart in the last part of the run, hot and with high energy."""
    first = int(begins * N_FRAMES)
    ramp = np.clip(np.arange(N_FRAMES) - first, 0, None)[:, None, None] * FRAME_PS
    flown = [values + ramp * generator.normal(0.0, 10.0, values.shape[1:]) for values in (run.mobile, run.framework)]
    heat = np.where(np.arange(len(run.temperature_K)) < first * STEPS_PER_FRAME, 1.0, 5.0)
    return replace(run, mobile=flown[0], framework=flown[1], temperature_K=run.temperature_K * heat)


def warms(run: Run, _: np.random.Generator, rise: float) -> Run:
    """Let the temperature rise over the run, its mean on the target."""
    return replace(run, temperature_K=run.temperature_K * (1.0 + rise * np.linspace(-0.5, 0.5, len(run.temperature_K))))


def off_target(run: Run, _: np.random.Generator, part: float) -> Run:
    """Set the whole run to another temperature."""
    return replace(run, temperature_K=run.temperature_K * (1.0 + part))


def unchanged(run: Run, _: np.random.Generator) -> Run:
    """Leave the run a good one."""
    return run


@dataclass(frozen=True)
class Kind:
    """One kind of run: what it is, its ions, and which outcomes are right."""

    name: str
    n_ions: int
    hop_probability: float
    rattle_A: float
    right: tuple[str, ...]
    change: Callable[[Run, np.random.Generator], Run] = unchanged
    limits: CheckLimits = field(default_factory=CheckLimits)


KINDS = (
    Kind("inert, 0.1 angstrom rattling", 60, 0.0, 0.1, ("bound",)),
    Kind("inert, 0.3 angstrom rattling", 60, 0.0, 0.3, ("bound",)),
    Kind("inert, full sites, 0.3 angstrom rattling", 125, 0.0, 0.3, ("bound",)),
    Kind("inert, soft, 0.45 angstrom rattling", 60, 0.0, 0.45, ("bound", "bound, refused")),
    Kind("fast hops", 60, 0.05, 0.3, ("A", "B")),
    Kind("slow hops", 40, 0.006, 0.3, ("B", "C", "bound")),
    Kind("fast hops, framework molten from the start", 60, 0.05, 0.3, ("D",), partial(melts, begins=0.0), OVERLAP),
    Kind("fast hops, framework melts in the last quarter", 60, 0.05, 0.3, ("D",), partial(melts, begins=0.75), OVERLAP),
    Kind(
        "inert, framework melts in the last tenth",
        60,
        0.0,
        0.3,
        ("bound, refused",),
        partial(melts, begins=0.9),
        OVERLAP,
    ),
    Kind(
        "inert, explodes in the last tenth",
        60,
        0.0,
        0.3,
        ("bound, refused", "no result"),
        partial(explodes, begins=0.9),
    ),
    Kind("inert, warms by 12 %", 60, 0.0, 0.3, ("bound, refused",), partial(warms, rise=0.12)),
    Kind("inert, 10 % too hot", 60, 0.0, 0.3, ("bound, refused",), partial(off_target, part=0.1)),
)


def analyse(number: int, seed: int) -> DiffusionResult:
    """Make one run of a kind, and analyse it."""
    kind, generator = KINDS[number], np.random.default_rng([seed, number])
    sites, run = solid(generator, kind.n_ions, kind.hop_probability, kind.rattle_A)
    run = kind.change(run, generator)
    positions = sites + np.concatenate([run.mobile, run.framework], axis=1)
    segment = Segment(positions.astype(np.float32), np.arange(N_FRAMES) * FRAME_PS, np.eye(3) * SITE_A * N_CUBES)
    n_steps = len(run.temperature_K)
    thermo = Thermo(
        times_ps=np.arange(n_steps) * FRAME_PS / STEPS_PER_FRAME,
        temperature_K=run.temperature_K,
        potential_energy_eV=run.energy_eV,
        conserved_energy_eV=None,
        max_force_eV_A=None,
        charge_current_e_A_fs=None,
        n_atoms=len(sites),
        ensemble="nvt",
        timestep_fs=1000.0 * FRAME_PS / STEPS_PER_FRAME,
    )
    return analyse_diffusion(
        [[segment]],
        ["Li"] * kind.n_ions + ["O"] * (len(sites) - kind.n_ions),
        "Li",
        {"Li": 1.0},
        TARGET_K,
        settings=DiffusionSettings(seed=seed, collective=False, limits=kind.limits),
        thermo=[thermo],
        target_temperature_K=TARGET_K,
    )


def outcome(number: int, seed: int) -> tuple[str, tuple[str, ...]]:
    """Grade of a run, and the checks that did not pass; steps as long as half the cell are refused altogether."""
    try:
        result = analyse(number, seed)
    except ValueError as error:
        if "half the cell" not in str(error):
            raise
        return "no result", ("refused: step of half the cell",)
    refused = result.grade == "bound" and result.refused_because is not None
    wrong = tuple(
        f"{check['name']}: {check['verdict']}" for check in result.checks if check["verdict"] in ("warn", "fail")
    )
    return "bound, refused" if refused else result.grade, wrong


def row(kind: Kind, results: list[tuple[str, tuple[str, ...]]], seconds: float) -> str:
    """One line of the table."""
    counts = Counter(grade for grade, _ in results)
    right = sum(counts[grade] for grade in kind.right)
    checks = Counter(name for _, wrong in results for name in wrong)
    common = ", ".join(f"{name} {number}" for name, number in checks.most_common(4))
    cells = [kind.name, *(str(counts[grade] or "") for grade in OUTCOMES)]
    return "| " + " | ".join([*cells, f"{right}/{len(results)}", common, f"{seconds:.0f}"]) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="runs of each kind")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--only", default="", help="run the kinds whose name contains this")
    arguments = parser.parse_args()
    headings = ("true kind of run", *OUTCOMES, "right", "checks that warned or failed", "seconds")
    print("| " + " | ".join(headings) + " |\n|" + "---|" * len(headings), flush=True)
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for number, kind in enumerate(KINDS):
            if arguments.only in kind.name:
                start = time.perf_counter()
                result = list(pool.map(outcome, repeat(number), range(arguments.seeds)))
                print(row(kind, result, time.perf_counter() - start), flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
