"""What is known about a sample before it is simulated: formula, mobile species, formal charges, soundness."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiida import orm

from aiida_ion.analysis.crystals.charges import formal_charges, guess_mobile_species
from aiida_ion.analysis.crystals.structure import check_structure
from aiida_ion.analysis.species.framework import validate_framework


@dataclass(frozen=True)
class Sample:
    """Description of a checked structure.

    :param formula: reduced formula.
    :param mobile_species: the diffusing element.
    :param charges: formal charge of each element, e.
    """

    formula: str
    mobile_species: str
    charges: dict[str, float]


def describe_sample(
    structure: orm.StructureData,
    mobile_species: str | None = None,
    charges: Mapping[str, float] | None = None,
    framework_species: Sequence[str] | None = None,
) -> Sample:
    """Check a structure and return its description; what is not given is guessed.

    :param mobile_species: the diffusing element; guessed from the composition when not given.
    :param charges: formal charges, e, used instead of the guess.
    :param framework_species: elements that are named as the framework.
    :raises ValueError: if the structure cannot be simulated; the message says why.
    """
    crystal = structure.get_pymatgen_structure()
    with warnings.catch_warnings():
        # The order of elements in a formula needs electronegativities; noble gases have none.
        warnings.filterwarnings("ignore", message="No Pauling electronegativity")
        sample = _describe(crystal, mobile_species, charges)
    problem = validate_framework(framework_species, sample.mobile_species, structure.get_symbols_set())
    if problem is not None:
        raise ValueError(problem)
    return sample


def _describe(crystal: Any, mobile_species: str | None, charges: Mapping[str, float] | None) -> Sample:
    mobile = mobile_species or guess_mobile_species(crystal.composition)
    check_structure(crystal, mobile)
    known = formal_charges(crystal.composition, charges)
    formula = crystal.composition.reduced_formula
    if known[mobile] == 0 and len(known) > 1:
        raise ValueError(f"{mobile} is mobile in {formula} and has no charge, so nothing is conducted: give its charge")
    return Sample(formula, mobile, known)
