"""Barriers of a crystal do not depend on how it is written, and hops and sites are all there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from aiida_ion.analysis.energy_maps.frozen.hops import canonical
from aiida_ion.analysis.energy_maps.frozen.plans import plan_maps
from aiida_ion.analysis.energy_maps.frozen.results import frozen_results
from aiida_ion.analysis.energy_maps.frozen.symmetry import Crystal
from tests.analysis.energy_maps.frozen.crystals import LI, crystal_of, plan_of, solve, structure


def rotated(crystal: Structure) -> Structure:
    turn, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    return Structure(Lattice(crystal.lattice.matrix @ turn), crystal.species, crystal.frac_coords)


def shifted(crystal: Structure) -> Structure:
    return Structure(crystal.lattice, crystal.species, crystal.frac_coords + np.array([0.13, 0.41, 0.77]))


def permuted(crystal: Structure) -> Structure:
    order = [1, 2, 0]
    return Structure(Lattice(crystal.lattice.matrix[order]), crystal.species, crystal.frac_coords[:, order])


def doubled(crystal: Structure) -> Structure:
    return crystal.make_supercell([[1, 1, 0], [0, 1, 0], [0, 0, 2]], in_place=False)


@pytest.mark.parametrize(
    ("name", "others"), [("Li3N", "removed"), ("Li3N", "kept"), ("Li3OCl", "removed"), ("triclinic", "kept")]
)
@pytest.mark.parametrize("change", [rotated, shifted, permuted, doubled])
def test_barriers_are_those_of_the_crystal(change: Callable[[Structure], Structure], name: str, others: str) -> None:
    results = []
    for written in (structure(name), change(structure(name))):
        plan = plan_maps(crystal_of(written), LI, others)
        results.append(frozen_results(plan, [solve(one, 0.5) for one in plan.maps]))
    first, again = results
    assert again["barriers_eV"] == pytest.approx(first["barriers_eV"], abs=1e-6)
    assert again["evaluations"] == first["evaluations"]
    ours, theirs = first["descriptors"], again["descriptors"]
    assert theirs["fv_0p5_disconnected"] == pytest.approx(ours["fv_0p5_disconnected"], abs=1e-9)
    # A union takes the nearest point of each ion's own grid.
    assert theirs["fv_0p5_disconnected_union"] == pytest.approx(ours["fv_0p5_disconnected_union"], abs=0.02)


def test_without_the_others_a_wider_cell_is_the_same_map() -> None:
    narrow, wide = plan_of("Li3OCl"), plan_of("Li3OCl", min_width_A=7.5)
    assert (wide.multiples, wide.n_atoms, narrow.n_atoms) == ((2, 2, 2), 17, 3)
    first, again = solve(narrow.maps[0], 0.5), solve(wide.maps[0], 0.5)
    np.testing.assert_allclose(again.energies_eV, first.energies_eV, atol=1e-9)


def test_each_inequivalent_ion_once_with_its_multiplicity() -> None:
    kept = plan_of("Li3N", "kept")
    assert [one.multiplicities.tolist() for one in kept.maps] == [[1], [2]]
    assert [len(one.copies) for one in kept.maps] == [1, 2]
    removed = plan_of("Li3N")
    assert len(removed.maps) == 1 and removed.maps[0].multiplicities.tolist() == [1, 2]
    assert sorted(removed.maps[0].host.numbers.tolist()) == [7]


def test_copies_carry_a_map_to_the_equivalent_ion() -> None:
    plan = plan_of("Li3N", "kept").maps[1]
    images = plan.copies.images(plan.sites[0]) % 1.0
    places = sorted(np.round(images, 4).tolist())
    assert places in ([[0.3333, 0.6667, 0.0], [0.6667, 0.3333, 0.0]], [[0.3333, 0.6667, 1.0], [0.6667, 0.3333, 1.0]])
    assert len(plan.copies.rotations) == 2


def test_hops_to_the_nearest_vacancy() -> None:
    """Each Li of Li2O has six neighbours along the edges of a cube; all hops are one."""
    plan = plan_of("Li2O", "vacancy", 6.0)
    assert len(plan.maps) == 1 and plan.maps[0].hop is not None
    hop = plan.maps[0].hop
    assert len(hop.edges) == 3 * len(plan.mobile)
    assert len({canonical(a, b, (x, y, z)) for a, b, x, y, z in hop.edges.tolist()}) == len(hop.edges)
    length = np.linalg.norm((hop.vacancy - plan.maps[0].sites[0]) @ plan.cell)
    assert length == pytest.approx(4.619 / 2)
    assert len(plan.maps[0].host.numbers) == plan.n_atoms - 1 == 3 * np.prod(plan.multiples) - 2


def test_barriers_of_hops_are_on_one_scale() -> None:
    """A vacancy in Li2O moves through the whole crystal with one barrier, the saddle above site and vacancy alike."""
    plan = plan_of("Li2O", "vacancy", 6.0)
    results = frozen_results(plan, [solve(one, 0.3) for one in plan.maps])
    hop = results["hops"][0]
    assert hop["forward_eV"] == pytest.approx(hop["backward_eV"], abs=1e-6) and hop["forward_eV"] > 0.01
    assert results["barriers_eV"] == pytest.approx([hop["forward_eV"]] * 3, abs=1e-6)


@pytest.mark.parametrize(
    ("numbers", "others", "message"),
    [
        ([8, 16], "removed", "not in the crystal"),
        ([LI, LI], "kept", "no framework"),
        ([LI, 9], "vacancy", "give a min_width_A"),
        ([LI, 9], "gone", "others must be one of"),
    ],
)
def test_what_has_no_map_is_refused(numbers: list[int], others: str, message: str) -> None:
    crystal = Crystal(4.0 * np.eye(3), np.array(numbers), np.array([[0.0] * 3, [0.5] * 3]))
    with pytest.raises(ValueError, match=message):
        plan_maps(crystal, LI, others)
