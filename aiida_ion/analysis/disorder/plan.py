"""From a crystal with partly occupied sites to the supercell that stands for it, with what deviates and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiida_ion.analysis.disorder.charges import Charges, check_balanced, find_charges
from aiida_ion.analysis.disorder.counts import Counts, Rounding
from aiida_ion.analysis.disorder.crystal import DisorderedCrystal
from aiida_ion.analysis.disorder.refusal import OrderingRefused
from aiida_ion.analysis.disorder.roles import Roles, check_vacancies, describe, find_roles
from aiida_ion.analysis.disorder.settings import OrderingSettings
from aiida_ion.analysis.disorder.supercells import Supercell, compact_supercell
from aiida_ion.analysis.disorder.targets import target_of, with_missing_mobile

#: A cell of this cost is as good as it needs to be.
GOOD = 1.0
#: To name the smallest cell that would do, cells up to so many times the limit are looked at.
LOOK_AHEAD = 4
#: A charge below this part of that of the anions is a rounding of the last digit.
UNBALANCED = 0.001
#: An element of which a cell should hold as much is not rounded away.
HALF_AN_ATOM = 0.5
#: Most primitive cells in a supercell.
MAX_CELLS = 100


@dataclass(frozen=True)
class Plan:
    """How a crystal is ordered.

    :param crystal: orbits in the primitive cell.
    :param roles: what is disordered.
    :param charges: states of the elements.
    :param supercell: the cell.
    :param counts: what it holds.
    :param remarks: what was changed or assumed, one sentence each.
    :param mobile_source: where the number of mobile ions is from, ``occupancies`` or ``target_composition``.
    """

    crystal: DisorderedCrystal
    mobile_species: str
    roles: Roles
    charges: Charges
    supercell: Supercell
    counts: Counts
    remarks: tuple[str, ...]
    mobile_source: str = "occupancies"

    @property
    def n_cells(self) -> int:
        """Primitive cells in the supercell."""
        return sum(self.counts_of_places()) // len(self.crystal.places)

    def counts_of_places(self) -> list[int]:
        """Places of each orbit in the supercell."""
        n = round(abs(float(determinant(self.supercell.multiples))))
        return [int(places) * n for places in self.crystal.multiplicities]

    def attributes(self) -> dict[str, Any]:
        """Return the plan, ready for JSON."""
        counts = self.counts
        return {
            "mobile_species": self.mobile_species,
            "disorder": self.roles.kind,
            "n_atoms": counts.n_atoms,
            "n_sites": sum(self.counts_of_places()),
            "n_primitive_cells": self.n_cells,
            "multiples": self.supercell.multiples.tolist(),
            "width_A": self.supercell.width_A,
            "oxidation_states": dict(counts.states),
            "stated_charge_e": self.charges.residual_e,
            "mobile_source": self.mobile_source,
            "n_mobile": counts.n_mobile,
            "mobile_deviation": counts.mobile_deviation,
            "composition_deviation": counts.composition_deviation,
            "orbit_deviation": counts.orbit_deviation,
            "remarks": list(self.remarks),
        }


def determinant(multiples: Any) -> float:
    """Return the determinant of a (3, 3) matrix of whole numbers."""
    (a, b, c), (d, e, f), (g, h, i) = multiples
    return float(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g))


def plan_ordering(crystal: DisorderedCrystal, settings: OrderingSettings) -> Plan:
    """Return the supercell for a crystal.

    The smallest one that is wide enough and as close to the stated composition as needed; if there is none within the
    limit of atoms, the closest within the tolerances, and then the widest.

    :raises OrderingRefused: where a decision of the user is needed.
    """
    mobile = settings.mobile_species
    crystal, added = with_missing_mobile(crystal, settings)
    roles = find_roles(crystal, mobile)
    remarks = [*crystal.remarks, *added, *check_vacancies(crystal, roles, settings.allow_framework_vacancies)]
    charges = find_charges(crystal.composition, settings.oxidation_states)
    target, more = target_of(crystal, charges, settings)
    remarks += more
    if not more:
        check_balanced(charges, crystal.composition)
    rounding = Rounding(crystal, roles, charges, mobile, target)
    n, counts, supercell = _choose(rounding, settings)
    remarks += _remarks(rounding, counts, supercell, settings, n)
    source = "target_composition" if more or added else "occupancies"
    sentences = tuple(describe(crystal, roles, mobile) + remarks)
    return Plan(crystal, mobile, roles, charges, supercell, counts, sentences, source)


def _choose(rounding: Rounding, settings: OrderingSettings) -> tuple[int, Counts, Supercell]:
    candidates: list[tuple[int, Counts]] = []
    atoms = rounding.crystal.n_atoms
    largest = min(int(settings.max_atoms / atoms * 1.1) + 1, MAX_CELLS)
    for n in range(1, largest + 1):
        counts = rounding.counts(n)
        if counts is None or counts.n_atoms > settings.max_atoms or _intolerable(rounding, counts, n, settings):
            continue
        candidates.append((n, counts))
        if counts.cost <= GOOD:
            supercell = compact_supercell(rounding.crystal.cell, n)
            if supercell.width_A >= settings.min_width_A:
                return n, counts, supercell
    if not candidates:
        _refuse(rounding, settings, largest)
    shapes = {n: compact_supercell(rounding.crystal.cell, n) for n, _ in candidates}
    wide = [item for item in candidates if shapes[item[0]].width_A >= settings.min_width_A]
    if wide:
        n, counts = min(wide, key=lambda item: item[1].cost)
    else:
        good = [item for item in candidates if item[1].cost <= GOOD]
        n, counts = max(good or candidates, key=lambda item: shapes[item[0]].width_A)
    return n, counts, shapes[n]


def _intolerable(rounding: Rounding, counts: Counts, n: int, settings: OrderingSettings) -> bool:
    return (
        abs(counts.mobile_deviation) > settings.max_mobile_deviation
        or counts.composition_deviation > settings.max_composition_deviation
        or bool(_left_out(rounding, counts, n))
    )


def _left_out(rounding: Rounding, counts: Counts, n: int) -> list[str]:
    """Return the elements of which n primitive cells should hold half an atom or more, and hold none."""
    return [name for name in counts.absent if rounding.target[name] * n >= HALF_AN_ATOM]


def _refuse(rounding: Rounding, settings: OrderingSettings, tried: int) -> None:
    """Say what the best cell within the limit deviates by, and the smallest cell that would do.

    :raises OrderingRefused: always.
    """
    atoms = rounding.crystal.n_atoms
    if atoms > settings.max_atoms * 1.1:
        raise OrderingRefused(
            "size",
            f"its primitive cell has {atoms:.0f} atoms, more than max_atoms {settings.max_atoms}: raise max_atoms",
        )
    found = {n: rounding.counts(n) for n in range(1, tried + 1)}
    neutral = {n: counts for n, counts in found.items() if counts is not None}
    for n in range(1, min(LOOK_AHEAD * tried, MAX_CELLS) + 1):
        counts = neutral.get(n) or rounding.counts(n)
        if counts is not None and not _intolerable(rounding, counts, n, settings):
            raise OrderingRefused(
                "size",
                f"no neutral cell of at most {settings.max_atoms} atoms is close enough to the composition; the "
                f"smallest that would be has {counts.n_atoms}: raise max_atoms",
            )
    if not neutral:
        raise OrderingRefused(
            "mobile ion",
            f"no neutral cell up to {settings.max_atoms} atoms exists: the sites of {rounding.mobile_species} cannot "
            "hold as many as neutrality asks for; give a file with all its sites",
        )
    largest = max(neutral)
    left_out = [
        name
        for name in _left_out(rounding, neutral[largest], largest)
        if all(name in counts.absent for counts in neutral.values())
    ]
    if left_out:
        raise OrderingRefused(
            "mobile ion",
            f"only cells without {', '.join(left_out)} are neutral: the sites of {rounding.mobile_species} have no "
            "room for the ions that balance it; give a file with all its sites",
        )
    best = min(neutral.values(), key=lambda counts: counts.cost)
    raise OrderingRefused(
        "composition",
        f"the neutral cell that is closest to the composition has {100 * best.mobile_deviation:+.1f} % "
        f"{rounding.mobile_species} and differs by {100 * best.composition_deviation:.1f} % of the atoms: correct the "
        "occupancies, give target_composition or oxidation_states, or allow larger deviations",
    )


def _remarks(rounding: Rounding, counts: Counts, supercell: Supercell, settings: OrderingSettings, n: int) -> list[str]:
    remarks = []
    if supercell.width_A < settings.min_width_A:
        remarks.append(
            f"no cell of at most {settings.max_atoms} atoms is {settings.min_width_A:g} angstrom wide: this one is "
            f"{supercell.width_A:.2f}"
        )
    if counts.absent:
        remarks.append(
            f"{', '.join(counts.absent)} was rounded to no atom: a larger max_atoms keeps it "
            f"({', '.join(f'{rounding.target[name] * n:.2f}' for name in counts.absent)} atoms in this cell)"
        )
    if counts.n_emptied:
        remarks.append(
            f"{counts.n_emptied} sites of {rounding.mobile_species} that are stated to be full are empty, to be neutral"
        )
    remarks += _balanced(rounding)
    mixed = rounding.charges.mixed
    if mixed is not None:
        remarks.append(f"{mixed} has the mean charge {counts.states[mixed]:+.3f} e, which makes the cell neutral")
    return remarks


def _balanced(rounding: Rounding) -> list[str]:
    """Return a remark where the occupancies are charged, and mobile ions balance that."""
    charges, mobile = rounding.charges, rounding.mobile_species
    is_stated = all(rounding.target.get(name) == amount for name, amount in rounding.crystal.composition.items())
    if charges.mixed is not None or charges.relative < UNBALANCED or not is_stated:
        return []
    ions = -charges.residual_e / charges.states[mobile]
    return [
        f"the occupancies leave {charges.residual_e:+.2f} e in the primitive cell, {100 * charges.relative:.1f} % of "
        f"its anions' charge: {abs(ions):.3g} {mobile} {'more' if ions > 0 else 'fewer'} balance it"
    ]


def deviations(counts: Counts) -> Mapping[str, float]:
    """Return the deviations of a cell from what was stated, by name."""
    return {
        "mobile_deviation": counts.mobile_deviation,
        "composition_deviation": counts.composition_deviation,
        "orbit_deviation": counts.orbit_deviation,
    }
