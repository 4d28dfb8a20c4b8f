"""What one defect adds and removes, such that it is neutral, or that it is said that it is not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from pymatgen.core.composition import Composition

from aiida_ion.analysis.defects.refusal import DefectRefused
from aiida_ion.analysis.defects.settings import FRENKEL, INTERSTITIAL, SCHOTTKY, VACANCY, DefectSettings
from aiida_ion.analysis.disorder.charges import STATES, check_balanced, find_charges

#: Elements that change their charge easily: a neutral ion taken away leaves one of them oxidised, one added reduced.
REDOX_ACTIVE = frozenset({"Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Nb", "Mo", "W", "Ce", "Eu", "U"})
NEUTRAL_REMOVAL, NEUTRAL_ADDITION = "none (neutral removal)", "none (neutral addition)"


@dataclass(frozen=True)
class Unit:
    """The smallest defect: several of it are in a cell.

    :param removed: element -> vacancies, in addition to sites that dopants take.
    :param n_added: interstitials of the mobile ion.
    :param n_dopants: dopants on sites of the host element.
    :param n_carriers: vacancies or interstitials of the mobile ion, or Frenkel pairs.
    :param compensation: what makes the cell neutral.
    :param charge_e: what the formal charges of a cell with one of it add up to, e.
    """

    compensation: str
    charge_e: float
    n_carriers: int
    removed: Mapping[str, int] = field(default_factory=dict)
    n_added: int = 0
    n_dopants: int = 0

    @property
    def n_atoms(self) -> int:
        """Atoms that it adds to a cell."""
        return self.n_added - sum(self.removed.values())


def states_of(composition: Mapping[str, float], settings: DefectSettings) -> dict[str, float]:
    """Return the charge of each element of the perfect crystal, and of the dopant, e.

    :raises DefectRefused: for a dopant without usual charge.
    :raises ValueError: for a crystal that usual charges do not make neutral.
    """
    given, dopant = dict(settings.oxidation_states or {}), settings.dopant
    _check_elements(composition, settings)
    known = {element: state for element, state in given.items() if element in composition or element != dopant}
    charges = find_charges(composition, known)
    check_balanced(charges, composition)
    states = dict(charges.states)
    if dopant is not None and dopant not in states:
        if dopant not in given and dopant not in STATES:
            raise DefectRefused(f"no usual charge of {dopant}: give it as oxidation_states")
        states[dopant] = float(given[dopant] if dopant in given else _like(dopant, states[str(settings.host)]))
    return states


def _check_elements(composition: Mapping[str, float], settings: DefectSettings) -> None:
    """Refuse a mobile ion or a host that the crystal does not hold.

    :raises DefectRefused: naming what it holds.
    """
    mobile, host, held = settings.mobile_species, settings.host, ", ".join(sorted(composition))
    if mobile not in composition:
        raise DefectRefused(f"the crystal holds no {mobile}, only {held}: name its mobile ion")
    if host is not None and host not in composition:
        raise DefectRefused(f"{settings.dopant} cannot take the place of {host}: the crystal holds {held}")


def _like(dopant: str, host_e: float) -> float:
    """Return the usual charge of a dopant: the first of its states with the sign of the element that it replaces."""
    same = [state for state in STATES[dopant] if state * host_e > 0]
    return float((same or STATES[dopant])[0])


def unit_of(composition: Mapping[str, float], states: Mapping[str, float], settings: DefectSettings) -> Unit:
    """Return the smallest defect of a kind.

    :param composition: atoms of each element of the perfect crystal.
    :param states: of :func:`states_of`, e.
    :raises DefectRefused: for one that the crystal cannot have.
    """
    mobile = settings.mobile_species
    if not states[mobile]:
        raise DefectRefused(f"{mobile} has no charge: give oxidation_states")
    if settings.defect in {VACANCY, INTERSTITIAL}:
        return _uncompensated(composition, states, settings)
    if settings.defect == FRENKEL:
        pair = f"a vacancy and an interstitial of {mobile}"
        return Unit(pair, 0.0, n_carriers=1, removed={mobile: 1}, n_added=1)
    return _schottky(composition, states, settings) if settings.defect == SCHOTTKY else _doped(states, settings)


def _uncompensated(composition: Mapping[str, float], states: Mapping[str, float], settings: DefectSettings) -> Unit:
    mobile, removes = settings.mobile_species, settings.defect == VACANCY
    active = sorted(REDOX_ACTIVE & set(composition))
    if active and not settings.allow_redox:
        # A neutral cation that leaves takes its electron along, and so does an anion that is added.
        change = "oxidise" if removes == (states[mobile] > 0) else "reduce"
        words = "removed" if removes else "added"
        raise DefectRefused(
            f"{mobile} {words} without compensation would {change} {', '.join(active)}, so that the cell is not one of "
            "the crystal with a carrier: use a dopant, or set allow_redox if this is meant"
        )
    if removes:
        return Unit(NEUTRAL_REMOVAL, -states[mobile], n_carriers=1, removed={mobile: 1})
    return Unit(NEUTRAL_ADDITION, states[mobile], n_carriers=1, n_added=1)


def _schottky(composition: Mapping[str, float], states: Mapping[str, float], settings: DefectSettings) -> Unit:
    text, mobile = str(settings.removed), settings.mobile_species
    try:
        atoms = {element.symbol: float(amount) for element, amount in Composition(text).items()}
    except (ValueError, KeyError, AttributeError) as error:  # pymatgen raises these for a formula it cannot read
        raise DefectRefused(f"removed {text!r} is not a formula: {error}") from error
    if any(amount != round(amount) for amount in atoms.values()):
        raise DefectRefused(f"removed {text} has parts of atoms: give whole numbers, such as LiCl")
    absent = sorted(set(atoms) - set(composition))
    if absent:
        raise DefectRefused(f"removed {text} names {', '.join(absent)}, which the crystal does not hold")
    charge = sum(amount * states[element] for element, amount in atoms.items())
    if abs(charge) > 1e-9:
        raise DefectRefused(f"removed {text} has a charge of {charge:+g} e: a Schottky defect is neutral")
    if mobile not in atoms:
        raise DefectRefused(f"removed {text} holds no {mobile}, so that no carrier is left behind")
    numbers = {element: round(amount) for element, amount in atoms.items()}
    words = " and ".join(f"{number} of {element}" for element, number in sorted(numbers.items()))
    return Unit(f"vacancies of {text}: {words}", 0.0, n_carriers=numbers[mobile], removed=numbers)


def _doped(states: Mapping[str, float], settings: DefectSettings) -> Unit:
    mobile, host, dopant = settings.mobile_species, str(settings.host), str(settings.dopant)
    if dopant == mobile:
        raise DefectRefused(f"the dopant {dopant} is the mobile ion: take another element, or the defect interstitial")
    difference = states[dopant] - states[host]
    if abs(difference - round(difference)) > 1e-9 or abs(states[mobile] - round(states[mobile])) > 1e-9:
        raise DefectRefused("dopant, host and mobile ion need whole charges: give them as oxidation_states")
    excess, charge = round(difference), round(states[mobile])
    if not excess:
        raise DefectRefused(
            f"{dopant} and {host} have the same charge ({states[host]:+g} e): it makes no carriers; take a dopant of "
            "another charge, or give oxidation_states"
        )
    n_dopants = abs(charge) // math.gcd(abs(excess), abs(charge))
    n_carriers = n_dopants * abs(excess) // abs(charge)
    if excess * charge > 0:
        words = f"{n_carriers} {mobile} vacancies for {n_dopants} {dopant} on {host}"
        return Unit(words, 0.0, n_carriers, removed={mobile: n_carriers}, n_dopants=n_dopants)
    words = f"{n_carriers} {mobile} interstitials for {n_dopants} {dopant} on {host}"
    return Unit(words, 0.0, n_carriers, n_added=n_carriers, n_dopants=n_dopants)
