"""Ordered cells that stand for a disordered crystal: drawn at the temperature where it froze, with equal weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiida_ion.analysis.disorder.crystal import DisorderedCrystal
from aiida_ion.analysis.disorder.draws import Quality
from aiida_ion.analysis.disorder.electrostatics import ewald_matrix
from aiida_ion.analysis.disorder.enumeration import count_inequivalent, log10_arrangements
from aiida_ion.analysis.disorder.lattice import lattice_of
from aiida_ion.analysis.disorder.members import Member, members_of
from aiida_ion.analysis.disorder.plan import Plan, plan_ordering
from aiida_ion.analysis.disorder.refusal import OrderingRefused
from aiida_ion.analysis.disorder.retries import ATTEMPTS, Drawn, draw_apart
from aiida_ion.analysis.disorder.settings import OrderingSettings

#: A mean energy that changed by more standard errors over half of a draw is not yet that of equilibrium.
DRIFT = 3.0
#: With fewer exchanges of each framework place a draw keeps the arrangement of a higher temperature.
FEW_EXCHANGES = 2.0


@dataclass(frozen=True)
class Ensemble:
    """Ordered cells, each draw with the same weight.

    :param plan: the supercell and its contents.
    :param members: cells that are not symmetry copies of each other.
    :param n_failed: draws that were left out because mobile ions stayed too close.
    :param min_distance_A: smallest distance that the mobile ions of a cell keep.
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
                    "min_distance_A": member.min_distance_A,
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
    is_fixed = not len(lattice.open_places) and not lattice.framework_pools
    drawn = draw_apart(plan, lattice, matrix, [0] if is_fixed else range(settings.n_orderings), settings)
    if not drawn.arrangements:
        closest = ATTEMPTS[-1][0] * settings.min_distance_A
        raise OrderingRefused(
            "distances",
            f"no arrangement keeps atoms apart, also where two {plan.mobile_species} may be {closest:.2f} angstrom "
            f"apart: {drawn.closest}; check positions and occupancies of these sites, or lower min_distance_A",
        )
    return Ensemble(
        plan=plan,
        members=members_of(plan, lattice, drawn.arrangements),
        n_failed=len(drawn.failed),
        min_distance_A=min(one.min_distance_A for one in drawn.arrangements),
        quality=drawn.quality,
        log10_arrangements=log10_arrangements(lattice),
        n_inequivalent=count_inequivalent(lattice),
        remarks=_remarks(plan, drawn, settings),
    )


def _remarks(plan: Plan, drawn: Drawn, settings: OrderingSettings) -> tuple[str, ...]:
    remarks, n_failed, n_kept = [], len(drawn.failed), len(drawn.arrangements)
    n_draws = n_failed + n_kept
    if n_failed:
        remarks.append(f"{n_failed} of {n_draws} draws were left out: atoms stayed closer than they can be")
    closer = [one.min_distance_A for one in drawn.arrangements if one.min_distance_A < settings.min_distance_A]
    if closer:
        remarks.append(
            f"{len(closer)} of {n_draws} draws kept not all {plan.mobile_species} {settings.min_distance_A:g} angstrom "
            f"apart, so that they were drawn again with {_range(closer)}: the file may lack some of their sites; relax "
            "the ions before anything else"
        )
    if n_draws < settings.n_orderings:
        remarks.append("only one arrangement exists in this cell")
    drift, exchanges = drawn.quality.drift, drawn.quality.framework_exchanges
    if drift is not None and abs(drift) > DRIFT:
        remarks.append(
            f"the energy still changed by {drift:+.1f} standard errors over half of the draw: raise sweeps for "
            "orderings of the freezing temperature"
        )
    if exchanges is not None and exchanges < FEW_EXCHANGES:
        remarks.append(
            f"places of the framework took part in only {exchanges:.2g} exchanges each: it is frozen at a higher "
            "temperature than was asked for; raise sweeps"
        )
    return tuple(remarks)


def _range(distances_A: list[float]) -> str:
    low, high = min(distances_A), max(distances_A)
    return f"{low:.2f} angstrom" if low == high else f"{low:.2f} to {high:.2f} angstrom"
