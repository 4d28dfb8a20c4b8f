"""Runs of a real conductor that differ in their seed only: do they scatter as much as each says?

Li2O in LAMMPS, and one run far above melting: ``python benchmarks/seeds.py --seeds 14`` prints Markdown tables.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from real_runs import lithium_oxide

from aiida_ion.analysis.diffusion.analyse import DiffusionResult, DiffusionSettings, analyse_diffusion

CHARGES = {"Li": 1.0, "O": -2.0}
QUANTITIES = {"D*": "tracer_diffusivity_cm2_s", "D_sigma": "collective_diffusivity_cm2_s", "Haven ratio": "haven_ratio"}


def analysed(temperature_K: float, seed: int) -> DiffusionResult:
    """Run once and analyse."""
    with tempfile.TemporaryDirectory() as folder:
        run = lithium_oxide(Path(folder), temperature_K, seed=seed)
    settings = DiffusionSettings(seed=seed)
    return analyse_diffusion([[run.segment]], run.symbols, "Li", CHARGES, temperature_K, settings=settings)


def row(title: str, name: str, results: Sequence[DiffusionResult]) -> str:
    """Scatter over the seeds beside what the runs state, both over the mean, and how often the mean is held."""
    known = [one for one in results if getattr(one, name) is not None]
    values = np.array([getattr(one, name) for one in known])
    stem, _, unit = name.partition("_cm2_s")
    suffix = "_cm2_s" if name.endswith("_cm2_s") else unit
    intervals = [getattr(one, f"{stem}_ci95{suffix}") for one in known]
    stated = [(high - low) / 3.92 for low, high in intervals]
    mean = values.mean()
    held = sum(low <= mean <= high for low, high in intervals)
    cells = [title, f"{mean:.3g}", f"{values.std(ddof=1) / mean:.1%}", f"{np.mean(stated) / mean:.1%}"]
    return "| " + " | ".join([*cells, f"{held} of {len(known)}"]) + " |"


def verdicts(title: str, results: Sequence[DiffusionResult]) -> str:
    """Grades, and the checks that did not pass."""
    wrong = [f"{check['name']} ({check['verdict']})" for one in results for check in one.checks if speaks(check)]
    named = ", ".join(f"{name} {wrong.count(name)}" for name in sorted(set(wrong))) or "none"
    return f"| {title} | {', '.join(one.grade for one in results)} | {named} |"


def speaks(check: dict[str, object]) -> bool:
    return check["verdict"] in ("warn", "fail")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=14)
    arguments = parser.parse_args()
    results = [analysed(1300.0, seed) for seed in range(1, arguments.seeds + 1)]
    print("| quantity | mean over the seeds | scatter | mean stated | runs whose 95 % interval holds the mean |")
    print("|---|---|---|---|---|")
    for title, name in QUANTITIES.items():
        print(row(title, name, results))
    alone = np.mean([one.independent_relative_error for one in results])
    print(
        f"\nof D*, for independent ions: {alone:.1%}\n\n| run | grades | checks that warned or failed |\n|---|---|---|"
    )
    print(verdicts("1300 K", results))
    print(verdicts("4000 K", [analysed(4000.0, 1)]))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
