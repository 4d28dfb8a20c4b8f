"""Small ordered crystals whose defects are known."""

from __future__ import annotations

from functools import cache

from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from aiida_ion.analysis.disorder.crystal import DisorderedCrystal, disordered_crystal


@cache
def lithium_oxide() -> DisorderedCrystal:
    """Return the antifluorite Li2O: one site of Li, and its interstitials are in the centres of the cubes."""
    return disordered_crystal(
        Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.62), ["Li", "O"], [[0.25] * 3, [0] * 3])
    )


@cache
def lithium_chloride() -> DisorderedCrystal:
    """Return the rock salt LiCl: its widest empty sites have four Li and four Cl around."""
    return disordered_crystal(
        Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0.5] * 3, [0] * 3])
    )


@cache
def lithium_nitride() -> DisorderedCrystal:
    """Return alpha-Li3N: two sites of Li, in the plane of N and between planes."""
    lattice, places = Lattice.hexagonal(3.648, 3.875), [[0, 0, 0.5], [1 / 3, 2 / 3, 0], [0, 0, 0]]
    return disordered_crystal(Structure.from_spacegroup("P6/mmm", lattice, ["Li", "Li", "N"], places))


@cache
def lithium_titanate() -> DisorderedCrystal:
    """Return the spinel-like rock salt LiTiO2, ordered in layers: Ti changes its charge easily."""
    lattice, places = Lattice.tetragonal(2.9, 4.2), [[0, 0, 0], [0.5, 0.5, 0.5], [0, 0, 0.5], [0.5, 0.5, 0]]
    return disordered_crystal(Structure(lattice, ["Li", "Ti", "O", "O"], places))
