"""Whole numbers of atoms on each orbit of a supercell, such that it is neutral."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from aiida_ion.analysis.disorder.charges import Charges
from aiida_ion.analysis.disorder.crystal import FULL, DisorderedCrystal
from aiida_ion.analysis.disorder.roles import Roles

#: More combinations of roundings than this are not compared: orbits with many places are then rounded to the nearest.
MAX_COMBINATIONS = 3000
#: Deviations that make one unit of cost: of the mobile ion, of the composition (atomic fraction), of a framework orbit.
MOBILE_UNIT, COMPOSITION_UNIT, ORBIT_UNIT = 0.03, 0.01, 0.05
#: Cost of an element that a cell does not hold although the crystal does.
ABSENT_COST = 1.5
#: Cost of vacancies on sites of the mobile ion that are stated to be full.
EMPTIED_COST = 0.5

Numbers = Mapping[str, int]


@dataclass(frozen=True)
class Counts:
    """What a neutral supercell holds.

    :param framework: for each orbit, atoms of each element other than the mobile ion.
    :param n_mobile: mobile ions.
    :param mobile_deviation: relative difference of their number from the stated one, signed.
    :param composition_deviation: half the sum of the differences of atomic fractions, 0 to 1.
    :param orbit_deviation: largest difference of an occupancy of the framework from the stated one, 0 to 1.
    :param absent: elements that were rounded away.
    :param n_emptied: mobile ions missing on sites stated to be full.
    :param states: charge of each element, e; those given, but for an element of mixed valence.
    """

    framework: tuple[Numbers, ...]
    n_mobile: int
    mobile_deviation: float
    composition_deviation: float
    orbit_deviation: float
    absent: tuple[str, ...]
    n_emptied: int
    states: Mapping[str, float] = field(default_factory=dict)

    @property
    def cost(self) -> float:
        """How far it is from what was stated; up to 1 is as good as it needs to be."""
        worst = max(
            abs(self.mobile_deviation) / MOBILE_UNIT,
            self.composition_deviation / COMPOSITION_UNIT,
            self.orbit_deviation / ORBIT_UNIT,
        )
        return worst + ABSENT_COST * len(self.absent) + EMPTIED_COST * bool(self.n_emptied)

    @property
    def n_atoms(self) -> int:
        """Atoms of the supercell."""
        return self.n_mobile + sum(sum(numbers.values()) for numbers in self.framework)


@dataclass(frozen=True)
class Rounding:
    """What decides the roundings of a crystal.

    :param target: atoms of each element in the primitive cell that the supercells are to have.
    """

    crystal: DisorderedCrystal
    roles: Roles
    charges: Charges
    mobile_species: str
    target: Mapping[str, float]

    def counts(self, n: int) -> Counts | None:
        """Return the neutral contents of n primitive cells that are closest to the target; ``None`` without any."""
        best: Counts | None = None
        for framework in self._combinations(n):
            counts = self._neutral(framework, n)
            if counts is not None and (best is None or counts.cost < best.cost - 1e-9):
                best = counts
        return best

    def _combinations(self, n: int) -> Iterator[tuple[Numbers, ...]]:
        choices = [self._roundings(index, n) for index in range(len(self.crystal.orbits))]
        # The orbits where rounding matters least are fixed first.
        places = self.crystal.multiplicities
        for index in sorted(range(len(choices)), key=lambda i: -int(places[i])):
            if math.prod(len(options) for options in choices) <= MAX_COMBINATIONS:
                break
            choices[index] = choices[index][:1]
        return product(*choices)

    def _roundings(self, index: int, n: int) -> list[Numbers]:
        """Return the possible numbers of the elements of an orbit other than the mobile ion, the nearest first."""
        orbit, places = self.crystal.orbits[index], int(self.crystal.multiplicities[index]) * n
        shares = {name: share for name, share in orbit.occupancies.items() if name != self.mobile_species}
        if not shares:
            return [{}]
        is_mixed = self.mobile_species in orbit.occupancies
        filled = orbit.total >= FULL and not is_mixed
        if len(shares) == 1 and filled:
            return [dict.fromkeys(shares, places)]
        ranges = [_around(share * places, wide=is_mixed) for share in shares.values()]
        options = [dict(zip(shares, numbers, strict=True)) for numbers in product(*ranges)]
        options = [numbers for numbers in options if _fits(sum(numbers.values()), places, filled)]
        wanted = {name: share * places for name, share in shares.items()}
        return sorted(options, key=lambda numbers: sum((numbers[name] - wanted[name]) ** 2 for name in numbers))

    def _neutral(self, framework: tuple[Numbers, ...], n: int) -> Counts | None:
        """Return the contents with as many mobile ions as make them neutral; ``None`` without room for them."""
        amounts: Counter[str] = Counter()
        for numbers in framework:
            amounts.update(numbers)
        states = dict(self.charges.states)
        wanted = self.target[self.mobile_species] * n
        least, most = self._room(framework, n)
        if self.charges.mixed is None:
            exact = -sum(amounts[name] * states[name] for name in amounts) / states[self.mobile_species]
        else:
            exact = float(min(max(round(wanted), least), most))
            states = self._balanced(amounts, exact, states)
        n_mobile = round(exact)
        if not states or abs(exact - n_mobile) > 1e-6 or not 1 <= n_mobile <= most:
            return None
        return self._deviations(framework, amounts, n_mobile, max(0, least - n_mobile), n, states)

    def _room(self, framework: tuple[Numbers, ...], n: int) -> tuple[int, int]:
        """Return how many mobile ions fill the sites that are stated to be full, and how many fill all their sites."""
        least, most = 0, 0
        for orbit, places, numbers in zip(self.crystal.orbits, self.crystal.multiplicities, framework, strict=True):
            if self.mobile_species in orbit.occupancies:
                free = int(places) * n - sum(numbers.values())
                most += free
                least += free if orbit.total >= FULL else 0
        return least, most

    def _balanced(self, amounts: Mapping[str, int], n_mobile: float, states: dict[str, float]) -> dict[str, float]:
        """Return the states with the mean charge of the element of mixed valence; empty if it would leave its range."""
        mixed = str(self.charges.mixed)
        rest = n_mobile * states[self.mobile_species]
        rest += sum(number * states[name] for name, number in amounts.items() if name != mixed)
        mean = -rest / amounts[mixed] if amounts.get(mixed) else math.inf
        given = self.charges.states[mixed]
        return states | {mixed: mean} if math.floor(given) <= mean <= math.ceil(given) else {}

    def _deviations(
        self,
        framework: tuple[Numbers, ...],
        amounts: Mapping[str, int],
        n_mobile: int,
        n_emptied: int,
        n: int,
        states: Mapping[str, float],
    ) -> Counts:
        numbers = {**amounts, self.mobile_species: n_mobile}
        names = sorted({*numbers, *self.target})
        made = np.array([numbers.get(name, 0) for name in names], dtype=float)
        stated = np.array([self.target.get(name, 0.0) for name in names])
        wanted = self.target[self.mobile_species] * n
        orbit = 0.0
        for index, held in enumerate(framework):
            places = float(self.crystal.multiplicities[index]) * n
            shares = self.crystal.orbits[index].occupancies
            orbit = max([orbit, *(abs(number / places - shares[name]) for name, number in held.items())])
        return Counts(
            framework=framework,
            n_mobile=n_mobile,
            mobile_deviation=n_mobile / wanted - 1.0,
            composition_deviation=0.5 * float(np.abs(made / made.sum() - stated / stated.sum()).sum()),
            orbit_deviation=orbit,
            absent=tuple(name for name in names if self.target.get(name, 0.0) > 0 and not numbers.get(name)),
            n_emptied=n_emptied,
            states=states,
        )


def _around(value: float, wide: bool) -> list[int]:
    """Return the whole numbers next to a value; one more on each side where the mobile ion fills what is left."""
    low, high = math.floor(value + 1e-3), math.ceil(value - 1e-3)
    return list(range(max(0, low - wide), high + wide + 1))


def _fits(total: int, places: int, filled: bool) -> bool:
    return total == places if filled else total <= places
