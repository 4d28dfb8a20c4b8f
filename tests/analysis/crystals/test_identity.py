"""A crystal has one hash, however it is written down, and another crystal has another."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core.lattice import Lattice
from pymatgen.core.operations import SymmOp
from pymatgen.core.structure import Structure

from aiida_ion.analysis.crystals.identity import structure_hash
from aiida_ion.analysis.method_hash import method_hash


def lithium_nitride() -> Structure:
    """Return Li3N with coordinates of four digits, as in a file."""
    sites = [[0, 0, 0.5], [0.3333, 0.6667, 0], [0.6667, 0.3333, 0], [0, 0, 0]]
    return Structure(Lattice.hexagonal(3.648, 3.875), ["Li", "Li", "Li", "N"], sites)


def lithium_oxide() -> Structure:
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.619), ["Li", "O"], [[0.25] * 3, [0] * 3])


def olivine() -> Structure:
    sites = [
        *([0, 0, 0], [0.28222, 0.25, 0.97472], [0.09486, 0.25, 0.4182]),
        *([0.09678, 0.25, 0.74279], [0.4571, 0.25, 0.20602], [0.16558, 0.04646, 0.28478]),
    ]
    lattice = Lattice.orthorhombic(10.3298, 6.0068, 4.6919)
    return Structure.from_spacegroup("Pnma", lattice, ["Li", "Fe", "P", "O", "O", "O"], sites)


def disturbed() -> Structure:
    """Return a crystal without any symmetry."""
    structure, rng = lithium_oxide(), np.random.default_rng(5)
    for index in range(len(structure)):
        structure.translate_sites([index], rng.normal(0, 0.1, 3), frac_coords=False)
    return structure


def variants(structure: Structure) -> dict[str, Structure]:
    moved, turned, charged = structure.copy(), structure.copy(), structure.copy()
    moved.translate_sites(range(len(moved)), [0.123, 0.456, 0.789])
    turned.apply_operation(SymmOp.from_axis_angle_and_translation([1, 2, 3], 37))
    charged.add_oxidation_state_by_guess()
    axes = [1, 2, 0]
    return {
        "primitive": structure.get_primitive_structure(tolerance=0.01),
        "long": structure * [[2, 0, 0], [0, 1, 0], [0, 0, 1]],
        "skewed": structure * [[1, 1, 0], [0, 1, 0], [0, -1, 2]],
        "other origin": moved,
        "other orientation": turned,
        "other axes": Structure(
            Lattice(structure.lattice.matrix[axes]), structure.species, structure.frac_coords[:, axes]
        ),
        "other order": Structure.from_sites(structure.sites[::-1]),
        "charges": charged,
    }


@pytest.mark.parametrize("make", [lithium_nitride, lithium_oxide, olivine, disturbed])
def test_one_hash_for_all_ways_of_writing_it(make: type) -> None:
    structure = make()
    digest = structure_hash(structure)
    assert {name: structure_hash(other) == digest for name, other in variants(structure).items()} == dict.fromkeys(
        variants(structure), True
    )


def test_other_crystals_have_other_hashes() -> None:
    structure = olivine()
    larger, swapped, shifted = structure.copy(), structure.copy(), structure.copy()
    larger.scale_lattice(1.001 * structure.volume)
    swapped.replace_species({"Fe": "Mn"})
    shifted.translate_sites([0], [0.002, 0, 0])
    ordered = structure.copy()
    # Two elements that change places in one pair of sites.
    ordered.replace(0, "Fe", ordered[0].frac_coords)
    ordered.replace(4, "Li", ordered[4].frac_coords)
    others = [structure, larger, swapped, shifted, ordered, lithium_oxide(), lithium_nitride()]
    assert len({structure_hash(other) for other in others}) == len(others)


def test_polytypes_differ() -> None:
    """Cubic and hexagonal close packing have the same nearest neighbours."""
    edge = 4.0
    cubic = Structure.from_spacegroup("Fm-3m", Lattice.cubic(edge * np.sqrt(2)), ["Ar"], [[0, 0, 0]])
    lattice = Lattice.hexagonal(edge, edge * np.sqrt(8 / 3))
    hexagonal = Structure(lattice, ["Ar", "Ar"], [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]])
    assert structure_hash(cubic) != structure_hash(hexagonal)


def test_what_has_no_hash() -> None:
    lattice = Lattice.cubic(4.0)
    with pytest.raises(ValueError, match="disordered"):
        structure_hash(Structure(lattice, [{"Li": 0.5, "Na": 0.5}], [[0, 0, 0]]))
    with pytest.raises(ValueError, match="no volume"):
        structure_hash(Structure(np.diag([4.0, 4.0, 0.0]), ["Li"], [[0, 0, 0]]))


def test_hash_of_a_method() -> None:
    assert method_hash({"a": 1, "b": [0.2]}) == method_hash({"b": [0.2], "a": 1})
    assert method_hash({"a": 1}) != method_hash({"a": 2})
    with pytest.raises(ValueError):
        method_hash({"a": float("nan")})
