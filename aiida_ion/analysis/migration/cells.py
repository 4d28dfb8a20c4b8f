"""The cells of a hop: the same atoms in the same order at both ends, and the moving ion on the shortest path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.geometry import find_mic

from aiida_ion.analysis.migration.network_data import Hop, HopNetwork

FloatArray = npt.NDArray[np.float64]
#: Hops are shorter: a longer straight path is one to a wrong image, angstrom.
MAX_PATH_A = 5.0


@dataclass(frozen=True)
class HopCells:
    """The two ends of a hop.

    :param start: the ion before the hop.
    :param end: after it; all other atoms are in the same places.
    :param moving: index of the ion.
    """

    start: Atoms
    end: Atoms
    moving: int


def hop_cells(
    host: Atoms,
    multiples: Sequence[int],
    atoms: tuple[int, int],
    sites: tuple[npt.ArrayLike, npt.ArrayLike],
    cell: Sequence[int],
    symbol: str,
) -> HopCells:
    """Return the cells of a hop, in a supercell with one ion too few (to a vacancy) or one too many (interstitial).

    :param host: the crystal.
    :param multiples: repeats along each vector.
    :param atoms: the atoms at the two sites, -1 for empty ones.
    :param sites: fractions of the two sites.
    :param cell: the cell that the second is in.
    :param symbol: of the ion.
    :raises ValueError: for a path that is too long, or a supercell in which both sites are the same.
    """
    path = (np.asarray(sites[1]) + np.asarray(cell) - np.asarray(sites[0])) @ host.cell.array
    length = float(np.linalg.norm(path))
    if length > MAX_PATH_A:
        raise ValueError(f"the straight path is {length:.2f} angstrom long, more than {MAX_PATH_A:g}: a wrong image")
    start = host.repeat(tuple(int(n) for n in multiples))
    if min(atoms) >= 0:
        leaves = _index(len(host), atoms[0], (0, 0, 0), multiples)
        vacancy = _index(len(host), atoms[1], cell, multiples)
        if leaves == vacancy:
            raise ValueError("the supercell is so small that the ion would hop to its own image")
        start.positions[leaves] = np.asarray(sites[0]) @ host.cell.array
        del start[vacancy]
        moving = leaves - int(vacancy < leaves)
    else:
        start += Atoms(symbol, positions=[np.asarray(sites[0]) @ host.cell.array])
        moving = len(start) - 1
    end = start.copy()
    end.positions[moving] += path
    return HopCells(start, end, moving)


def cells_of(network: HopNetwork, hop: Hop, host: Atoms, symbol: str) -> HopCells:
    """Return the cells of a hop of a network.

    :param host: the crystal, relaxed or not: atoms are where it has them.
    :param symbol: of the ion.
    :raises ValueError: for a path that is too long, or a supercell in which both sites are the same.
    """
    numbers = (hop.first, hop.second)
    atoms = (network.atoms[hop.first], network.atoms[hop.second])
    places = host.get_scaled_positions(wrap=False)
    kept = [np.asarray(network.sites[number], dtype=float) for number in numbers]
    sites = [places[atom] if atom >= 0 else site for atom, site in zip(atoms, kept, strict=True)]
    # Where the atoms are in other cells than the sites of the network.
    first, second = (np.rint(site - known).astype(int) for site, known in zip(sites, kept, strict=True))
    cell = np.array(hop.cell) + first - second
    return hop_cells(host, network.multiples, atoms, (sites[0], sites[1]), [int(n) for n in cell], symbol)


def _index(n_atoms: int, atom: int, cell: Sequence[int], multiples: Sequence[int]) -> int:
    """Return the index of an atom of one cell in the repeated crystal."""
    a, b, c = (int(number) % int(repeats) for number, repeats in zip(cell, multiples, strict=True))
    return ((a * int(multiples[1]) + b) * int(multiples[2]) + c) * n_atoms + atom


def nearest_images(start: Atoms, end: Atoms) -> Atoms:
    """Return the second end with each atom at its image nearest to where it is in the first.

    :raises ValueError: for other atoms, another order of atoms or another cell.
    """
    if len(start) != len(end) or (start.numbers != end.numbers).any():
        raise ValueError("the two ends hold different atoms, or the same in another order")
    if not np.allclose(start.cell.array, end.cell.array, atol=1e-4):
        raise ValueError("the two ends have different cells")
    moved: Any = find_mic(end.positions - start.positions, start.cell, pbc=True)[0]
    nearest = end.copy()
    nearest.positions = start.positions + moved
    return nearest


def moving_atom(start: Atoms, end: Atoms) -> int:
    """Return the atom that is furthest from its start; images must be the nearest ones."""
    return int(np.linalg.norm(end.positions - start.positions, axis=1).argmax())
