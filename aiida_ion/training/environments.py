"""How far the surroundings of the atoms of a frame are from those that a potential was trained on.

The surroundings of an atom are described by radial symmetry functions of each element of its neighbours (Behler,
Parrinello, Phys. Rev. Lett. 98, 146401 (2007), eq. 4): sums over neighbours of exp(-eta (r - r_s)^2) f_c(r), with f_c =
(cos(pi r / r_c) + 1)/2. Each function is divided by its standard deviation over the training atoms of the same element;
the distance of an atom is that to the nearest of these, over the square root of the number of functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray
from scipy.spatial import cKDTree

FloatArray = NDArray[np.float64]
#: Cut-off r_c, angstrom: the first two shells of neighbours of a crystal.
CUTOFF_A = 5.0
#: Centres r_s, angstrom; their spacing is the width of each function, eta = 1/(2 spacing^2).
CENTRES_A = np.linspace(1.0, CUTOFF_A - 0.5, 8)
ETA = 1.0 / (2.0 * (CENTRES_A[1] - CENTRES_A[0]) ** 2)
#: A function that varies less than this over the training atoms is not used.
LEAST_STD = 1e-6


def symmetry_functions(
    symbols: Sequence[str], positions: NDArray[Any], cell: FloatArray, elements: Sequence[str]
) -> FloatArray:
    """Return the symmetry functions of the atoms of a frame.

    :param symbols: element of each of N atoms.
    :param positions: shape (N, 3), angstrom.
    :param cell: shape (3, 3), angstrom.
    :param elements: of neighbours, in the order of the columns.
    :returns: shape (N, 8 times the number of elements).
    """
    atoms = Atoms(symbols, positions=np.asarray(positions, dtype=float), cell=cell, pbc=True)
    atoms.wrap()
    first, second, distance = neighbor_list("ijd", atoms, CUTOFF_A)
    values = np.exp(-ETA * (distance[:, None] - CENTRES_A) ** 2)
    values *= 0.5 * (np.cos(np.pi * distance / CUTOFF_A) + 1.0)[:, None]
    kind = np.array([elements.index(symbol) for symbol in symbols])
    result = np.zeros((len(symbols), len(elements), len(CENTRES_A)))
    np.add.at(result, (first, kind[second]), values)
    flat: FloatArray = result.reshape(len(symbols), -1)
    return flat


class Environments:
    """The surroundings of all training atoms.

    :param frames: symbols, positions (N, 3) and cell (3, 3) of each training frame, angstrom.
    """

    def __init__(self, frames: Sequence[tuple[Sequence[str], NDArray[Any], FloatArray]]) -> None:
        self.elements = sorted({symbol for symbols, _, _ in frames for symbol in symbols})
        functions = np.concatenate([symmetry_functions(*frame, self.elements) for frame in frames])
        symbols = np.concatenate([np.array(frame[0]) for frame in frames])
        self._scales: dict[str, FloatArray] = {}
        self._trees: dict[str, Any] = {}
        for element in self.elements:
            mine = functions[symbols == element]
            std = mine.std(axis=0)
            scale = np.divide(1.0, std, out=np.zeros_like(std), where=std > LEAST_STD)
            n_used = max(1, int(np.count_nonzero(scale)))
            self._scales[element] = scale / n_used**0.5
            self._trees[element] = cKDTree(mine * self._scales[element])

    def distances(self, symbols: Sequence[str], positions: NDArray[Any], cell: FloatArray) -> FloatArray:
        """Return the distance of each atom to the nearest training atom of its element, shape (N,), no unit.

        :raises ValueError: for an element that was not trained on.
        """
        new = sorted(set(symbols) - set(self.elements))
        if new:
            raise ValueError(f"no training frame has {', '.join(new)}")
        functions = symmetry_functions(symbols, positions, cell, self.elements)
        kinds, result = np.array(symbols), np.zeros(len(symbols))
        for element in set(symbols):
            mine = kinds == element
            result[mine] = self._trees[element].query(functions[mine] * self._scales[element])[0]
        return result

    def largest(self, symbols: Sequence[str], positions: NDArray[Any], cell: FloatArray) -> float:
        """Return the distance of the atom of a frame that is farthest from all training atoms, no unit."""
        return float(self.distances(symbols, positions, cell).max())
