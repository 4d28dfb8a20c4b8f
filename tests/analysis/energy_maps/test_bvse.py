"""Barriers of crystals: the same however the crystal is written and mapped, or refused with the reason."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from pymatgen.core.lattice import Lattice
from pymatgen.core.operations import SymmOp
from pymatgen.core.structure import Structure

from aiida_ion.analysis.energy_maps.bvse import NotApplicableError, bvse_method_hash, compute_bvse
from aiida_ion.analysis.energy_maps.bvse_settings import BvseSettings
from aiida_ion.settings.values import SettingsError
from tests.analysis.energy_maps.crystals import crystal, primitive

#: Barriers in the limit of a fine grid, eV: those at 0.1 angstrom come down to them.
BARRIERS = {
    "Li2O": (0.2901, 0.2901, 0.2901),
    "Li3N": (0.1905, 0.1905, 0.2034),
    "LiCoO2": (1.2123, 1.2123, 12.1597),
    "LiFePO4": (0.4311, 3.5960, 3.6134),
    "Li3PO4": (0.4399, 0.4399, 0.7577),
}


def barriers(structure: Structure, mobile: str = "Li", **settings: Any) -> list[float]:
    result = compute_bvse(structure, BvseSettings(mobile, **settings))
    json.dumps(result, allow_nan=False)
    assert result["is_refined"] == [True, True, True]
    return result["barriers_eV"]


@pytest.mark.parametrize("name", BARRIERS)
@pytest.mark.parametrize("resolution_A", [0.2, 0.35])
def test_the_grid_does_not_matter(name: str, resolution_A: float) -> None:
    assert barriers(primitive(name), resolution_A=resolution_A) == pytest.approx(BARRIERS[name], abs=5e-4)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_crystal_without_symmetry(seed: int) -> None:
    structure, rng = crystal("LiAlO2"), np.random.default_rng(seed)
    for index in range(len(structure)):
        structure.translate_sites([index], rng.normal(0, 0.06, 3), frac_coords=False)
    charges = {"Li": 1, "Al": 3, "O": -2}
    fine, coarse = (barriers(structure, charges=charges, resolution_A=spacing) for spacing in (0.2, 0.33))
    assert fine == pytest.approx(coarse, abs=5e-4)
    assert fine[0] < fine[1] - 0.005 < fine[2] - 0.01


def test_saddles_are_those_of_a_fine_map() -> None:
    """Independent of the searches: the map itself comes down to the value as its spacing falls."""
    structure = primitive("LiF")
    refined = barriers(structure)[0]
    on_grid = [
        compute_bvse(structure, BvseSettings("Li", resolution_A=spacing))["barriers_grid_eV"][0]
        for spacing in (0.2, 0.1, 0.05)
    ]
    errors = np.array(on_grid) - refined
    assert errors[0] > errors[1] > errors[2] > 0
    assert errors[2] < 0.005


def variants(structure: Structure) -> dict[str, Structure]:
    moved, turned = structure.copy(), structure.copy()
    moved.translate_sites(range(len(moved)), [0.123, 0.456, 0.789])
    turned.apply_operation(SymmOp.from_axis_angle_and_translation([1, 2, 3], 37))
    axes = [2, 0, 1]
    lattice = Lattice(structure.lattice.matrix[axes])
    return {
        "primitive": structure.get_primitive_structure(),
        "supercell": structure * [[1, 1, 0], [0, 1, 0], [0, 0, 2]],
        "other origin": moved,
        "other orientation": turned,
        "other axes": Structure(lattice, structure.species, structure.frac_coords[:, axes]),
        "other order": Structure.from_sites(structure.sites[::-1]),
    }


@pytest.mark.parametrize("name", ["Li2O", "Li3N", "LiCoO2", "LiAlO2"])
def test_the_way_a_crystal_is_written_does_not_matter(name: str) -> None:
    structure = crystal(name)
    expected = barriers(structure)
    for variant, other in variants(structure).items():
        assert barriers(other) == pytest.approx(expected, abs=5e-4), variant


@pytest.mark.parametrize(
    ("name", "mobile", "charge"),
    [("KCl", "K", 1), ("MgO", "Mg", 2), ("AgI", "Ag", 1), ("CuBr", "Cu", 1), ("CaF2", "F", -1), ("ZrO2", "O", -2)],
)
def test_other_ions(name: str, mobile: str, charge: float) -> None:
    result = compute_bvse(crystal(name), BvseSettings(mobile))
    assert result["mobile_charge_e"] == charge
    assert result["is_refined"] == [True, True, True]
    assert 0.05 < result["barriers_eV"][0] < 2.0
    assert result["barriers_eV"] == pytest.approx([result["barriers_eV"][0]] * 3, abs=1e-4)


def test_what_a_result_says() -> None:
    result = compute_bvse(crystal("LiFePO4"), BvseSettings("Li", bvlain=True, resolution_A=0.3))
    assert result["zero"] == "lowest energy in the crystal"
    assert result["charges_e"] == {"Fe": [2.0], "Li": [1.0], "O": [-2.0], "P": [5.0]}
    assert result["charges_source"] == "bond valence sums"
    assert result["minimum"]["distance_to_site_A"] < 0.2
    assert result["site_above_zero_eV"] == pytest.approx(0.0, abs=1e-6)
    assert result["caveats"] == []
    for pair, barrier in zip(result["barriers_interval_eV"], result["barriers_eV"], strict=True):
        assert pair[0] <= barrier <= pair[1]
        assert pair[1] - pair[0] < 0.002
    saddle = result["saddles"][0]
    assert saddle["dimension"] == 1
    assert saddle["energy_eV"] - result["minimum"]["energy_eV"] == pytest.approx(result["barriers_eV"][0], abs=2e-6)
    structure = crystal("LiFePO4")
    for neighbour in saddle["neighbours"]:
        site = structure[neighbour["index"]]
        assert site.specie.symbol == neighbour["symbol"] != "Li"
        distance, _ = structure.lattice.get_distance_and_image(saddle["fractional"], site.frac_coords)
        assert distance == pytest.approx(neighbour["distance_A"], abs=1e-4)
    assert saddle["neighbours"][0]["distance_A"] == min(entry["distance_A"] for entry in saddle["neighbours"])
    assert result["bvlain_barriers_eV"][0] == pytest.approx(result["barriers_grid_eV"][0], abs=0.1)
    assert np.prod(result["grid"]["shape"]) > 1000


def test_an_empty_cavity_widens_the_interval() -> None:
    """The octahedral site of Li2O is deeper than that of its ions in this potential."""
    result = compute_bvse(crystal("Li2O"), BvseSettings("Li"))
    assert result["minimum"]["distance_to_site_A"] == pytest.approx(2.0, abs=0.01)
    assert result["site_above_zero_eV"] == pytest.approx(0.091, abs=0.002)
    low, high = result["barriers_interval_eV"][0]
    assert (low, high) == pytest.approx((0.2901 - 0.0914, 0.2901), abs=1e-3)
    assert "2.00 angstrom away from the nearest Li site" in result["message"]


def test_charges_from_the_composition_are_told() -> None:
    result = compute_bvse(primitive("LiMn2O4"), BvseSettings("Li", resolution_A=0.3))
    assert result["charges_source"] == "composition"
    assert result["charges_e"]["Mn"] == [3.5]
    assert "bond valence sums gave no charges" in result["message"]
    given = compute_bvse(primitive("LiMn2O4"), BvseSettings("Li", resolution_A=0.3, charges={"Li": 1, "O": -2}))
    assert given["charges_source"] == "given"
    assert given["barriers_eV"] == pytest.approx(result["barriers_eV"])


def _with_hydrogen() -> Structure:
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.08), ["Li", "H"], [[0.0] * 3, [0.5] * 3])


def _disordered() -> Structure:
    return Structure(Lattice.cubic(4.0), [{"Li": 0.5, "Na": 0.5}, "Cl"], [[0] * 3, [0.5] * 3])


@pytest.mark.parametrize(
    ("structure", "settings", "message"),
    [
        (crystal("Na2O"), {}, "no Li in Na2O"),
        (_disordered(), {}, "disordered"),
        (_with_hydrogen(), {}, r"no parameters for Li\+ with H-"),
        (Structure(Lattice.cubic(3.5), ["Li"], [[0] * 3]), {}, "no charge|nothing but Li"),
        (Structure(Lattice.cubic(3.2), ["Li", "Al"], [[0] * 3, [0.5] * 3]), {}, "charges cannot be assigned"),
        (crystal("LiFePO4"), {"charges": {"Li": 1, "Fe": 3, "P": 5, "O": -2}}, "not neutral"),
        (crystal("LiCoO2"), {"charges": {"Li": 1, "O": -1}}, r"no parameters for Li\+ with O-"),
        (crystal("Li2O"), {"max_points": 1000, "resolution_A": 0.1}, "points, more than max_points"),
        (Structure(Lattice.cubic(3.0), ["Li", "O"], [[0] * 3, [0.05] * 3]), {}, "closer than 0.5 angstrom"),
    ],
)
def test_what_is_refused(structure: Structure, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(NotApplicableError, match=message):
        compute_bvse(structure, BvseSettings("Li", **settings))


def test_several_charges_of_the_mobile_ion_are_refused() -> None:
    sites = [[0] * 3, [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    copper = Structure(Lattice.cubic(4.5), ["Cu", "Cu", "O", "Cl"], sites)
    with pytest.raises(NotApplicableError):
        compute_bvse(copper, BvseSettings("Cu"))


def test_the_hash_of_the_method() -> None:
    settings = BvseSettings("Li")
    assert bvse_method_hash(settings) == bvse_method_hash(BvseSettings("Li", max_points=10**6))
    others = [BvseSettings("Na"), BvseSettings("Li", resolution_A=0.1), BvseSettings("Li", charges={"Li": 1.0})]
    assert len({bvse_method_hash(other) for other in (settings, *others)}) == 4


def test_settings() -> None:
    with pytest.raises(SettingsError, match="mobile_species"):
        BvseSettings.from_dict({})
    with pytest.raises(SettingsError, match="radii must be one of cordero, softbv"):
        BvseSettings("Li", radii="shannon")
