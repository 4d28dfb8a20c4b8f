"""How full the sites of a structure file are, without building the crystal."""

from __future__ import annotations

import warnings

from pymatgen.io.cif import CifFile

OCCUPANCY = "_atom_site_occupancy"
SITES = "_atom_site_fract_x"


def smallest_occupancy(cif: str, name: str) -> float:
    """Return the smallest occupancy of any site; 1 where the file states none.

    :param cif: text of the file.
    :param name: of the crystal, for the message.
    :raises ValueError: if the file has no sites, or occupancies that are no numbers from 0 to 1.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            blocks = [block.data for block in CifFile.from_str(cif).data.values() if SITES in block.data]
        stated = [str(value) for block in blocks for value in block.get(OCCUPANCY, ())]
        # Uncertainties stand in brackets: 0.97(2).
        values = [float(value.partition("(")[0]) for value in stated]
    except Exception as error:  # the parser raises whatever it meets in a broken file
        raise ValueError(f"{name}.cif: cannot be read ({' '.join(str(error).split())[:100]})") from error
    if not blocks:
        raise ValueError(f"{name}.cif: there are no sites in it")
    if not all(0.0 < value <= 1.0 + 1e-6 for value in values):
        raise ValueError(f"{name}.cif: occupancies must be above 0 and at most 1")
    return min([1.0, *values])
