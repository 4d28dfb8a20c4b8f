"""Charges of elements, and when they are not believed."""

from __future__ import annotations

import pytest

from aiida_ion.analysis.disorder.charges import check_balanced, find_charges
from aiida_ion.analysis.disorder.refusal import OrderingRefused


@pytest.mark.parametrize(
    ("composition", "states"),
    [
        ({"Li": 10, "Ge": 1, "P": 2, "S": 12}, {"Li": 1, "Ge": 4, "P": 5, "S": -2}),
        ({"Li": 6, "P": 1, "S": 5, "Cl": 1}, {"Li": 1, "P": 5, "S": -2, "Cl": -1}),
        ({"Li": 1, "Ce": 1, "Mo": 2, "O": 8}, {"Li": 1, "Ce": 3, "Mo": 6, "O": -2}),
        ({"Li": 4, "P": 2, "S": 6}, {"Li": 1, "P": 4, "S": -2}),
        ({"Li": 8, "Si": 1, "P": 4}, {"Li": 1, "Si": 4, "P": -3}),
        ({"Li": 2, "V": 1, "Cl": 4}, {"Li": 1, "V": 2, "Cl": -1}),
        ({"Ce": 4, "B": 12, "H": 48, "Cl": 4, "Li": 4}, {"Ce": 3, "B": 3, "H": -1, "Cl": -1, "Li": 1}),
    ],
)
def test_neutral_crystals_have_their_usual_charges(composition: dict[str, float], states: dict[str, float]) -> None:
    charges = find_charges(composition)
    assert dict(charges.states) == states
    assert charges.residual_e == 0
    check_balanced(charges, composition)


def test_an_unusual_state_does_not_hide_a_fault() -> None:
    """Phosphorus of charge 4 would halve the error of this composition; it is not believed."""
    composition = {"Li": 6.7, "P": 1, "S": 5, "Cl": 1}
    charges = find_charges(composition)
    assert charges.states["P"] == 5
    with pytest.raises(OrderingRefused, match=r"\+0\.70 e"):
        check_balanced(charges, composition)


def test_hydrogen_is_suspected_where_oxygen_has_no_partner() -> None:
    composition = {"Li": 2, "O": 1, "Br": 1}
    with pytest.raises(OrderingRefused, match="hydrogen may be missing"):
        check_balanced(find_charges(composition), composition)


def test_two_elements_of_mixed_valence_are_refused() -> None:
    with pytest.raises(OrderingRefused, match="Fe and V are of mixed valence"):
        find_charges({"Li": 1, "Fe": 1, "V": 1, "O": 4}, {"Fe": 2.5, "V": 3.5})


def test_a_state_of_an_absent_element_is_refused() -> None:
    with pytest.raises(OrderingRefused, match="does not hold"):
        find_charges({"Li": 1, "Cl": 1}, {"Na": 1})
