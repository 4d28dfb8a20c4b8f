"""Charges of atoms: from distances, from the composition, or as given."""

from __future__ import annotations

import pytest
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from aiida_ion.analysis.crystals.oxidation import BOND_VALENCE, COMPOSITION, GIVEN, assign_charges
from tests.analysis.energy_maps.crystals import crystal


def by_element(structure: Structure, given: dict[str, float] | None = None) -> tuple[str, dict[str, list[float]]]:
    charges = assign_charges(structure, given)
    return charges.source, charges.by_element([site.specie.symbol for site in structure])


def test_from_distances() -> None:
    assert by_element(crystal("LiFePO4")) == (BOND_VALENCE, {"Fe": [2.0], "Li": [1.0], "O": [-2.0], "P": [5.0]})


def test_charges_on_the_species_do_not_matter() -> None:
    structure = crystal("LiFePO4")
    structure.add_oxidation_state_by_element({"Li": 1, "Fe": 5, "P": 2, "O": -2})
    assert by_element(structure)[1]["Fe"] == [2.0]


def test_from_the_composition_where_distances_do_not_tell() -> None:
    source, charges = by_element(crystal("LiMn2O4"))
    assert source == COMPOSITION
    assert charges == {"Li": [1.0], "Mn": [3.5], "O": [-2.0]}
    assert "Valences cannot be assigned" in assign_charges(crystal("LiMn2O4")).remark


def test_as_given() -> None:
    assert by_element(crystal("LiFePO4"), {"Li": 1, "P": 5, "O": -2}) == (
        GIVEN,
        {"Fe": [2.0], "Li": [1.0], "O": [-2.0], "P": [5.0]},
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [({"Li": 2, "Fe": 2, "P": 5, "O": -2}, "not neutral"), ({"Mn": 2}, "charges name Mn, which")],
)
def test_charges_that_cannot_be(given: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        assign_charges(crystal("LiFePO4"), given)


def test_a_metal_has_none() -> None:
    with pytest.raises(ValueError, match="charges cannot be assigned"):
        assign_charges(Structure(Lattice.cubic(3.2), ["Li", "Al"], [[0] * 3, [0.5] * 3]))
