"""The bond valence site energy: against the formula term by term, published barriers, and its own derivatives."""

from __future__ import annotations

import hashlib
from math import erfc, exp

import numpy as np
import pytest
from ase.data import atomic_numbers, covalent_radii

from aiida_ion.analysis.crystals.oxidation import assign_charges
from aiida_ion.analysis.energy_maps.bond_valence import BondValencePotential
from aiida_ion.analysis.energy_maps.bvlain import bvlain_barriers_eV, bvlain_map_eV, bvlain_shape
from aiida_ion.analysis.energy_maps.framework import Framework, primitive_framework
from aiida_ion.analysis.energy_maps.percolation import percolate_grid
from aiida_ion.analysis.energy_maps.softbv import (
    TABLE,
    charges_of,
    covalent_radius_A,
    ion_name,
    morse_parameters,
    principal_quantum_number,
    table_facts,
    table_sha256,
)
from tests.analysis.energy_maps.crystals import crystal, primitive

#: Crystal -> published percolation energies in one, two and three dimensions, eV, on bvlain's grid of 0.2 angstrom.
ON_GRID = {
    "Li2O": (0.338, 0.338, 0.338),
    "Na2O": (0.262, 0.262, 0.262),
    "LiF": (0.578, 0.578, 0.578),
    "NaCl": (0.853, 0.853, 0.853),
    "Li3N": (0.178, 0.178, 0.182),
    "Li3ClO": (0.496, 0.496, 0.496),
    "LiTiS2": (1.253, 1.253, 7.05),
    "LiCoO2": (1.167, 1.167, 12.1),
    "LiAlO2": (0.661, 0.663, 0.663),
}


def potential(structure, mobile: str = "Li", **settings) -> BondValencePotential:
    charges = assign_charges(structure).charges_e
    symbols = [site.specie.symbol for site in structure]
    stays = [index for index, symbol in enumerate(symbols) if symbol != mobile]
    charge = charges[symbols.index(mobile)]
    framework = Framework(
        structure.lattice.matrix, structure.cart_coords[stays], [symbols[index] for index in stays], charges[stays]
    )
    return BondValencePotential(framework, mobile, float(charge), **settings)


@pytest.mark.parametrize("name", ON_GRID)
def test_published_percolation_energies_on_the_published_grid(name: str) -> None:
    energy = potential(primitive(name), "Na" if name.startswith("Na") else "Li")
    a, b, c = (n - 1 for n in bvlain_shape(energy.framework.cell_A, 0.2))
    barriers = percolate_grid(energy.map_eV((a, b, c))).barriers_eV
    assert barriers == pytest.approx(ON_GRID[name], abs=0.002, rel=0.003)


def test_olivine_is_a_one_dimensional_conductor() -> None:
    energy = potential(crystal("LiFePO4"))
    a, b, c = (n - 1 for n in bvlain_shape(energy.framework.cell_A, 0.2))
    assert percolate_grid(energy.map_eV((a, b, c))).barriers_eV == pytest.approx([0.470, 3.60, 3.62], abs=0.005)


def test_the_published_barriers_of_lithium_phosphate_to_the_digit() -> None:
    """LiTraj's notebook bvel.ipynb, by the package bvlain with 200 neighbours."""
    energy = potential(crystal("Li3PO4"))
    energies = bvlain_map_eV(energy, 0.2, neighbours=200)
    assert bvlain_barriers_eV(energies) == [0.4785, 0.4785, 0.8008]
    assert percolate_grid(energies[:-1, :-1, :-1]).barriers_eV == pytest.approx([0.472, 0.477, 0.795], abs=0.001)


def test_the_published_bisection_misses_pathways_that_close_after_two_cells() -> None:
    """Two strands wind round each other, half a turn in a cell: they percolate at zero, and all else is at 20 eV."""
    energies = np.full((8, 8, 8), 20.0)
    for z in range(8):
        phase = np.pi * z / 8
        for strand in (0, np.pi):
            x, y = np.rint(3.5 + 2.0 * np.array([np.cos(phase + strand), np.sin(phase + strand)])).astype(int)
            energies[x, y, z] = 0.0
    with_end_planes = np.pad(energies, (0, 1), mode="wrap")
    exact, published = percolate_grid(energies).barriers_eV, bvlain_barriers_eV(with_end_planes)
    assert exact[0] == 0.0
    assert published[0] is None


def test_the_sum_is_the_formula() -> None:
    structure = crystal("LiCoO2")
    energy = potential(structure, cutoff_A=6.0)
    point = np.array([0.7, 1.1, 2.3])
    radii = {symbol: covalent_radii[atomic_numbers[symbol]] for symbol in ("Li", "Co", "O")}
    expected = 0.0
    for site in structure.get_sites_in_sphere(point, 6.0):
        distance = float(np.linalg.norm(site.coords - point))
        if site.specie.symbol == "O":
            pair = morse_parameters("Li", 1, "O", -2)
            x = exp(pair.alpha_1_A * (pair.r_min_A - distance))
            expected += 0.5 * pair.d0_eV * ((x - 1) ** 2 - 1)
        elif site.specie.symbol == "Co":
            length = 0.74 * (radii["Li"] + radii["Co"])
            expected += 14.4 * 1 * 3 / (2 * 4) ** 0.5 / distance * erfc(distance / length)
    assert energy.energies_eV(point[None])[0] == pytest.approx(expected, abs=1e-5)
    assert energy.energies_of_nearest_eV(point[None], 10_000)[0] == pytest.approx(expected, abs=1e-5)


def test_map_points_and_derivatives_agree() -> None:
    energy = potential(crystal("Li3PO4"))
    cell = energy.framework.cell_A
    energies = energy.map_eV((9, 8, 7), block=4)
    fractions = np.array([2 / 9, 3 / 8, 5 / 7])
    point = fractions @ cell
    assert energy.energies_eV(point[None])[0] == pytest.approx(energies[2, 3, 5], abs=1e-9)
    assert energy.energies_eV((point + np.array([1, -2, 3]) @ cell)[None])[0] == pytest.approx(
        energies[2, 3, 5], abs=1e-9
    )
    value, gradient, hessian = energy.derivatives(point)
    assert value == pytest.approx(energies[2, 3, 5], abs=1e-9)
    step = 1e-4
    for axis, unit in enumerate(np.eye(3)):
        sides = energy.energies_eV(np.array([point + step * unit, point - step * unit]))
        assert gradient[axis] == pytest.approx((sides[0] - sides[1]) / (2 * step), rel=1e-4, abs=1e-5)
        slopes = energy.derivatives(point + step * unit)[1] - energy.derivatives(point - step * unit)[1]
        assert hessian[axis] == pytest.approx(slopes / (2 * step), rel=1e-4, abs=1e-3)


def test_the_smallest_cell_of_the_framework_has_the_same_energies() -> None:
    for structure, n_ions in ((crystal("Li2O") * [2, 1, 1], 1), (crystal("LiFePO4"), 24), (crystal("LiCoO2"), 3)):
        whole = potential(structure)
        framework = primitive_framework(whole.framework)
        small = BondValencePotential(framework, "Li", 1.0)
        assert len(framework.symbols) == n_ions
        points = np.random.default_rng(1).random((20, 3)) @ structure.lattice.matrix
        energies = whole.energies_eV(points)
        assert small.energies_eV(points) == pytest.approx(energies, rel=1e-6, abs=1e-6)


def test_the_table_says_where_it_is_from() -> None:
    facts = table_facts()
    assert facts["licence"].startswith("MIT")
    assert "bvlain 0.25.1" in facts["source"]
    assert len(facts["wheel_sha256"]) == 64
    assert table_sha256() == hashlib.sha256(TABLE.read_bytes()).hexdigest()
    assert morse_parameters("Li", 1, "O", -2).alpha_1_A == pytest.approx(1.937984)
    assert principal_quantum_number("Ag") == 5
    assert covalent_radius_A("Li", 1) == 1.28
    assert covalent_radius_A("Li", 1, "softbv") == 1.31
    assert charges_of("Fe") == [2, 3, 4]
    assert [ion_name("Li", 1), ion_name("O", -2), ion_name("Mn", 3.5)] == ["Li+", "O2-", "Mn3.5+"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: morse_parameters("Li", 1, "O", -1), "no parameters for Li[+] with O-$"),
        (
            lambda: morse_parameters("Fe", 5, "O", -2),
            r"no parameters for Fe5\+ with O2- \(it has O with Fe2\+, Fe3\+ or",
        ),
        (lambda: principal_quantum_number("Po"), "no Po"),
        (lambda: covalent_radius_A("Li", 2, "softbv"), "softbv radii have no Li2"),
    ],
)
def test_what_the_table_does_not_have(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_a_flat_cell_is_refused() -> None:
    framework = Framework(np.diag([5.0, 5.0, 1e-4]), np.zeros((1, 3)), ["O"], np.array([-2.0]))
    with pytest.raises(ValueError, match="far too flat"):
        BondValencePotential(framework, "Li", 1.0)
