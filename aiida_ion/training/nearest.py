"""Whether two atoms of a frame are closer than the bound of their elements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray


class TooClose(NamedTuple):
    """The pair that is farthest below its bound; distances in angstrom."""

    pair: str
    distance_A: float
    bound_A: float

    def __str__(self) -> str:
        return f"{self.pair} {self.distance_A:.3f} angstrom apart, below the bound of {self.bound_A:.3f}"


def closest_below(
    symbols: Sequence[str],
    positions: NDArray[Any],
    cell: NDArray[np.float64],
    bounds_A: Mapping[str, float],
    periodic: bool | Sequence[bool] = True,
) -> TooClose | None:
    """Return the pair of a frame that is farthest below its bound, periodic images included; ``None`` if none is.

    Neighbours are looked for up to the largest bound and no farther.

    :param symbols: element of each of N atoms.
    :param positions: shape (N, 3), angstrom.
    :param cell: shape (3, 3), angstrom.
    :param bounds_A: by pair, such as ``Li-O``, elements in alphabetical order; pairs of other elements are left out.
    :param periodic: along each vector.
    """
    present = set(symbols)
    cutoffs = {
        (one, other): bound
        for (one, other), bound in ((name.split("-"), bound) for name, bound in bounds_A.items())
        if {one, other} <= present
    }
    if not cutoffs:
        return None
    atoms = Atoms(symbols, positions=np.asarray(positions, dtype=float), cell=cell, pbc=periodic)
    atoms.wrap()
    first, second, distance = neighbor_list("ijd", atoms, cutoffs)
    if not len(distance):
        return None
    names = ["-".join(sorted((symbols[one], symbols[other]))) for one, other in zip(first, second, strict=True)]
    below = np.array([bounds_A[name] for name in names]) - distance
    worst = int(np.argmax(below))
    return TooClose(names[worst], float(distance[worst]), float(bounds_A[names[worst]]))
