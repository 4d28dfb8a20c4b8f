"""The difference between two compositions."""

from __future__ import annotations

from pymatgen.core.composition import Composition

#: Up to this difference two formulas are the same compound: an ordered cell only approximates a sample's composition.
MAX_DIFFERENCE = 0.02


def composition_difference(first: str, second: str) -> float | None:
    """Return half the sum of the differences of atomic fractions, 0 to 1; ``None`` for an invalid formula."""
    try:
        fractions = [Composition(formula).fractional_composition for formula in (first, second)]
    except (ValueError, KeyError):  # pymatgen raises these for a formula it cannot read
        return None
    elements = {element for composition in fractions for element in composition.elements}
    return 0.5 * float(sum(abs(fractions[0][element] - fractions[1][element]) for element in elements))
