"""From a crystal and a kind of defect to the supercell that holds the stated concentration, and what deviates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from aiida_ion.analysis.defects.refusal import DefectRefused
from aiida_ion.analysis.defects.settings import DOPANT, DefectSettings
from aiida_ion.analysis.defects.unit import NEUTRAL_ADDITION, NEUTRAL_REMOVAL, Unit, states_of, unit_of
from aiida_ion.analysis.defects.voids import Void, elements_of, find_voids
from aiida_ion.analysis.disorder.crystal import DisorderedCrystal
from aiida_ion.analysis.disorder.supercells import Supercell, compact_supercell

#: A concentration this close to the stated one is as good as it needs to be.
CLOSE = 0.03
#: Most primitive cells in a supercell.
MAX_CELLS = 150


@dataclass(frozen=True)
class DefectPlan:
    """What is made.

    :param crystal: the perfect crystal, in its primitive cell.
    :param states: charge of each element, and of the dopant, e.
    :param unit: the smallest defect.
    :param n_units: how many of it each cell holds.
    :param voids: empty sites for interstitials; none where none are needed.
    :param supercell: the cell.
    :param n_cells: primitive cells in it.
    :param n_atoms: atoms of a cell with its defects.
    :param n_sites: sites of the mobile ion in the perfect cell.
    :param remarks: one sentence each.
    """

    crystal: DisorderedCrystal
    settings: DefectSettings
    states: dict[str, float]
    unit: Unit
    n_units: int
    voids: tuple[Void, ...]
    supercell: Supercell
    n_cells: int
    n_atoms: int
    n_sites: int
    remarks: tuple[str, ...]

    @property
    def concentration(self) -> float:
        """Carriers for each site of the mobile ion."""
        return self.n_units * self.unit.n_carriers / self.n_sites

    @property
    def deviation(self) -> float:
        """Relative difference from the stated concentration, signed."""
        return self.concentration / self.settings.concentration - 1.0

    def amounts(self, n_units: float) -> dict[str, float]:
        """Return atoms of each element in a cell with so many defects, whole or not."""
        amounts = {element: self.n_cells * number for element, number in self.crystal.composition.items()}
        changes = {element: -float(number) for element, number in self.unit.removed.items()}
        for name, number in (
            (self.settings.mobile_species, self.unit.n_added),
            (self.settings.host, -self.unit.n_dopants),
            (self.settings.dopant, self.unit.n_dopants),
        ):
            if name is not None:
                changes[name] = changes.get(name, 0.0) + number
        for element, change in changes.items():
            amounts[element] = amounts.get(element, 0.0) + n_units * change
        return amounts

    def attributes(self) -> dict[str, Any]:
        """Return the plan, ready for JSON; names that cells of disordered crystals have, too, mean the same."""
        unit, n, mobile = self.unit, self.n_units, self.settings.mobile_species
        made, stated = self.amounts(n), self.amounts(n / (1.0 + self.deviation))
        total, stated_total = sum(made.values()), sum(stated.values())
        return {
            "kind": "defects",
            "defect": self.settings.defect,
            "mobile_species": self.settings.mobile_species,
            "host": self.settings.host,
            "dopant": self.settings.dopant,
            "compensation": unit.compensation,
            "stated_concentration": self.settings.concentration,
            "concentration": self.concentration,
            "concentration_deviation": self.deviation,
            "n_carriers": n * unit.n_carriers,
            "n_dopants": n * unit.n_dopants,
            "n_mobile_sites": self.n_sites,
            "n_mobile": round(made[mobile]),
            "mobile_deviation": made[mobile] / stated[mobile] - 1.0,
            "composition_deviation": 0.5
            * sum(abs(made[element] / total - stated[element] / stated_total) for element in made),
            "charge_e": n * unit.charge_e,
            "n_atoms": self.n_atoms,
            "n_perfect_atoms": self.n_cells * len(self.crystal.places),
            "n_primitive_cells": self.n_cells,
            "multiples": self.supercell.multiples.tolist(),
            "width_A": self.supercell.width_A,
            "oxidation_states": dict(self.states),
            "voids": [
                {"label": void.label, "nearest_A": dict(void.nearest_A), "room_A": void.room_A} for void in self.voids
            ],
            "remarks": list(self.remarks),
        }


def plan_defects(crystal: DisorderedCrystal, settings: DefectSettings) -> DefectPlan:
    """Return the supercell for one kind of defect at one concentration.

    The smallest cell that is wide enough and has the concentration within 3 %; if there is none within the limit of
    atoms, the wide one that comes closest; if none is wide enough, the widest.

    :raises DefectRefused: where a decision of the user is needed.
    :raises ValueError: for a crystal whose charges do not add up.
    """
    if not crystal.is_ordered:
        partial = "; ".join(f"{orbit.label}: {orbit.words}" for orbit in crystal.orbits if orbit.is_partial)
        raise DefectRefused(
            f"sites are partly occupied ({partial}): make ordered cells first (aiida-ion order), and give one of them"
        )
    composition = crystal.composition
    states = states_of(composition, settings)
    unit = unit_of(composition, states, settings)
    n, n_units = _choose(crystal, unit, settings)
    supercell = compact_supercell(crystal.cell, n)
    voids: list[Void] = []
    if unit.n_added:
        voids = find_voids(crystal, states, settings.mobile_species, settings.interstitial_kinds)
    n_sites = n * round(composition[settings.mobile_species])
    n_atoms = n * len(crystal.places) + n_units * unit.n_atoms
    plan = DefectPlan(
        crystal, settings, states, unit, n_units, tuple(voids), supercell, n, n_atoms, n_sites, crystal.remarks
    )
    return replace(plan, remarks=(*plan.remarks, *_remarks(plan)))


def _choose(crystal: DisorderedCrystal, unit: Unit, settings: DefectSettings) -> tuple[int, int]:
    """Return how many primitive cells, and how many defects in them."""
    in_cell = round(crystal.composition[settings.mobile_species])
    atoms = len(crystal.places)
    if atoms > settings.max_atoms:
        raise DefectRefused(
            f"the primitive cell has {atoms} atoms, more than max_atoms {settings.max_atoms}: raise max_atoms"
        )
    most = min(settings.max_atoms // atoms, MAX_CELLS)
    options: list[tuple[int, int, float]] = []
    for n in range(1, most + 1):
        n_units = max(1, round(settings.concentration * n * in_cell / unit.n_carriers))
        deviation = abs(n_units * unit.n_carriers / (n * in_cell) / settings.concentration - 1.0)
        fits = n * atoms + n_units * unit.n_atoms <= settings.max_atoms
        if (
            fits
            and deviation <= settings.max_concentration_deviation
            and _has_room(crystal, unit, n, n_units, settings)
        ):
            options.append((n, n_units, deviation))
    if not options:
        _refuse(settings, unit, atoms, in_cell)
    widths = {}
    volume = abs(float(np.linalg.det(crystal.cell)))
    for n, n_units, deviation in options:
        # No cell is wider than the cube of its volume (Hadamard's inequality for the reciprocal vectors).
        if deviation > CLOSE or (n * volume) ** (1.0 / 3.0) < settings.min_width_A - 1e-9:
            continue
        widths[n] = compact_supercell(crystal.cell, n).width_A
        if widths[n] >= settings.min_width_A:
            return n, n_units
    widths |= {n: compact_supercell(crystal.cell, n).width_A for n, _, _ in options if n not in widths}
    wide = [option for option in options if widths[option[0]] >= settings.min_width_A]
    n, n_units, _ = min(wide, key=lambda o: (o[2], o[0])) if wide else max(options, key=lambda o: widths[o[0]])
    return n, n_units


def _has_room(crystal: DisorderedCrystal, unit: Unit, n: int, n_units: int, settings: DefectSettings) -> bool:
    """Whether the perfect cell has more atoms of each element than the defects take."""
    composition = crystal.composition
    taken = {element: number * n_units for element, number in unit.removed.items()}
    if settings.host is not None:
        taken[settings.host] = taken.get(settings.host, 0) + unit.n_dopants * n_units
    return all(number < n * composition[element] for element, number in taken.items())


def _refuse(settings: DefectSettings, unit: Unit, atoms: int, in_cell: int) -> None:
    """Say which cell would hold the concentration, or which concentration is possible.

    :raises DefectRefused: always.
    """
    needed = unit.n_carriers / (settings.concentration * in_cell * (1.0 + settings.max_concentration_deviation))
    least = unit.n_carriers / ((settings.max_atoms // atoms) * in_cell)
    if needed * atoms > settings.max_atoms:
        raise DefectRefused(
            f"a concentration of {settings.concentration:g} needs a cell of about {needed * atoms:.0f} atoms: raise "
            f"max_atoms ({settings.max_atoms}), or take a concentration of {least:.3g} or more"
        )
    raise DefectRefused(
        f"no cell of at most {settings.max_atoms} atoms has a concentration within "
        f"{100 * settings.max_concentration_deviation:.0f} % of {settings.concentration:g}: raise max_atoms or "
        "max_concentration_deviation"
    )


def _remarks(plan: DefectPlan) -> list[str]:
    settings, remarks = plan.settings, []
    if plan.supercell.width_A < settings.min_width_A:
        remarks.append(
            f"no cell of at most {settings.max_atoms} atoms with this concentration is {settings.min_width_A:g} "
            f"angstrom wide: this one is {plan.supercell.width_A:.2f}"
        )
    if plan.unit.compensation in {NEUTRAL_REMOVAL, NEUTRAL_ADDITION}:
        remarks.append(
            f"{settings.mobile_species} leaves or enters as a neutral atom, so that the host has a hole or an electron "
            f"for each ({plan.n_units * plan.unit.charge_e:+g} e by formal charges): fair where the host spreads it out"
        )
    if settings.defect == DOPANT:
        remarks.append(
            "in a small cell a dopant is never far from its carriers: repeat at another size before calling them free"
        )
    if plan.voids:
        remarks.append(f"interstitials start from {'; '.join(void.words for void in plan.voids)}")
    return remarks


def inequivalent_sites(plan: DefectPlan) -> dict[str, int]:
    """Return the inequivalent sites of the mobile ion, with their number in the primitive cell."""
    symbols = elements_of(plan.crystal)
    counts: dict[str, int] = {}
    for orbit_index, symbol in zip(plan.crystal.orbit_of, symbols, strict=True):
        if symbol == plan.settings.mobile_species:
            label = plan.crystal.orbits[int(orbit_index)].label
            counts[label] = counts.get(label, 0) + 1
    return counts
