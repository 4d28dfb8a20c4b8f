"""Formal charges of the atoms of a crystal, and who assigned them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pymatgen.analysis.bond_valence import BVAnalyzer
from pymatgen.core.structure import Structure

from aiida_ion.analysis.crystals.charges import formal_charges

#: Who assigned charges.
GIVEN, BOND_VALENCE, COMPOSITION = "given", "bond valence sums", "composition"
#: Oxidation states that bond valence sums find where a crystal is covalent.
FORBIDDEN_SPECIES = ("O-", "P3-")


@dataclass(frozen=True)
class Charges:
    """Charges of the atoms.

    :param charges_e: charge of each atom, e, (n,).
    :param source: ``given`` by the user (a missing one follows from neutrality), ``bond valence sums`` (pymatgen's
        ``BVAnalyzer``: atom by atom, from distances) or ``composition`` (pymatgen's most likely oxidation states: the
        mean of each element, which may be a fraction).
    :param remark: why it was not the first of them, else empty.
    """

    charges_e: npt.NDArray[np.float64]
    source: str
    remark: str = ""

    def by_element(self, symbols: list[str]) -> dict[str, list[float]]:
        """Return the charges that atoms of each element have, e."""
        pairs = sorted({(symbol, float(charge)) for symbol, charge in zip(symbols, self.charges_e, strict=True)})
        return {element: [charge for other, charge in pairs if other == element] for element, _ in pairs}


def assign_charges(structure: Structure, given: Mapping[str, float] | None = None) -> Charges:
    """Return the charge of every atom of an ordered crystal.

    :param given: charges of elements, e, which all atoms of them have; then nothing is derived from distances.
    :raises ValueError: if no neutral assignment is found, or the charges given are not neutral.
    """
    symbols = [site.specie.symbol for site in structure]
    if given:
        by_element = formal_charges(structure.composition.element_composition, given)
        return Charges(np.array([by_element[symbol] for symbol in symbols]), GIVEN)
    plain = Structure(structure.lattice, symbols, structure.frac_coords)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of spglib on its errors, of pymatgen on rare elements
            analyzer: Any = BVAnalyzer
            valences = analyzer(forbidden_species=list(FORBIDDEN_SPECIES)).get_valences(plain)
        return Charges(np.array(valences, dtype=float), BOND_VALENCE)
    except ValueError as error:
        fault = str(error).rstrip(".")
    try:
        by_element = formal_charges(structure.composition.element_composition)
    except ValueError as error:
        raise ValueError(f"charges cannot be assigned: {error}") from error
    remark = f"bond valence sums gave no charges ({fault}), so each element has the mean of its likely oxidation states"
    return Charges(np.array([by_element[symbol] for symbol in symbols]), COMPOSITION, remark)
