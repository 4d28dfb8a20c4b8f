"""Site occupancies of a structure file, without building the crystal."""

from __future__ import annotations

from aiida_ion.crystal_files.cif_text import SITES, read_blocks
from aiida_ion.crystal_files.numbers import number

OCCUPANCY = "_atom_site_occupancy"


def smallest_occupancy(cif: str, name: str) -> float:
    """Return the smallest occupancy of any site; 1 if the file states none.

    :param cif: text of the file.
    :param name: of the crystal, for the message.
    :raises ValueError: if the file has no sites, or occupancies that are not numbers from 0 to 1.
    """
    try:
        blocks = [block for block in read_blocks(cif) if SITES in block.items]
        stated = [value for block in blocks for value in block.items.get(OCCUPANCY, ()) if value not in ("?", ".")]
        values = [number(value, "an occupancy") for value in stated]
    except ValueError as error:
        raise ValueError(f"{name}.cif: cannot be read ({' '.join(str(error).split())[:100]})") from error
    if not blocks:
        raise ValueError(f"{name}.cif: it contains no sites")
    if not all(0.0 < value <= 1.0 + 1e-6 for value in values):
        raise ValueError(f"{name}.cif: occupancies must be above 0 and at most 1")
    return min([1.0, *values])
