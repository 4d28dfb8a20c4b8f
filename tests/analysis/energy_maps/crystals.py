"""Crystals with known percolation energies of the bond valence site energy."""

from __future__ import annotations

from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure


def crystal(name: str) -> Structure:
    """Return a crystal in its conventional cell."""
    group, lattice, symbols, sites = CRYSTALS[name]
    structure = Structure.from_spacegroup(group, lattice, symbols, sites)
    assert structure.composition.reduced_formula == name.partition(" ")[0]
    return structure


def primitive(name: str) -> Structure:
    """Return a crystal in its primitive cell."""
    return crystal(name).get_primitive_structure()


def _antifluorite(edge_A: float, cation: str, anion: str) -> tuple[str, Lattice, list[str], list[list[float]]]:
    return "Fm-3m", Lattice.cubic(edge_A), [cation, anion], [[0.25] * 3, [0.0] * 3]


def _rock_salt(edge_A: float, cation: str, anion: str) -> tuple[str, Lattice, list[str], list[list[float]]]:
    return "Fm-3m", Lattice.cubic(edge_A), [cation, anion], [[0.0] * 3, [0.5] * 3]


CRYSTALS: dict[str, tuple[str, Lattice, list[str], list[list[float]]]] = {
    "Li2O": _antifluorite(4.619, "Li", "O"),
    "Li2S": _antifluorite(5.708, "Li", "S"),
    "Na2O": _antifluorite(5.55, "Na", "O"),
    "LiF": _rock_salt(4.026, "Li", "F"),
    "LiCl": _rock_salt(5.14, "Li", "Cl"),
    "NaCl": _rock_salt(5.64, "Na", "Cl"),
    "KCl": _rock_salt(6.29, "K", "Cl"),
    "MgO": _rock_salt(4.21, "Mg", "O"),
    "CaF2": _antifluorite(5.4628, "F", "Ca"),
    "ZrO2": _antifluorite(5.09, "O", "Zr"),
    "AgI": ("F-43m", Lattice.cubic(6.495), ["Ag", "I"], [[0.0] * 3, [0.25] * 3]),
    "CuBr": ("F-43m", Lattice.cubic(5.69), ["Cu", "Br"], [[0.0] * 3, [0.25] * 3]),
    "Li3N": (
        "P6/mmm",
        Lattice.hexagonal(3.648, 3.875),
        ["Li", "Li", "N"],
        [[0, 0, 0.5], [1 / 3, 2 / 3, 0], [0, 0, 0]],
    ),
    "Li3ClO": ("Pm-3m", Lattice.cubic(3.907), ["Li", "O", "Cl"], [[0.5, 0, 0.5], [0.5] * 3, [0] * 3]),
    "LiCoO2": (
        "R-3m",
        Lattice.hexagonal(2.816, 14.054),
        ["Li", "Co", "O"],
        [[0, 0, 0.5], [0, 0, 0], [0, 0, 0.2605]],
    ),
    "LiTiS2": (
        "P-3m1",
        Lattice.hexagonal(3.455, 6.195),
        ["Li", "Ti", "S"],
        [[0, 0, 0.5], [0, 0, 0], [1 / 3, 2 / 3, 0.2501]],
    ),
    "LiAlO2": (
        "P4_12_12",
        Lattice.tetragonal(5.169, 6.268),
        ["Li", "Al", "O"],
        [[0.8126, 0.8126, 0], [0.1759, 0.1759, 0], [0.3369, 0.2906, 0.7723]],
    ),
    "LiFePO4": (
        "Pnma",
        Lattice.orthorhombic(10.3298, 6.0068, 4.6919),
        ["Li", "Fe", "P", "O", "O", "O"],
        [
            *([0, 0, 0], [0.28222, 0.25, 0.97472], [0.09486, 0.25, 0.4182]),
            *([0.09678, 0.25, 0.74279], [0.4571, 0.25, 0.20602], [0.16558, 0.04646, 0.28478]),
        ],
    ),
    # mp-2878 of the Materials Project (CC BY 4.0), as in the notebook bvel.ipynb of LiTraj.
    "Li3PO4": (
        "Pnma",
        Lattice.orthorhombic(10.41629663, 6.07079561, 4.8926448),
        ["Li", "Li", "P", "O", "O", "O"],
        [
            *([0.83568861, 0.49846062, 0.69534509], [0.57624687, 0.25, 0.79721728], [0.58814555, 0.75, 0.69067243]),
            *([0.41081835, 0.25, 0.62473411], [0.65858046, 0.95731182, 0.79434655], [0.44883378, 0.75, 0.79484118]),
        ],
    ),
    "LiMn2O4": ("Fd-3m", Lattice.cubic(8.247), ["Li", "Mn", "O"], [[0] * 3, [0.625] * 3, [0.3882] * 3]),
}
