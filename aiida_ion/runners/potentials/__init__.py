"""From the name of a potential to an ASE calculator, with the checkpoint that was really loaded."""

from aiida_ion.runners.potentials.load import describe_potential, load_potential, require_elements
from aiida_ion.runners.potentials.loaders import LOADERS, read_chgnet
from aiida_ion.runners.potentials.potential import Potential, neighbour_reference, restore_neighbours

__all__ = [
    "LOADERS",
    "Potential",
    "describe_potential",
    "load_potential",
    "neighbour_reference",
    "read_chgnet",
    "require_elements",
    "restore_neighbours",
]
