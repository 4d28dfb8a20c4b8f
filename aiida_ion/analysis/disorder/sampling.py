"""Monte Carlo of exchanges between places: many independent chains at once, each from its own seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.disorder.lattice import EMPTY, Lattice, States

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Energy of a pair of filled places that cannot both be filled, eV: far above any exchange of charges.
FORBIDDEN_EV = 60.0
#: Rounds whose random numbers are drawn together.
ROUNDS = 64


@dataclass(frozen=True)
class Stage:
    """A part of a chain at one temperature.

    :param thermal_eV: Boltzmann's constant times temperature, in the energies of the matrix, eV.
    :param sweeps: proposals for each place that takes part.
    :param framework: whether the framework takes part, or the mobile ions alone.
    :param batch: proposals that are judged together, of which the first accepted one is made; it does not change what
        is sampled, only the speed: many where few are accepted.
    """

    thermal_eV: float
    sweeps: float
    framework: bool = True
    batch: int = 8


class Chains:
    """Independent chains of arrangements of one lattice.

    The energy of an arrangement is q V q / 2, plus :data:`FORBIDDEN_EV` for each forbidden pair that is filled.

    :param lattice: places and rules.
    :param matrix: of :func:`aiida_ion.analysis.disorder.electrostatics.ewald_matrix`, eV/e^2, (n, n).
    :param forbidden: pairs of places that cannot both be filled, (n, n).
    :param states: starting arrangements, (chains, n).
    :param seeds: numbers from which each chain draws; a chain depends on its own alone.
    """

    def __init__(
        self,
        lattice: Lattice,
        matrix: FloatArray,
        forbidden: npt.NDArray[np.bool_],
        states: npt.NDArray[np.int8],
        seeds: Sequence[Sequence[int]],
    ) -> None:
        self.lattice = lattice
        self.matrix = matrix
        self.blocked = forbidden.astype(float) * FORBIDDEN_EV
        self.states = states.copy()
        self.seeds = [tuple(seed) for seed in seeds]
        self.n_stages = 0
        #: Exchanges of the framework since the start, (chains,).
        self.n_framework = np.zeros(len(states), dtype=np.int64)
        self._own = np.diagonal(matrix), np.diagonal(self.blocked)
        self._refresh()

    def _refresh(self) -> None:
        """Compute the fields anew, one chain at a time: sums must not depend on how many chains there are."""
        charges = self.lattice.charges_e[self.states]
        filled = (self.states != EMPTY).astype(float)
        self.potentials = np.array([self.matrix @ row for row in charges])
        self.pressures = np.array([self.blocked @ row for row in filled])

    def energies_eV(self) -> FloatArray:  # noqa: N802
        """Return the electrostatic energy of each chain's arrangement, eV, without forbidden pairs, (chains,)."""
        charges = self.lattice.charges_e[self.states]
        energies: FloatArray = np.array([0.5 * float(row @ (self.matrix @ row)) for row in charges])
        return energies

    def n_forbidden(self) -> IntArray:
        """Return how many forbidden pairs are filled in each chain, a place too close to its own image included."""
        filled = (self.states != EMPTY).astype(float)
        pairs = np.einsum("ri,ri->r", filled, filled @ self.blocked) / FORBIDDEN_EV
        own = filled @ self._own[1] / FORBIDDEN_EV
        counts: IntArray = np.rint(0.5 * (pairs + own)).astype(np.int64)
        return counts

    def run(self, stage: Stage) -> FloatArray:
        """Run every chain through a stage; return the share of proposals that were accepted, (chains,)."""
        pools = self._pools(stage.framework)
        self.n_stages += 1
        n_chains = len(self.states)
        total = sum(len(places) for places, _ in pools)
        if not total:
            return np.zeros(n_chains)
        budget = np.full(n_chains, max(1, round(stage.sweeps * total)))
        accepted = np.zeros(n_chains)
        proposals = float(budget[0])
        generators = [np.random.default_rng([*seed, self.n_stages]) for seed in self.seeds]
        table = _Table(pools)
        self._refresh()
        while budget.any():
            shape = (ROUNDS, stage.batch, 4)
            numbers = np.stack([generator.random(shape) for generator in generators], axis=1)
            first, second, is_mobile = table.pairs(numbers)
            thresholds = -np.log(np.maximum(numbers[..., 3], 1e-300)) * stage.thermal_eV
            for turn in range(ROUNDS):
                accepted += self._round(first[turn], second[turn], is_mobile[turn], thresholds[turn], budget)
                if not budget.any():
                    break
        return accepted / proposals

    def _pools(self, framework: bool) -> list[tuple[IntArray, bool]]:
        """Return the sets of places that exchange, and whether only mobile ions and empty places do."""
        pools = [(self.lattice.open_places, True)]
        if framework:
            pools += [(pool, False) for pool in self.lattice.framework_pools]
        return [(places, flag) for places, flag in pools if len(places) > 1]

    def _round(
        self,
        first: IntArray,
        second: IntArray,
        is_mobile: npt.NDArray[np.bool_],
        thresholds: FloatArray,
        budget: IntArray,
    ) -> IntArray:
        """Make the first accepted proposal of each chain; proposals after it are not counted.

        :param first: first place of each proposal, (chains, batch).
        :param thresholds: largest energy that is accepted, eV, (chains, batch).
        :param budget: proposals left for each chain; reduced here.
        :returns: whether each chain changed, 0 or 1, (chains,).
        """
        rows = np.arange(len(first))[:, None]
        one, other = self.states[rows, first], self.states[rows, second]
        possible = (one != other) & (~is_mobile | self._only_mobile(one, other))
        charges = self.lattice.charges_e
        moved_e = charges[other] - charges[one]
        filled = (other != EMPTY).astype(float) - (one != EMPTY)
        energy = self._difference(self.potentials, self.matrix, self._own[0], rows, first, second, moved_e)
        energy += self._difference(self.pressures, self.blocked, self._own[1], rows, first, second, filled)
        good = possible & (energy <= thresholds)
        good &= np.arange(first.shape[1]) < budget[:, None]
        position = good.argmax(axis=1)
        changed = good[rows[:, 0], position]
        used = np.where(changed, position + 1, first.shape[1])
        budget -= np.minimum(used, budget)
        chains = np.flatnonzero(changed)
        if len(chains):
            chosen = position[chains]
            a, b = first[chains, chosen], second[chains, chosen]
            self.n_framework[chains] += ~is_mobile[chains, chosen]
            self._exchange(chains, a, b, moved_e[chains, chosen], filled[chains, chosen])
        made: IntArray = changed.astype(np.int64)
        return made

    def _only_mobile(self, one: States, other: States) -> npt.NDArray[np.bool_]:
        """Whether a mobile ion and an empty place exchange."""
        mobile = self.lattice.mobile
        result: npt.NDArray[np.bool_] = ((one == mobile) & (other == EMPTY)) | ((one == EMPTY) & (other == mobile))
        return result

    @staticmethod
    def _difference(
        field: FloatArray,
        matrix: FloatArray,
        own: FloatArray,
        rows: IntArray,
        first: IntArray,
        second: IntArray,
        moved: FloatArray,
    ) -> FloatArray:
        """Return the energies of exchanges: x (f_a - f_b) + x^2 (M_aa + M_bb - 2 M_ab) / 2, with x = q_b - q_a."""
        curvature = 0.5 * (own[first] + own[second]) - matrix[first, second]
        result: FloatArray = moved * (field[rows, first] - field[rows, second]) + moved**2 * curvature
        return result

    def _exchange(self, chains: IntArray, a: IntArray, b: IntArray, moved_e: FloatArray, filled: FloatArray) -> None:
        self.states[chains, a], self.states[chains, b] = self.states[chains, b], self.states[chains, a]
        self.potentials[chains] += moved_e[:, None] * (self.matrix[a] - self.matrix[b])
        self.pressures[chains] += filled[:, None] * (self.blocked[a] - self.blocked[b])


class _Table:
    """Turns random numbers into pairs of different places of one pool, a pool as often as it has places."""

    def __init__(self, pools: Sequence[tuple[IntArray, bool]]) -> None:
        sizes = np.array([len(places) for places, _ in pools])
        self.places = np.concatenate([places for places, _ in pools])
        self.sizes = np.repeat(sizes, sizes)
        self.starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
        self.is_mobile = np.repeat(np.array([flag for _, flag in pools]), sizes)

    def pairs(self, numbers: FloatArray) -> tuple[IntArray, IntArray, npt.NDArray[np.bool_]]:
        """Return first and second place of each proposal, and whether its pool is that of the mobile ions.

        :param numbers: random numbers from 0 to 1, (..., 4); the last is not used here.
        """
        index = (numbers[..., 0] * len(self.places)).astype(np.int64)
        sizes, starts = self.sizes[index], self.starts[index]
        step = 1 + (numbers[..., 1] * (sizes - 1)).astype(np.int64)
        second = starts + (index - starts + step) % sizes
        return self.places[index], self.places[second], self.is_mobile[index]
