"""Cells with defects: what is in them, where, and how often."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from aiida_ion.analysis.defects.ensemble import DefectEnsemble, make_defects
from aiida_ion.analysis.defects.placing import distances_A
from aiida_ion.analysis.defects.settings import DefectSettings
from tests.analysis.defects.crystals import lithium_chloride, lithium_nitride, lithium_oxide

SMALL = {"max_atoms": 60, "min_width_A": 0.0, "sweeps": 20}


def made(crystal: Any, **given: Any) -> DefectEnsemble:
    return make_defects(crystal, DefectSettings.from_dict(SMALL | given))


def test_equal_vacancies_are_one_cell() -> None:
    ensemble = made(lithium_oxide(), concentration=1 / 16, max_concentration_deviation=0.0, n_members=3)
    (member,) = ensemble.members
    assert member.count == 3 and ensemble.plan.n_sites == 16
    assert member.structure.composition == ensemble.perfect.composition - {"Li": 1}
    assert "3 draws gave 1 cells" in ensemble.remarks[0]
    moved = ensemble.displaced.cart_coords - ensemble.perfect.cart_coords
    assert 0.02 < moved.std() < 0.08 and np.allclose(moved.mean(axis=0), 0.0)
    (entry,) = ensemble.attributes()["members"]
    assert entry["weight"] == 1.0 and entry["closest_defects_A"] is None


def test_every_inequivalent_site_and_empty_site_takes_its_turn() -> None:
    ensemble = made(lithium_nitride(), defect="frenkel", concentration=1 / 24, n_members=4)
    pairs = {tuple(defect["site"] for defect in member.defects) for member in ensemble.members}
    assert len(pairs) == 4
    for member in ensemble.members:
        assert member.structure.composition == ensemble.perfect.composition
        vacancy, interstitial = (np.array([defect["fractional"]]) for defect in member.defects)
        apart = float(distances_A(np.asarray(ensemble.perfect.lattice.matrix), vacancy, interstitial)[0, 0])
        assert member.distances_A == ((0, 1, pytest.approx(apart, abs=1e-3)),)
        assert apart > 4.0


def test_a_cell_depends_on_the_seed_and_its_number_alone() -> None:
    given = {"defect": "schottky", "removed": "LiCl", "concentration": 0.08}
    one, two, other = (
        made(lithium_chloride(), n_members=n, seed=seed, **given) for n, seed in ((1, 1), (2, 1), (1, 2))
    )
    digests = [[member.digest for member in ensemble.members] for ensemble in (one, two, other)]
    assert digests[0] == digests[1][:1]
    assert digests[0] != digests[2]


def test_dopants_are_where_they_can_be_and_attract_their_carriers() -> None:
    ensemble = made(lithium_chloride(), defect="dopant", host="Li", dopant="Mg", concentration=0.05, n_members=3)
    plan = ensemble.plan
    assert plan.n_units in {1, 2}
    distances = []
    for member in ensemble.members:
        kinds = [defect["kind"] for defect in member.defects]
        assert kinds.count("dopant") == kinds.count("vacancy") == plan.n_units
        content = member.structure.composition
        assert content["Mg"] == plan.n_units and content["Li"] == plan.n_sites - 2 * plan.n_units
        assert content["Cl"] == plan.n_sites
        distances.append(member.distances_A[0][2])
    # Opposite charges: the nearest sites of Li are 3.63 angstrom away, and the sampler prefers near ones.
    assert min(distances) == pytest.approx(5.13 / 2**0.5, abs=1e-3)


def test_distances_are_those_of_pymatgen() -> None:
    rng = np.random.default_rng(3)
    lattice = Lattice.from_parameters(5.0, 7.0, 9.0, 65.0, 80.0, 110.0)
    first, second = rng.random((6, 3)), rng.random((5, 3))
    expected = lattice.get_all_distances(first, second)
    assert distances_A(np.asarray(lattice.matrix), first, second) == pytest.approx(expected, abs=1e-9)


def test_interstitials_are_kept_apart() -> None:
    ensemble = made(lithium_oxide(), defect="interstitial", concentration=0.12, max_atoms=80, n_members=2)
    for member in ensemble.members:
        assert member.distances_A[0][2] >= 2.0
        assert member.structure.composition["Li"] == ensemble.plan.n_sites + ensemble.plan.n_units
    assert isinstance(ensemble.perfect, Structure)
