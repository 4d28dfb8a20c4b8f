import pytest

from aiida_ion.analysis.crystals.charges import formal_charges, guess_mobile_species


@pytest.mark.parametrize(
    ("formula", "charges"),
    [
        ("Li7P3S11", {"Li": 1, "P": 5, "S": -2}),
        ("Li56La24Zr16O96", {"Li": 1, "La": 3, "Zr": 4, "O": -2}),
        ("Li6PS5Cl", {"Li": 1, "P": 5, "S": -2, "Cl": -1}),
        ("Li3N", {"Li": 1, "N": -3}),
        ("LiGaBr4", {"Li": 1, "Ga": 3, "Br": -1}),
        ("AgI", {"Ag": 1, "I": -1}),
        ("CaF2", {"Ca": 2, "F": -1}),
        # Cells with a dopant that no smaller formula describes.
        ("Li62MgO32", {"Li": 1, "Mg": 2, "O": -2}),
        ("Li61AlO32", {"Li": 1, "Al": 3, "O": -2}),
    ],
)
def test_formal_charges(formula, charges):
    assert formal_charges(formula) == pytest.approx(charges)


def test_overrides_are_kept_and_the_rest_follows():
    assert formal_charges("Fe2O3", {"O": -1.5}) == {"Fe": pytest.approx(2.25), "O": -1.5}
    assert formal_charges("LiFePO4", {"Fe": 2}) == pytest.approx({"Li": 1, "Fe": 2, "P": 5, "O": -2})


def test_complete_overrides_of_a_model_potential():
    assert formal_charges("AgI", {"Ag": 0.6, "I": -0.6}) == {"Ag": 0.6, "I": -0.6}


def test_charged_compound_is_refused():
    with pytest.raises(ValueError, match=r"Li2O is not neutral .* \+1 e"):
        formal_charges("Li2O", {"Li": 1.0, "O": -1.0})


@pytest.mark.parametrize("formula", ["LiCu", "Li61MgO32"])
def test_no_neutral_guess(formula):
    with pytest.raises(ValueError, match="no set of common oxidation states makes .* neutral"):
        formal_charges(formula)


def test_override_of_an_absent_element():
    with pytest.raises(ValueError, match="charges name Na"):
        formal_charges("Li2O", {"Na": 1.0})


@pytest.mark.parametrize(
    ("formula", "species"),
    [("Li7La3Zr2O12", "Li"), ("NaAlCl4", "Na"), ("AgI", "Ag"), ("CaF2", "F"), ("ZrO2", "O"), ("LiNaSO4", "Li")],
)
def test_guess_mobile_species(formula, species):
    assert guess_mobile_species(formula) == species


def test_no_mobile_species():
    with pytest.raises(ValueError, match="name the mobile species"):
        guess_mobile_species("GaAs")
