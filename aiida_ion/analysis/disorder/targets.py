"""Which composition the ordered cells are to have: that of the sites, or one that was given."""

from __future__ import annotations

from collections.abc import Mapping

from pymatgen.core.composition import Composition

from aiida_ion.analysis.disorder.charges import BALANCED, Charges
from aiida_ion.analysis.disorder.crystal import DisorderedCrystal
from aiida_ion.analysis.disorder.refusal import OrderingRefused
from aiida_ion.analysis.disorder.settings import OrderingSettings

#: Up to this difference of atomic fractions the framework of a file is that of a formula.
SAME_FRAMEWORK = 0.02


def target_of(
    crystal: DisorderedCrystal, charges: Charges, settings: OrderingSettings
) -> tuple[Mapping[str, float], list[str]]:
    """Return atoms of each element in the primitive cell that the ordered cells are to have, and remarks.

    It is the composition of the sites, or that given in the settings where the sites are charged: diffraction often
    misses mobile ions.

    :raises OrderingRefused: for a formula that cannot be read, holds hydrogen that the sites lack, or has another
        framework.
    """
    stated = crystal.composition
    if settings.target_composition is None:
        return stated, []
    given = read_formula(settings.target_composition)
    mobile = settings.mobile_species
    if "H" in given and "H" not in stated:
        raise OrderingRefused(
            "hydrogen",
            f"{settings.target_composition} contains hydrogen, and the sites hold none: add it to the file",
        )
    if charges.relative <= BALANCED:
        return stated, []
    scale = _scale(stated, given, mobile)
    target = {element: amount * scale for element, amount in given.items()}
    difference = _difference(stated, target, mobile)
    if difference > SAME_FRAMEWORK or mobile not in target:
        raise OrderingRefused(
            "composition",
            f"the sites are charged ({100 * charges.relative:.1f} % of the anions' charge), and apart from {mobile} "
            f"they differ from {settings.target_composition} by {100 * difference:.1f} % of the atoms: correct the "
            "occupancies in the file",
        )
    charge = sum(amount * charges.states[element] for element, amount in target.items())
    anions = -sum(amount * min(charges.states[element], 0.0) for element, amount in target.items())
    if abs(charge) > BALANCED * anions:
        raise OrderingRefused(
            "charge",
            f"the sites are charged ({charges.residual_e:+.2f} e in the primitive cell), and so is "
            f"{settings.target_composition} ({charge:+.2f} e): correct the occupancies, or give oxidation_states",
        )
    return target, [
        f"the sites hold {stated[mobile]:.2f} {mobile} in the primitive cell, leaving {charges.residual_e:+.2f} e: "
        f"the number of {settings.target_composition} was used, {target[mobile]:.2f}"
    ]


def read_formula(text: str) -> dict[str, float]:
    """Return the atoms of each element of a formula.

    :raises OrderingRefused: for text that is not one.
    """
    try:
        return {element.symbol: float(amount) for element, amount in Composition(text).items()}
    except (ValueError, KeyError, AttributeError) as error:  # pymatgen raises these for a formula it cannot read
        raise OrderingRefused("composition", f"target_composition {text!r} cannot be read: {error}") from error


def _scale(stated: Mapping[str, float], given: Mapping[str, float], mobile: str) -> float:
    """Return formula units per primitive cell, from the atoms of the framework."""
    totals = [sum(amount for element, amount in part.items() if element != mobile) for part in (stated, given)]
    return totals[0] / max(totals[1], 1e-9)


def _difference(stated: Mapping[str, float], target: Mapping[str, float], mobile: str) -> float:
    """Return half the sum of differences of the atomic fractions of the framework, 0 to 1."""
    names = {*stated, *target} - {mobile}
    total = sum(stated.get(name, 0.0) for name in names)
    return 0.5 * sum(abs(stated.get(name, 0.0) - target.get(name, 0.0)) for name in names) / total
