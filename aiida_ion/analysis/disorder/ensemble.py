"""Ordered cells that stand for a disordered crystal: drawn at the temperature where it froze, with equal weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from pymatgen.core.lattice import Lattice as Cell
from pymatgen.core.structure import Structure

from aiida_ion.analysis.crystals.identity import structure_hash
from aiida_ion.analysis.disorder.crystal import DisorderedCrystal
from aiida_ion.analysis.disorder.distances import close_pairs
from aiida_ion.analysis.disorder.electrostatics import ewald_matrix
from aiida_ion.analysis.disorder.enumeration import count_inequivalent, log10_arrangements
from aiida_ion.analysis.disorder.lattice import EMPTY, Lattice, forbidden_pairs, lattice_of, random_arrangement
from aiida_ion.analysis.disorder.plan import Plan, plan_ordering
from aiida_ion.analysis.disorder.refusal import OrderingRefused
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
#: Where no arrangement keeps the stated distance, mobile ions may be this much closer, in turn.
CLOSER = (1.0, 0.9, 0.8)
#: Proposals judged together: few where many are accepted.
HOT_BATCH, COLD_BATCH = 32, 64
#: A mean energy that changed by more standard errors over half of a draw is not yet that of equilibrium.
DRIFT = 3.0
#: With fewer exchanges of each framework place a draw keeps the arrangement of a higher temperature.
FEW_EXCHANGES = 2.0
#: Distances are reported up to here, angstrom.
REPORTED_A = 5.0


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


@dataclass(frozen=True)
class Member:
    """An ordered cell.

    :param structure: the cell, its atoms sorted by element.
    :param energy_eV: electrostatic energy of the point charges, eV per cell.
    :param closest_mobile_A: smallest distance of two mobile ions, angstrom; ``None`` above 5.
    :param closest_A: smallest distance of any two atoms, angstrom.
    :param occupancies: for each orbit that holds mobile ions, the share of its places that they fill.
    :param digest: hash of the crystal, equal for symmetry copies.
    :param framework_digest: that of its framework.
    :param index: its number; it depends on the seed and this number alone.
    :param count: draws that gave this cell or a symmetry copy of it.
    """

    structure: Structure
    energy_eV: float
    closest_mobile_A: float | None
    closest_A: float
    occupancies: dict[str, float]
    digest: str
    framework_digest: str
    index: int
    count: int = 1


@dataclass(frozen=True)
class Ensemble:
    """Ordered cells, each draw with the same weight.

    :param plan: the supercell and its contents.
    :param members: cells that are not symmetry copies of each other.
    :param n_failed: draws that were left out because mobile ions stayed too close.
    :param min_distance_A: distance that the mobile ions keep.
    :param quality: whether the draws reached equilibrium.
    :param log10_arrangements: decimal logarithm of the number of arrangements in the cell, without rules of distances.
    :param n_inequivalent: how many of them symmetry does not make equal; ``None`` where they are too many to list.
    :param remarks: in addition to those of the plan.
    """

    plan: Plan
    members: tuple[Member, ...]
    n_failed: int
    min_distance_A: float
    quality: Quality
    log10_arrangements: float
    n_inequivalent: int | None
    remarks: tuple[str, ...]

    @property
    def n_draws(self) -> int:
        """Draws behind the members."""
        return sum(member.count for member in self.members)

    @property
    def weights(self) -> list[float]:
        """Weight of each member: the share of the draws that gave it."""
        return [member.count / self.n_draws for member in self.members]

    @property
    def n_frameworks(self) -> int:
        """Frameworks that are not symmetry copies of each other."""
        return len({member.framework_digest for member in self.members})

    def attributes(self) -> dict[str, Any]:
        """Return everything but the structures, ready for JSON."""
        return self.plan.attributes() | {
            "n_draws": self.n_draws,
            "n_orderings": len(self.members),
            "n_frameworks": self.n_frameworks,
            "n_failed": self.n_failed,
            "min_distance_A": self.min_distance_A,
            "drift": self.quality.drift,
            "framework_exchanges": self.quality.framework_exchanges,
            "log10_arrangements": self.log10_arrangements,
            "n_inequivalent_arrangements": self.n_inequivalent,
            "draw_remarks": list(self.remarks),
            "members": [
                {
                    "index": member.index,
                    "weight": weight,
                    "count": member.count,
                    "ewald_energy_eV": member.energy_eV,
                    "closest_mobile_A": member.closest_mobile_A,
                    "closest_A": member.closest_A,
                    "mobile_occupancies": member.occupancies,
                    "structure_hash": member.digest,
                    "framework_hash": member.framework_digest,
                }
                for member, weight in zip(self.members, self.weights, strict=True)
            ],
        }


def order_crystal(crystal: DisorderedCrystal, settings: OrderingSettings) -> Ensemble:
    """Return an ensemble of ordered, neutral cells of a crystal.

    :raises OrderingRefused: where a decision of the user is needed.
    """
    return draw_ensemble(plan_ordering(crystal, settings), settings)


def draw_ensemble(plan: Plan, settings: OrderingSettings) -> Ensemble:
    """Return ordered cells as planned.

    :raises OrderingRefused: where atoms stay too close in all of them.
    """
    lattice = lattice_of(plan)
    matrix = ewald_matrix(lattice.cell, lattice.places)
    n_fixed = not len(lattice.open_places) and not lattice.framework_pools
    numbers = [0] if n_fixed else list(range(settings.n_orderings))
    closest = ""
    for part in CLOSER:
        distance = part * settings.min_distance_A
        forbidden = forbidden_pairs(plan, lattice, distance)
        chains, quality = draw(lattice, matrix, forbidden, numbers, settings)
        violations = chains.n_forbidden()
        if violations.min() == 0:
            return Ensemble(
                plan=plan,
                members=_members(plan, lattice, chains, numbers, violations),
                n_failed=int((violations > 0).sum()),
                min_distance_A=distance,
                quality=quality,
                log10_arrangements=log10_arrangements(lattice),
                n_inequivalent=count_inequivalent(lattice),
                remarks=_remarks(plan, violations, distance, quality, settings),
            )
        closest = _closest_forbidden(plan, lattice, chains.states[int(violations.argmin())], forbidden)
    raise OrderingRefused(
        "distances",
        f"no arrangement keeps atoms apart, also where two {plan.mobile_species} may be "
        f"{CLOSER[-1] * settings.min_distance_A:.2f} angstrom apart: {closest}; check positions and occupancies of "
        "these sites, or lower min_distance_A",
    )


def draw(
    lattice: Lattice,
    matrix: npt.NDArray[np.float64],
    forbidden: npt.NDArray[np.bool_],
    numbers: list[int],
    settings: OrderingSettings,
) -> tuple[Chains, Quality]:
    """Return chains that were drawn at the freezing temperature, their mobile ions then settled, and how well.

    :param numbers: of the members.
    """
    seeds = [(settings.seed, number) for number in numbers]
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


def _members(
    plan: Plan, lattice: Lattice, chains: Chains, numbers: list[int], violations: npt.NDArray[np.int64]
) -> tuple[Member, ...]:
    energies = chains.energies_eV()
    members: dict[str, Member] = {}
    for row, number in enumerate(numbers):
        if violations[row] == 0:
            member = _member(plan, lattice, chains.states[row], float(energies[row]), number)
            known = members.get(member.digest)
            members[member.digest] = member if known is None else replace(known, count=known.count + 1)
    return tuple(members.values())


def _remarks(
    plan: Plan, violations: npt.NDArray[np.int64], distance: float, quality: Quality, settings: OrderingSettings
) -> tuple[str, ...]:
    remarks, failed = [], int((violations > 0).sum())
    if failed:
        remarks.append(f"{failed} of {len(violations)} draws were left out: atoms stayed closer than they can be")
    if distance < settings.min_distance_A:
        remarks.append(
            f"no arrangement keeps all {plan.mobile_species} {settings.min_distance_A:g} angstrom apart: "
            f"{distance:.2f} was used"
        )
    if len(violations) < settings.n_orderings:
        remarks.append("only one arrangement exists in this cell")
    if quality.drift is not None and abs(quality.drift) > DRIFT:
        remarks.append(
            f"the energy still changed by {quality.drift:+.1f} standard errors over half of the draw: raise sweeps for "
            "orderings of the freezing temperature"
        )
    exchanges = quality.framework_exchanges
    if exchanges is not None and exchanges < FEW_EXCHANGES:
        remarks.append(
            f"places of the framework took part in only {exchanges:.2g} exchanges each: it is frozen at a higher "
            "temperature than was asked for; raise sweeps"
        )
    return tuple(remarks)


def _member(plan: Plan, lattice: Lattice, state: npt.NDArray[np.int8], energy_eV: float, number: int) -> Member:
    structure = ordered_structure(lattice, state)
    mobile = np.flatnonzero(state == lattice.mobile)
    framework = np.flatnonzero((state != EMPTY) & (state != lattice.mobile))
    rest = Structure.from_sites([site for site in structure if site.specie.symbol != plan.mobile_species])
    occupancies = {
        orbit.label: float((lattice.orbit_of[mobile] == index).sum() / (lattice.orbit_of == index).sum())
        for index, orbit in enumerate(plan.crystal.orbits)
        if plan.mobile_species in orbit.occupancies
    }
    closest = _closest(lattice, np.concatenate([mobile, framework]))
    return Member(
        structure=structure,
        energy_eV=energy_eV,
        closest_mobile_A=_closest(lattice, mobile),
        closest_A=REPORTED_A if closest is None else closest,
        occupancies=occupancies,
        digest=structure_hash(structure),
        framework_digest=structure_hash(rest),
        index=number,
    )


def _closest_forbidden(
    plan: Plan, lattice: Lattice, state: npt.NDArray[np.int8], forbidden: npt.NDArray[np.bool_]
) -> str:
    """Return in words which filled places are closest among those that cannot both be filled."""
    filled = np.flatnonzero(state != EMPTY)
    first, second, distances = close_pairs(lattice.cell, lattice.places[filled], REPORTED_A)
    wrong = forbidden[filled[first], filled[second]]
    position = int(np.argmin(np.where(wrong, distances, np.inf)))
    labels = [plan.crystal.orbits[lattice.orbit_of[filled[part[position]]]].label for part in (first, second)]
    return f"{labels[0]} and {labels[1]} are {distances[position]:.2f} angstrom apart"


def ordered_structure(lattice: Lattice, state: npt.NDArray[np.int8]) -> Structure:
    """Return an arrangement as a structure, its atoms sorted by electronegativity."""
    filled = np.flatnonzero(state != EMPTY)
    symbols = [lattice.elements[int(state[place]) - 1] for place in filled]
    return Structure(Cell(lattice.cell), symbols, lattice.places[filled]).get_sorted_structure()


def _closest(lattice: Lattice, places: npt.NDArray[np.int64]) -> float | None:
    """Return the smallest distance of two of the places and their images, angstrom; ``None`` above 5."""
    distances = close_pairs(lattice.cell, lattice.places[places], REPORTED_A)[2]
    return float(distances.min()) if len(distances) else None
