"""Formal charges of the elements of a compound, and which of them is the mobile ion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

from pymatgen.core.composition import Composition
from pymatgen.core.periodic_table import Element

#: The default mobile ion is the first of these in the compound: small monovalent cations before anions.
MOBILE_ORDER = ("Li", "Na", "Ag", "Cu", "K", "F", "Cl", "O")
NEUTRALITY_TOLERANCE_E = 1e-6


def formal_charges(formula: str | Composition, overrides: Mapping[str, float] | None = None) -> dict[str, float]:
    """Mean formal charge of each element, e, such that the compound is neutral.

    A single element missing from ``overrides`` follows from neutrality; several get pymatgen's most likely oxidation
    states (ranked by how often they occur).

    :param formula: composition of the cell or its formula.
    :param overrides: known charges, e.
    :raises ValueError: when no assignment is neutral, or an override names an absent element.
    """
    composition = Composition(formula)
    given = dict(overrides or {})
    elements = [element.symbol for element in composition.elements]
    absent = sorted(set(given) - set(elements))
    if absent:
        raise ValueError(f"charges name {', '.join(absent)}, which {composition.reduced_formula} does not contain")
    charges = {element: float(given[element]) for element in elements if element in given}
    missing = [element for element in elements if element not in charges]
    if charges and len(missing) == 1:
        known = sum(charge * composition[element] for element, charge in charges.items())
        charges[missing[0]] = -known / composition[missing[0]]
    elif missing:
        charges = _guess(composition, charges)
    total = sum(charges[element.symbol] * amount for element, amount in composition.items())
    if abs(total) > NEUTRALITY_TOLERANCE_E * max(1.0, composition.num_atoms):
        raise ValueError(
            f"{composition.reduced_formula} is not neutral with these charges: they add up to {total:+g} e; "
            "give the charge of every element"
        )
    return charges


def _guess(composition: Composition, known: Mapping[str, float]) -> dict[str, float]:
    fixed = {element: [charge] for element, charge in known.items()}
    guesses: Sequence[Mapping[str, float]]
    try:
        guesses = composition.reduced_composition.oxi_state_guesses(oxi_states_override=fixed or None, max_sites=-50)
    except ValueError:  # a formula unit of too many atoms for sites of different charge, such as a cell with a dopant
        guesses = _one_state_each(composition, known)
    if not guesses:
        raise ValueError(
            f"no set of common oxidation states makes {composition.reduced_formula} neutral: "
            "give the charge of every element"
        )
    return {element: float(charge) for element, charge in guesses[0].items()}


def _one_state_each(composition: Composition, known: Mapping[str, float]) -> list[dict[str, float]]:
    """Return the neutral choices of one common oxidation state for each element, the most common states first."""
    elements = [element.symbol for element in composition.elements]
    states = [[known[one]] if one in known else list(Element(one).common_oxidation_states) for one in elements]
    choices = sorted(product(*map(enumerate, states)), key=lambda choice: sum(place for place, _ in choice))
    charges = [{one: float(state) for one, (_, state) in zip(elements, choice, strict=True)} for choice in choices]
    return [
        one
        for one in charges
        if abs(sum(charge * composition[element] for element, charge in one.items())) <= NEUTRALITY_TOLERANCE_E
    ]


def guess_mobile_species(formula: str | Composition) -> str:
    """Return the first of Li, Na, Ag, Cu, K, F, Cl, O in the compound.

    :raises ValueError: when it contains none of them.
    """
    composition = Composition(formula)
    elements = {element.symbol for element in composition.elements}
    for candidate in MOBILE_ORDER:
        if candidate in elements:
            return candidate
    raise ValueError(
        f"no usual mobile ion ({', '.join(MOBILE_ORDER)}) in {composition.reduced_formula}: name the mobile species"
    )
