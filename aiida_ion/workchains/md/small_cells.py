"""Small crystals on which engines are tested."""

from __future__ import annotations

from aiida import orm
from ase.build import bulk


def lithium_oxide(primitive: bool = False) -> orm.StructureData:
    """Return antifluorite Li2O: the cube of 12 atoms, or its primitive cell of 3."""
    return orm.StructureData(ase=bulk("OLi2", "fluorite", a=4.62, cubic=not primitive))


def calcium_fluoride() -> orm.StructureData:
    """Return fluorite CaF2, the cube of 12 atoms."""
    return orm.StructureData(ase=bulk("CaF2", "fluorite", a=5.46, cubic=True))


def argon() -> orm.StructureData:
    """Return solid argon, 32 atoms."""
    return orm.StructureData(ase=bulk("Ar", "fcc", a=5.26, cubic=True).repeat(2))


def copper() -> orm.StructureData:
    """Return copper, 32 atoms."""
    return orm.StructureData(ase=bulk("Cu", "fcc", a=3.61, cubic=True).repeat(2))
