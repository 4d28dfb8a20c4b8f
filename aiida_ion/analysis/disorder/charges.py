"""Charges of the elements of a crystal with partly occupied sites: one state per element, mixed valence where given.

The usual states are those of solid electrolytes and electrodes; elements of the main groups have the states of
their stable compounds only, so that no rare state hides a fault of the occupancies.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

from aiida_ion.analysis.disorder.refusal import OrderingRefused

#: Element -> its states, e, the usual one first.
# fmt: off
STATES: dict[str, tuple[int, ...]] = {
    "H": (1, -1), "Li": (1,), "Na": (1,), "K": (1,), "Rb": (1,), "Cs": (1,), "Ag": (1,), "Cu": (1, 2), "Tl": (1, 3),
    "Be": (2,), "Mg": (2,), "Ca": (2,), "Sr": (2,), "Ba": (2,), "Zn": (2,), "Cd": (2,), "Hg": (2, 1), "Pb": (2, 4),
    "B": (3,), "Al": (3,), "Ga": (3,), "In": (3,), "Sc": (3,), "Y": (3,), "La": (3,), "Ce": (4, 3), "Pr": (3, 4),
    "Nd": (3,), "Sm": (3,), "Eu": (3, 2), "Gd": (3,), "Tb": (3, 4), "Dy": (3,), "Ho": (3,), "Er": (3,), "Tm": (3,),
    "Yb": (3, 2), "Lu": (3,), "C": (4,), "Si": (4,), "Ge": (4,), "Sn": (4, 2), "Ti": (4, 3), "Zr": (4,), "Hf": (4,),
    "Th": (4,), "U": (6, 4), "V": (5, 4, 3, 2), "Nb": (5,), "Ta": (5,), "Cr": (3, 6), "Mo": (6, 4), "W": (6,),
    "Mn": (2, 3, 4), "Re": (7,), "Fe": (3, 2), "Ru": (4, 5), "Co": (2, 3), "Ni": (2, 3), "Rh": (3,), "Ir": (4,),
    "Pd": (2,), "Pt": (4, 2), "Au": (3, 1),
    "N": (-3, 5, 3), "P": (5, 4, -3), "As": (5, 3, -3), "Sb": (5, 3), "Bi": (3, 5), "O": (-2,), "S": (-2, 6),
    "Se": (-2, 6, 4), "Te": (-2, 6, 4), "F": (-1,), "Cl": (-1, 7), "Br": (-1,), "I": (-1, 5, 7),
}
# fmt: on
#: A state that is not the usual one counts as much as this residual charge, relative to that of the anions.
UNUSUAL = 0.004
#: Unusual states are believed only if they leave at most this part of the anions' charge.
NEUTRAL = 0.005
#: Anions only where none of these is present.
PNICTIDES, OTHER_ANIONS = frozenset({"P", "As"}), frozenset({"O", "S", "Se", "Te", "F", "Cl", "Br", "I"})
#: A residual charge up to this part of the anions' is a rounding of occupancies, and is balanced by the mobile ion.
BALANCED = 0.02
#: More sets of states than this are not tried.
MAX_SETS = 20_000


@dataclass(frozen=True)
class Charges:
    """States of the elements.

    :param states: element -> charge, e; not a whole number for the element of mixed valence.
    :param mixed: the element whose mean charge balances the rest, if any.
    :param residual_e: charge of the primitive cell with the stated occupancies, e.
    :param relative: its size over the charge of all anions.
    """

    states: Mapping[str, float]
    mixed: str | None
    residual_e: float
    relative: float


def find_charges(composition: Mapping[str, float], given: Mapping[str, float] | None = None) -> Charges:
    """Return one state for each element such that the cell is as neutral as it can be.

    :param composition: atoms of each element in the cell, not whole numbers.
    :param given: known states, e; one that is not a whole number is the mean of an element of mixed valence, which
        then balances the charge of every cell within its two neighbouring states.
    :raises OrderingRefused: for an element without usual states, or several of mixed valence.
    """
    given = dict(given or {})
    absent = sorted(set(given) - set(composition))
    if absent:
        raise OrderingRefused("charge", f"oxidation_states names {', '.join(absent)}, which the crystal does not hold")
    unknown = sorted(set(composition) - set(given) - set(STATES))
    if unknown:
        raise OrderingRefused("charge", f"no usual charge of {', '.join(unknown)}: give it as oxidation_states")
    mixed = sorted(element for element, state in given.items() if abs(state - round(state)) > 1e-9)
    if len(mixed) > 1:
        raise OrderingRefused(
            "charge", f"{' and '.join(mixed)} are of mixed valence: give a whole charge to all but one"
        )
    choices = {
        element: (given[element],) if element in given else _usual(element, composition)
        for element in sorted(composition)
    }
    states = _best(composition, choices)
    residual = _charge(composition, states)
    relative = abs(residual) / max(_anions(composition, states), 1e-9)
    return Charges(states, mixed[0] if mixed else None, residual, relative)


def _usual(element: str, composition: Mapping[str, float]) -> tuple[int, ...]:
    states = STATES[element]
    if element in PNICTIDES and OTHER_ANIONS & set(composition):
        return tuple(state for state in states if state > 0)
    return states


def _best(composition: Mapping[str, float], choices: Mapping[str, tuple[float, ...]]) -> dict[str, float]:
    """Return the states with the least residual charge, unusual states counted against them."""
    if math.prod(len(states) for states in choices.values()) > MAX_SETS:
        raise OrderingRefused("charge", "too many elements with several charges: give oxidation_states")
    best, least = {}, math.inf
    for combination in product(*choices.values()):
        states = dict(zip(choices, combination, strict=True))
        anions = _anions(composition, states)
        unusual = sum(states[element] != options[0] for element, options in choices.items())
        relative = abs(_charge(composition, states)) / max(anions, 1e-9)
        cost = relative + UNUSUAL * unusual + float(unusual > 0 and relative > NEUTRAL)
        if anions > 0 and cost < least - 1e-9:
            best, least = states, cost
    if not best:
        raise OrderingRefused("charge", "it holds no anion: give oxidation_states")
    return best


def check_balanced(charges: Charges, composition: Mapping[str, float]) -> None:
    """Refuse charges that rounding does not explain.

    :raises OrderingRefused: with the charge that is left.
    """
    if charges.mixed is not None or charges.relative <= BALANCED:
        return
    states = ", ".join(f"{element} {state:+g}" for element, state in sorted(charges.states.items()))
    lacks_h = charges.residual_e < 0 and "H" not in composition and {"O", "N"} & set(composition)
    hint = "; hydrogen may be missing in the file" if lacks_h else ""
    raise OrderingRefused(
        "charge",
        f"with usual charges ({states}) the primitive cell has {charges.residual_e:+.2f} e, "
        f"{100 * charges.relative:.1f} % of its anions' charge{hint}: correct the occupancies, or give "
        "oxidation_states or target_composition",
    )


def _charge(amounts: Mapping[str, float], states: Mapping[str, float]) -> float:
    return float(sum(amount * states[element] for element, amount in amounts.items()))


def _anions(amounts: Mapping[str, float], states: Mapping[str, float]) -> float:
    return float(-sum(amount * min(states[element], 0.0) for element, amount in amounts.items()))
