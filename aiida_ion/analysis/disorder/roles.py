"""What of a crystal is disordered: the mobile ions, the framework, or sites that both share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.disorder.crystal import FULL, DisorderedCrystal, Orbit
from aiida_ion.analysis.disorder.distances import close_pairs
from aiida_ion.analysis.disorder.refusal import OrderingRefused

#: Two partly occupied places closer than this are alternatives of one atom, angstrom.
SPLIT_A = 1.5
#: Anions: vacancies among them are not meant unless the user says so.
ANIONS = frozenset({"O", "S", "Se", "Te", "F", "Cl", "Br", "I", "N"})
#: A share of empty places up to this is a rounded occupancy.
ROUNDED = 1.0 - FULL


@dataclass(frozen=True)
class Roles:
    """The orbits of a crystal by what they hold; indices of orbits.

    :param mobile: partly filled with the mobile ion alone.
    :param full_mobile: full of the mobile ion.
    :param mixed: mobile ion and other elements.
    :param framework: partly occupied, or shared by elements, without the mobile ion.
    :param split: those of them with places so close that only one of two is filled.
    :param vacant: framework orbits with empty places that no close place makes up for.
    """

    mobile: tuple[int, ...]
    full_mobile: tuple[int, ...]
    mixed: tuple[int, ...]
    framework: tuple[int, ...]
    split: tuple[int, ...]
    vacant: tuple[int, ...]

    @property
    def kind(self) -> str:
        """One of ``ordered``, ``mobile``, ``framework``, ``mixed``, ``both``."""
        if self.mixed:
            return "both" if self.mobile or self.framework else "mixed"
        if self.mobile and self.framework:
            return "both"
        return "mobile" if self.mobile else "framework" if self.framework else "ordered"


def find_roles(crystal: DisorderedCrystal, mobile_species: str) -> Roles:
    """Return which orbits are disordered, and how.

    :raises OrderingRefused: where the mobile ion is absent.
    """
    if mobile_species not in crystal.composition:
        raise OrderingRefused(
            "mobile ion",
            f"the sites hold no {mobile_species}: X-rays may have missed it; give a file with the positions of the "
            f"{mobile_species}, or name another mobile species",
        )
    groups: dict[str, list[int]] = {"mobile": [], "full_mobile": [], "mixed": [], "framework": []}
    for index, orbit in enumerate(crystal.orbits):
        name = _group(orbit, mobile_species)
        if name:
            groups[name].append(index)
    partial = [index for index, orbit in enumerate(crystal.orbits) if orbit.is_partial]
    split = _split(crystal, partial)
    vacant = [index for index in groups["framework"] if _is_vacant(crystal, index)]
    return Roles(
        mobile=tuple(groups["mobile"]),
        full_mobile=tuple(groups["full_mobile"]),
        mixed=tuple(groups["mixed"]),
        framework=tuple(groups["framework"]),
        split=tuple(split),
        vacant=tuple(vacant),
    )


def _group(orbit: Orbit, mobile_species: str) -> str:
    if mobile_species not in orbit.occupancies:
        return "framework" if orbit.is_partial else ""
    if len(orbit.occupancies) > 1:
        return "mixed"
    return "mobile" if orbit.is_partial else "full_mobile"


def _split(crystal: DisorderedCrystal, partial: list[int]) -> list[int]:
    chosen = np.flatnonzero(np.isin(crystal.orbit_of, partial))
    first, second, _ = close_pairs(crystal.cell, crystal.places[chosen], SPLIT_A)
    return sorted({int(crystal.orbit_of[chosen[place]]) for place in (*first, *second)})


def _is_vacant(crystal: DisorderedCrystal, index: int) -> bool:
    """Whether places of an orbit are empty although no other is near enough to stand for them.

    The largest sum of occupancies around a place is that of a split atom if it comes to about one.
    """
    orbit = crystal.orbits[index]
    if orbit.total >= FULL:
        return False
    totals = np.array([item.total for item in crystal.orbits])
    place = int(np.flatnonzero(crystal.orbit_of == index)[0])
    around = _near(crystal, place)
    return float(totals[index] + totals[crystal.orbit_of[around]].sum()) < 1.0 - 2 * ROUNDED


def _near(crystal: DisorderedCrystal, place: int) -> npt.NDArray[np.int64]:
    """Return the partly occupied places, once for each image, that are alternatives of one."""
    partial = np.array([orbit.total < FULL for orbit in crystal.orbits])[crystal.orbit_of]
    first, second, _ = close_pairs(crystal.cell, crystal.places, SPLIT_A)
    others: npt.NDArray[np.int64] = np.concatenate([second[first == place], first[second == place]])
    chosen: npt.NDArray[np.int64] = others[partial[others]]
    return chosen


def check_vacancies(crystal: DisorderedCrystal, roles: Roles, allowed: bool) -> list[str]:
    """Return remarks on vacancies of the framework.

    :param allowed: whether vacancies of anions are meant.
    :raises OrderingRefused: for anions that are missing.
    """
    remarks = []
    for index in roles.vacant:
        orbit = crystal.orbits[index]
        missing = f"the site {orbit.label} ({orbit.words}) is {100 * (1 - orbit.total):.0f} % empty"
        if set(orbit.occupancies) & ANIONS and not allowed:
            raise OrderingRefused(
                "vacancies", f"{missing}: correct the file, or set allow_framework_vacancies if this is meant"
            )
        remarks.append(f"{missing}; its vacancies are kept")
    return remarks


def describe(crystal: DisorderedCrystal, roles: Roles, mobile_species: str) -> list[str]:
    """Return what is disordered, one sentence for each kind."""
    sentences = []
    for indices, words in (
        (roles.mobile, f"{mobile_species} fills a part of its sites"),
        (roles.mixed, f"{mobile_species} shares sites with other elements"),
        (roles.framework, "the framework is disordered"),
    ):
        if indices:
            contents = "; ".join(f"{crystal.orbits[i].label}: {crystal.orbits[i].words}" for i in indices)
            sentences.append(f"{words} ({contents})")
    if roles.split:
        labels = ", ".join(crystal.orbits[index].label for index in roles.split)
        sentences.append(f"sites closer than {SPLIT_A:g} angstrom, of which one is filled: {labels}")
    if overfull := _overfull(crystal, roles.mobile):
        sentences.append(
            f"more than one {mobile_species} is stated for pairs of places of which one can be filled "
            f"({', '.join(overfull)}): the number of all {mobile_species} is kept, and they may change sites"
        )
    return sentences or ["every site is full with one element"]


def _overfull(crystal: DisorderedCrystal, mobile: tuple[int, ...]) -> list[str]:
    """Return labels of mobile sites whose stated occupancies no arrangement has: more than one ion on two close places.

    :param mobile: indices of the orbits that mobile ions fill in part.
    """
    chosen = np.flatnonzero(np.isin(crystal.orbit_of, mobile))
    first, second, _ = close_pairs(crystal.cell, crystal.places[chosen], SPLIT_A)
    owners = crystal.orbit_of[chosen]
    pairs = {(int(owners[one]), int(owners[other])) for one, other in zip(first, second, strict=True)}
    orbits = crystal.orbits
    full = {index for pair in pairs for index in pair if sum(orbits[i].total for i in pair) > 1.0 + ROUNDED}
    return [orbits[index].label for index in sorted(full)]
