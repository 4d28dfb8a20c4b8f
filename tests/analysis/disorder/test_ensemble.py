"""From a disordered crystal to ordered cells."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core.lattice import Lattice as Cell
from pymatgen.core.structure import Structure

from aiida_ion.analysis.disorder import draws
from aiida_ion.analysis.disorder.crystal import disordered_crystal
from aiida_ion.analysis.disorder.ensemble import order_crystal
from aiida_ion.analysis.disorder.plan import plan_ordering
from aiida_ion.analysis.disorder.refusal import OrderingRefused
from aiida_ion.analysis.disorder.roles import find_roles
from aiida_ion.analysis.disorder.settings import OrderingSettings
from tests.analysis.disorder.crystals import argyrodite, half_filled, rock_salt, row_of_sites

QUICK = {"sweeps": 20, "n_orderings": 4, "min_width_A": 0.0}


def test_argyrodite_becomes_neutral_cells_that_keep_their_distances() -> None:
    crystal = argyrodite()
    ensemble = order_crystal(crystal, OrderingSettings(max_atoms=110, **QUICK))
    assert ensemble.plan.roles.kind == "both"
    charges = {"Li": 1, "P": 5, "S": -2, "Cl": -1}
    for member in ensemble.members:
        composition = member.structure.composition
        assert sum(charges[element.symbol] * amount for element, amount in composition.items()) == 0
        assert composition["Li"] == ensemble.plan.counts.n_mobile
        distances = member.structure.distance_matrix
        lithium = [index for index, site in enumerate(member.structure) if site.specie.symbol == "Li"]
        closest = distances[np.ix_(lithium, lithium)][np.triu_indices(len(lithium), 1)].min()
        assert closest >= ensemble.min_distance_A
        assert member.closest_mobile_A == pytest.approx(closest, abs=1e-6)
    attributes = ensemble.attributes()
    assert sum(member["weight"] for member in attributes["members"]) == pytest.approx(1.0)
    assert abs(attributes["mobile_deviation"]) <= 0.05


def test_members_do_not_depend_on_how_many_there_are() -> None:
    crystal = argyrodite()
    few = order_crystal(crystal, OrderingSettings(max_atoms=60, **QUICK | {"n_orderings": 2}))
    many = order_crystal(crystal, OrderingSettings(max_atoms=60, **QUICK | {"n_orderings": 5}))
    assert few.members[0].index == many.members[0].index == 0
    assert [member.structure for member in few.members] == [
        member.structure for member in many.members if member.index in {member.index for member in few.members}
    ]


def test_a_draw_that_is_repeated_does_not_depend_on_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a row of sites of which every second one is filled; cooled too fast, few draws find that."""
    monkeypatch.setattr(draws, "COOLING_SWEEPS", 1.0)
    monkeypatch.setattr(draws, "SETTLING_SWEEPS", 1.0)
    crystal, shared = row_of_sites(20), {"sweeps": 1, "min_distance_A": 2.7, "min_width_A": 0.0, "max_atoms": 100}
    few = order_crystal(crystal, OrderingSettings(n_orderings=3, **shared))
    many = order_crystal(crystal, OrderingSettings(n_orderings=6, **shared))
    distances = [member.min_distance_A for member in few.members]
    assert min(distances) < 2.7 and max(distances) == 2.7
    assert few.min_distance_A == min(distances)
    assert [(one.index, one.digest, one.min_distance_A) for one in few.members] == [
        (one.index, one.digest, one.min_distance_A) for one in many.members[: len(few.members)]
    ]
    for member in few.members:
        assert member.closest_mobile_A is None or member.closest_mobile_A >= member.min_distance_A - 1e-6
    assert "2 of 3 draws kept not all Li 2.7 angstrom apart" in " ".join(few.remarks)


def test_symmetry_copies_are_one_member_that_counts_for_all() -> None:
    ensemble = order_crystal(half_filled(), OrderingSettings(max_atoms=3, **QUICK | {"n_orderings": 6}))
    assert len(ensemble.members) == 1
    assert ensemble.members[0].count == ensemble.n_draws == 6
    assert ensemble.n_inequivalent == 1
    assert ensemble.log10_arrangements == pytest.approx(np.log10(2))


def test_mixed_sites_keep_their_shares() -> None:
    plan = plan_ordering(rock_salt(0.25), OrderingSettings(max_atoms=64, min_width_A=7.9))
    assert plan.roles.kind == "mixed"
    assert plan.counts.mobile_deviation == pytest.approx(0.0, abs=1e-9)
    assert plan.supercell.width_A >= 7.9


def test_half_filled_lattice_is_exactly_half_filled() -> None:
    ensemble = order_crystal(half_filled(), OrderingSettings(max_atoms=16, **QUICK))
    for member in ensemble.members:
        assert member.structure.composition["Li"] == member.structure.composition["Cl"]


def test_an_ordered_crystal_is_its_own_ensemble() -> None:
    crystal = disordered_crystal(
        Structure.from_spacegroup("Fm-3m", Cell.cubic(5.1), ["Li", "Cl"], [[0] * 3, [0.5] * 3])
    )
    ensemble = order_crystal(crystal, OrderingSettings(max_atoms=16, **QUICK))
    assert find_roles(crystal, "Li").kind == "ordered"
    assert len(ensemble.members) == 1
    assert ensemble.weights == [1.0]


def cubic(*sites: tuple[object, list[float]]) -> Structure:
    return Structure(Cell.cubic(5.0), [site[0] for site in sites], [site[1] for site in sites])


FAULTS = {
    "occupancy": (cubic(({"Li": 0.8}, [0, 0, 0]), ("Cl", [0.5] * 3)), {"max_mobile_deviation": 1.0}, "charge"),
    "no mobile ion": (cubic(({"Na": 0.5, "K": 0.5}, [0, 0, 0]), ("Cl", [0.5] * 3)), {}, "mobile ion"),
    "hydrogen": (
        cubic(("Li", [0, 0, 0]), ("O", [0.5] * 3), ({"Li": 0.5}, [0.5, 0, 0])),
        {"target_composition": "LiOH"},
        "hydrogen",
    ),
    "charge": (cubic(({"Li": 0.5, "Mg": 0.5}, [0, 0, 0]), ("Cl", [0.5] * 3)), {}, "charge"),
    "anions missing": (cubic(("Li", [0, 0, 0]), ("Li", [0.5, 0, 0]), ({"O": 0.8}, [0.5] * 3)), {}, "vacancies"),
    "states": (cubic(({"Li": 0.5}, [0, 0, 0]), ("Xe", [0.5] * 3)), {}, "charge"),
}


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_what_cannot_be_ordered_is_refused_with_a_sentence(name: str) -> None:
    structure, settings, reason = FAULTS[name]
    with pytest.raises(OrderingRefused) as refusal:
        plan_ordering(disordered_crystal(structure), OrderingSettings(**settings))
    assert refusal.value.reason == reason
    assert len(refusal.value.message) > 30


def test_too_full_a_site_is_refused() -> None:
    structure = cubic(("Li", [0, 0, 0]), ("Cl", [0.5] * 3))
    structure[0]._species = type(structure[0].species)(
        {"Li": 1.2}, allow_negative=True
    )  # pymatgen itself lets no 1.2 in
    with pytest.raises(OrderingRefused, match="holds 1.200 atoms"):
        disordered_crystal(structure)


def test_too_small_a_limit_names_the_cell_that_would_do() -> None:
    with pytest.raises(OrderingRefused, match="the smallest that would be has") as refusal:
        plan_ordering(rock_salt(0.25), OrderingSettings(max_atoms=6))
    assert refusal.value.reason == "size"


def test_vacancies_that_are_meant_are_kept() -> None:
    structure = cubic(("Li", [0, 0, 0]), ({"O": 0.5}, [0.5] * 3))
    plan = plan_ordering(disordered_crystal(structure), OrderingSettings(allow_framework_vacancies=True))
    assert any("vacancies are kept" in remark for remark in plan.remarks)


def test_mixed_valence_balances_the_charge() -> None:
    structure = cubic(({"Li": 0.5}, [0, 0, 0]), ("V", [0.5] * 3), ("O", [0.5, 0.5, 0]), ("O", [0.5, 0, 0.5]))
    plan = plan_ordering(disordered_crystal(structure), OrderingSettings(oxidation_states={"V": 3.5}))
    assert plan.counts.states["V"] == pytest.approx(3.5)
    assert any("mean charge" in remark for remark in plan.remarks)
