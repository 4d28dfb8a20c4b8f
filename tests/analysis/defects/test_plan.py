"""Plans of defects: concentrations, charges, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from aiida_ion.analysis.defects.plan import inequivalent_sites, plan_defects
from aiida_ion.analysis.defects.refusal import DefectRefused
from aiida_ion.analysis.defects.settings import DefectSettings
from aiida_ion.analysis.disorder.crystal import DisorderedCrystal, disordered_crystal
from aiida_ion.settings.values import SettingsError
from tests.analysis.defects.crystals import lithium_chloride, lithium_nitride, lithium_oxide, lithium_titanate


def settings(**given: Any) -> DefectSettings:
    return DefectSettings.from_dict(given)


@pytest.mark.parametrize(
    ("crystal", "given", "compensation"),
    [
        (lithium_oxide(), {"host": "O", "dopant": "F"}, "1 Li vacancies for 1 F on O"),
        (lithium_oxide(), {"host": "O", "dopant": "N"}, "1 Li interstitials for 1 N on O"),
        (lithium_oxide(), {"host": "Li", "dopant": "Mg"}, "1 Li vacancies for 1 Mg on Li"),
        (lithium_chloride(), {"host": "Li", "dopant": "Al"}, "2 Li vacancies for 1 Al on Li"),
        (lithium_titanate(), {"host": "Ti", "dopant": "Mg", "oxidation_states": {"Ti": 3}}, "1 Li interstitials for"),
    ],
)
def test_dopants_are_balanced(crystal: DisorderedCrystal, given: dict[str, Any], compensation: str) -> None:
    plan = plan_defects(crystal, settings(defect="dopant", concentration=0.08, min_width_A=5, max_atoms=120, **given))
    assert plan.unit.compensation.startswith(compensation)
    made = plan.amounts(plan.n_units)
    assert sum(number * plan.states[element] for element, number in made.items()) == pytest.approx(0.0)
    assert made[given["dopant"]] == plan.n_units
    assert sum(made.values()) == plan.n_atoms


def test_the_concentration_is_reached_as_nearly_as_the_limit_allows() -> None:
    plan = plan_defects(lithium_oxide(), settings(concentration=0.02, max_atoms=200))
    assert plan.supercell.width_A >= 9.9
    assert plan.concentration == pytest.approx(plan.n_units / plan.n_sites)
    assert abs(plan.deviation) <= 0.03
    few = plan_defects(lithium_oxide(), settings(concentration=0.02, max_atoms=70, min_width_A=9.9))
    assert few.n_atoms <= 70 and few.concentration == 1 / few.n_sites
    assert any("angstrom wide: this one is" in remark for remark in few.remarks)
    attributes = few.attributes()
    assert attributes["concentration_deviation"] == pytest.approx(few.concentration / 0.02 - 1)
    stated = few.n_sites * (1 - 0.02)
    assert attributes["mobile_deviation"] == pytest.approx((few.n_sites - 1) / stated - 1)


def test_a_neutral_removal_is_called_one() -> None:
    plan = plan_defects(lithium_oxide(), settings(concentration=0.02))
    assert plan.unit.compensation == "none (neutral removal)"
    assert plan.attributes()["charge_e"] == -plan.n_units
    assert any("a hole or an electron" in remark for remark in plan.remarks)


def test_inequivalent_sites_are_counted() -> None:
    assert sorted(inequivalent_sites(plan_defects(lithium_nitride(), settings())).values()) == [1, 2]


REFUSED = [
    ({"mobile_species": "Na"}, "the crystal holds no Na, only Li, O"),
    ({"concentration": 1e-4}, "needs a cell of about 12000 atoms: raise max_atoms (300), or take"),
    ({"defect": "dopant", "host": "Ti", "dopant": "Al"}, "Al cannot take the place of Ti: the crystal holds Li, O"),
    ({"defect": "dopant", "host": "O", "dopant": "S"}, "S and O have the same charge (-2 e): it makes no carriers"),
    ({"defect": "dopant", "host": "O", "dopant": "Xe"}, "no usual charge of Xe: give it as oxidation_states"),
    ({"defect": "dopant", "host": "O", "dopant": "Li"}, "the dopant Li is the mobile ion"),
    ({"defect": "schottky", "removed": "LiO"}, "has a charge of -1 e: a Schottky defect is neutral"),
    ({"defect": "schottky", "removed": "NaCl"}, "names Cl, Na, which the crystal does not hold"),
    ({"defect": "schottky", "removed": "??"}, "is not a formula"),
    ({"max_atoms": 2}, "the primitive cell has 3 atoms, more than max_atoms 2"),
]


@pytest.mark.parametrize(("given", "message"), REFUSED, ids=[message[:30] for _, message in REFUSED])
def test_what_is_refused_says_what_to_do(given: dict[str, Any], message: str) -> None:
    with pytest.raises(DefectRefused) as refused:
        plan_defects(lithium_oxide(), settings(**given))
    assert message in str(refused.value)


def test_elements_that_change_their_charge_are_refused_unless_meant() -> None:
    with pytest.raises(DefectRefused, match="without compensation would oxidise Ti"):
        plan_defects(lithium_titanate(), settings(concentration=0.1))
    with pytest.raises(DefectRefused, match="would reduce Ti"):
        plan_defects(lithium_titanate(), settings(defect="interstitial", concentration=0.1))
    meant = settings(concentration=0.1, allow_redox=True, max_atoms=60)
    assert plan_defects(lithium_titanate(), meant).unit.n_carriers == 1


def test_a_disordered_crystal_is_sent_to_be_ordered() -> None:
    half = disordered_crystal(Structure(Lattice.cubic(4), [{"Li": 0.5}, "Cl"], [[0] * 3, [0.5] * 3]))
    with pytest.raises(DefectRefused, match=r"sites are partly occupied .*aiida-ion order"):
        plan_defects(half, settings())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"defect": "dopant", "host": "O"}, "defect dopant needs dopant"),
        ({"removed": "LiCl"}, "removed is a setting of defect schottky, not of vacancy"),
        ({"defect": "dopant", "host": "O", "dopant": "O"}, "a dopant is another element"),
        ({"concentration": 0.7}, "concentration must be a number above 0 and at most 0.5"),
    ],
)
def test_settings_are_checked_together(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        settings(**given)
