"""Crystals with known sites and hops."""

from __future__ import annotations

from ase import Atoms
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure


def lithium_oxide() -> Structure:
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.619), ["Li", "O"], [[0.25] * 3, [0] * 3])


def lithium_nitride() -> Structure:
    sites = [[0, 0, 0.5], [1 / 3, 2 / 3, 0], [0, 0, 0]]
    return Structure.from_spacegroup("P6/mmm", Lattice.hexagonal(3.648, 3.875), ["Li", "Li", "N"], sites)


def lithium_iron_phosphate() -> Structure:
    sites = [
        *([0, 0, 0], [0.28222, 0.25, 0.97472], [0.09486, 0.25, 0.4182]),
        *([0.09678, 0.25, 0.74279], [0.4571, 0.25, 0.20602], [0.16558, 0.04646, 0.28478]),
    ]
    lattice = Lattice.orthorhombic(10.3298, 6.0068, 4.6919)
    return Structure.from_spacegroup("Pnma", lattice, ["Li", "Fe", "P", "O", "O", "O"], sites)


def atoms_of(structure: Structure) -> Atoms:
    symbols = [site.specie.symbol for site in structure]
    return Atoms(symbols, positions=structure.cart_coords, cell=structure.lattice.matrix, pbc=True)
