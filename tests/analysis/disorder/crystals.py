"""Small crystals with partly occupied sites, with known answers."""

from __future__ import annotations

from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from aiida_ion.analysis.disorder.crystal import DisorderedCrystal, disordered_crystal


def rock_salt(share: float = 0.5, a_A: float = 4.0) -> DisorderedCrystal:
    """Return a rock salt whose cation sites hold Li and Na: the smallest mixed crystal."""
    shares = {"Li": share, "Na": 1.0 - share}
    return disordered_crystal(
        Structure.from_spacegroup("Fm-3m", Lattice.cubic(a_A), [shares, "Cl"], [[0] * 3, [0.5] * 3])
    )


def half_filled(a_A: float = 4.0) -> DisorderedCrystal:
    """Return LiX: a simple cubic lattice half filled with Li, an anion of charge -1 for every two sites in the middle.

    The cell is tetragonal, so that the anions of every second cube are there.
    """
    lattice = Lattice.tetragonal(a_A, 2 * a_A)
    return disordered_crystal(
        Structure(lattice, [{"Li": 0.5}, {"Li": 0.5}, "Cl"], [[0, 0, 0], [0, 0, 0.5], [0.5] * 2 + [0.25]])
    )


def row_of_sites(n: int) -> DisorderedCrystal:
    """Return a row of n sites of Li, 2.5 angstrom apart and half filled, with anions beside it that nothing repeats."""
    lattice = Lattice.orthorhombic(7.0, 7.0, 2.5 * n)
    sites = [({"Li": 0.5}, [0.0, 0.0, k / n]) for k in range(n)]
    anions = [("Cl", [0.5 + 0.01 * (k % 5), 0.5 - 0.013 * (k % 7), (2 * k + 0.5) / n]) for k in range(n // 2)]
    species, places = zip(*sites, *anions, strict=True)
    return disordered_crystal(Structure(lattice, species, places))


def argyrodite(exchange: float = 0.25) -> DisorderedCrystal:
    """Return Li6PS5Cl with split Li sites, and an exchange of S and Cl; coordinates are rounded."""
    sites = {
        "Li": ({"Li": 0.5}, [0.3174, 0.0171, 0.6826]),
        "P": ("P", [0, 0, 0.5]),
        "S": ("S", [0.1194, -0.1194, 0.6194]),
        "4a": ({"Cl": 1 - exchange, "S": exchange}, [0, 0, 0]),
        "4d": ({"S": 1 - exchange, "Cl": exchange}, [0.25, 0.25, 0.75]),
    }
    species, places = [list(item) for item in zip(*sites.values(), strict=True)]
    structure = Structure.from_spacegroup("F-43m", Lattice.cubic(9.85), species, places)
    return disordered_crystal(structure)
