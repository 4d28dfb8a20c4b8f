"""How often the interval of a pooled diffusivity, and of the conductivity that follows, holds that of all members.

    python benchmarks/ensembles.py --repeats 300
    python benchmarks/ensembles.py --repeats 200 --target

Members are drawn from a known distribution of diffusivities, each measured with a known error. The first command pools
them at one temperature. The second has members with laws of their own, pools them at three temperatures, fits one line,
and looks at 300 K.
"""

from __future__ import annotations

import argparse

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.arrhenius.fit import ArrheniusPoint, fit_arrhenius
from aiida_ion.analysis.arrhenius.members import MemberDeviations
from aiida_ion.analysis.disorder.pooling import MemberPoint, pool
from aiida_ion.analysis.disorder.spread import sampling_of
from aiida_ion.units import BOLTZMANN_EV_K

FloatArray = npt.NDArray[np.float64]
NUMBERS, ERRORS = (3, 5, 10, 20), (0.05, 0.2)
#: Standard deviation between members: of the diffusivity, relative to its mean, or of its logarithm.
NORMAL, LOGARITHMIC = (0.0, 0.1, 0.2), (0.3, 0.5, 1.0, 1.5)
#: Of the activation energy (eV) and of the logarithm of the prefactor.
LAWS = ((0.0, 0.3), (0.01, 0.3), (0.02, 0.5), (0.03, 0.0))
HOT_K, TARGET_K, ENERGY_EV = np.array([800.0, 1000.0, 1200.0]), 300.0, 0.3


def measured(truths: FloatArray, error: float, rng: np.random.Generator) -> list[MemberPoint]:
    """Return what short runs find of members: a value with an error, and draws that state it."""
    values = np.maximum(truths * (1.0 + error * rng.standard_normal(len(truths))), 1e-3 * truths)
    noise = error * truths[:, None] * rng.standard_normal((len(truths), 400))
    return [MemberPoint(np.maximum(value + one, 1e-3 * value)) for value, one in zip(values, noise, strict=True)]


def at_one_temperature(
    number: int, spread: float, is_logarithmic: bool, error: float, repeats: int
) -> tuple[float, float]:
    """Return how often the interval holds the mean of all members, and its median width in decades."""
    rng, hits, widths = np.random.default_rng(0), 0, []
    truth = float(np.exp(spread**2 / 2)) if is_logarithmic else 1.0
    for seed in range(repeats):
        drawn = spread * rng.standard_normal(number)
        members = np.exp(drawn) if is_logarithmic else 1.0 + drawn
        interval = pool(measured(members, error, rng), sampling_of([1.0] * number, [None] * number), seed).ci95_cm2_s
        assert interval is not None
        hits += interval[0] <= truth <= interval[1]
        widths.append(np.log10(interval[1] / interval[0]))
    return hits / repeats, float(np.median(widths))


def at_the_target(number: int, law: tuple[float, float], error: float, repeats: int) -> tuple[float, float]:
    """Return how often the interval at the target holds the line through the means, and its median width."""
    rng, hits, widths = np.random.default_rng(0), 0, []
    sampling = sampling_of([1.0] * number, [None] * number)
    x = 1.0 / (BOLTZMANN_EV_K * HOT_K)
    # The mean of exp(-E x + f) over two normal distributions.
    means = -ENERGY_EV * x + 0.5 * (law[0] * x) ** 2 + 0.5 * law[1] ** 2
    truth = float(np.polyval(np.polyfit(x, means, 1), 1.0 / (BOLTZMANN_EV_K * TARGET_K))) / np.log(10.0)
    for seed in range(repeats):
        energies = ENERGY_EV + law[0] * rng.standard_normal(number)
        factors = law[1] * rng.standard_normal(number)
        points = []
        for place, temperature in enumerate(HOT_K):
            pooled = pool(measured(np.exp(factors - energies * x[place]), error, rng), sampling, 10 * seed + place)
            assert pooled.deviations is not None and pooled.variances is not None
            members = MemberDeviations(sampling, pooled.deviations, pooled.variances)
            points.append(ArrheniusPoint(float(temperature), pooled.within_samples_cm2_s, members=members))
        interval = fit_arrhenius(points, TARGET_K, seed=seed).log10_diffusivity_ci95_cm2_s
        assert interval is not None
        hits += interval[0] <= truth <= interval[1]
        widths.append(interval[1] - interval[0])
    return hits / repeats, float(np.median(widths))


def main() -> None:
    """Print a row for each distribution."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=300)
    parser.add_argument("--target", action="store_true", help="look at 300 K instead of one temperature")
    choices = parser.parse_args()
    if choices.target:
        print("| sd of energy, eV | sd of ln D0 | members | error 0.05 | error 0.2 |")
        for law in LAWS:
            for number in (3, 5, 10):
                cells = [at_the_target(number, law, error, choices.repeats) for error in ERRORS]
                print(f"| {law[0]:g} | {law[1]:g} | {number} | {_cells(cells)} |", flush=True)
        return
    print("| distribution | sd | members | error 0.05 | error 0.2 |")
    for is_logarithmic, spreads in ((False, NORMAL), (True, LOGARITHMIC)):
        for spread in spreads:
            for number in NUMBERS:
                cells = [at_one_temperature(number, spread, is_logarithmic, error, choices.repeats) for error in ERRORS]
                name = "of ln D" if is_logarithmic else "of D"
                print(f"| {name} | {spread:g} | {number} | {_cells(cells)} |", flush=True)


def _cells(results: list[tuple[float, float]]) -> str:
    return " | ".join(f"{100 * share:.1f} % ({width:.2f})" for share, width in results)


if __name__ == "__main__":
    main()
