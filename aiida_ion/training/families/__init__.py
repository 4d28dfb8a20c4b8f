"""The families of potentials that Python programs train, by their names."""

from aiida_ion.training.families.base import PROTOCOLS, Family, FamilySettings
from aiida_ion.training.families.chgnet import CHGNET
from aiida_ion.training.families.mace import MACE
from aiida_ion.training.families.nequip import ALLEGRO, NEQUIP
from aiida_ion.training.families.sevenn import SEVENN

FAMILIES: dict[str, Family] = {family.name: family for family in (SEVENN, ALLEGRO, NEQUIP, MACE, CHGNET)}
#: The family of students that LAMMPS fits and runs by itself.
POD = "pod"
#: Families of fast students, trained from random weights; the first is the default.
STUDENT_FAMILIES = (POD, *(name for name, family in FAMILIES.items() if "student" in family.protocols))

__all__ = ["FAMILIES", "POD", "PROTOCOLS", "STUDENT_FAMILIES", "Family", "FamilySettings"]
