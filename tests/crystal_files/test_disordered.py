"""CIFs with partly occupied sites."""

from __future__ import annotations

import pytest

from aiida_ion.crystal_files.disordered import read_disordered_cif

HEAD = """data_x
_cell_length_a 4
_cell_length_b 4
_cell_length_c 4
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
"""
SITES = """loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
"""


def cif(*rows: str, head: str = HEAD) -> str:
    return head + SITES + "\n".join(rows) + "\n"


def test_sites_at_one_place_are_one() -> None:
    file = read_disordered_cif(cif("Li1 Li 0.999 0 0 0.25", "Na1 Na 0.001 0 0 0.75", "Cl1 Cl 0.5 0.5 0.5 1"), "x.cif")
    assert len(file.structure) == 2
    assert file.structure.composition.as_dict() == {"Li": 0.25, "Na": 0.75, "Cl": 1.0}
    assert {site.label for site in file.structure} == {"Li1/Na1", "Cl1"}


def test_split_sites_stay_apart() -> None:
    file = read_disordered_cif(cif("Li1 Li 0.48 0 0 0.5", "Li2 Li 0.52 0 0 0.5", "Cl1 Cl 0 0.5 0.5 1"), "x.cif")
    assert len(file.structure) == 3


def test_more_than_one_atom_on_a_place_is_refused() -> None:
    with pytest.raises(ValueError, match=r"x\.cif: the site Li1/Na1 holds 1\.200 atoms"):
        read_disordered_cif(cif("Li1 Li 0 0 0 0.6", "Na1 Na 0 0 0 0.6"), "x.cif")


def test_occupancies_above_one_are_refused() -> None:
    with pytest.raises(ValueError, match="it must be from 0 to 1"):
        read_disordered_cif(cif("Li1 Li 0 0 0 1.3"), "x.cif")


def test_an_unknown_element_is_refused() -> None:
    with pytest.raises(ValueError, match="not an element"):
        read_disordered_cif(cif("W1 Wat 0 0 0 0.5"), "x.cif")


def test_another_stated_composition_is_a_caveat() -> None:
    head = HEAD + "_chemical_formula_sum 'Li2 Cl2'\n"
    file = read_disordered_cif(cif("Li1 Li 0 0 0 0.5", "Cl1 Cl 0.5 0.5 0.5 1", head=head), "x.cif")
    assert any("the file states" in caveat for caveat in file.reading.caveats)


def test_a_sum_that_is_slightly_too_large_is_scaled_and_said() -> None:
    file = read_disordered_cif(cif("Li1 Li 0 0 0 0.51", "Na1 Na 0 0 0 0.50", "Cl1 Cl 0.5 0.5 0.5 1"), "x.cif")
    assert file.structure[0].species.num_atoms == pytest.approx(1.0)
    assert "the occupancies of Li1/Na1 add up to 1.010 and were scaled to 1" in file.reading.notes


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("Li1 Li 0 0 0 -0.5", "must be from 0 to 1"),
        ("Li1 Li 0 0 0 half", "occupancy of"),
        ("X1 X 0 0 0 0.5", "remove vacancies and dummies"),
    ],
)
def test_impossible_sites_are_refused_by_name(row: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_disordered_cif(cif(row, "Cl1 Cl 0.5 0.5 0.5 1"), "x.cif")


def test_an_empty_site_is_left_out() -> None:
    file = read_disordered_cif(cif("Li1 Li 0 0 0 0", "Cl1 Cl 0.5 0.5 0.5 1"), "x.cif")
    assert len(file.structure) == 1 and any("occupancy 0 and was left out" in note for note in file.reading.notes)


def test_deuterium_is_hydrogen() -> None:
    file = read_disordered_cif(cif("D1 D 0 0 0 0.5", "O1 O 0.5 0.5 0.5 1"), "x.cif")
    assert file.structure.composition["H"] == pytest.approx(0.5)
