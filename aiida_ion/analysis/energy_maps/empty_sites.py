"""Empty sites of a crystal from a kept map: its local minima away from the sites that are filled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.energy_maps.basins import find_basins
from aiida_ion.analysis.energy_maps.kept_map import EnergyMap, in_cell, repeated

FloatArray = npt.NDArray[np.float64]

#: A minimum closer than this to a filled site is that site, and two closer than the second are one, angstrom.
AT_SITE_A, SAME_A = 1.0, 0.75
#: Atoms that stay in place may be this far from those of the crystal, angstrom.
MISFIT_A = 0.1


def find_empty_sites(
    one: EnergyMap, cell_A: npt.ArrayLike, filled: npt.ArrayLike, rest: npt.ArrayLike, max_above_eV: float
) -> FloatArray:
    """Return the minima of a map that no ion fills, as fractions of the cell of a crystal, lowest first, (k, 3).

    :param one: with the atoms that stay in place.
    :param cell_A: of the crystal, rows, angstrom, (3, 3).
    :param filled: fractions of the sites of the mobile ion, (n, 3).
    :param rest: fractions of all other atoms, (m, 3).
    :param max_above_eV: minima higher than this above the zero of the map are left out, eV.
    :raises ValueError: for a map of another crystal, or one that has no such minimum.
    """
    cell = np.asarray(cell_A, dtype=float)
    if in_cell(one, cell) is None:
        raise ValueError("the cell of the map is not repeated in that of the crystal: screen this very structure")
    host, _ = repeated(one.host_A, one.host_symbols, one.cell_A, cell)
    atoms = np.asarray(rest, dtype=float).reshape(-1, 3)
    if len(host) != len(atoms) or _nearest_A(host @ np.linalg.inv(cell), atoms, cell).max(initial=0.0) > MISFIT_A:
        raise ValueError("the map is of another crystal: the atoms that stay in place are elsewhere")
    basins = find_basins(one.energies_eV)
    low = basins.minima[basins.energies_eV <= max_above_eV]
    places = one.origin + np.stack(np.unravel_index(low, one.energies_eV.shape), axis=-1) / one.energies_eV.shape
    points, _ = repeated(places @ one.cell_A, [""] * len(places), one.cell_A, cell)
    # Copies of each minimum follow those of the cell; the order of energies is kept among them.
    order = np.argsort(np.tile(np.arange(len(places)), len(points) // max(len(places), 1)), kind="stable")
    fractions = (points @ np.linalg.inv(cell))[order] % 1.0
    sites = np.asarray(filled, dtype=float).reshape(-1, 3)
    kept = np.zeros((0, 3))
    for fraction in fractions:
        near_site = len(sites) and _nearest_A(fraction[None], sites, cell)[0] < AT_SITE_A
        if not near_site and not (len(kept) and _nearest_A(fraction[None], kept, cell)[0] < SAME_A):
            kept = np.vstack([kept, fraction])
    if not len(kept):
        raise ValueError(
            f"the map has no minimum up to {max_above_eV:.2f} eV that is {AT_SITE_A:g} angstrom away from all filled "
            "sites: there are no empty sites to hop among"
        )
    return kept


def _nearest_A(points: FloatArray, others: FloatArray, cell_A: FloatArray) -> FloatArray:  # noqa: N802
    """Return the distance of each point to the nearest of others, by fractions, angstrom, (n,)."""
    apart = points[:, None] - others[None]
    return np.asarray(np.linalg.norm((apart - np.rint(apart)) @ cell_A, axis=-1).min(axis=1), dtype=np.float64)
