"""How far two compositions are apart."""

from __future__ import annotations

from pymatgen.core.composition import Composition

#: Up to this two formulas mean the same compound: an ordered cell can only come near the composition of a sample.
MAX_DIFFERENCE = 0.02


def composition_difference(first: str, second: str) -> float | None:
    """Return half the sum of the differences of atomic fractions, 0 to 1; ``None`` for a formula that is none."""
    try:
        fractions = [Composition(formula).fractional_composition for formula in (first, second)]
    except (ValueError, KeyError):  # what pymatgen raises for a formula that it cannot read
        return None
    elements = {element for composition in fractions for element in composition.elements}
    return 0.5 * float(sum(abs(fractions[0][element] - fractions[1][element]) for element in elements))
