"""Draws of arrangements: cooled, drawn where the arrangement froze, mobile ions settled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.disorder.lattice import Lattice, random_arrangement
from aiida_ion.analysis.disorder.sampling import Chains, Stage
from aiida_ion.analysis.disorder.settings import OrderingSettings
from aiida_ion.units import BOLTZMANN_EV_K

#: From here each chain cools, eV.
HOT_EV = 12.0
#: Each stage of cooling has this part of the temperature of the one before.
COOLING = 0.65
#: Sweeps in each stage of cooling.
COOLING_SWEEPS = 100.0
#: Sweeps in each stage in which the mobile ions of a drawn framework settle.
SETTLING_SWEEPS = 20.0
#: There they are left, eV.
COLD_EV = 0.03
#: Beside seed and number, what makes the random numbers of a draw others; above the number of any stage.
OTHERS = 10**6
#: Proposals judged together: few where many are accepted.
HOT_BATCH, COLD_BATCH = 32, 64


@dataclass(frozen=True)
class Quality:
    """Whether a draw reached equilibrium.

    :param drift: change of the mean energy over half of the draw, in standard errors; ``None`` for fewer than three
        chains.
    :param framework_exchanges: exchanges that each disordered place of the framework took part in, on average, during
        the draw; ``None`` where the framework is ordered.
    """

    drift: float | None
    framework_exchanges: float | None


def draw(
    lattice: Lattice,
    matrix: npt.NDArray[np.float64],
    forbidden: npt.NDArray[np.bool_],
    numbers: list[int],
    settings: OrderingSettings,
    others: bool = False,
) -> tuple[Chains, Quality]:
    """Return chains that were drawn at the freezing temperature, their mobile ions then settled, and how well.

    :param numbers: of the members.
    :param others: draw with other random numbers than without it.
    """
    seeds = [(settings.seed, number, *([OTHERS] if others else [])) for number in numbers]
    starts = [random_arrangement(lattice, np.random.default_rng([*seed, 0])) for seed in seeds]
    chains = Chains(lattice, matrix, forbidden, np.array(starts), seeds)
    freezing = BOLTZMANN_EV_K * settings.freezing_temperature_K * settings.screening
    for stage in cooling(freezing):
        chains.run(stage)
    halves, before = [], chains.n_framework.copy()
    for _ in range(2):
        chains.run(Stage(freezing, 0.5 * settings.sweeps, True, COLD_BATCH))
        halves.append(chains.energies_eV())
    n_places = sum(len(pool) for pool in lattice.framework_pools)
    made = float((chains.n_framework - before).mean())
    quality = Quality(_drift(halves[1] - halves[0]), made / n_places if n_places else None)
    for stage in settling(freezing):
        chains.run(stage)
    return chains, quality


def cooling(freezing_eV: float) -> list[Stage]:
    """Return the stages from hot to the freezing temperature."""
    stages, thermal = [], HOT_EV
    while thermal > freezing_eV:
        stages.append(Stage(thermal, COOLING_SWEEPS, True, HOT_BATCH))
        thermal *= COOLING
    return stages


def settling(freezing_eV: float) -> list[Stage]:
    """Return the stages in which the mobile ions settle while the framework stays."""
    stages, thermal = [], min(freezing_eV, 1.0)
    while thermal > COLD_EV:
        thermal *= COOLING
        stages.append(Stage(thermal, SETTLING_SWEEPS, False, COLD_BATCH))
    return stages


def _drift(changes_eV: npt.NDArray[np.float64]) -> float | None:
    if len(changes_eV) < 3:
        return None
    error = float(changes_eV.std(ddof=1)) / len(changes_eV) ** 0.5
    return float(changes_eV.mean()) / error if error > 1e-9 else 0.0
