"""Which composition cells are to have where file and formula differ, and what of bad input is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from aiida_ion.analysis.disorder.crystal import disordered_crystal
from aiida_ion.analysis.disorder.members_needed import members_needed
from aiida_ion.analysis.disorder.plan import Plan, plan_ordering
from aiida_ion.analysis.disorder.refusal import OrderingRefused
from aiida_ion.analysis.disorder.settings import OrderingSettings
from tests.analysis.disorder.crystals import argyrodite, half_filled

Site = tuple[Any, list[float]]
CORNER, MIDDLE, FACES = [0.0] * 3, [0.5] * 3, ([0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5])


def perovskite(a_site: dict[str, float], b_site: Any = "Ti", *more: Site) -> Structure:
    """Return a cubic ABO3 of 3.87 angstrom."""
    sites: list[Site] = [(a_site, CORNER), (b_site, MIDDLE), *(("O", face) for face in FACES), *more]
    return Structure(Lattice.cubic(3.87), [site[0] for site in sites], [site[1] for site in sites])


def planned(structure: Structure, **settings: Any) -> Plan:
    given = {"max_atoms": 100, "min_width_A": 0.0} | settings
    return plan_ordering(disordered_crystal(structure), OrderingSettings(**given))


def refusal(structure: Structure, **settings: Any) -> OrderingRefused:
    with pytest.raises(OrderingRefused) as caught:
        planned(structure, **settings)
    return caught.value


def test_lithium_that_x_rays_missed_goes_onto_vacant_places_of_lanthanum() -> None:
    file = perovskite({"La": 0.5})
    assert "hold no Li" in refusal(file).message
    plan = planned(file, target_composition="La0.5Li0.5TiO3")
    assert plan.mobile_source == "target_composition" and plan.roles.kind == "mixed"
    assert plan.counts.n_mobile == plan.counts.framework[0]["La"] and plan.counts.mobile_deviation == 0.0
    assert any("were put on vacant places" in remark for remark in plan.remarks)
    # Not more than there are places, and not into another framework.
    assert "hold no Li" in refusal(perovskite({"La": 0.6}), target_composition="La0.6Li0.5TiO3").message
    assert "hold no Li" in refusal(file, target_composition="La0.5Li0.5NbO3").message


def test_a_composition_that_was_analysed_is_balanced_by_ions_with_room() -> None:
    """File and formula agree, and both lack Li."""
    window = {"Li": 0.2}
    file = perovskite({"La": 0.5, "Li": 0.28}, {"Ti": 0.85, "Al": 0.15}, (window, [0.5, 0.0, 0.0]))
    formula = "La0.5Li0.48Ti0.85Al0.15O3"
    assert "% of its anions' charge" in refusal(file).message
    plan = planned(file, target_composition=formula)
    assert plan.counts.n_mobile / plan.n_cells == pytest.approx(0.65, abs=0.05)
    assert any("+35 %" in remark for remark in plan.remarks)
    full = perovskite({"La": 0.5, "Li": 0.48}, {"Ti": 0.85, "Al": 0.15})
    assert "and so is" in refusal(full, target_composition=formula).message


def test_sites_with_the_multiplicity_of_another_place_are_refused() -> None:
    doubled = Structure(Lattice.cubic(4.0), [{"Li": 0.9}, {"Li": 0.9}, "Cl"], [CORNER, [0.5, 0.0, 0.0], MIDDLE])
    caught = refusal(doubled, target_composition="LiCl")
    assert caught.reason == "occupancy" and "may be that of another multiplicity" in caught.message


def test_an_element_of_half_an_atom_or_more_is_not_rounded_away() -> None:
    """Ti asks for more Li than the sites have room for: a cell without Ti is neutral, and another material."""
    file = perovskite({"Li": 1.0}, {"Nb": 0.9, "Ti": 0.1})
    caught = refusal(file)
    assert caught.reason == "mobile ion" and "only cells without Ti are neutral" in caught.message


def test_a_small_charge_is_balanced_and_said() -> None:
    structure = Structure(Lattice.cubic(4.0), [{"Li": 0.495}, {"Li": 0.495}, "Cl"], [CORNER, [0.5, 0, 0], MIDDLE])
    assert any("0.01 Li more balance it" in remark for remark in planned(structure).remarks)
    assert not any("balance" in remark for remark in planned(half_structure()).remarks)


def half_structure() -> Structure:
    return Structure(Lattice.cubic(4.0), [{"Li": 0.5}, {"Li": 0.5}, "Cl"], [CORNER, [0.5, 0, 0], MIDDLE])


def test_two_places_of_one_split_atom_are_filled_once() -> None:
    """Ge and P refined 0.2 angstrom apart are one site: as many atoms as places of one of them."""
    structure = Structure(
        Lattice.cubic(5.0),
        [{"Ge": 0.5}, {"P": 0.5}, "O", "O", {"Li": 0.75}, {"Li": 0.75}],
        [CORNER, [0.04, 0, 0], [0.35, 0, 0], [0.65, 0, 0], MIDDLE, [0.5, 0.5, 0.0]],
    )
    plan = planned(structure, oxidation_states={"Ge": 2.0, "P": 3.0})
    ge_and_p = sum(numbers.get("Ge", 0) + numbers.get("P", 0) for numbers in plan.counts.framework)
    assert ge_and_p == plan.n_cells and not plan.roles.vacant


def test_occupancies_that_no_arrangement_has_are_said_and_the_total_is_kept() -> None:
    """Two places 0.5 angstrom apart, each 0.6 full: 1.2 ions for one of them."""
    places = [CORNER, [0.1, 0.0, 0.0], [0.5, 0.0, 0.5], MIDDLE, [0.5, 0.5, 0.0]]
    structure = Structure(Lattice.cubic(5.0), [{"Li": 0.6}, {"Li": 0.6}, {"Li": 0.8}, "Cl", "Cl"], places)
    plan = planned(structure)
    assert any("more than one Li is stated for pairs of places" in remark for remark in plan.remarks)
    assert plan.counts.n_mobile == 2 * plan.n_cells
    assert not any("more than one" in remark for remark in plan_ordering(argyrodite(), OrderingSettings()).remarks)


def test_one_cell_is_enough_where_mobile_ions_alone_are_disordered() -> None:
    settings = OrderingSettings(max_atoms=60, min_width_A=0.0)
    assert members_needed(plan_ordering(half_filled(), settings), 8) == 1
    assert members_needed(plan_ordering(argyrodite(), settings), 8) == 8
