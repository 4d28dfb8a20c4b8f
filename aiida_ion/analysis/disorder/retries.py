"""Draws that keep atoms apart: each is repeated by itself where it does not, at last with mobile ions closer.

What becomes of a draw depends on the seed and its own number, never on other draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.disorder.distances import close_pairs
from aiida_ion.analysis.disorder.draws import Quality, draw
from aiida_ion.analysis.disorder.lattice import EMPTY, Lattice, States, forbidden_pairs
from aiida_ion.analysis.disorder.plan import Plan
from aiida_ion.analysis.disorder.settings import OrderingSettings

#: Attempts at a draw: the part of the stated distance that mobile ions keep, and whether random numbers are others.
ATTEMPTS = ((1.0, False), (1.0, True), (0.9, False), (0.8, False), (0.65, False))
#: Of two atoms of a draw that stay too close, distances are given up to here, angstrom.
LARGEST_A = 5.0


@dataclass(frozen=True)
class Arrangement:
    """A draw that keeps atoms apart.

    :param number: of the draw.
    :param state: what is on each place, (n,).
    :param energy_eV: electrostatic energy of the point charges, eV per cell.
    :param min_distance_A: distance that its mobile ions keep.
    """

    number: int
    state: States
    energy_eV: float
    min_distance_A: float


@dataclass(frozen=True)
class Drawn:
    """Draws of one lattice.

    :param arrangements: in the order of their numbers.
    :param failed: numbers of the draws in which atoms stay too close.
    :param quality: of the first attempt at all draws.
    :param closest: in words, which atoms stay closest in the best of the draws that failed; empty where none did.
    """

    arrangements: tuple[Arrangement, ...]
    failed: tuple[int, ...]
    quality: Quality
    closest: str


def draw_apart(
    plan: Plan, lattice: Lattice, matrix: npt.NDArray[np.float64], numbers: Sequence[int], settings: OrderingSettings
) -> Drawn:
    """Return draws in which atoms keep their distances.

    :param matrix: of :func:`aiida_ion.analysis.disorder.electrostatics.ewald_matrix`, eV/e^2, (n, n).
    :param numbers: of the draws.
    """
    kept: dict[int, Arrangement] = {}
    first: Quality | None = None
    left, closest = list(numbers), ""
    for part, others in ATTEMPTS:
        distance = part * settings.min_distance_A
        forbidden = forbidden_pairs(plan, lattice, distance)
        chains, quality = draw(lattice, matrix, forbidden, left, settings, others)
        first = first or quality
        violations, energies = chains.n_forbidden(), chains.energies_eV()
        for row, number in enumerate(left):
            if violations[row] == 0:
                kept[number] = Arrangement(number, chains.states[row], float(energies[row]), distance)
        best = chains.states[int(violations.argmin())]
        left = [number for number in left if number not in kept]
        if not left:
            break
        if not kept:
            closest = _closest_forbidden(plan, lattice, best, forbidden)
    assert first is not None
    return Drawn(tuple(kept[number] for number in sorted(kept)), tuple(left), first, closest)


def _closest_forbidden(plan: Plan, lattice: Lattice, state: States, forbidden: npt.NDArray[np.bool_]) -> str:
    """Return in words which filled places are closest among those that cannot both be filled."""
    filled = np.flatnonzero(state != EMPTY)
    first, second, distances = close_pairs(lattice.cell, lattice.places[filled], LARGEST_A)
    wrong = forbidden[filled[first], filled[second]]
    position = int(np.argmin(np.where(wrong, distances, np.inf)))
    labels = [plan.crystal.orbits[lattice.orbit_of[filled[part[position]]]].label for part in (first, second)]
    return f"{labels[0]} and {labels[1]} are {distances[position]:.2f} angstrom apart"
