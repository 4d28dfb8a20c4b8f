"""The space group of a crystal, as a symbol for lists."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import spglib
from numpy.typing import NDArray

#: Tolerance of the search, angstrom: pymatgen's default for crystals that were not computed.
SYMPREC_A = 0.01
#: Larger cells are not searched: the time grows faster than their number of atoms.
MAX_ATOMS = 400


def space_group(cell: NDArray[np.float64], positions: NDArray[np.float64], species: Sequence[str]) -> str | None:
    """Return the international symbol of a crystal's space group; ``None`` where it is not found.

    :param cell: rows, angstrom, (3, 3).
    :param positions: Cartesian, angstrom, (n, 3).
    :param species: what is on each site, (n,); sites with different words are inequivalent.
    """
    if not 0 < len(species) <= MAX_ATOMS or abs(float(np.linalg.det(cell))) < 1e-6:
        return None
    names = sorted(set(species))
    numbers = [names.index(name) + 1 for name in species]
    given: Any = (cell, positions @ np.linalg.inv(cell), numbers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # spglib's, on its own handling of errors
        try:
            found = spglib.get_symmetry_dataset(given, symprec=SYMPREC_A)
        except Exception:  # its errors have no common public class in all versions
            return None
    return None if found is None else str(found.international)
